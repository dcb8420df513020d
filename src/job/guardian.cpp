// A program that gramwatt holds must not stay held because gramwatt was killed, crashed, or is stopped itself. A signal handler
// helps against neither kill -9 nor SIGSTOP, and a death signal reaches direct children only. So a second process watches.
//
// It is forked before the program is born and shares one piece of memory with gramwatt. gramwatt writes there what it is about
// to stop *before* it stops it; so at every moment the memory lists at least what is stopped. Then
//   gramwatt dies       the kernel makes its pidfd readable, the guardian lets everything run on (a millisecond) and ends.
//   gramwatt is stopped its lease runs out, the guardian lets everything run on and marks the lease as expired, by the same
//                       compare-and-swap with which gramwatt renews; so gramwatt, once continued, knows.
//   the guardian dies   its pidfd is readable in gramwatt's poll loop.
//   it is stopped       the next renewal finds it so. When gramwatt dies before that, the kernel continues the guardian.
// In the last two cases gramwatt releases the hold, starts another guardian and sets the hold again. Nobody helps when somebody
// stops both, or kills both (but in way `trace` the kernel does).
//
// The guardian survives what ends gramwatt's neighbours: it is a child of init in a session of its own (no Ctrl-C, no hang-up,
// no kill of the job's process group), blocks all signals, and is named neither "gramwatt" nor by gramwatt's command line. It
// holds no descriptor that anybody waits for, no folder busy.
//
// It is a copy of gramwatt, not a program of its own: a copy begins in a third of a millisecond and shares gramwatt's pages,
// where an exec of the whole binary takes some 4 ms and 0.5 MB of relocations. A copy of a process with threads may only make
// system calls (another thread may have held malloc's lock); so that is all it ever does (guardian_process.cpp), and starting
// one later in a run is as safe as starting the first.
//
// While nothing is held both sleep without a timeout. docs/validation.md: what it costs and how fast it is.

#include "job/guardian.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include "base/process.hpp"
#include "base/text.hpp"
#include "job/guardian_page.hpp"

namespace gramwatt::job {

using guardian::EntryState;
using guardian::Page;
using guardian::Request;
using guardian::Way;

namespace {

constexpr Nanoseconds kAnswer = std::chrono::seconds(1);

Nanoseconds monotonic_now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return std::chrono::seconds(t.tv_sec) + Nanoseconds(t.tv_nsec);
}

bool is_readable(int fd, int timeout_ms = 0) {
  pollfd source{fd, POLLIN, 0};
  return ::poll(&source, 1, timeout_ms) == 1;
}

/// Where this process's command line lies: fields 48 and 49 of its stat; proc(5). Nothing known: nothing to overwrite.
std::pair<char*, std::size_t> command_line_memory() {
  const auto stat = read_file("/proc/self/stat", 4096);
  const auto name_end = stat ? stat->rfind(')') : std::string::npos;
  if (name_end == std::string::npos) return {nullptr, 0};
  const auto fields = split(std::string_view(*stat).substr(name_end + 2), ' ');  // from field 3 on
  if (fields.size() < 47) return {nullptr, 0};
  const auto begin = parse_number<std::uintptr_t>(fields[45]), end = parse_number<std::uintptr_t>(fields[46]);
  if (!begin || !end || *begin == 0 || *end <= *begin) return {nullptr, 0};
  return {reinterpret_cast<char*>(*begin), *end - *begin};  // NOLINT(performance-no-int-to-ptr): the kernel tells a number
}

/// A copy of this process whose end sends `exit_signal`. No handlers of the C library run in it.
pid_t copy(int exit_signal) { return static_cast<pid_t>(syscall(SYS_clone, exit_signal, nullptr, nullptr, nullptr, nullptr)); }

/// In the copy. As a child of init there is one more copy between.
[[noreturn]] void become_guardian(const guardian::Birth& birth, bool of_init) {
  syscall(SYS_setsid);
  if (of_init) {
    const pid_t pid = copy(SIGCHLD);
    if (pid != 0) {
      birth.page->guardian.store(pid);
      syscall(SYS_exit_group, 0);
    }
  }
  guardian::live(birth);
}

class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

Result<std::unique_ptr<Guardian>> Guardian::start(Nanoseconds lease) {
  auto made = std::unique_ptr<Guardian>(new Guardian(lease));
  void* memory = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return tl::unexpected(errno_error(errno, "cannot map memory for the guardian", {}));
  made->page_ = static_cast<Page*>(memory);  // all zero is a valid page
  made->page_->lease_until = guardian::kNoLease;
  made->page_->lease = lease.count();
  if (const auto spawned = made->spawn(); !spawned) return tl::unexpected(spawned.error());
  return made;
}

Result<void> Guardian::spawn() {
  const Fd self(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  if (!self) return tl::unexpected(errno_error(errno, "cannot watch this process (pidfd_open)", {}));
  bell_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!bell_) return tl::unexpected(errno_error(errno, "cannot make an eventfd", {}));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return tl::unexpected(errno_error(errno, "cannot make a pipe", {}));
  const Fd thread(ends[0]);
  thread_ = Fd(ends[1]);
  int reaper = 0;
  prctl(PR_GET_CHILD_SUBREAPER, &reaper);
  own_child_ = reaper != 0 || getpid() == 1;  // an orphan would come back to us, and look like one of the program's
  const auto [arguments, size] = command_line_memory();
  const guardian::Birth birth{page_, self.get(), bell_.get(), thread.get(), arguments, size};
  page_->guardian = 0;
  page_->answered = page_->asked.load();

  pid_t first = -1;
  {
    const AllSignalsBlocked blocked;  // inherited: none is ever taken in the guardian
    first = copy(0);                  // no signal at its end: not seen by wait4(-1) of the poll loop
    if (first == 0) become_guardian(birth, !own_child_);
  }
  if (first < 0) return tl::unexpected(errno_error(errno, "cannot fork the guardian", {}));
  pid_ = first;
  if (!own_child_) {
    while (::waitpid(first, nullptr, __WCLONE) < 0 && errno == EINTR) {}
    pid_ = page_->guardian.load();
    if (pid_ <= 0) return fail("cannot fork the guardian");
  }
  pidfd_ = Fd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!pidfd_) return tl::unexpected(errno_error(errno, "the guardian ended at once", {}));
  return {};
}

/// Whatever state it is in.
void Guardian::end() {
  if (!pidfd_) return;
  if (health() == Health::well) (void)ask(static_cast<int>(Request::quit));
  if (!is_readable(pidfd_.get(), health() == Health::well ? 1000 : 0)) {
    syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
    (void)is_readable(pidfd_.get(), 1000);
  }
  if (own_child_) ::waitpid(pid_, nullptr, __WCLONE | WNOHANG);
  pidfd_.reset();
}

Guardian::~Guardian() {
  end();
  if (page_ != nullptr) ::munmap(page_, sizeof(Page));
}

Result<void> Guardian::restart() {
  end();
  return spawn();
}

Guardian::Health Guardian::health() const {
  if (!pidfd_ || is_readable(pidfd_.get())) return Health::dead;
  const auto stat = process_stat(pid_);
  if (!stat || stat->state == 'T' || stat->state == 't') return Health::stopped;
  if (page_->asked != page_->answered && monotonic_now() > last_asked_ + kAnswer) return Health::stopped;
  return Health::well;
}

std::uint32_t Guardian::ask(int request) {
  page_->request = static_cast<Request>(request);
  if (page_->asked == page_->answered) last_asked_ = monotonic_now();
  const std::uint32_t asked = ++page_->asked;
  const std::uint64_t one = 1;
  (void)!::write(bell_.get(), &one, sizeof one);
  return asked;
}

/// Until the guardian has answered. It may die meanwhile, which wakes no futex: so in short steps.
Result<void> Guardian::await(std::uint32_t asked) const {
  const Nanoseconds until = monotonic_now() + kAnswer;
  for (;;) {
    const std::uint32_t answered = page_->answered.load(std::memory_order_acquire);
    if (answered == asked) return {};
    if (is_readable(pidfd_.get())) return fail("the guardian is dead");
    if (monotonic_now() > until) return fail("the guardian does not answer", "process " + std::to_string(pid_));
    const timespec step{0, 50'000'000};
    syscall(SYS_futex, &page_->answered, FUTEX_WAIT, answered, &step, nullptr, 0);
  }
}

Result<void> Guardian::renew() {
  if (health() == Health::dead) return fail("the guardian is dead");
  if (health() == Health::stopped) return fail("the guardian is stopped", "process " + std::to_string(pid_));
  std::int64_t until = page_->lease_until;
  do {
    if (until == guardian::kExpired)
      return fail("gramwatt was stopped for so long that the guardian has let the program run on");
    if (until == guardian::kNoLease) return {};
  } while (!page_->lease_until.compare_exchange_weak(until, (monotonic_now() + lease_).count()));
  (void)ask(static_cast<int>(Request::answer));
  return {};
}

bool Guardian::released() const { return page_->lease_until == guardian::kExpired; }

// ------------------------------------------------------------------------------------------------------ for ways to hold

Result<void> Guardian::arm() {
  if (health() == Health::dead) return fail("the guardian is dead");
  page_->lease_until = (monotonic_now() + lease_).count();
  const auto answered = await(ask(static_cast<int>(Request::answer)));
  if (!answered) page_->lease_until = guardian::kNoLease;
  return answered;
}

Result<void> Guardian::watch_cgroup(const std::string& folder) {
  if (folder.size() >= page_->cgroup.size()) return fail("the path is too long", folder);
  std::memcpy(page_->cgroup.data(), folder.c_str(), folder.size() + 1);
  page_->way.store(Way::cgroup, std::memory_order_release);
  return {};
}

Result<void> Guardian::add(pid_t id, std::int64_t start_ticks) {
  const std::size_t i = count();
  if (i >= page_->entries.size()) return fail(std::to_string(i) + " processes and threads are more than can be held");
  guardian::Entry& entry = page_->entries[i];
  entry.id = id;
  entry.start_ticks = start_ticks;
  entry.error = 0;
  entry.doubted = false;
  entry.state = EntryState::wanted;
  page_->count.store(static_cast<std::uint32_t>(i + 1), std::memory_order_release);
  return {};
}

Result<void> Guardian::watch_process(pid_t pid, std::int64_t start_ticks) {
  page_->way = Way::stop;
  return add(pid, start_ticks);
}

guardian::Entry* Guardian::find(pid_t pid, std::int64_t start_ticks) const {
  for (std::size_t i = 0; i < count(); ++i) {
    guardian::Entry& e = page_->entries[i];
    if (e.id.load(std::memory_order_relaxed) == pid && e.start_ticks.load(std::memory_order_relaxed) == start_ticks &&
        e.state.load(std::memory_order_relaxed) != EntryState::gone) {
      return &e;
    }
  }
  return nullptr;
}

bool Guardian::watches(pid_t pid, std::int64_t start_ticks) const { return find(pid, start_ticks) != nullptr; }

void Guardian::doubt(pid_t pid, std::int64_t start_ticks, bool doubted) {
  if (guardian::Entry* entry = find(pid, start_ticks)) entry->doubted = doubted;
}

Result<void> Guardian::want_thread(pid_t tid, std::int64_t start_ticks) {
  page_->way = Way::trace;
  return add(tid, start_ticks);
}

Result<void> Guardian::seize() { return await(ask(static_cast<int>(Request::seize))); }

std::vector<Guardian::Refusal> Guardian::take_refusals() {
  std::vector<Refusal> refusals;
  for (std::size_t i = 0; i < count(); ++i) {
    guardian::Entry& e = page_->entries[i];
    if (e.state != EntryState::refused) continue;
    refusals.push_back({e.id, e.start_ticks, e.error});
    e.state = EntryState::gone;
  }
  return refusals;
}

Result<std::size_t> Guardian::let_go() {
  if (const auto done = await(ask(static_cast<int>(Request::detach))); !done) return tl::unexpected(done.error());
  return page_->left;
}

std::size_t Guardian::count() const { return std::min<std::size_t>(page_->count, page_->entries.size()); }

Guardian::Watched Guardian::entry(std::size_t i) const {
  const guardian::Entry& e = page_->entries[i];
  return {e.state == EntryState::wanted ? e.id.load() : 0, e.start_ticks, e.doubted};
}

void Guardian::forget(std::size_t i) { page_->entries[i].state = EntryState::gone; }

void Guardian::clear() {
  page_->way = Way::nothing;
  page_->count = 0;
  page_->lease_until = guardian::kNoLease;
}

}  // namespace gramwatt::job
