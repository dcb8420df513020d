// The library that programs link (src/mark) and gramwatt's side of the shared memory, against each other. The library attaches
// once a process, so each scene is a process of its own.

#include "job/mark_buffers.hpp"

#include <fcntl.h>
#include <gramwatt/gramwatt.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <gramwatt/gramwatt.hpp>
#include <map>
#include <set>
#include <thread>

#include "mark/protocol.h"

namespace gramwatt::job {
namespace {

const SystemClock kClock;

/// Fails the scene, from inside its process.
void check(bool holds, const char* what, int line) {
  if (holds) return;
  (void)!::fprintf(stderr, "line %d: not true: %s\n", line, what);
  ::_exit(1);
}
#define CHECK(x) check((x), #x, __LINE__)

/// Runs a part of a program in a process of its own, below run `id` (empty: below none).
pid_t start(const std::string& id, const std::function<void()>& part) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  if (id.empty()) ::unsetenv("GRAMWATT_RUN_ID");
  else ::setenv("GRAMWATT_RUN_ID", id.c_str(), 1);
  part();
  ::exit(0);  // with destructors, as programs end
}

void expect_good_end(pid_t pid) {
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

void below(const std::string& id, const std::function<void()>& part) { expect_good_end(start(id, part)); }

MarkBuffers make(const std::string& id, MarkClock kind = MarkClock::monotonic) {
  auto made = MarkBuffers::make(id, kind, kClock);
  if (!made) {
    ADD_FAILURE() << made.error().message();
    return {Fd{}, kind, kClock};
  }
  return std::move(*made);
}

std::vector<meter::MarkEvent> drain(MarkBuffers& buffers) {
  std::vector<meter::MarkEvent> events;
  buffers.drain(events);
  return events;
}

TEST(Markers, AreNothingWithoutARun) {
  for (const char* id : {"", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "../../../../../../etc/passwd", "x", "01ARZ3NDEKTSV4RRFFQ69G5FA/"}) {
    below(id, [] {
      errno = 7;
      CHECK(gramwatt_available() == 0);
      CHECK(gramwatt_name("x") == 0);
      CHECK(gramwatt_begin("x") == 0);
      CHECK(gramwatt_begin_id(0) == 0);
      CHECK(gramwatt_end(0) == -1);
      CHECK(gramwatt_end(12345) == -1);
      CHECK(gramwatt_mark("x") == -1);
      CHECK(errno == 7);
    });
  }
}

TEST(Markers, TellWhatAndWhen) {
  for (const MarkClock kind : {MarkClock::monotonic, mark_clock(Roots{})}) {
    const std::string id = new_run_id();
    MarkBuffers buffers = make(id, kind);
    EXPECT_FALSE(buffers.attached());
    const Nanoseconds before = kClock.now().monotonic;
    below(id, [] {
      CHECK(gramwatt_available() == 1);
      const gramwatt_region outer = gramwatt_begin("outer");
      const gramwatt_region inner = gramwatt_begin_id(gramwatt_name("inner"));
      CHECK(gramwatt_mark("here") == 0);
      CHECK(gramwatt_end(outer) == 0);
      CHECK(gramwatt_end(inner) == 0);
    });
    EXPECT_TRUE(buffers.attached());
    const auto events = drain(buffers);
    const Nanoseconds after = kClock.now().monotonic;
    ASSERT_EQ(events.size(), 5U);
    EXPECT_EQ(buffers.name(events[0].name), "outer");
    EXPECT_EQ(buffers.name(events[1].name), "inner");
    EXPECT_EQ(buffers.name(events[2].name), "here");
    EXPECT_EQ(events[3].region, events[0].region);
    EXPECT_EQ(events[4].region, events[1].region);
    EXPECT_NE(events[0].region, events[1].region);
    Nanoseconds last = before;
    for (const auto& e : events) {
      EXPECT_LE(last, e.at);
      last = e.at;
    }
    EXPECT_LE(last, after);
    EXPECT_TRUE(drain(buffers).empty());
    EXPECT_EQ(buffers.damaged(), 0U);
    EXPECT_EQ(buffers.dropped(), 0U);
  }
}

TEST(Markers, ARegionOfCppEndsOnceWhereverItIsMoved) {
  const std::string id = new_run_id();
  MarkBuffers buffers = make(id);
  below(id, [] {
    const Name name("a");
    Region first(name);
    Region second(std::move(first));
    CHECK(!first);
    CHECK(bool(second));
    Region third("b");
    third = std::move(second);  // ends b
    third.end();
    third.end();
    CHECK(available());
    mark("m");
    mark(name);
  });
  std::map<meter::MarkKind, int> count;
  for (const auto& e : drain(buffers)) ++count[e.kind];
  EXPECT_EQ(count[meter::MarkKind::begin], 2);
  EXPECT_EQ(count[meter::MarkKind::end], 2);
  EXPECT_EQ(count[meter::MarkKind::mark], 2);
}

// Four threads mark while a fifth drains: nothing is lost, doubled or torn.
TEST(Markers, AreWholeWhileSomebodyReads) {
  const std::string id = new_run_id();
  constexpr int kThreads = 4;
  constexpr int kRegions = 30'000;
  below(id, [&] {
    MarkBuffers buffers = make(id);
    std::atomic<int> running = kThreads;
    std::atomic<std::int64_t> refused = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < kRegions; ++i) {
          const gramwatt_region r = gramwatt_begin("work");
          if (r == 0) ++refused;
          else CHECK(gramwatt_end(r) == 0);
        }
        --running;
      });
    }
    std::map<std::uint64_t, int> open;
    std::int64_t ended = 0;
    for (bool more = true; more;) {
      more = running > 0;
      for (const auto& e : drain(buffers)) {
        int& state = open[e.region];
        CHECK(state == (e.kind == meter::MarkKind::begin ? 0 : 1));
        ++state;
        ended += e.kind == meter::MarkKind::end ? 1 : 0;
      }
    }
    for (auto& t : threads) t.join();
    CHECK(ended + refused == std::int64_t{kThreads} * kRegions);
    CHECK(buffers.dropped() == static_cast<std::uint64_t>(refused.load()));
    CHECK(buffers.damaged() == 0);
  });
}

TEST(Markers, AnotherThreadMayEndARegion) {
  const std::string id = new_run_id();
  MarkBuffers buffers = make(id);
  below(id, [] {
    const gramwatt_region r = gramwatt_begin("request");
    std::thread([r] { CHECK(gramwatt_end(r) == 0); }).join();
  });
  const auto events = drain(buffers);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].region, events[1].region);
}

TEST(Markers, ThreadsThatEndGiveTheirRingBack) {
  const std::string id = new_run_id();
  MarkBuffers buffers = make(id);
  below(id, [] {
    for (int i = 0; i < 3000; ++i) {
      std::thread([] { CHECK(gramwatt_end(gramwatt_begin("thread")) == 0); }).join();
    }
  });
  std::set<std::uint64_t> regions;
  const auto events = drain(buffers);
  for (const auto& e : events) regions.insert(e.region);
  EXPECT_EQ(events.size(), 6000U);
  EXPECT_EQ(regions.size(), 3000U) << "a ring that changes hands must not use a region's number twice";
}

TEST(Markers, OfAForkedChildAreItsOwn) {
  const std::string id = new_run_id();
  MarkBuffers buffers = make(id);
  below(id, [] {
    const gramwatt_region parents = gramwatt_begin("parent");
    const pid_t child = ::fork();
    if (child == 0) {
      CHECK(gramwatt_end(parents) == -1);  // it goes on in the parent
      const gramwatt_region own = gramwatt_begin("child");
      CHECK(own != 0);
      CHECK(gramwatt_end(own) == 0);
      ::_exit(0);
    }
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child && status == 0);
    CHECK(gramwatt_end(parents) == 0);
  });
  std::map<std::uint64_t, int> count;
  const auto events = drain(buffers);
  for (const auto& e : events) ++count[e.region];
  EXPECT_EQ(events.size(), 4U);
  EXPECT_EQ(count.size(), 2U);
  EXPECT_EQ(buffers.damaged(), 0U);
}

TEST(Markers, AFullBufferRefusesRegionsAndNeverLosesAnEnd) {
  const std::string id = new_run_id();
  MarkBuffers buffers = make(id);
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  below(id, [&] {
    int begun = 0;
    int dropped = 0;
    std::vector<gramwatt_region> deep;
    for (int i = 0; i < 500; ++i) deep.push_back(gramwatt_begin("deep"));
    for (int i = 0; i < 20'000; ++i) {
      const gramwatt_region r = gramwatt_begin("flat");
      if (r == 0) ++dropped;
      else ++begun;
      CHECK(r == 0 || gramwatt_end(r) == 0);
    }
    for (const gramwatt_region r : deep) CHECK(gramwatt_end(r) == 0);
    CHECK(gramwatt_mark("late") == -1);
    const std::array<int, 2> counts{begun + 500, dropped + 1};
    CHECK(::write(pipe[1], counts.data(), sizeof counts) == sizeof counts);
  });
  ::close(pipe[1]);
  std::array<int, 2> counts{};
  ASSERT_EQ(::read(pipe[0], counts.data(), sizeof counts), static_cast<ssize_t>(sizeof counts));
  std::map<meter::MarkKind, int> seen;
  for (const auto& e : drain(buffers)) ++seen[e.kind];
  EXPECT_EQ(seen[meter::MarkKind::begin], counts[0]);
  EXPECT_EQ(seen[meter::MarkKind::end], counts[0]);
  EXPECT_EQ(buffers.dropped(), static_cast<std::uint64_t>(counts[1]));
  EXPECT_GT(counts[1], 0);
  ::close(pipe[0]);
}

TEST(Markers, GoOnWhenTheBufferWasRead) {
  const std::string id = new_run_id();
  below(id, [&] {
    MarkBuffers buffers = make(id);
    std::size_t total = 0;
    for (int round = 0; round < 8; ++round) {
      for (int i = 0; i < 6000; ++i) CHECK(gramwatt_end(gramwatt_begin("x")) == 0);
      total += drain(buffers).size();
    }
    CHECK(total == 8U * 12'000U);
  });
}

/// The file of a run, as a program could write to it.
Fd open_file(const std::string& id) { return Fd(::open(mark_path(id).c_str(), O_RDWR | O_CLOEXEC)); }

TEST(Markers, RingsOfTheDeadAreTakenOver) {
  const std::string id = new_run_id();
  MarkBuffers buffers = make(id);
  const pid_t dead = start("", [] {});
  expect_good_end(dead);
  struct stat space{};
  ASSERT_EQ(::stat("/proc/self/ns/pid", &space), 0);
  std::vector<gwm_owner> owners(GWM_RINGS,
                                gwm_owner{static_cast<std::uint32_t>(space.st_ino)} << 32U | static_cast<std::uint32_t>(dead));
  owners[0] = owners[0] + (std::uint64_t{1} << 32U);  // of another pid namespace: may live
  const Fd file = open_file(id);
  const auto size = static_cast<ssize_t>(owners.size() * sizeof(gwm_owner));
  ASSERT_EQ(::pwrite(file.get(), owners.data(), static_cast<std::size_t>(size), GWM_OWNERS_AT), size);
  below(id, [] { CHECK(gramwatt_end(gramwatt_begin("x")) == 0); });
  EXPECT_EQ(drain(buffers).size(), 2U);
  gwm_owner first = 0;
  ASSERT_EQ(::pread(file.get(), &first, sizeof first, GWM_OWNERS_AT), static_cast<ssize_t>(sizeof first));
  EXPECT_EQ(first, owners[0]);
}

TEST(Markers, WithoutAFreeRingAreCountedAsRefused) {
  const std::string id = new_run_id();
  MarkBuffers buffers = make(id);
  struct stat space{};
  ASSERT_EQ(::stat("/proc/self/ns/pid", &space), 0);
  const std::vector<gwm_owner> owners(
      GWM_RINGS, gwm_owner{static_cast<std::uint32_t>(space.st_ino)} << 32U | static_cast<std::uint32_t>(::getpid()));
  const Fd file = open_file(id);
  ASSERT_GT(::pwrite(file.get(), owners.data(), owners.size() * sizeof(gwm_owner), GWM_OWNERS_AT), 0);
  below(id, [] {
    CHECK(gramwatt_available() == 0);
    CHECK(gramwatt_begin("x") == 0);
    CHECK(gramwatt_mark("x") == -1);
  });
  EXPECT_TRUE(drain(buffers).empty());
  EXPECT_EQ(buffers.dropped(), 2U);
}

TEST(Markers, AfterTheRunIsOverAThreadFindsNothing) {
  const std::string id = new_run_id();
  below(id, [&] {
    {
      const MarkBuffers buffers = make(id);
      CHECK(gramwatt_mark("x") == 0);
    }
    CHECK(::access(mark_path(id).c_str(), F_OK) != 0);
    CHECK(gramwatt_mark("x") == 0);  // where this thread writes is still there
    std::thread([] {
      CHECK(gramwatt_begin("x") == 0);
      CHECK(gramwatt_available() == 0);
    }).join();
  });
}

TEST(Markers, NamesAreTheSameInEveryProcess) {
  const std::string id = new_run_id();
  MarkBuffers buffers = make(id);
  for (int i = 0; i < 3; ++i) {
    below(id, [] {
      CHECK(gramwatt_mark("a") == 0);
      CHECK(gramwatt_name("a") == gramwatt_name("a"));
      CHECK(gramwatt_name("a") != gramwatt_name("b"));
      std::string same = "a";  // by text, not by address
      CHECK(gramwatt_mark(same.c_str()) == 0);
      same = "b";
      CHECK(gramwatt_mark(same.c_str()) == 0);
    });
  }
  std::set<std::uint32_t> names;
  for (const auto& e : drain(buffers)) names.insert(e.name);
  EXPECT_EQ(names.size(), 2U);
}

TEST(Markers, OddNamesAreKeptOrToldApart) {
  const std::string id = new_run_id();
  MarkBuffers buffers = make(id);
  below(id, [] {
    std::string longest(GWM_NAME_BYTES - 2, 'x');
    longest += "\xC3\xA9\xC3\xA9";  // the limit falls into the first é
    CHECK(gramwatt_mark(longest.c_str()) == 0);
    CHECK(gramwatt_mark("") == 0);
    CHECK(gramwatt_mark("two\nlines\x1B[31m") == 0);
    CHECK(gramwatt_mark(nullptr) == -1);
    for (int i = 0; i < GWM_NAMES + 50; ++i) CHECK(gramwatt_mark(std::to_string(i).c_str()) == 0);
  });
  const auto events = drain(buffers);
  ASSERT_EQ(events.size(), static_cast<std::size_t>(GWM_NAMES) + 53);
  EXPECT_EQ(buffers.name(events[0].name), std::string(GWM_NAME_BYTES - 2, 'x'));
  EXPECT_EQ(buffers.name(events[1].name), "(empty name)");
  EXPECT_EQ(buffers.name(events[2].name), "two lines [31m");
  EXPECT_EQ(buffers.name(events[3].name), "0");
  EXPECT_EQ(buffers.name(events.back().name), "(further names)");
  EXPECT_EQ(buffers.name(0), "(damaged name)");
  EXPECT_EQ(buffers.name(77777), "(damaged name)");
}

TEST(Markers, TheFileIsPrivateAndGone) {
  const std::string id = new_run_id();
  struct stat info{};
  {
    const MarkBuffers buffers = make(id);
    ASSERT_EQ(::stat(mark_path(id).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0600U);
    EXPECT_LE(info.st_blocks * 512, 65536) << "what nobody uses takes no memory";
    EXPECT_FALSE(MarkBuffers::make(id, MarkClock::monotonic, kClock)) << "another run's file is not taken";
    EXPECT_EQ(::stat(mark_path(id).c_str(), &info), 0) << "nor removed";
  }
  EXPECT_NE(::stat(mark_path(id).c_str(), &info), 0);
}

void write_at(const Fd& file, std::uint64_t value, std::uint64_t at) {
  ASSERT_EQ(::pwrite(file.get(), &value, sizeof value, static_cast<off_t>(at)), static_cast<ssize_t>(sizeof value));
}

TEST(Markers, DamageIsLeftOutAndSurvived) {
  const std::string id = new_run_id();
  MarkBuffers buffers = make(id);
  below(id, [] { CHECK(gramwatt_end(gramwatt_begin("x")) == 0); });
  EXPECT_EQ(drain(buffers).size(), 2U);
  const Fd file = open_file(id);
  write_at(file, UINT64_MAX, GWM_RINGS_AT);  // head
  EXPECT_TRUE(drain(buffers).empty());
  EXPECT_EQ(buffers.damaged(), 1U);
  write_at(file, 3, GWM_RINGS_AT);  // far behind
  EXPECT_TRUE(drain(buffers).size() <= GWM_EVENTS);
  const std::uint64_t before = buffers.damaged();
  // Events of no kind, of a name that cannot be, of a time that has not come.
  for (std::uint64_t i = 0; i < 3; ++i) write_at(file, UINT64_MAX, GWM_RINGS_AT + GWM_EVENTS_AT + (3 + i) * 16);
  write_at(file, 0, GWM_RINGS_AT + GWM_EVENTS_AT + 3 * 16 + 8);
  write_at(file, std::uint64_t{3} << 62U | std::uint64_t{60000} << 46U, GWM_RINGS_AT + GWM_EVENTS_AT + 4 * 16 + 8);
  write_at(file, std::uint64_t{3} << 62U | std::uint64_t{1} << 46U, GWM_RINGS_AT + GWM_EVENTS_AT + 5 * 16 + 8);
  write_at(file, 6, GWM_RINGS_AT);
  const auto events = drain(buffers);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(buffers.damaged(), before + 2);
  EXPECT_LE(events[0].at, kClock.now().monotonic);
  write_at(file, UINT64_MAX, 8);  // clock and number of rings
  EXPECT_TRUE(drain(buffers).empty());
  ASSERT_EQ(::ftruncate(file.get(), 100), 0);  // a mapping would now be a SIGBUS
  EXPECT_TRUE(drain(buffers).empty());
  EXPECT_EQ(buffers.name(1), "(damaged name)");
  ASSERT_EQ(::ftruncate(file.get(), 0), 0);
  EXPECT_TRUE(drain(buffers).empty());
}

TEST(Markers, ExecLeavesWhatWasWritten) {
  const std::string id = new_run_id();
  MarkBuffers buffers = make(id);
  below(id, [] {
    CHECK(gramwatt_mark("before") == 0);
    ::execl("/bin/true", "true", static_cast<char*>(nullptr));
    ::_exit(1);
  });
  EXPECT_EQ(drain(buffers).size(), 1U);
}

}  // namespace
}  // namespace gramwatt::job
