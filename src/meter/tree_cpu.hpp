#pragma once
// How much CPU time a whole process tree has used: children that fork away, live for 5 ms between two samples, or are reaped by
// nobody included. See tree_cpu.cpp for which mechanism sees what.

#include <sys/resource.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/quantity.hpp"

namespace gramwatt::meter {

class TreeCpu {
 public:
  virtual ~TreeCpu() = default;

  /// CPU time of the tree so far, live processes included. Never falls.
  [[nodiscard]] virtual Nanoseconds read() = 0;

  /// As `read`, at the end of a run: takes whatever time an exact answer needs.
  [[nodiscard]] virtual Nanoseconds read_exactly() { return read(); }

  /// Where the first process is to be born (CLONE_INTO_CGROUP), or -1.
  [[nodiscard]] virtual int birth_cgroup() const { return -1; }

  /// A first process exists and waits before its exec: of the tree, and of each life of a program that exits and is resumed.
  virtual void attach(pid_t /*root*/) {}

  /// A process that had become ours (a child, or an orphan: gramwatt is a sub-reaper) has ended.
  virtual void reaped(const rusage& /*usage*/) {}

  /// For people: "cgroup", "inherited task clock and reaped processes", …
  [[nodiscard]] virtual std::string mechanism() const = 0;

  /// Why no better mechanism was used; empty for the best.
  [[nodiscard]] virtual std::string shortfall() const { return {}; }

  /// True once a process was seen whose children this mechanism cannot count.
  [[nodiscard]] virtual bool missed_something() const { return false; }
};

/// Which mechanisms may be used; tests and `GRAMWATT_TREE` narrow it.
enum class TreeMechanism { best, task_clock, reaper };

/// The best mechanism that works here. `leaf_name` names the cgroup.
[[nodiscard]] std::unique_ptr<TreeCpu> make_tree_cpu(const std::string& leaf_name, TreeMechanism best = TreeMechanism::best);

/// The folder of this process's own cgroup in the version 2 hierarchy.
[[nodiscard]] Result<std::string> own_cgroup2_folder();

/// Path part of a mountinfo/cgroup pair; split off for tests. `mountinfo` and `cgroup`: text of /proc/self/….
[[nodiscard]] Result<std::string> cgroup2_folder_from(std::string_view mountinfo, std::string_view cgroup);

}  // namespace gramwatt::meter
