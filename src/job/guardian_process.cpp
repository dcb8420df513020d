// The guardian's own process. See guardian.cpp for what it is for.
//
// It sleeps in one ppoll on three descriptors: gramwatt's pidfd (readable once gramwatt is dead, however it died), the bell
// that gramwatt rings when it wants something, and SIGCHLD for the threads that it traces. A fourth, the thread of its life, is
// a pipe whose other end gramwatt holds. While something is held there is a lease too, on the monotonic clock, which stands
// still while the machine is suspended.
//
// Tracing is done here and not in gramwatt. The kernel lets a tracer's threads run on when the tracer dies, but not when it is
// stopped; so the tracer must be the one that notices a stopped gramwatt. And gramwatt's wait4(-1) sees nothing of it.
// Stops are only looked at (WNOWAIT), never taken: a signal that was on its way to a thread when it was caught stays in the
// thread, and the kernel delivers it even when this process is killed.

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>
#include <cstring>
#include <ctime>
#include <string_view>

#include "base/process.hpp"
#include "job/guardian_page.hpp"
#include "job/stopped.hpp"

namespace gramwatt::job::guardian {
namespace {

enum Descriptor { kGramwatt = 0, kBell = 1, kThread = 2, kChildren = 3, kFirstClosed = 3 };

constexpr char kName[] = "gw-guardian";  // not "gramwatt…": killall and pkill of that name must not find it
constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kStopWait = 20 * kMs;  // threads in an uninterruptible sleep stop later; nobody waits for them
constexpr std::int64_t kLongestGrace = 1000 * kMs;

std::int64_t now() {
  timespec t{};
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

/// Nothing of /proc/ID/stat fits: -1.
std::int64_t start_of(pid_t id) {
  std::array<char, 32> path{"/proc/"};
  char* at = std::to_chars(path.data() + 6, path.data() + 20, id).ptr;
  std::memcpy(at, "/stat", 6);
  std::array<char, 1024> text;
  const long fd = syscall(SYS_openat, AT_FDCWD, path.data(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  const long n = syscall(SYS_read, fd, text.data(), text.size());
  syscall(SYS_close, fd);
  const auto stat = parse_process_stat({text.data(), static_cast<std::size_t>(std::max(n, 0L))});
  return stat ? stat->start_ticks : -1;
}

/// A stop or an end of a traced thread, left where it is. si_pid 0: nothing yet; false: it is no longer ours.
bool look_at(pid_t id, siginfo_t& seen, int extra = WNOHANG) {
  seen = {};
  return syscall(SYS_waitid, P_PID, id, &seen, WSTOPPED | WEXITED | WNOWAIT | __WALL | extra, nullptr) == 0;
}

bool is_end(const siginfo_t& seen) {
  return seen.si_code == CLD_EXITED || seen.si_code == CLD_KILLED || seen.si_code == CLD_DUMPED;
}

/// Takes an end, so that the real parent gets it.
void take_end(pid_t id) { syscall(SYS_waitid, P_PID, id, nullptr, WEXITED | WNOHANG | __WALL, nullptr); }

/// At rest: let go, with the signal that it was about to get.
void detach(pid_t id, const siginfo_t& seen) {
  const bool of_event = (seen.si_status >> 8) != 0;
  syscall(SYS_ptrace, PTRACE_DETACH, id, nullptr, of_event ? 0L : static_cast<long>(seen.si_status & 0x7F));
}

void drain(int fd) {
  std::array<char, 1024> buffer;
  while (syscall(SYS_read, fd, buffer.data(), buffer.size()) > 0) {}
}

class Life {
 public:
  explicit Life(Page& page) : page_(page) {}
  [[noreturn]] void run();

 private:
  void obey();
  void seize();
  void seize_one(Entry& entry) const;
  [[nodiscard]] std::uint32_t settle();
  void await_children(std::int64_t until) const;
  std::uint32_t detach_all();
  void take_ends();
  void let_everything_go();
  void thaw();
  void look_at_lease();
  [[nodiscard]] std::int64_t next_look() const;
  [[nodiscard]] std::uint32_t count() const {
    return std::min<std::uint32_t>(page_.count.load(std::memory_order_acquire), kMostEntries);
  }

  Page& page_;
  std::int64_t grace_until_ = 0;  // 0: the lease is good
  bool detaching_ = false;        // some could not be let go yet
};

void Life::run() {
  for (;;) {
    std::array<pollfd, 3> sources{{{kGramwatt, POLLIN, 0}, {kBell, POLLIN, 0}, {kChildren, POLLIN, 0}}};
    const auto& [gramwatt, bell, children] = sources;
    const std::int64_t wake = next_look();
    const std::int64_t wait = std::max<std::int64_t>(wake - now(), 0);
    const timespec timeout{static_cast<time_t>(wait / 1'000'000'000), static_cast<long>(wait % 1'000'000'000)};
    const long n = syscall(SYS_ppoll, sources.data(), sources.size(), wake == kNoLease ? nullptr : &timeout, nullptr, 0);
    if (n < 0) continue;
    if (gramwatt.revents != 0) {
      let_everything_go();
      syscall(SYS_exit_group, 0);  // the kernel lets go what is traced still
    }
    if (bell.revents != 0) {
      drain(kBell);
      obey();
    }
    if (children.revents != 0) {
      drain(kChildren);
      take_ends();
      if (detaching_) page_.left.store(detach_all(), std::memory_order_release);
    }
    look_at_lease();
  }
}

std::int64_t Life::next_look() const {
  if (grace_until_ != 0) return grace_until_;
  const std::int64_t until = page_.lease_until.load(std::memory_order_acquire);
  return until == kExpired ? kNoLease : until;
}

/// A lease that has run out is given a moment of grace: gramwatt and guardian may both just have been woken, from a suspend
/// whose clock jumped or from a freezer around them both.
void Life::look_at_lease() {
  std::int64_t until = page_.lease_until.load(std::memory_order_acquire);
  if (until == kExpired || until > now()) {
    grace_until_ = 0;
  } else if (grace_until_ == 0) {
    grace_until_ = now() + std::min(page_.lease.load(std::memory_order_relaxed) / 4, kLongestGrace);
  } else if (now() >= grace_until_) {
    grace_until_ = 0;
    // Whoever is first wins: gramwatt cannot renew what has run out.
    if (page_.lease_until.compare_exchange_strong(until, kExpired)) let_everything_go();
  }
}

void Life::obey() {
  const std::uint32_t asked = page_.asked.load(std::memory_order_acquire);
  if (asked == page_.answered.load(std::memory_order_relaxed)) return;
  const Request request = page_.request.load(std::memory_order_relaxed);
  if (request == Request::quit) {
    let_everything_go();
    syscall(SYS_exit_group, 0);
  }
  if (request == Request::seize) seize();
  if (request == Request::detach) page_.left.store(detach_all(), std::memory_order_release);
  page_.answered.store(asked, std::memory_order_release);
  syscall(SYS_futex, &page_.answered, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

/// What was found stopped is ours no more afterwards: a stop that comes later is somebody else's. What was not stopped yet
/// stays listed, because gramwatt may be about to stop it.
void Life::let_everything_go() {
  const Way way = page_.way.load(std::memory_order_acquire);
  if (way == Way::cgroup) {
    thaw();
  } else if (way == Way::stop) {
    // The last that was stopped first: children run before their parents can see them stopped.
    for (std::uint32_t i = count(); i-- > 0;) {
      Entry& entry = page_.entries[i];
      if (entry.state.load(std::memory_order_relaxed) != EntryState::wanted) continue;
      const pid_t id = entry.id.load(std::memory_order_relaxed);
      const std::int64_t start = entry.start_ticks.load(std::memory_order_relaxed);
      const bool was_stopped = is_stopped(id, start);
      continue_process(id, start, entry.doubted.load(std::memory_order_relaxed));
      if (was_stopped) entry.state.store(EntryState::gone, std::memory_order_relaxed);
    }
  } else if (way == Way::trace) {
    page_.left.store(detach_all(), std::memory_order_release);
  }
}

void Life::thaw() {
  std::array<char, kLongestPath + 16> path{};
  const std::size_t length = ::strnlen(page_.cgroup.data(), page_.cgroup.size());
  std::memcpy(path.data(), page_.cgroup.data(), length);
  std::memcpy(path.data() + length, "/cgroup.freeze", 15);
  const long fd = syscall(SYS_openat, AT_FDCWD, path.data(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  char was = '0';
  (void)syscall(SYS_pread64, fd, &was, 1, 0);
  (void)syscall(SYS_write, fd, "0", 1);
  syscall(SYS_close, fd);
  if (was == '1') page_.way.store(Way::nothing, std::memory_order_release);
}

// ------------------------------------------------------------------------------------------------------------ tracing

void Life::seize() {
  detaching_ = false;
  for (std::uint32_t i = 0; i < count(); ++i) {
    if (page_.entries[i].state.load(std::memory_order_relaxed) == EntryState::wanted) seize_one(page_.entries[i]);
  }
  const std::int64_t until = now() + kStopWait;
  while (settle() > 0 && now() < until) await_children(until);
}

void Life::seize_one(Entry& entry) const {
  const pid_t id = entry.id.load(std::memory_order_relaxed);
  if (syscall(SYS_ptrace, PTRACE_SEIZE, id, nullptr, nullptr) != 0) {
    entry.error.store(errno, std::memory_order_relaxed);
    entry.state.store(errno == ESRCH ? EntryState::gone : EntryState::refused, std::memory_order_release);
    return;
  }
  syscall(SYS_ptrace, PTRACE_INTERRUPT, id, nullptr, nullptr);
  if (start_of(id) == entry.start_ticks.load(std::memory_order_relaxed)) {
    entry.state.store(EntryState::seized, std::memory_order_release);
    return;
  }
  // The id has become another's since gramwatt looked: not ours to hold.
  siginfo_t seen{};
  if (look_at(id, seen, 0) && !is_end(seen)) detach(id, seen);
  entry.state.store(EntryState::gone, std::memory_order_release);
}

/// Looks which of the seized are at rest by now; how many are not.
std::uint32_t Life::settle() {
  std::uint32_t moving = 0;
  for (std::uint32_t i = 0; i < count(); ++i) {
    Entry& entry = page_.entries[i];
    if (entry.state.load(std::memory_order_relaxed) != EntryState::seized) continue;
    const pid_t id = entry.id.load(std::memory_order_relaxed);
    siginfo_t seen{};
    if (!look_at(id, seen)) {
      entry.state.store(EntryState::gone, std::memory_order_release);
    } else if (seen.si_pid == 0) {
      ++moving;
    } else if (is_end(seen)) {
      take_end(id);
      entry.state.store(EntryState::gone, std::memory_order_release);
    } else {
      entry.state.store(EntryState::stopped, std::memory_order_release);
    }
  }
  return moving;
}

void Life::await_children(std::int64_t until) const {
  pollfd source{kChildren, POLLIN, 0};
  const std::int64_t wait = std::max<std::int64_t>(until - now(), 0);
  const timespec timeout{0, static_cast<long>(wait)};
  syscall(SYS_ppoll, &source, 1, &timeout, nullptr, 0);
  drain(kChildren);
}

/// What is at rest is let go. A thread that never came to rest cannot be; it comes to rest one day (a parent in vfork once its
/// child, let go now, has called exec), SIGCHLD says so, and this is called again.
std::uint32_t Life::detach_all() {
  std::uint32_t left = 0;
  for (std::uint32_t i = 0; i < count(); ++i) {
    Entry& entry = page_.entries[i];
    const EntryState state = entry.state.load(std::memory_order_relaxed);
    if (state != EntryState::seized && state != EntryState::stopped) continue;
    const pid_t id = entry.id.load(std::memory_order_relaxed);
    siginfo_t seen{};
    const bool ours = look_at(id, seen);
    if (ours && seen.si_pid == 0) {
      ++left;
      continue;
    }
    if (ours && is_end(seen)) take_end(id);
    else if (ours) detach(id, seen);
    entry.state.store(EntryState::gone, std::memory_order_release);
  }
  detaching_ = left > 0;
  return left;
}

/// Threads that were killed while held: their parent is told only once we have taken note. One by one, because a wait for the
/// end of any of them would take the stops of the others as well.
void Life::take_ends() {
  for (std::uint32_t i = 0; i < count(); ++i) {
    Entry& entry = page_.entries[i];
    const EntryState state = entry.state.load(std::memory_order_relaxed);
    if (state != EntryState::seized && state != EntryState::stopped) continue;
    const pid_t id = entry.id.load(std::memory_order_relaxed);
    siginfo_t seen{};
    if (!look_at(id, seen) || seen.si_pid == 0 || !is_end(seen)) continue;
    take_end(id);
    entry.state.store(EntryState::gone, std::memory_order_release);
  }
}

// -------------------------------------------------------------------------------------------------------------- birth

/// Nothing of gramwatt's is kept open: pipes must end, terminals hang up and file systems unmount without us.
void keep_only(const Birth& birth) {
  std::array<long, 3> high{birth.gramwatt, birth.bell, birth.thread};
  for (long& fd : high) fd = syscall(SYS_fcntl, fd, F_DUPFD, 10);
  for (std::size_t i = 0; i < high.size(); ++i) syscall(SYS_dup3, high[i], i, 0);
  if (syscall(SYS_close_range, kFirstClosed, ~0U, 0) != 0) {
    for (int fd = kFirstClosed; fd < 65'536; ++fd) syscall(SYS_close, fd);
  }
  const std::uint64_t children = 1ULL << static_cast<unsigned>(SIGCHLD - 1);
  syscall(SYS_signalfd4, -1, &children, sizeof children, SFD_NONBLOCK);
}

}  // namespace

void live(const Birth& birth) {
  // All signals are blocked already. With SIGCHLD ignored the kernel would take ends for us, before the real parents get them.
  const std::array<char, 64> standard{};  // SIG_DFL and no flags, in every layout
  syscall(SYS_rt_sigaction, SIGCHLD, standard.data(), nullptr, 8);
  keep_only(birth);
  // When gramwatt dies its end of the pipe closes, and the kernel sends SIGCONT: it wakes us even if somebody has stopped us.
  // The signal is blocked as all are; that it continues a process happens all the same (signal(7)).
  syscall(SYS_fcntl, kThread, F_SETOWN, syscall(SYS_getpid));
  syscall(SYS_fcntl, kThread, F_SETSIG, SIGCONT);
  syscall(SYS_fcntl, kThread, F_SETFL, O_ASYNC | O_NONBLOCK);
  syscall(SYS_chdir, "/");
  syscall(SYS_prctl, PR_SET_NAME, kName, 0, 0, 0);
  // `pkill -f` looks at the command line: it is ours to write over, in our copy.
  if (birth.arguments_size > 0) {
    std::memset(birth.arguments, 0, birth.arguments_size);
    std::memcpy(birth.arguments, kName, std::min(sizeof kName, birth.arguments_size));
  }
  Life(*birth.page).run();
}

}  // namespace gramwatt::job::guardian
