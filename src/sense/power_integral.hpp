#pragma once
// Energy from readings of power.

#include <optional>

#include "base/clock.hpp"
#include "base/quantity.hpp"

namespace gramwatt::sense {

/// Adds up power over the time between readings by the trapezoid rule.
class PowerIntegral {
 public:
  /// Takes a reading. False: the one before is so old that the mean of both says nothing about the time between them, and that
  /// time is not in `energy`.
  bool add(Watts power, const Instant& at) {
    bool joined = true;
    if (last_at_) {
      const Nanoseconds passed = elapsed(*last_at_, at);
      joined = passed <= kLongestGap;
      if (joined) energy_ += (last_power_ + power) * 0.5 * seconds(passed);
    }
    last_power_ = power;
    last_at_ = at;
    return joined;
  }
  [[nodiscard]] Microjoules energy() const { return Microjoules(energy_); }

 private:
  static constexpr Nanoseconds kLongestGap = std::chrono::seconds(10);
  Joules energy_;  ///< in floating point, so that ten roundings a second do not add up
  Watts last_power_;
  std::optional<Instant> last_at_;
};

}  // namespace gramwatt::sense
