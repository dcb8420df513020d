#pragma once
// A hardware counter of limited width, widened to 64 bits.
//
// RAPL counters wrap: 262 kJ last 18 minutes at 240 W, 65.7 kJ last 164 s at 400 W. From two raw values one cannot tell a wrap
// from a reset (firmware, suspend to disk), nor one wrap from two. Both are decided by what is physically possible: a step
// back is a wrap only if the power it implies could have been drawn, and a read that comes so late that the counter could have
// gone round twice is no reading at all. Getting this wrong shows as phantom energy of a whole range (a real tool reported
// 260 kW) or as lost energy (others drop the sample).

#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "base/quantity.hpp"

namespace gramwatt::sense {

class WideCounter {
 public:
  /// `range`: the raw value runs from 0 to `range`, so that a wrap adds range + 1. `power_limit`: more than this is impossible.
  WideCounter(std::uint64_t range, Watts power_limit) : range_(range), power_limit_(power_limit) {}

  struct Step {
    Microjoules total;     ///< since the first raw value; never falls
    bool resumed = false;  ///< energy since the previous value is unknown and not in `total`
  };

  /// Takes the next raw value, in microjoules.
  Step update(std::uint64_t raw, Nanoseconds monotonic);

 private:
  std::uint64_t range_;
  Watts power_limit_;
  std::optional<std::uint64_t> last_;
  Nanoseconds last_time_{};
  Microjoules total_;
};

}  // namespace gramwatt::sense
