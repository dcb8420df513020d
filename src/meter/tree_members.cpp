#include "meter/tree_members.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/file.hpp"
#include "base/text.hpp"

namespace gramwatt::meter {
namespace {

constexpr int kDeepest = 200;  // a tree deeper than this is a loop that a recycled process id made

std::optional<pid_t> parent_of(const std::filesystem::path& procfs, pid_t pid) {
  const auto status = read_file(procfs / std::to_string(pid) / "status", 8192);
  if (!status) return std::nullopt;
  std::string_view text = *status;
  while (const auto line = next_line(text)) {
    if (line->starts_with("PPid:")) return parse_number<pid_t>(line->substr(5));
  }
  return std::nullopt;
}

bool is_in_cgroup(const std::filesystem::path& procfs, pid_t pid, const std::string& folder) {
  const auto cgroups = read_file(procfs / std::to_string(pid) / "cgroup", 65536);
  if (!cgroups) return false;
  std::string_view text = *cgroups;
  while (const auto line = next_line(text)) {
    if (contains(std::string(*line) + "/", folder)) return true;
  }
  return false;
}

}  // namespace

std::function<bool(pid_t)> tree_members(const std::string& run, std::vector<pid_t> ancestors,
                                        const std::filesystem::path& procfs) {
  const std::string folder = run.empty() ? "" : "/gramwatt-" + run + "/";
  return [folder, ancestors = std::move(ancestors), procfs](pid_t pid) {
    if (!folder.empty() && is_in_cgroup(procfs, pid, folder)) return true;
    for (int depth = 0; depth < kDeepest && pid > 1; ++depth) {
      if (std::find(ancestors.begin(), ancestors.end(), pid) != ancestors.end()) return true;
      const auto parent = parent_of(procfs, pid);
      if (!parent) return false;
      pid = *parent;
    }
    return false;
  };
}

}  // namespace gramwatt::meter
