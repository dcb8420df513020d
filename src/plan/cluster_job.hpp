#pragma once
// One job alone: when it would run. Internal to plan; `timetable` asks it for every job of a trace.

#include <vector>

#include "plan/cluster.hpp"

namespace gramwatt::plan {

/// The start in [from, from + wait] from which `length` seconds weigh least; the earliest of equals. Exact to the second: what
/// a start weighs is linear between the moments at which it, or its end, meets the border of a slot, so only those are tried.
[[nodiscard]] Second cleanest_start(const IntensityRing& ring, Second from, Second wait, Second length);

/// What running over these costs a CPU, restarts (at each stretch but the first) charged as `restart` seconds at full power.
[[nodiscard]] CpuCost cost_of(const IntensityRing& ring, std::span<const Stretch> runs, Second restart);

/// Pausing with foresight. Keeps room between jobs, so: one a thread.
class Pauser {
 public:
  explicit Pauser(const IntensityRing& ring) : ring_(ring) {}

  /// The cleanest `length` seconds of [from, from + wait + length), the earliest of equals: no choice weighs less where pausing
  /// is free. Valid until the next call.
  [[nodiscard]] const std::vector<Stretch>& cleanest(Second from, Second wait, Second length);

  /// The same with `restart` seconds of full power for each stretch but the first. Not exact, but never above `cleanest` nor
  /// above the cleanest start, both charged the same: see the essay in the .cpp.
  [[nodiscard]] const std::vector<Stretch>& priced(Second from, Second wait, Second length, Second restart);

 private:
  struct Piece {
    Second begin = 0, end = 0;  ///< of one slot, or of what of it lies in the window
    MilligramsPerKwh intensity = 0;
  };
  void cut(Second from, Second end);
  [[nodiscard]] Second relaxed(std::int64_t price, Second restart, std::vector<Stretch>& runs);
  void lengthen(std::vector<Stretch>& runs, Second by) const;
  void shorten(std::vector<Stretch>& runs, Second by, Second restart) const;

  const IntensityRing& ring_;
  std::vector<Piece> pieces_;
  std::vector<std::int64_t> order_;
  std::vector<std::uint8_t> taken_, came_;
  std::vector<Stretch> runs_, best_, below_, above_;
};

}  // namespace gramwatt::plan
