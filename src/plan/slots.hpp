#pragma once
// Intensity by equal slots of time, in whole numbers: what planners compute with.
//
// A plan must not depend on the compiler, on the order of additions or on the machine's vector width. So planners add whole
// numbers only: intensity in mg/kWh here, energy in quanta (problem.hpp). Values are rounded once, when slots are made.

#include <cstdint>
#include <span>
#include <vector>

#include "grid/intensity.hpp"

namespace gramwatt::plan {

/// Intensity of one slot, mg CO2e/kWh: 0.001 g/kWh, far below what any source knows.
using MilligramsPerKwh = std::int32_t;

struct Slots {
  Nanoseconds start{};   ///< of the first slot, UTC
  Nanoseconds length{};  ///< of each; > 0
  std::vector<MilligramsPerKwh> intensity;

  [[nodiscard]] Nanoseconds time(std::size_t slot) const { return start + static_cast<std::int64_t>(slot) * length; }
  [[nodiscard]] Nanoseconds end() const { return time(intensity.size()); }
};

/// Nearest; at most 2,000,000 g/kWh.
[[nodiscard]] MilligramsPerKwh quantise(GramsPerKwh value);

/// `count` slots from `start` on, each the mean of the series over its time. Kind missing where the series leaves a part of
/// them uncovered: a gap is never zero and never its neighbour's value; the remedy tells what is covered.
[[nodiscard]] Result<Slots> make_slots(const grid::Series& series, Nanoseconds start, Nanoseconds length, std::size_t count);
/// The same over a ladder: what a better rung leaves open, the next one fills.
[[nodiscard]] Result<Slots> make_slots(const grid::Ladder& ladder, Nanoseconds start, Nanoseconds length, std::size_t count);

}  // namespace gramwatt::plan
