// A cgroup that somebody else made: version 2 tells CPU time in cpu.stat and whether anybody is left in cgroup.events, which
// can be polled; version 1 tells CPU time in cpuacct.usage and leaves the rest to be looked up. cgroups(7),
// Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/cpuacct.rst in the kernel.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include "base/text.hpp"
#include "meter/tree_watch.hpp"

namespace gramwatt::meter {
namespace fs = std::filesystem;
namespace {

void collect(const fs::path& folder, int depth, std::vector<pid_t>& out) {
  if (const auto text = read_file(folder / "cgroup.procs")) {
    std::string_view rest = *text;
    while (const auto line = next_line(rest)) {
      if (const auto pid = parse_number<pid_t>(*line)) out.push_back(*pid);
    }
  }
  if (depth == 0) return;
  std::error_code ec;
  for (auto at = fs::directory_iterator(folder, ec); !ec && at != fs::directory_iterator(); at.increment(ec)) {
    std::error_code gone;
    if (at->is_directory(gone) && !at->is_symlink(gone)) collect(at->path(), depth - 1, out);
  }
}

constexpr int kDeepest = 32;

struct Mount {
  std::string point, root;
  bool unified = true;
};

/// Hierarchies that account CPU time, version 2 first.
std::vector<Mount> mounts_of(std::string_view mountinfo) {
  std::vector<Mount> mounts;
  while (const auto line = next_line(mountinfo)) {
    // "36 25 0:31 ROOT MOUNTPOINT rw,… - cgroup cgroup rw,cpuacct"; proc(5)
    const auto dash = line->find(" - cgroup");
    if (dash == std::string_view::npos) continue;
    const auto fields = split(line->substr(0, dash), ' ');
    if (fields.size() < 5) continue;
    const std::string_view kind = line->substr(dash + 3);
    const bool unified = kind.starts_with("cgroup2 ");
    const auto options = split(kind.substr(kind.rfind(' ') + 1), ',');
    if (!unified && std::find(options.begin(), options.end(), "cpuacct") == options.end()) continue;
    mounts.push_back({std::string(fields[4]), std::string(fields[3]), unified});
  }
  std::stable_sort(mounts.begin(), mounts.end(), [](const Mount& a, const Mount& b) { return a.unified && !b.unified; });
  return mounts;
}

bool lies_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

std::optional<Nanoseconds> usage_in(std::string_view text, bool unified) {
  if (!unified) {  // nanoseconds
    const auto ns = parse_number<std::int64_t>(text);
    return ns ? std::optional(Nanoseconds(*ns)) : std::nullopt;
  }
  while (const auto line = next_line(text)) {
    if (!line->starts_with("usage_usec ")) continue;
    const auto us = parse_number<std::int64_t>(line->substr(11));
    return us ? std::optional<Nanoseconds>(std::chrono::microseconds(*us)) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::vector<CgroupPlace> cgroup_places(const std::string& path, std::string_view mountinfo) {
  std::string clean = fs::path("/" + path).lexically_normal().string();
  while (clean.size() > 1 && clean.back() == '/') clean.pop_back();
  const std::vector<Mount> mounts = mounts_of(mountinfo);
  std::vector<CgroupPlace> places;
  for (const Mount& m : mounts) {
    if (lies_below(clean, m.point)) places.push_back({clean, m.unified});
  }
  if (!places.empty()) return places;
  for (const Mount& m : mounts) {
    std::string_view below = clean;
    if (m.root != "/" && lies_below(below, m.root)) below.remove_prefix(m.root.size());  // mounted from within the tree
    places.push_back({m.point + (below == "/" ? "" : std::string(below)), m.unified});
  }
  return places;
}

Result<std::unique_ptr<CgroupWatch>> CgroupWatch::open(const std::string& path) {
  const auto mountinfo = read_file("/proc/self/mountinfo");
  if (!mountinfo) return tl::unexpected(mountinfo.error());
  std::unique_ptr<CgroupWatch> first;
  Error blocked;
  for (const CgroupPlace& place : cgroup_places(path, *mountinfo)) {
    std::error_code ec;
    if (!fs::is_directory(place.folder, ec)) continue;
    auto usage = open_read(fs::path(place.folder) / (place.unified ? "cpu.stat" : "cpuacct.usage"));
    if (!usage) {
      blocked = usage.error();
      continue;
    }
    auto watch = std::make_unique<CgroupWatch>();
    watch->folder_ = place.folder;
    watch->unified_ = place.unified;
    watch->usage_ = std::move(*usage);
    if (auto events = open_read(fs::path(place.folder) / "cgroup.events"); events && place.unified)
      watch->events_ = std::move(*events);
    // On a hybrid system one path is in two hierarchies, and the processes may be in either.
    if (!watch->is_empty()) return watch;
    if (!first) first = std::move(watch);
  }
  if (first) return fail("no process is in this cgroup", path, "systemd-cgls shows those that have some", Error::Kind::missing);
  if (!blocked.what.empty()) {
    blocked.kind = Error::Kind::unavailable;
    return tl::unexpected(blocked);
  }
  return fail("no such cgroup", path, "cat /proc/PID/cgroup tells that of a process", Error::Kind::missing);
}

Nanoseconds CgroupWatch::read() {
  std::array<char, 1024> buffer;
  const auto text = pread_text(usage_.get(), buffer.data(), buffer.size());
  const auto usage = text ? usage_in(*text, unified_) : std::nullopt;
  lost_ = !usage;
  if (usage) last_ = std::max(last_, *usage);
  return last_;
}

std::string CgroupWatch::shortfall() const {
  return lost_ ? "it was removed before its last reading: what ran in the moments before is not counted" : "";
}

std::vector<pid_t> CgroupWatch::processes() const {
  std::vector<pid_t> all;
  collect(folder_, kDeepest, all);
  return all;
}

bool CgroupWatch::is_empty() const {
  if (!events_) return processes().empty();
  std::array<char, 256> buffer;
  const auto text = pread_text(events_.get(), buffer.data(), buffer.size());
  return !text || text->find("populated 1") == std::string_view::npos;
}

}  // namespace gramwatt::meter
