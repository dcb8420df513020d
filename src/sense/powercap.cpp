// RAPL through powercap.
//
// The tree holds zones of four kinds, and adding the wrong ones counts energy twice:
//   package-N (or package-N-die-D)  the CPU package: taken. It already contains core and uncore.
//   dram                            memory of one package: taken. On servers it is outside the package; some kernels list it
//                                   as a zone of its own instead of below its package.
//   core, uncore                    parts of the package: never added.
//   psys                            the platform, containing package and more, absent or odd on many boards: never added.
//   intel-rapl-mmio:*               a second window to the same package counters: never added.
// The counter is microjoules, wraps after max_energy_range_uj, and since CVE-2020-8694 is readable by root only.
// Facts: Documentation/power/powercap/powercap.rst; drivers/powercap/intel_rapl_common.c.

#include "sense/powercap.hpp"

#include <linux/capability.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/capability.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "sense/rapl.hpp"
#include "sense/raw.hpp"

namespace gramwatt::sense {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFamily = "RAPL (powercap)";

struct Zone {
  std::string id;    ///< "intel-rapl:0:1"
  std::string name;  ///< "dram"
  fs::path path;
  [[nodiscard]] bool is_package() const { return name.starts_with("package"); }
  [[nodiscard]] bool is_dram() const { return name == "dram" || name.starts_with("dram-"); }
  /// "0" of "intel-rapl:0:1".
  [[nodiscard]] std::string parent_index() const { return std::string(split(id, ':').at(1)); }
};

/// The zones below one folder, and theirs: sysfs links children both into the class folder and into their parent.
void collect(const fs::path& folder, std::set<std::string>& seen, std::vector<Zone>& zones, int depth) {
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folder, ec)) {
    const std::string id = entry.path().filename().string();
    if (!id.starts_with("intel-rapl:") || !seen.insert(id).second) continue;
    zones.push_back({id, read_line_or_empty(entry.path() / "name"), entry.path()});
    if (depth < 2) collect(entry.path(), seen, zones, depth + 1);
  }
}

std::vector<Zone> find_zones(const fs::path& class_folder) {
  std::set<std::string> seen;
  std::vector<Zone> zones;
  collect(class_folder, seen, zones, 0);
  std::sort(zones.begin(), zones.end(), [](const Zone& a, const Zone& b) { return a.id < b.id; });
  // The same package listed twice under different ids would be counted twice.
  std::set<std::string> packages;
  std::erase_if(zones, [&](const Zone& z) { return z.is_package() && !packages.insert(z.name).second; });
  return zones;
}

std::optional<Watts> zone_tdp(const fs::path& zone) {
  for (const char* file : {"constraint_0_max_power_uw", "constraint_0_power_limit_uw"}) {
    const auto uw = parse_number<std::uint64_t>(read_line_or_empty(zone / file));
    if (uw && *uw > 1'000'000 && *uw < 2'000'000'000) return Watts(static_cast<double>(*uw) * 1e-6);
  }
  return std::nullopt;
}

Description describe_zone(const Zone& zone, const RaplSite& site) {
  const bool below_package = zone.id.find(':') != zone.id.rfind(':');
  Description d = describe_rapl(site, zone.is_package() ? Component::cpu : Component::memory,
                                zone.is_package() || !below_package ? zone.name : "dram of package-" + zone.parent_index(),
                                zone.is_package() ? zone_tdp(zone.path) : std::nullopt, "Linux powercap");
  d.id = "powercap:" + zone.id;
  return d;
}

Blocked blocked_by(const Zone& zone, const Error& why) {
  // A right for this program, held while it opens the counters, keeps the side channel closed to everybody else, as opening
  // the files to all would not. The choice is the administrator's: hence a command, never an automatic change.
  return {kFamily, zone.name + ": " + why.what + " (readable by root only since CVE-2020-8694)",
          setcap_command("cap_dac_read_search,cap_perfmon=p")};
}

}  // namespace

std::optional<Watts> package_tdp(const Roots& roots, const std::string& package) {
  for (const Zone& zone : find_zones(roots.sysfs / "class" / "powercap")) {
    if (zone.name == package) return zone_tdp(zone.path);
  }
  return std::nullopt;
}

Findings probe_powercap(const Roots& roots, const Clock& clock, RaplSite site) {
  Findings found;
  const std::vector<Zone> zones = find_zones(roots.sysfs / "class" / "powercap");
  site.packages =
      static_cast<std::size_t>(std::count_if(zones.begin(), zones.end(), [](const Zone& z) { return z.is_package(); }));
  for (const Zone& zone : zones) {
    if (!zone.is_package() && !zone.is_dram()) continue;
    const fs::path counter_path = zone.path / "energy_uj";
    auto fd = [&] {
      const RaisedCapability any_file(CAP_DAC_READ_SEARCH);
      return open_read(counter_path);
    }();
    if (!fd) {
      found.blocked.push_back(blocked_by(zone, fd.error()));
      continue;
    }
    const auto range = parse_number<std::uint64_t>(read_line_or_empty(zone.path / "max_energy_range_uj")).value_or(0);
    auto sensor = std::make_unique<RawSensor>(describe_zone(zone, site), number_file(counter_path, std::move(*fd)),
                                              rapl_spec(site, 1, range, zone_tdp(zone.path)));
    if (const auto first = sensor->read(clock); !first) {
      found.blocked.push_back({kFamily, zone.name + ": " + first.error().message(), ""});
      continue;
    }
    found.sensors.push_back(std::move(sensor));
  }
  return found;
}

}  // namespace gramwatt::sense
