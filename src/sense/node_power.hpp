#pragma once
// Sensors of the whole node: what the plug sees, chips, fans and power supply included.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/system.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::sense {

/// At most one sensor, boundary `node`: Cray's pm_counters, else the ACPI power meter of the firmware (hwmon "power_meter").
[[nodiscard]] Findings probe_node_power(const Roots& roots, const Clock& clock);

/// "25474437 J 1387825083447898 us" or "25474437 J": joules. Nothing for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_pm_energy(std::string_view text);

}  // namespace gramwatt::sense
