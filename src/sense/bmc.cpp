// The node as its BMC sees it.
//
// A BMC reads the power supplies' own meters: AC at the plug, fans, disks and losses included; what a model of the platform can
// only guess. It is slow (10 ms to a second), coarse (whole watts, averages of about a second) and shared, so it is asked by
// a side thread, seldom (polled.hpp), and its watts are integrated.
//
// Redfish (DMTF DSP0266, DSP2046): where a URL is configured. The power of the case of a computer is looked for in this order:
// Chassis/X/EnvironmentMetrics: PowerWatts.Reading (newer), Chassis/X/Power: PowerControl[].PowerConsumedWatts (deprecated,
// and what most controllers have). A chassis may contain others (boards of accelerators, drive cages) whose power is part of
// its own: the first one that holds a computer counts, and nothing is added up.
//
// IPMI: the DCMI command of ipmi_dcmi.cpp, through the kernel's driver, where it shows a BMC.

#include "sense/bmc.hpp"

#include <array>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "sense/polled.hpp"
#include "sense/raw.hpp"

namespace gramwatt::sense {
namespace {

/// No node draws more: 8 GPUs of 1.2 kW with their host take 15 kW.
constexpr Watts kLargestNodePower{30'000};

/// Meters of power supplies are specified to 2 to 5 % above a fifth of their load, and are worse below, where servers idle.
constexpr double kBmcGain = 0.07;

/// Raw values are milliwatts: Redfish has fractions.
constexpr double kWattsPerCount = 1e-3;
Result<std::uint64_t> counts(Watts power) {
  if (!(power.value() >= 0) || power > kLargestNodePower)
    return fail(fmt::format("{:.4g} W is no power of a node", power.value()), "BMC");
  return static_cast<std::uint64_t>(std::llround(power.value() / kWattsPerCount));
}

void add(std::string id, std::string source, SlowRead read, const char* family, const Clock& clock, Findings& found) {
  Description d;
  d.id = std::move(id);
  d.component = Component::platform;
  d.device = "node, beyond what other sensors see";
  d.boundary = Boundary::node;
  d.source = std::move(source);
  d.terms["node-gain"] = Shift::symmetric(kBmcGain);
  d.resolution = Pace{}.shortest;
  d.note = d.source + ": measures the whole node; how much of it is idle is modelled";
  auto sensor =
      std::make_unique<RawSensor>(std::move(d), polled(std::move(read)), power_spec(kWattsPerCount, kLargestNodePower));
  if (const auto first = sensor->read(clock); !first)
    found.blocked.push_back({family, first.error().message(), first.error().remedy});
  else found.sensors.push_back(std::move(sensor));
}

// --- Redfish

/// Power in that resource, or why there is none.
Result<Watts> power_at(const RedfishFetch& fetch, const std::string& path) {
  const auto body = fetch(path);
  if (!body) return tl::unexpected(body.error());
  if (const auto power = parse_redfish_power(*body)) return *power;
  return fail("no power in this resource", path);
}

/// The resource of this node that tells power.
Result<std::string> find_power(const RedfishFetch& fetch, std::string root) {
  while (root.ends_with('/')) root.pop_back();
  if (root != "/redfish/v1" && !root.empty()) {  // the user knows
    if (const auto power = power_at(fetch, root); !power) return tl::unexpected(power.error());
    return root;
  }
  const auto chassis = fetch("/redfish/v1/Chassis");
  if (!chassis) return tl::unexpected(chassis.error());
  std::optional<std::string> other;
  Error why{"no chassis tells its power", "/redfish/v1/Chassis",
            "name the resource in the URL: https://BMC/redfish/v1/Chassis/…/Power"};
  for (const std::string& member : parse_redfish_members(*chassis)) {
    const auto body = fetch(member);
    const bool computer = body && is_redfish_computer(*body);
    if (!computer && other) continue;
    for (const char* resource : {"/EnvironmentMetrics", "/Power"}) {
      if (!power_at(fetch, member + resource)) continue;
      if (computer) return member + resource;
      if (!other) other = member + resource;
      break;
    }
  }
  if (other) return *other;
  return tl::unexpected(std::move(why));
}

void probe_redfish(const BmcOptions& options, const Clock& clock, Findings& found) {
  constexpr const char* kFamily = "BMC (Redfish)";
  const auto path = find_power(options.redfish, options.redfish_path);
  if (!path) {
    found.blocked.push_back({kFamily, path.error().where + ": " + path.error().what, path.error().remedy});
    return;
  }
  add(
      "redfish:" + *path, "power reading of the BMC (Redfish)",
      [fetch = options.redfish, path = *path]() -> Result<std::uint64_t> {
        const auto power = power_at(fetch, path);
        if (!power) return tl::unexpected(power.error());
        return counts(*power);
      },
      kFamily, clock, found);
}

// --- IPMI

void probe_ipmi(const Roots& roots, const BmcOptions& options, const Clock& clock, Findings& found) {
  constexpr const char* kFamily = "BMC (IPMI)";
  std::error_code ec;
  if (!std::filesystem::exists(roots.sysfs / "class/ipmi/ipmi0", ec)) return;
  auto transport = options.ipmi();
  if (!transport) {
    found.blocked.push_back({kFamily, transport.error().where + ": " + transport.error().what, transport.error().remedy});
    return;
  }
  add(
      "ipmi:dcmi", "power reading of the BMC (IPMI DCMI)",
      [send = std::move(*transport)]() -> Result<std::uint64_t> {
        constexpr std::uint8_t kGroupExtension = 0x2C;
        constexpr std::uint8_t kGetPowerReading = 0x02;
        // DCMI's own id, mode "system power statistics", two reserved bytes.
        constexpr std::array<std::uint8_t, 4> kRequest{0xDC, 0x01, 0x00, 0x00};
        const auto answer = send(kGroupExtension, kGetPowerReading, kRequest);
        if (!answer) return tl::unexpected(answer.error());
        const auto power = parse_dcmi_power(*answer);
        if (!power) return tl::unexpected(power.error());
        return counts(*power);
      },
      kFamily, clock, found);
}

}  // namespace

Findings probe_bmc(const Roots& roots, const Clock& clock, const BmcOptions& options) {
  Findings found;
  if (options.redfish) probe_redfish(options, clock, found);
  if (found.sensors.empty()) probe_ipmi(roots, options, clock, found);
  return found;
}

}  // namespace gramwatt::sense
