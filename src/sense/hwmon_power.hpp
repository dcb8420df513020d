#pragma once
// Power and energy sensors of chips and boards that the kernel shows in /sys/class/hwmon. See hwmon_power.cpp.

#include "base/system.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::sense {

/// What other families see already, so that nothing is counted twice.
struct Covered {
  bool cpu = false;  ///< CPU or memory
  bool gpu = false;
  bool node = false;  ///< the whole node

  static Covered by(const Findings& found);
};

/// Sensors of NVIDIA Grace sockets, POWER, ARM servers, Jetson modules and power supplies that answer. `blocked` names rails
/// that are there and left out because nobody knows what they feed.
[[nodiscard]] Findings probe_hwmon_power(const Roots& roots, const Clock& clock, const Covered& covered);

}  // namespace gramwatt::sense
