#pragma once
// From the meter's integers to the record's estimates: energy by component, facility, carbon, intensity, embodied.
//
// The same function makes the account of a run that ended and of one that was killed: the second comes from the intervals and
// the weights that the ledger kept.

#include <span>
#include <vector>

#include "base/account.hpp"
#include "footprint/footprint.hpp"
#include "grid/intensity.hpp"
#include "ledger/record.hpp"
#include "meter/meter.hpp"

namespace gramwatt::job {

/// What energy is weighed with.
struct Weights {
  Estimate<Ratio> pue;
  grid::Ladder average;
  std::optional<grid::Ladder> marginal;
  Estimate<Grams> embodied_per_hour;  ///< of the whole machine
};

/// What was measured.
struct Measured {
  std::vector<Channel> channels;
  std::vector<Flow> totals;              ///< by channel
  std::vector<footprint::Slice> slices;  ///< the job's energy over time
  Seconds duration;
  Ratio machine_share{1};  ///< the part of the machine that was reserved for this run (embodied)
};

/// Adds intervals to slices, merged by steps of five minutes of UTC: no intensity series is finer.
class SliceCollector {
 public:
  void add(const Interval& interval);
  /// The next interval begins a new slice: the program is held from here on, or runs again.
  void cut() { cut_ = true; }
  [[nodiscard]] const std::vector<footprint::Slice>& slices() const { return slices_; }

 private:
  std::vector<footprint::Slice> slices_;
  bool cut_ = false;
};

/// Adds what the mechanism that counted the process tree (TreeCpu::mechanism) is known to lose.
[[nodiscard]] std::vector<Channel> with_tree_error(std::vector<Channel> channels, const std::string& mechanism);

/// The part of the machine that was this run's, for its manufacturing: reserved time on a machine of one's own, else CPU time.
[[nodiscard]] Ratio machine_share(const meter::Meter& meter, IdleOwner owner, const sense::CpuIdentity& cpu, Seconds length);

/// Fills energy, carbon, intensity and derivations of `record`.
void fill_account(const Measured& measured, const Weights& weights, ledger::RunRecord& record);

/// Fills carbon and intensity alone, from the record's energy of the building and when the energy was used.
void weigh_carbon(std::span<const footprint::Slice> slices, const grid::Ladder& average,
                  const std::optional<grid::Ladder>& marginal, ledger::RunRecord& record);

/// The weights that a record holds: each intensity one value for all time, as it was when the run began, or as it was last
/// weighed.
[[nodiscard]] Weights weights_of(const ledger::RunRecord& record);

/// Writes the weights into a record that begins.
void set_weights(const Weights& weights, ledger::RunRecord& record);

}  // namespace gramwatt::job
