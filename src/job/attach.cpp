// Ends are awaited, not looked for: a pidfd becomes readable when its process ends and cgroup.events when the last process of a
// cgroup has, so that the account ends within a millisecond of what it is about. A pidfd also pins its process: the number
// cannot come to mean somebody else while we look at it.

#include "job/attach.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include <fmt/format.h>

#include "base/process.hpp"
#include "base/text.hpp"
#include "meter/tree_members.hpp"
#include "meter/tree_watch.hpp"
#include "meter/workload.hpp"

namespace gramwatt::job {
namespace {

/// Signals that end the measuring, as a descriptor.
class Stop {
 public:
  Stop() {
    sigset_t set;
    sigemptyset(&set);
    for (const int s : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, s);
    sigprocmask(SIG_BLOCK, &set, &before_);
    fd_ = Fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  }
  ~Stop() {
    signalfd_siginfo taken{};
    while (::read(fd_.get(), &taken, sizeof taken) == sizeof taken) {}  // else it would end us once it is let through
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  Stop(const Stop&) = delete;
  Stop& operator=(const Stop&) = delete;
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  sigset_t before_{};
  Fd fd_;
};

struct Root {
  pid_t pid = 0;
  Fd handle;
};

/// Thread group of a thread; the same for a process's first thread. 0: cannot be seen.
pid_t process_of(pid_t thread) {
  const auto status = read_file("/proc/" + std::to_string(thread) + "/status", 8192);
  if (!status) return 0;
  std::string_view text = *status;
  while (const auto line = next_line(text)) {
    if (line->starts_with("Tgid:")) return parse_number<pid_t>(line->substr(5)).value_or(0);
  }
  return 0;
}

Result<Root> find(pid_t pid) {
  const auto missing = [&] {
    return fail("no such process", fmt::format("{}", pid), "ps -e shows those that there are", Error::Kind::missing);
  };
  if (pid <= 0 || (::kill(pid, 0) != 0 && errno == ESRCH)) return missing();
  const pid_t process = process_of(pid);
  if (process == 0) {
    return fail("this process is hidden from you", fmt::format("{}", pid),
                fmt::format("sudo gramwatt attach {}: /proc is mounted with hidepid", pid));
  }
  Root root{process, Fd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)))};
  if (!root.handle) {
    if (errno == ESRCH) return missing();
    return tl::unexpected(errno_error(errno, "cannot hold on to the process", fmt::format("{}", pid)));
  }
  pollfd ended{root.handle.get(), POLLIN, 0};
  if (::poll(&ended, 1, 0) > 0) return missing();  // a zombie: it has used what it will use
  return root;
}

class Attachment {
 public:
  Attachment(AttachOptions options, Machine machine, const Clock& clock)
      : options_(std::move(options)), session_(options_, std::move(machine), clock) {}

  Result<AttachResult> run();

 private:
  Result<void> find_processes();
  Result<void> find_cgroup();
  void drop_what_is_below_another();
  void watch();
  [[nodiscard]] bool all_ended() const;
  [[nodiscard]] std::string what() const;

  AttachOptions options_;
  Session session_;
  Stop stop_;
  std::vector<Root> roots_;
  std::unique_ptr<meter::TreeCpu> tree_;
  meter::CgroupWatch* cgroup_ = nullptr;  ///< is `tree_`
  std::vector<std::string> notes_;
  bool stopped_ = false;
};

Result<AttachResult> Attachment::run() {
  if (auto found = options_.cgroup ? find_cgroup() : find_processes(); !found) return tl::unexpected(found.error());
  if (auto started = session_.start(*tree_); !started) return tl::unexpected(started.error());
  session_.open_ledger();
  watch();
  AttachResult result;
  result.record = session_.finish();
  std::string note = "measured while it ran: " + what();
  if (stopped_) note += "; it was still running when measuring ended";
  result.record.notes.push_back(note);
  for (std::string& n : notes_) result.record.notes.push_back(std::move(n));
  auto stored = session_.store(result.record);
  result.ledger_error = std::move(stored.ledger);
  result.record_error = std::move(stored.recording);
  return result;
}

Result<void> Attachment::find_processes() {
  for (const pid_t pid : options_.pids) {
    auto root = find(pid);
    if (!root) return tl::unexpected(root.error());
    const bool twice = std::any_of(roots_.begin(), roots_.end(), [&](const Root& r) { return r.pid == root->pid; });
    if (twice) notes_.push_back(fmt::format("{} was given twice and counts once", pid));
    else roots_.push_back(std::move(*root));
  }
  options_.command = command_line_of(roots_.front().pid);
  drop_what_is_below_another();
  std::vector<pid_t> pids;
  for (const Root& r : roots_) pids.push_back(r.pid);
  options_.is_job = meter::tree_members("", pids, options_.roots.procfs);
  auto tree = meter::watch_processes(pids, options_.tree);
  if (!tree) return tl::unexpected(tree.error());
  tree_ = std::move(*tree);
  return {};
}

/// It counts with the other; its end is still waited for.
void Attachment::drop_what_is_below_another() {
  for (const Root& r : roots_) {
    const auto below = meter::processes_below({r.pid});
    if (!below) return;
    for (const Root& other : roots_) {
      if (other.pid != r.pid && std::find(below->begin(), below->end(), other.pid) != below->end())
        notes_.push_back(fmt::format("{} is below {} and counts with it", other.pid, r.pid));
    }
  }
}

Result<void> Attachment::find_cgroup() {
  auto watch = meter::CgroupWatch::open(*options_.cgroup);
  if (!watch) return tl::unexpected(watch.error());
  const std::vector<pid_t> processes = (*watch)->processes();
  if (!processes.empty()) options_.command = command_line_of(*std::min_element(processes.begin(), processes.end()));
  cgroup_ = watch->get();
  options_.is_job = [cgroup = cgroup_](pid_t pid) {
    const std::vector<pid_t> members = cgroup->processes();
    return std::find(members.begin(), members.end(), pid) != members.end();
  };
  tree_ = std::move(*watch);
  return {};
}

std::string Attachment::what() const {
  if (cgroup_ != nullptr) {
    const meter::Workload w = meter::workload_from("0::" + cgroup_->folder());
    return fmt::format("cgroup {}{}", cgroup_->folder(), w.label.empty() ? "" : " (" + w.label + ")");
  }
  std::vector<std::string> each;
  for (const Root& r : roots_) each.push_back(fmt::format("process {}", r.pid));
  return fmt::format("{} and what {} started", fmt::join(each, ", "), each.size() == 1 ? "it" : "they");
}

bool Attachment::all_ended() const {
  if (cgroup_ != nullptr) return cgroup_->is_empty();
  return std::all_of(roots_.begin(), roots_.end(), [](const Root& r) { return !r.handle; });
}

void Attachment::watch() {
  std::vector<pollfd> sources{{stop_.fd(), POLLIN, 0}, {session_.timer().get(), POLLIN, 0}};
  if (cgroup_ != nullptr && cgroup_->changes() >= 0) sources.push_back({cgroup_->changes(), POLLPRI, 0});
  const std::size_t first_root = sources.size();
  for (const Root& r : roots_) sources.push_back({r.handle.get(), POLLIN, 0});
  while (!all_ended()) {
    if (::poll(sources.data(), sources.size(), -1) < 0 && errno != EINTR) return;
    if ((sources[0].revents & POLLIN) != 0) {
      stopped_ = true;
      return;
    }
    for (std::size_t i = 0; i < roots_.size(); ++i) {
      pollfd& source = sources[first_root + i];
      if ((source.revents & POLLIN) == 0) continue;
      (void)tree_->read_exactly();  // its own clock can be read until its parent has waited for it
      roots_[i].handle.reset();
      source.fd = -1;
    }
    if ((sources[1].revents & POLLIN) != 0) session_.tick();
  }
}

}  // namespace

std::optional<std::string> run_of(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/environ", 1U << 20U);
  if (!text) return std::nullopt;
  constexpr std::string_view key = "GRAMWATT_RUN_ID=";
  for (const std::string_view word : split(*text, '\0')) {
    if (word.starts_with(key)) return std::string(word.substr(key.size()));
  }
  return std::nullopt;
}

Result<std::vector<pid_t>> processes_of_cgroup(const std::string& cgroup) {
  const auto watch = meter::CgroupWatch::open(cgroup);
  if (!watch) return tl::unexpected(watch.error());
  return (*watch)->processes();
}

Result<AttachResult> attach(AttachOptions options, Machine machine, const Clock& clock) {
  return Attachment(std::move(options), std::move(machine), clock).run();
}

}  // namespace gramwatt::job
