// CPU time of processes that gramwatt has not started.
//
//   cgroup                   exact, whatever the processes do, for all that are in it.
//   inherited task clocks    a perf software counter on every thread of the trees, inherited by what they start from then on:
//                            children of 5 ms and children of parents that ignore SIGCHLD are counted. −1 to −4 % where zombies
//                            are left. Needs perf_event_paranoid ≤ 2 (and the same user), or CAP_PERFMON. A process that
//                            becomes setuid loses its counter.
//   looks at /proc           the clocks of what lives, plus what the living have reaped (process_books.hpp), once a second.
//                            Children that live and die between two looks are counted when their parent waits for them; not
//                            seen: children of parents that ignore SIGCHLD, what forks away twice between two looks, and
//                            the last moments of a root, whose own parent is not in the tree.
//
// Threads may be started while counters are being attached. One that starts after its starter has its counter inherits it;
// one that starts before must get its own. Start times are known to 10 ms, so in between it cannot be told: such a thread is
// left uncounted, because nothing may count twice, and named.

#include "meter/tree_watch.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "base/process.hpp"
#include "base/text.hpp"
#include "meter/process_books.hpp"
#include "meter/process_table.hpp"

namespace gramwatt::meter {
namespace fs = std::filesystem;
namespace {

Nanoseconds now_on(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return std::chrono::seconds(t.tv_sec) + Nanoseconds(t.tv_nsec);
}

Nanoseconds tick_length() { return Nanoseconds(1'000'000'000 / std::max(1L, sysconf(_SC_CLK_TCK))); }

/// Threads of a process, by number; empty when it has ended.
std::vector<pid_t> threads_of(pid_t pid) {
  std::vector<pid_t> threads;
  std::error_code ec;
  const fs::path folder = "/proc/" + std::to_string(pid) + "/task";
  for (auto at = fs::directory_iterator(folder, ec); !ec && at != fs::directory_iterator(); at.increment(ec)) {
    if (const auto tid = parse_number<pid_t>(at->path().filename().string())) threads.push_back(*tid);
  }
  return threads;
}

// ------------------------------------------------------------------------------------------------- inherited task clocks

/// A tree may have thousands of threads, and each takes a descriptor. Nothing is started by `attach`, so nobody inherits this.
void allow_many_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

class TaskClocks final : public TreeCpu {
 public:
  static Result<std::unique_ptr<TaskClocks>> attach(const std::vector<pid_t>& roots) {
    allow_many_files();
    auto watch = std::make_unique<TaskClocks>();
    // Twice: what was started before its starter had a counter is found by the second round.
    for (const bool again : {false, true}) {
      if (auto done = watch->attach_all(roots, again); !done) return tl::unexpected(done.error());
    }
    if (watch->clocks_.empty()) return fail("they have ended");
    return watch;
  }

  [[nodiscard]] Nanoseconds read() override {
    Nanoseconds sum{};
    for (const Fd& clock : clocks_) {
      std::int64_t ns = 0;
      if (::read(clock.get(), &ns, sizeof ns) == sizeof ns) sum += Nanoseconds(ns);
    }
    return last_ = std::max(last_, sum);
  }

  [[nodiscard]] std::string mechanism() const override { return "inherited task clocks"; }
  [[nodiscard]] std::string shortfall() const override {
    if (unsure_ == 0) return {};
    return fmt::format("{} threads that began while it was being attached may not be counted", unsure_);
  }

 private:
  Result<void> attach_all(const std::vector<pid_t>& roots, bool again) {
    const auto processes = processes_below(roots);
    if (!processes) return tl::unexpected(processes.error());
    for (const pid_t pid : *processes) {
      for (const pid_t tid : threads_of(pid)) {
        if (known_.contains(tid) || (again && inherited(tid))) continue;
        known_.insert(tid);
        if (auto done = open_clock(tid); !done) return done;
      }
    }
    attached_at_ = now_on(CLOCK_BOOTTIME);
    return {};
  }

  /// Found by the second round only: has it inherited a counter, or may it have?
  bool inherited(pid_t tid) {
    const auto stat = process_stat(tid);
    if (!stat) return true;  // ended
    const Nanoseconds start = tick_length() * stat->start_ticks;
    if (start + tick_length() <= began_) return false;
    if (start < attached_at_) ++unsure_;
    return true;
  }

  Result<void> open_clock(pid_t tid) {
    perf_event_attr attr{};
    attr.size = sizeof attr;
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_TASK_CLOCK;
    attr.inherit = 1;
    attr.exclude_kernel = 1;  // asked for by paranoid level 2; the task clock counts kernel time all the same
    attr.exclude_hv = 1;
    Fd clock(static_cast<int>(syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC)));
    if (clock) {
      clocks_.push_back(std::move(clock));
      return {};
    }
    if (errno == ESRCH) return {};  // it has just ended
    return fail(std::strerror(errno), "task clock",
                errno == EMFILE ? "ulimit -n" : "sudo sysctl kernel.perf_event_paranoid=2 allows it for one's own processes");
  }

  std::vector<Fd> clocks_;
  std::set<pid_t> known_;
  Nanoseconds began_ = now_on(CLOCK_BOOTTIME), attached_at_{}, last_{};
  int unsure_ = 0;
};

// --------------------------------------------------------------------------------------------------------- looks at /proc

class Looks final : public TreeCpu {
 public:
  Looks(ProcessTable table, const std::vector<pid_t>& roots, std::string shortfall)
      : table_(std::move(table)), books_(tick_length()), shortfall_(std::move(shortfall)), roots_(roots) {
    for (const pid_t root : roots) books_.follow(root);
    look();
  }

  [[nodiscard]] Nanoseconds read() override {
    if (now_on(CLOCK_MONOTONIC) >= next_) look();
    return books_.members_used();
  }
  [[nodiscard]] Nanoseconds read_exactly() override {
    look();
    return books_.members_used();
  }
  [[nodiscard]] std::string mechanism() const override { return "looks at /proc"; }
  [[nodiscard]] std::string shortfall() const override {
    const std::string end =
        unseen_ > Nanoseconds{0} ? fmt::format("; up to {:.2f} s before an end were not seen", seconds(unseen_).value()) : "";
    return shortfall_ + end + "; what ends between two looks counts only if its parent, in the tree, waits for it";
  }
  [[nodiscard]] bool missed_something() const override { return missed_; }

 private:
  void look() {
    const Nanoseconds start = now_on(CLOCK_MONOTONIC);
    books_.take(table_.look());
    for (const auto& [pid, e] : books_.entries()) {
      // Whoever has run may have begun to; looking at all of them each time would cost more than it tells.
      if (e.member && (e.fresh > Nanoseconds{0} || !looked_)) missed_ = missed_ || ignores_sigchld(pid);
    }
    const auto ended = std::erase_if(roots_, [this](pid_t root) { return !books_.entries().contains(root); });
    if (looked_ && ended > 0) unseen_ = std::max(unseen_, start - last_);
    last_ = start;
    looked_ = true;
    next_ = start + std::max<Nanoseconds>(std::chrono::milliseconds(950), (now_on(CLOCK_MONOTONIC) - start) * 200);
  }

  ProcessTable table_;
  ProcessBooks books_;
  std::string shortfall_;
  Nanoseconds next_{};
  Nanoseconds last_{}, unseen_{};
  std::vector<pid_t> roots_;
  bool looked_ = false, missed_ = false;
};

}  // namespace

Result<std::vector<pid_t>> processes_below(const std::vector<pid_t>& roots) {
  auto table = ProcessTable::open();
  if (!table) return tl::unexpected(table.error());
  ProcessBooks books;
  for (const pid_t root : roots) books.follow(root);
  books.take(table->look());
  std::vector<pid_t> all = roots;
  for (const auto& [pid, e] : books.entries()) {
    if (e.member && std::find(roots.begin(), roots.end(), pid) == roots.end()) all.push_back(pid);
  }
  const auto started = [&](pid_t pid) {
    const auto at = books.entries().find(pid);
    return at == books.entries().end() ? 0 : at->second.last.start_ticks;
  };
  std::sort(all.begin(), all.end(), [&](pid_t a, pid_t b) { return std::pair(started(a), a) < std::pair(started(b), b); });
  return all;
}

Result<std::unique_ptr<TreeCpu>> watch_processes(const std::vector<pid_t>& roots, TreeMechanism best) {
  std::string shortfall = "no task clocks asked for";
  if (best != TreeMechanism::reaper) {
    auto clocks = TaskClocks::attach(roots);
    if (clocks) return std::move(*clocks);
    shortfall = "no inherited task clocks (" + clocks.error().message() + ")";
  }
  auto table = ProcessTable::open();
  if (!table) return tl::unexpected(table.error());
  return std::make_unique<Looks>(std::move(*table), roots, std::move(shortfall));
}

}  // namespace gramwatt::meter
