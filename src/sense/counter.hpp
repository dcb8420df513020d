#pragma once
// A hardware counter of limited width, widened to 64 bits.
//
// RAPL counters wrap: 262 kJ last 18 minutes at 240 W, 65.7 kJ last 164 s at 400 W. From two raw values one cannot tell a wrap
// from a reset (firmware, suspend to disk), nor one wrap from two. Both are decided by what is physically possible: a step
// back is a wrap only if the power it implies could have been drawn, and a read that comes so late that the counter could have
// gone round twice is no reading at all. Getting this wrong shows as phantom energy of a whole range (a real tool reported
// 260 kW) or as lost energy (others drop the sample).
//
// Counts are added up as they are and become microjoules only at the end, so that a unit that is no whole number of microjoules
// (2^-16 J, 2^-32 J) does not lose a little at every read.

#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "base/quantity.hpp"

namespace gramwatt::sense {

class WideCounter {
 public:
  /// `range`: the raw value runs from 0 to `range`, so that a wrap adds range + 1; 0: it never wraps. `power_limit`: more than
  /// this is impossible. `microjoules_per_count`: the unit of the raw value. `stale`: a raw value may be that old when it is
  /// read, so that so much more may come at once.
  WideCounter(std::uint64_t range, Watts power_limit, double microjoules_per_count = 1, Seconds stale = kUsuallyStale)
      : range_(range), power_limit_(power_limit), unit_(microjoules_per_count), stale_(stale) {}

  static constexpr Seconds kUsuallyStale{0.05};  ///< hardware publishes every few milliseconds

  struct Step {
    Microjoules total;     ///< since the first raw value; never falls
    bool resumed = false;  ///< energy since the previous value is unknown and not in `total`
  };

  /// Takes the next raw value.
  [[gnu::hot]] Step update(std::uint64_t raw, Nanoseconds monotonic);

 private:
  [[gnu::hot]] [[nodiscard]] Microjoules total() const;

  std::uint64_t range_;
  Watts power_limit_;
  double unit_;
  Seconds stale_;
  std::optional<std::uint64_t> last_;
  Nanoseconds last_time_{};
  std::uint64_t counts_ = 0;
};

}  // namespace gramwatt::sense
