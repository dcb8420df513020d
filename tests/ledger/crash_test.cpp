// Killed at any moment, and many at once.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <optional>
#include <random>
#include <thread>

#include "fakes/temp_tree.hpp"
#include "ledger/ledger.hpp"
#include "ledger/make.hpp"

namespace gramwatt::ledger {
namespace {

using testing::TempTree;

Surroundings surroundings(bool network) {
  return {.host = "h", .is_network_folder = [=](const std::filesystem::path&) { return network; }};
}

/// The child appends without end and writes a byte for each append that was acknowledged.
[[noreturn]] void append_for_ever(const std::filesystem::path& path, const std::string& id, bool network, int acknowledge) {
  auto ledger = Ledger::open(path, surroundings(network));
  if (!ledger || !ledger->begin(make::run(id), make::channels(2))) ::_exit(1);
  for (std::int64_t i = 0;; ++i) {
    if (!ledger->append(id, make::intervals(i, i + 1, 2))) ::_exit(1);
    if (::write(acknowledge, ".", 1) != 1) ::_exit(1);
    if (i % 40 == 39 && !ledger->sync()) ::_exit(1);
  }
}

std::int64_t count_bytes(int fd, std::int64_t at_most) {
  std::int64_t n = 0;
  char c = 0;
  while (n < at_most && ::read(fd, &c, 1) == 1) ++n;
  return n;
}

/// The same as a run does it: seconds into the tail, commits now and then from another thread.
[[noreturn]] void push_for_ever(const std::filesystem::path& path, const std::string& id, int acknowledge) {
  auto ledger = Ledger::open(path, surroundings(false));
  if (!ledger || !ledger->begin(make::run(id), make::channels(2))) ::_exit(1);
  Tail tail = ledger->open_tail(id, 2);
  std::optional<std::thread> committer;
  std::atomic<bool> committed = true;
  std::int64_t from = 0;
  Nanoseconds handed_over{};
  for (std::int64_t i = 0;; ++i) {
    if (committer && (committed || tail.count() > 100)) {
      committer->join();
      committer.reset();
      tail.forget(handed_over);
    }
    const auto one = make::interval(i, 2);
    if (!tail.push(one)) ::_exit(1);
    if (::write(acknowledge, ".", 1) != 1) ::_exit(1);
    if (committer || i + 1 - from < 7) continue;
    committed = false;
    handed_over = one.end.monotonic;
    committer.emplace([&, batch = make::intervals(from, i + 1, 2)] {
      if (!ledger->append(id, batch)) ::_exit(1);
      committed = true;
    });
    from = i + 1;
  }
}

/// Kills a writer right after its n-th acknowledgement, wherever it then is; everything acknowledged must be there.
void kill_and_look(const std::filesystem::path& path, const std::string& id, bool network, std::int64_t n, bool tail = false) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    if (tail) push_for_ever(path, id, ends[1]);
    append_for_ever(path, id, network, ends[1]);
  }
  ::close(ends[1]);
  std::int64_t acknowledged = count_bytes(ends[0], n);
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "the writer failed";
  acknowledged += count_bytes(ends[0], 1'000'000);
  ::close(ends[0]);

  auto ledger = Ledger::open(path, surroundings(network));
  ASSERT_TRUE(ledger.has_value()) << ledger.error().message();
  const auto before = ledger->intervals(id);
  const auto interrupted = ledger->mark_interrupted();
  EXPECT_EQ(*interrupted, std::vector<std::string>{id});
  const auto kept = ledger->intervals(id);
  ASSERT_TRUE(kept.has_value());
  EXPECT_GE(kept->size(), static_cast<std::size_t>(acknowledged));
  EXPECT_LE(kept->size(), static_cast<std::size_t>(acknowledged) + 1);
  EXPECT_EQ(*kept, make::intervals(0, static_cast<std::int64_t>(kept->size()), 2));
  EXPECT_EQ(*before, *kept);
  EXPECT_TRUE(read_tail(path, id).empty());
  const auto record = ledger->get(id);
  EXPECT_EQ(record->state, State::interrupted);
  EXPECT_EQ(record->end_utc, kept->empty() ? record->start_utc : kept->back().end.utc);
}

TEST(LedgerKilled, everything_acknowledged_is_there_on_a_local_disk) {
  const TempTree t;
  std::mt19937 random(1);
  for (int k = 0; k < 20; ++k)
    kill_and_look(t / "ledger.db", "01A" + std::to_string(k), false, static_cast<std::int64_t>(random() % 300));
}

TEST(LedgerKilled, everything_in_the_tail_is_there_once) {
  const TempTree t;
  std::mt19937 random(3);
  for (int k = 0; k < 40; ++k)
    kill_and_look(t / "ledger.db", "01A" + std::to_string(k), false, static_cast<std::int64_t>(random() % 300), true);
}

TEST(LedgerKilled, everything_acknowledged_is_there_on_a_network_disk) {
  const TempTree t;
  std::mt19937 random(2);
  for (int k = 0; k < 10; ++k)
    kill_and_look(t / "ledger.db", "01A" + std::to_string(k), true, static_cast<std::int64_t>(random() % 30));
}

TEST(LedgerKilled, while_it_is_made_leaves_a_ledger_that_opens) {
  for (int k = 0; k < 20; ++k) {
    const TempTree t;
    const auto path = t / "ledger.db";
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      (void)!::write(ends[1], ".", 1);
      (void)Ledger::open(path, surroundings(k % 2 == 0));
      ::_exit(0);
    }
    (void)count_bytes(ends[0], 1);
    for (int spin = 0; spin < k * 100; ++spin) (void)::getppid();  // a different moment each time
    (void)::kill(child, SIGKILL);
    int status = 0;
    (void)::waitpid(child, &status, 0);
    ::close(ends[0]), ::close(ends[1]);
    auto ledger = Ledger::open(path, surroundings(k % 2 == 0));
    ASSERT_TRUE(ledger.has_value()) << ledger.error().message();
    EXPECT_TRUE(ledger->begin(make::run("01A"), {}));
  }
}

/// Commits of a writer. On a network file system each waits for the disk, and the others wait for it.
int commits(bool network) { return network ? 15 : 100; }

/// A disk that others keep busy may keep a writer waiting for longer than the ledger's patience: it is told, and tries again.
template <class F>
bool in_the_end(F&& attempt) {
  for (int i = 0; i < 20; ++i) {
    if (attempt()) return true;
  }
  return false;
}

/// One writer's whole life.
bool write_one_run(const std::filesystem::path& path, const std::string& id, bool network) {
  Result<Ledger> ledger = fail("not opened");
  if (!in_the_end([&] { return (ledger = Ledger::open(path, surroundings(network))).has_value(); })) return false;
  RunRecord r = make::run(id);
  if (!in_the_end([&] { return ledger->begin(r, make::channels()).has_value(); })) return false;
  for (std::int64_t i = 0; i < commits(network); ++i) {
    (void)ledger->append(id, make::intervals(i, i + 1));  // what fails is kept, and goes with the next
    if (i % 30 == 0) (void)ledger->sync();
  }
  r.state = State::finished;
  return in_the_end([&] { return ledger->finish(r).has_value(); });
}

void expect_all_there(const std::filesystem::path& path, bool network, int runs) {
  const auto ledger = Ledger::open_read_only(path, surroundings(network));
  ASSERT_TRUE(ledger.has_value());
  for (int k = 0; k < runs; ++k) {
    const std::string id = "01A" + std::to_string(k);
    const auto run = ledger->get(id);
    ASSERT_TRUE(run) << id;
    EXPECT_EQ(run->state, State::finished);
    EXPECT_TRUE(ledger->intervals(id) == make::intervals(0, commits(network))) << id;
  }
}

TEST(LedgerShared, processes_write_one_file_at_once_from_its_making_on) {
  for (const bool network : {false, true}) {
    const TempTree t;
    constexpr int kWriters = 6;
    std::vector<pid_t> children;
    for (int k = 0; k < kWriters; ++k) {
      const pid_t child = ::fork();
      if (child == 0) ::_exit(write_one_run(t / "ledger.db", "01A" + std::to_string(k), network) ? 0 : 1);
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      EXPECT_EQ(status, 0);
    }
    expect_all_there(t / "ledger.db", network, kWriters);
  }
}

TEST(LedgerShared, threads_with_a_ledger_each_write_one_file_at_once) {
  const TempTree t;
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k) {
    threads.emplace_back([&, k] { EXPECT_TRUE(write_one_run(t / "ledger.db", "01A" + std::to_string(k), false)); });
  }
  for (auto& thread : threads) thread.join();
  expect_all_there(t / "ledger.db", false, 4);
}

}  // namespace
}  // namespace gramwatt::ledger
