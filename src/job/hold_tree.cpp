#include "job/hold_tree.hpp"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <string>
#include <unordered_set>

#include "base/file.hpp"
#include "base/process.hpp"
#include "base/text.hpp"

namespace gramwatt::job {
namespace fs = std::filesystem;
namespace {

Nanoseconds monotonic_now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return std::chrono::seconds(t.tv_sec) + Nanoseconds(t.tv_nsec);
}

constexpr std::size_t kLargeFile = 1U << 20U;  // a list of 100,000 process ids

void append_ids(const fs::path& file, char separator, std::vector<pid_t>& ids) {
  const auto text = read_file(file, kLargeFile);
  if (!text) return;
  for (const auto word : split(trim(*text), separator)) {
    if (const auto id = parse_number<pid_t>(trim(word))) ids.push_back(*id);
  }
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  std::error_code ec;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task", ec))
    append_ids(task.path() / "children", ' ', children);
  return children;
}

void append_cgroup(const fs::path& folder, std::vector<pid_t>& ids) {
  append_ids(folder / "cgroup.procs", '\n', ids);
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folder, ec)) {
    if (entry.is_directory(ec)) append_cgroup(entry.path(), ids);
  }
}

/// A walk from parents to children that sees each process once.
class Walk {
 public:
  Walk(const HoldScope& scope, pid_t guardian) {
    seen_.insert({0, 1, getpid(), guardian});
    seen_.insert(scope.spared.begin(), scope.spared.end());
  }

  void from(const std::vector<pid_t>& roots) {
    std::vector<pid_t> waiting(roots.rbegin(), roots.rend());
    while (!waiting.empty()) {
      const pid_t pid = waiting.back();
      waiting.pop_back();
      if (!seen_.insert(pid).second) continue;
      const auto stat = process_stat(pid);
      if (!stat) continue;
      // A zombie has no children any more, unless other threads of it live on behind their dead leader.
      if (stat->state != 'X' && (stat->state != 'Z' || !threads_of(pid).empty()))
        found_.push_back({pid, stat->start_ticks, stat->state});
      const auto children = children_of(pid);
      waiting.insert(waiting.end(), children.begin(), children.end());
    }
  }
  std::vector<Member> take() { return std::move(found_); }

 private:
  std::unordered_set<pid_t> seen_;
  std::vector<Member> found_;
};

}  // namespace

std::vector<Member> processes_of(const HoldScope& scope, pid_t guardian) {
  Walk walk(scope, guardian);
  // Once the program has ended its id may name a stranger.
  if (const auto root = process_stat(scope.root); root && root->start_ticks == scope.root_start) walk.from({scope.root});
  if (scope.adopted) walk.from(children_of(getpid()));
  if (!scope.cgroup.empty()) {
    std::vector<pid_t> inside;
    append_cgroup(scope.cgroup, inside);
    walk.from(inside);
  }
  return walk.take();
}

Result<void> check_children_are_told() {
  const std::string file = "/proc/self/task/" + std::to_string(getpid()) + "/children";
  if (::access(file.c_str(), R_OK) == 0) return {};
  return fail("the kernel does not tell which processes the program has started (CONFIG_PROC_CHILDREN)", file);
}

std::vector<Member> threads_of(pid_t pid) {
  std::vector<Member> threads;
  std::error_code ec;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task", ec)) {
    const auto tid = parse_number<pid_t>(task.path().filename().string());
    const auto text = read_file(task.path() / "stat", 4096);
    const auto stat = text ? parse_process_stat(*text) : std::nullopt;
    if (tid && stat && stat->state != 'Z' && stat->state != 'X') threads.push_back({*tid, stat->start_ticks, stat->state});
  }
  return threads;
}

Patience::Patience(Nanoseconds limit) : begin_(monotonic_now()), limit_(limit) {}

Nanoseconds Patience::waited() const { return monotonic_now() - begin_; }

bool Patience::wait() {
  if (waited() >= limit_) return false;
  const timespec pause{0, static_cast<long>(step_.count())};
  ::nanosleep(&pause, nullptr);
  step_ = std::min<Nanoseconds>(step_ * 2, std::chrono::milliseconds(10));
  return true;
}

}  // namespace gramwatt::job
