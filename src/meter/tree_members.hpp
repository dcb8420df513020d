#pragma once
// Is a process part of the measured program? Devices that several programs share tell process ids.

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace gramwatt::meter {

/// Holds for processes in a cgroup whose folder is named "gramwatt-<run>" (and in folders below it), and for
/// `ancestors` and their descendants: what they started, and the orphans that came to them. An empty `run` names no cgroup.
/// `procfs`: where /proc is.
[[nodiscard]] std::function<bool(pid_t)> tree_members(const std::string& run, std::vector<pid_t> ancestors,
                                                      const std::filesystem::path& procfs = "/proc");

}  // namespace gramwatt::meter
