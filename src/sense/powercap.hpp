#pragma once
// RAPL through Linux powercap: /sys/class/powercap/intel-rapl:* (Intel, and AMD, which uses the same names).

#include "base/system.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::sense {

/// Sensors for every CPU package and every DRAM zone that can be read. `memory_gb`: of the machine, for the idle part of DRAM.
/// Readable by root only on kernels since 2020: then `blocked` names the remedy.
[[nodiscard]] Findings probe_powercap(const Roots& roots, const Clock& clock, double memory_gb);

}  // namespace gramwatt::sense
