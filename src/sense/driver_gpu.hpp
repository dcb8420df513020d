#pragma once
// GPUs whose kernel driver tells power or energy by itself, without a vendor's library.

#include "base/system.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::sense {

/// One sensor a GPU of Intel (i915, xe: energy counter) or AMD (amdgpu: power) that hwmon shows.
[[nodiscard]] Findings probe_driver_gpus(const Roots& roots, const Clock& clock);

}  // namespace gramwatt::sense
