// A folder of RAPL zones that a host gives its guest.
//
// Scaphandre's exporter for QEMU (github.com/hubblo-org/scaphandre, src/exporters/qemu.rs; "Propagate power consumption metrics
// from hypervisor to virtual machines") writes a folder a guest, mounted there by virtiofs:
//     intel-rapl:0/energy_uj      what this guest used, by the CPU time of its processes on the host; nothing else is there
// so the counter is the guest's own, all of it, and not its host's. It is rewritten every 5 s: that is the resolution, and an
// energy of 5 s may come at once. Versions differ in what they add: some the microjoules of the step, some the *microwatts* of
// it, which is a fifth. The files do not say which; a folder that has no names of zones, as Scaphandre's, may be five times too
// low, and its interval says so. A step that no machine could draw is left out by the counter's own guard and named as a gap.
//
// Other hosts may copy whole zones (name, energy_uj, max_energy_range_uj): packages and memory are then told apart as
// powercap's.

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/text.hpp"
#include "sense/rapl.hpp"

namespace gramwatt::sense {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFamily = "RAPL (the host's folder)";
constexpr std::chrono::seconds kStep{5};
/// Microwatts taken for microjoules, of steps of 5 s.
constexpr Shift kUnitUnknown{0, 4};

/// The number in "intel-rapl:0"; nothing for parts of a zone ("intel-rapl:0:1") and anything else.
std::optional<int> zone_number(const std::string& name) {
  constexpr std::string_view kPrefix = "intel-rapl:";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const auto number = parse_number<int>(std::string_view(name).substr(kPrefix.size()));
  return number && *number >= 0 ? number : std::nullopt;
}

void add_zone(const fs::path& zone, int number, const Clock& clock, RaplSite site, Findings& found) {
  const fs::path path = zone / "energy_uj";
  const std::string name = read_line_or_empty(zone / "name");
  const bool is_memory = name == "dram";
  if (!name.empty() && !is_memory && !name.starts_with("package")) return;  // psys contains the others
  auto fd = open_read(path);
  if (!fd) {
    if (fd.error().kind != Error::Kind::missing) found.blocked.push_back({kFamily, fd.error().message(), {}});
    return;
  }
  site.quirks.is_virtual = true;
  site.quirks.package_note = "what the host says of this guest, every 5 s";
  Description d = describe_rapl(site, is_memory ? Component::memory : Component::cpu,
                                name.empty() ? fmt::format("package-{}", number) : name, std::nullopt, "the host's folder");
  d.id = "tree:" + zone.filename().string();
  d.resolution = kStep;
  if (name.empty()) d.terms["exporter-unit"] = kUnitUnknown;
  const auto range = parse_number<std::uint64_t>(read_line_or_empty(zone / "max_energy_range_uj")).value_or(0);
  DecoderSpec spec = rapl_spec(site, 1, range, std::nullopt);
  spec.numbers["stale_s"] = Seconds(2.0 * kStep.count()).value();
  auto sensor = std::make_unique<RawSensor>(std::move(d), number_file(path, std::move(*fd)), std::move(spec));
  if (const auto first = sensor->read(clock); !first) found.blocked.push_back({kFamily, first.error().message(), {}});
  else found.sensors.push_back(std::move(sensor));
}

}  // namespace

Findings probe_rapl_tree(const fs::path& folder, const Clock& clock, RaplSite site) {
  Findings found;
  std::map<int, fs::path> zones;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folder, ec)) {
    if (const auto number = zone_number(entry.path().filename().string())) zones[*number] = entry.path();
  }
  site.packages = std::max<std::size_t>(1, zones.size());
  for (const auto& [number, zone] : zones) add_zone(zone, number, clock, site, found);
  return found;
}

}  // namespace gramwatt::sense
