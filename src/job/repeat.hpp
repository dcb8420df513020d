#pragma once
// The same command many times, as one account: see repeat.cpp.

#include <functional>
#include <vector>

#include "job/run.hpp"

namespace gramwatt::job {

struct RepeatOptions {
  int times = 32;
  /// The machine, probed anew for every repetition.
  std::function<Machine()> probe;
};

/// Runs the command `times` times, starts spread over the phases of the slowest sensor that publishes now and then, and
/// accounts for the mean of a repetition. The first repetition that fails (exit code not 0) ends the series: its ending is the
/// result's, and the account is that of the repetitions before it (its own, when it was the first). What is kept in the ledger
/// is the mean.
[[nodiscard]] Result<RunResult> repeat(const RunOptions& options, const RepeatOptions& how, const Clock& clock);

/// How long the n-th repetition waits from `now` on, so that starts fall on eight phases of `period`, evenly. `gap`: 0..1,
/// random.
[[nodiscard]] Nanoseconds wait_for_phase(Nanoseconds now, Nanoseconds period, int n, double gap);

/// The mean of repetitions, in the order they ran, with the intervals that remain.
[[nodiscard]] ledger::RunRecord mean_of(const std::vector<ledger::RunRecord>& repetitions);

}  // namespace gramwatt::job
