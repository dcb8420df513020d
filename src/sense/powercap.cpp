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

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/text.hpp"
#include "sense/counter.hpp"

namespace gramwatt::sense {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFamily = "RAPL (powercap)";

// No socket draws more; only used where the zone does not state its own limit. The largest TDP sold in 2025 is 500 W (EPYC
// 9965, Xeon 6980P), and short peaks above the limit are part of the design: hence also the factor.
constexpr Watts kLargestPackagePower{1000};
constexpr double kPeakOverTdp = 2.5;

// Idle power of a package as a share of its TDP. SPECpower_ssj2008 results since 2016 (229 servers): active idle at the wall is
// 0.19 of the total TDP in the median; the package is about half of the wall at idle, desktops idle lower, chiplet EPYCs
// higher.
constexpr double kIdleOfTdp = 0.15;
constexpr Shift kIdleOfTdpShift = Shift::range(0.15, 0.03, 0.40);

// Idle power of DRAM per GB: registered DIMMs of 32 to 64 GB idle at 1.5 to 4 W (vendors' power calculators).
constexpr double kDramIdleWattsPerGb = 0.06;
constexpr Shift kDramIdleShift = Shift::range(0.06, 0.02, 0.15);

// RAPL against the plug: a few percent of gain error where the counter is measured (Haswell-EP and later), more where it is
// modelled (AMD Zen 2: Schöne 2021; desktop DRAM: Desrochers 2016).
constexpr double kPackageGain = 0.05;
constexpr double kDramGain = 0.15;

class PowercapSensor final : public Sensor {
 public:
  PowercapSensor(Description description, Fd fd, WideCounter counter, fs::path path)
      : description_(std::move(description)), fd_(std::move(fd)), counter_(counter), path_(std::move(path)) {}

  [[nodiscard]] const Description& describe() const override { return description_; }

  [[nodiscard]] Result<Reading> read(const Clock& clock) override {
    std::array<char, 32> buffer;
    const auto text = pread_text(fd_.get(), buffer.data(), buffer.size());
    const Instant at = clock.now();
    if (!text) {
      Error e = text.error();
      e.where = path_.string();
      return tl::unexpected(std::move(e));
    }
    const auto raw = parse_number<std::uint64_t>(*text);
    if (!raw) return fail("not a number: \"" + std::string(trim(*text)) + "\"", path_.string());
    const auto step = counter_.update(*raw, at.monotonic);
    return Reading{step.total, at, step.resumed};
  }

 private:
  Description description_;
  Fd fd_;
  WideCounter counter_;
  fs::path path_;
};

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

std::optional<Watts> zone_tdp(const Zone& zone) {
  for (const char* file : {"constraint_0_max_power_uw", "constraint_0_power_limit_uw"}) {
    const auto uw = parse_number<std::uint64_t>(read_line_or_empty(zone.path / file));
    if (uw && *uw > 1'000'000 && *uw < 2'000'000'000) return Watts(static_cast<double>(*uw) * 1e-6);
  }
  return std::nullopt;
}

Description describe_zone(const Zone& zone, std::size_t packages, double memory_gb) {
  Description d;
  d.id = "powercap:" + zone.id;
  d.boundary = Boundary::chip;
  d.source = "RAPL energy counter (Linux powercap)";
  d.resolution = std::chrono::milliseconds(1);
  if (zone.is_package()) {
    d.component = Component::cpu;
    d.device = zone.name;
    d.terms["rapl-package-gain"] = Shift::symmetric(kPackageGain);
    if (const auto tdp = zone_tdp(zone)) {
      d.idle_power = *tdp * kIdleOfTdp;
      d.idle_terms["rapl-idle-share"] = kIdleOfTdpShift;
    }
  } else {
    d.component = Component::memory;
    d.device = zone.id.find(':') == zone.id.rfind(':') ? zone.name : "dram of package-" + zone.parent_index();
    d.terms["rapl-dram-gain"] = Shift::symmetric(kDramGain);
    d.idle_power = Watts(memory_gb / static_cast<double>(std::max<std::size_t>(1, packages)) * kDramIdleWattsPerGb);
    d.idle_terms["dram-idle-share"] = kDramIdleShift;
  }
  return d;
}

Blocked blocked_by(const Zone& zone, const Error& why) {
  // Only the powercap files can be opened to others without a daemon; the counter is coarse enough since the microcode
  // updates of 2020 filter it, yet the choice is the administrator's: hence a command, never an automatic change.
  return {kFamily, zone.name + ": " + why.what + " (readable by root only since CVE-2020-8694)",
          "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj /sys/class/powercap/intel-rapl:*/*/energy_uj"};
}

}  // namespace

Findings probe_powercap(const Roots& roots, const Clock& clock, double memory_gb) {
  Findings found;
  const std::vector<Zone> zones = find_zones(roots.sysfs / "class" / "powercap");
  const auto packages =
      static_cast<std::size_t>(std::count_if(zones.begin(), zones.end(), [](const Zone& z) { return z.is_package(); }));
  for (const Zone& zone : zones) {
    if (!zone.is_package() && !zone.is_dram()) continue;
    const fs::path counter_path = zone.path / "energy_uj";
    auto fd = open_read(counter_path);
    if (!fd) {
      found.blocked.push_back(blocked_by(zone, fd.error()));
      continue;
    }
    const auto range = parse_number<std::uint64_t>(read_line_or_empty(zone.path / "max_energy_range_uj")).value_or(0);
    const Watts limit = zone_tdp(zone).value_or(kLargestPackagePower / kPeakOverTdp) * kPeakOverTdp;
    auto sensor = std::make_unique<PowercapSensor>(describe_zone(zone, packages, memory_gb), std::move(*fd),
                                                   WideCounter(range, std::max(limit, Watts(100))), counter_path);
    if (const auto first = sensor->read(clock); !first) {
      found.blocked.push_back({kFamily, zone.name + ": " + first.error().message(), ""});
      continue;
    }
    found.sensors.push_back(std::move(sensor));
  }
  return found;
}

}  // namespace gramwatt::sense
