// A look at 300 processes must not cost what is being measured. Reading /proc/PID/stat costs 10 to 20 µs a process, asking for
// its CPU clock 0.2 µs. So:
//   1. the folder /proc is listed (getdents64 on a descriptor that is kept);
//   2. every process's CPU clock is asked; only where it has moved, or the process is new, is its stat file read: who has not
//      run has neither reaped a child nor changed its name;
//   3. every clock is asked again, after all stat files: what ended meanwhile is left out of the look, so that nothing is seen
//      alive whose parent's stat file may have been read with it already reaped (process_books.hpp needs this order).
// A process that is given a new parent need not run for it, so after a look in which something vanished the stat files of
// processes whose parent is gone are read too. Nothing is allocated except for processes that are new.

#include "meter/process_table.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <ctime>

#include "base/text.hpp"

namespace gramwatt::meter {
namespace {

/// As clock_getcpuclockid, which asks the kernel once more than needed: the clock of a whole process, by its pid, counts in
/// nanoseconds (CPUCLOCK_SCHED 2, linux/posix-timers.h).
clockid_t cpu_clock(pid_t pid) { return static_cast<clockid_t>((~static_cast<unsigned>(pid) << 3U) | 2U); }

std::optional<Nanoseconds> cpu_time(clockid_t clock) {
  timespec t{};
  if (clock_gettime(clock, &t) != 0) return std::nullopt;
  return std::chrono::seconds(t.tv_sec) + Nanoseconds(t.tv_nsec);
}

/// The head of struct linux_dirent64; getdents64(2).
struct DirectoryEntry {
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short length;
  unsigned char type;
};
constexpr std::size_t kNameOffset = 19;

}  // namespace

Result<ProcessTable> ProcessTable::open() {
  ProcessTable t;
  t.folder_ = Fd(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!t.folder_) return tl::unexpected(errno_error(errno, "cannot list the processes", "/proc"));
  return t;
}

const std::string& ProcessTable::name(pid_t pid) const {
  static const std::string nobody;
  const auto at = known_.find(pid);
  return at == known_.end() ? nobody : at->second.name;
}

void ProcessTable::list() {
  ::lseek(folder_.get(), 0, SEEK_SET);
  for (;;) {
    const long n = ::syscall(SYS_getdents64, folder_.get(), entries_.data(), entries_.size());
    if (n <= 0) return;
    for (long at = 0; at < n;) {
      DirectoryEntry e{};
      std::memcpy(&e, entries_.data() + at, sizeof e);
      const char* const name = entries_.data() + at + kNameOffset;
      at += e.length;
      if (*name < '1' || *name > '9') continue;
      const auto pid = parse_number<pid_t>(name);
      if (!pid) continue;
      Known& k = known_[*pid];
      k.look.pid = *pid;
      k.clock = cpu_clock(*pid);
      k.seen = look_;
    }
  }
}

bool ProcessTable::read_stat(Known& k) {
  std::array<char, 24> path{};
  char* end = std::to_chars(path.data(), path.data() + 16, k.look.pid).ptr;
  std::memcpy(end, "/stat", 6);
  const Fd file(::openat(folder_.get(), path.data(), O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  const ssize_t n = ::read(file.get(), text_.data(), text_.size());
  if (n <= 0) return false;
  const std::string_view text(text_.data(), static_cast<std::size_t>(n));
  const auto stat = parse_process_stat(text);
  if (!stat) return false;
  static const std::int64_t tick = 1'000'000'000 / std::max(1L, sysconf(_SC_CLK_TCK));
  k.look.parent = stat->parent;
  k.look.session = stat->session;
  k.look.start_ticks = stat->start_ticks;
  k.look.zombie = stat->state == 'Z' || stat->state == 'X';
  k.look.reaped = Nanoseconds(stat->reaped_ticks * tick);
  k.name.assign(process_name(text));
  return true;
}

/// Its parent is gone, or its number is somebody else's now.
bool ProcessTable::is_orphan(const Known& k) const {
  if (k.look.parent == 0) return false;
  const auto parent = known_.find(k.look.parent);
  return parent == known_.end() || parent->second.look.start_ticks > k.look.start_ticks;
}

void ProcessTable::read_changed() {
  for (auto& [pid, k] : known_) {
    if (k.seen != look_) continue;
    const auto used = cpu_time(k.clock);
    const bool orphaned = some_vanished_ && is_orphan(k);
    if (!k.needs_stat && !orphaned && used && *used == k.probed) continue;
    k.probed = used.value_or(Nanoseconds{0});  // before the file: what it does from here on is seen by the next look
    k.needs_stat = !read_stat(k);
    if (k.needs_stat) k.seen = 0;  // it has ended, or is hidden
  }
}

void ProcessTable::settle() {
  looks_.clear();
  some_vanished_ = false;
  for (auto at = known_.begin(); at != known_.end();) {
    Known& k = at->second;
    const auto used = k.seen == look_ ? cpu_time(k.clock) : std::nullopt;
    if (!used) {
      some_vanished_ = true;
      at = known_.erase(at);
      continue;
    }
    k.look.self = *used;
    looks_.push_back(k.look);
    ++at;
  }
}

const std::vector<ProcessLook>& ProcessTable::look() {
  ++look_;
  list();
  read_changed();
  settle();
  return looks_;
}

}  // namespace gramwatt::meter
