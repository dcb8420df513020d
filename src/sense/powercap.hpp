#pragma once
// RAPL through Linux powercap: /sys/class/powercap/intel-rapl:* (Intel, and AMD, which uses the same names).

#include <optional>
#include <string>

#include "base/system.hpp"
#include "sense/rapl.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::sense {

/// Sensors for every CPU package and every DRAM zone that can be read; `site.packages` is counted here.
/// Readable by root only on kernels since 2020: then `blocked` names the remedy.
[[nodiscard]] Findings probe_powercap(const Roots& roots, const Clock& clock, RaplSite site);

/// TDP of a package, "package-0" or "package-0-die-1", from its power limit, which anybody may read.
[[nodiscard]] std::optional<Watts> package_tdp(const Roots& roots, const std::string& package);

}  // namespace gramwatt::sense
