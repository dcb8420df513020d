#pragma once
// The two published ways to move a job in time (Dodge et al., FAccT 2022), for every start of a series at once, in whole
// numbers.
//
// The problem. A study asks the same question at each of the 105,408 five-minute starts of a year: a job of k slots may use the
// window of L slots that begins here; what is the least intensity it can meet, in one piece (flexible start) or in pieces
// (pause and resume)? Answered one by one this is a second of summing or sorting for each series, job and window, and 1,408 of
// those make the study. But the window of the next start is this one moved by one slot, and little changes.
//
// Flexible start. A run from slot i on meets prefix[i + k] - prefix[i]; the best of L - k + 1 neighbouring runs is a sliding
// minimum. Blocks of that width are scanned once forwards and once backwards; each window is the end of one block and the
// beginning of the next (van Herk 1992; Gil and Werman 1993). Two comparisons a start, whatever the window.
//
// Pause and resume runs in the k slots of lowest intensity, the earlier one of equals. All slots of the series are ranked once,
// so that no two ranks are equal; the ranks that are present in the window stand in a set of bits (with a second level, a bit
// for each word that is not empty), and a threshold points at the k-th lowest of them. When the window moves by a slot, one
// rank leaves and one comes, so the threshold moves to a neighbour of itself in that set or stays: at most one slot changes
// sides beside the two that move. Sum, number of runs and what they cost to start are kept up to date from the neighbours in
// time of the slots that change. Exact, O(1) words a start; no floating point, so the answer does not depend on the build.
//
// Thread safety: one thread a Sliding.

#include <cstdint>
#include <span>
#include <vector>

#include "plan/slots.hpp"

namespace gramwatt::plan {

/// Intensity added over slots: mg/kWh × slots. Times the energy of a slot it is carbon.
using Sum = std::int64_t;

class Sliding {
 public:
  /// Chooses by `intensity`. All sums are those of `judged`, where it is given, of the same slots: a plan by one signal,
  /// weighed with another. Both must outlive it; fewer than 2^31 slots. O(n log n), once.
  explicit Sliding(std::span<const MilligramsPerKwh> intensity, std::span<const MilligramsPerKwh> judged = {});

  /// Starts whose window of `window` slots lies within the series: 0..starts(window) - 1.
  [[nodiscard]] std::size_t starts(int window) const;
  /// A run of `length` slots that begins at once.
  [[nodiscard]] Sum run(std::size_t start, int length) const {
    return prefix_[start + static_cast<std::size_t>(length)] - prefix_[start];
  }

  struct FlexibleStart {
    std::vector<Sum> sum;               ///< by start
    std::vector<std::uint32_t> chosen;  ///< the slot at which it begins: the earliest of the best
  };
  /// The best run of `length` slots within the `window` slots from each start on. 1 ≤ length ≤ window. Valid until the next
  /// call.
  const FlexibleStart& flexible_start(int length, int window);

  struct PauseResume {
    std::vector<Sum> sum;             ///< by start
    std::vector<std::uint32_t> runs;  ///< pieces; pauses are one fewer
    /// Only where asked for: the intensity of the first slot of every run but the first, of the slots between runs, and of
    /// those before the first. What restarts, pauses and waiting weigh, per energy of a restart and of a slot.
    std::vector<Sum> restarted, paused, waited;
  };
  /// The `length` slots of lowest intensity of the `window` from each start on, the earlier of equals. 1 ≤ length ≤ window.
  /// Valid until the next call.
  const PauseResume& pause_resume(int length, int window, bool with_costs = false);

 private:
  struct Ranked {
    MilligramsPerKwh value;
    std::uint32_t slot;
  };
  template <bool kCosts>
  class Window;

  std::span<const MilligramsPerKwh> judged_;
  std::vector<Sum> chosen_by_;       ///< of the first i slots of what is chosen by, where that is not what is judged by
  std::vector<Sum> prefix_;          ///< of the first i slots
  std::vector<std::uint32_t> rank_;  ///< by slot
  std::vector<Ranked> ranked_;       ///< by rank
  std::vector<Sum> suffix_;          ///< of a block: the best from here to its end
  std::vector<std::uint32_t> suffix_at_;
  FlexibleStart flexible_;
  PauseResume paused_;
};

}  // namespace gramwatt::plan
