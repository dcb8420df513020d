#pragma once
// Intensity of a year that begins anew where it ends, and what running from one second to another costs under it.
//
// Jobs of a trace last seconds to days, slots 5 minutes or an hour: a job may start inside a slot. So time is whole seconds
// here, and the carbon of running is a difference of two sums, each exact: slot's intensity × slot's seconds. Whoever compares
// two starts compares whole numbers, and the answer depends on no rounding.
//
// Thread safety: immutable.

#include <chrono>
#include <cstdint>
#include <vector>

#include "plan/slots.hpp"

namespace gramwatt::plan {

/// Seconds since the start of the trace.
using Second = std::int64_t;
/// Carbon in CPU-seconds × mg/kWh (of one CPU, or of many: who computes it says so).
using CpuCost = std::int64_t;

class IntensityRing {
 public:
  /// Kind usage: no slots, slots that are not whole seconds.
  [[nodiscard]] static Result<IntensityRing> make(const Slots& slots);

  [[nodiscard]] Second slot() const { return slot_; }
  [[nodiscard]] Second period() const { return slot_ * static_cast<Second>(intensity_.size()); }
  [[nodiscard]] std::size_t slots() const { return intensity_.size(); }
  /// By slot, counted from the start of the trace; behind the last comes the first again.
  [[nodiscard]] MilligramsPerKwh of_slot(std::int64_t slot) const {
    return intensity_[static_cast<std::size_t>(slot) % intensity_.size()];
  }
  [[nodiscard]] MilligramsPerKwh at(Second t) const { return of_slot(t / slot_); }
  /// Of one CPU that runs over [0, t), t ≥ 0.
  [[nodiscard]] CpuCost until(Second t) const {
    const Second rounds = t / period(), rest = t % period();
    const auto i = static_cast<std::size_t>(rest / slot_);
    return rounds * sums_.back() + sums_[i] + (rest % slot_) * (i < intensity_.size() ? intensity_[i] : 0);
  }
  /// Of one CPU that runs over [from, to).
  [[nodiscard]] CpuCost between(Second from, Second to) const { return until(to) - until(from); }
  /// Over the period.
  [[nodiscard]] GramsPerKwh mean() const {
    return GramsPerKwh(static_cast<double>(sums_.back()) / static_cast<double>(period()) * 1e-3);
  }
  /// The greatest size of an intensity, for bounds on sums.
  [[nodiscard]] MilligramsPerKwh greatest() const { return greatest_; }

 private:
  std::vector<MilligramsPerKwh> intensity_;
  std::vector<CpuCost> sums_;  ///< over the first i slots
  Second slot_ = 1;
  MilligramsPerKwh greatest_ = 0;
};

}  // namespace gramwatt::plan
