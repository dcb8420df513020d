#pragma once
// CPU time of processes that run already, which gramwatt has not started: trees below given processes, or a cgroup.
// See tree_watch.cpp for which mechanism sees what.

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "meter/tree_cpu.hpp"

namespace gramwatt::meter {

/// The best mechanism for the trees below `roots` (which must exist). TreeMechanism::best and ::task_clock try inherited task
/// clocks, ::reaper looks at /proc.
[[nodiscard]] Result<std::unique_ptr<TreeCpu>> watch_processes(const std::vector<pid_t>& roots, TreeMechanism best);

/// All processes of the trees below `roots` that run now, parents first; `roots` themselves included.
[[nodiscard]] Result<std::vector<pid_t>> processes_below(const std::vector<pid_t>& roots);

/// A cgroup that exists.
class CgroupWatch final : public TreeCpu {
 public:
  /// `path`: a folder below a mounted cgroup hierarchy, or as in /proc/PID/cgroup. Errors: there is none (missing), it accounts
  /// no CPU time (unavailable).
  [[nodiscard]] static Result<std::unique_ptr<CgroupWatch>> open(const std::string& path);

  [[nodiscard]] Nanoseconds read() override;
  [[nodiscard]] std::string mechanism() const override { return unified_ ? "cgroup" : "cgroup (version 1, cpuacct)"; }
  [[nodiscard]] std::string shortfall() const override;

  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// Processes of it and of the cgroups below.
  [[nodiscard]] std::vector<pid_t> processes() const;
  /// No process is left in it or below it, or it has been removed.
  [[nodiscard]] bool is_empty() const;
  /// Has POLLPRI when `is_empty` may have changed; -1 where the kernel does not tell (version 1, the root): look now and then.
  [[nodiscard]] int changes() const { return events_.get(); }

 private:
  std::string folder_;
  bool unified_ = true;
  Fd usage_, events_;
  Nanoseconds last_{};
  bool lost_ = false;  ///< removed before it was read for the last time
};

/// Where a cgroup's folder may be, best first: `path` itself when it lies below a mount of a hierarchy that accounts CPU time,
/// else below each of those mounts. `mountinfo`: text of /proc/self/mountinfo.
struct CgroupPlace {
  std::string folder;
  bool unified = true;
};
[[nodiscard]] std::vector<CgroupPlace> cgroup_places(const std::string& path, std::string_view mountinfo);

}  // namespace gramwatt::meter
