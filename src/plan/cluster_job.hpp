#pragma once
// One job alone: when it would run. Internal to plan; `timetable` asks it for every job of a trace.

#include <vector>

#include "plan/cluster.hpp"
#include "plan/problem.hpp"

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

  /// With `restart` seconds of full power charged for each stretch but the first: the exact plan in whole slots, mended to the
  /// second. Never above `cleanest` nor above the cleanest start, both charged the same.
  [[nodiscard]] const std::vector<Stretch>& charged(Second from, Second wait, Second length, Second restart);

 private:
  using Window = Stretch;
  struct Piece {
    Second begin = 0, end = 0;  ///< of one slot, or of what of it lies in the window
    MilligramsPerKwh intensity = 0;
  };
  void cut(Second from, Second end);
  /// Into runs_; false where whole slots leave no room.
  [[nodiscard]] bool in_whole_slots(Window window, Second length, Second restart);
  void mend(std::vector<Stretch>& runs, Window window, Second restart) const;

  const IntensityRing& ring_;
  std::vector<Piece> pieces_;
  std::vector<std::int64_t> order_;
  std::vector<std::uint8_t> taken_;
  std::vector<Stretch> runs_, best_;
  Problem problem_;
};

}  // namespace gramwatt::plan
