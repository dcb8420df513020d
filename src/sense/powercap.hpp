#pragma once
// RAPL through Linux powercap: /sys/class/powercap/intel-rapl:* (Intel, and AMD, which uses the same names).

#include <optional>
#include <string>

#include "base/system.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::sense {

/// Sensors for every CPU package and every DRAM zone that can be read. `memory_gb`: of the machine, for the idle part of DRAM.
/// Readable by root only on kernels since 2020: then `blocked` names the remedy.
[[nodiscard]] Findings probe_powercap(const Roots& roots, const Clock& clock, double memory_gb);

/// TDP of a package, "package-0" or "package-0-die-1", from its power limit, which anybody may read.
[[nodiscard]] std::optional<Watts> package_tdp(const Roots& roots, const std::string& package);

}  // namespace gramwatt::sense
