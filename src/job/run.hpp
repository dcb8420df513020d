#pragma once
// Run a command and account for it.

#include <optional>

#include "base/error.hpp"
#include "job/child.hpp"
#include "job/reweigh.hpp"
#include "job/session.hpp"
#include "ledger/ledger.hpp"

namespace gramwatt::job {

struct RunOptions : SessionOptions {
  bool wait_all = false;
  meter::TreeMechanism tree = meter::TreeMechanism::best;
  std::vector<Budget> budgets;                    ///< any that is used up ends the program, as SIGTERM does
  std::optional<Nanoseconds> expected_duration;   ///< so that an overrun is foreseen
  std::function<void(const std::string&)> say{};  ///< of budgets; for people, while the program runs
};

/// What the account says of budgets: the record's own figures.
[[nodiscard]] Used used_by(const ledger::RunRecord& record);

struct RunResult {
  ledger::RunRecord record;
  Ending ending;
  std::optional<Error> start_error;   ///< the command could not be started: ending holds 126 or 127, and nothing was recorded
  std::optional<Error> ledger_error;  ///< the run is not, or not wholly, in the ledger
  std::optional<Error> record_error;  ///< the recording is not whole
};

/// Runs the command to its end. Errors are those of gramwatt before the command started (exit 125).
[[nodiscard]] Result<RunResult> run(RunOptions options, Machine machine, const Clock& clock);

/// Runs that were killed get the figures that their intervals allow. Returns how many.
[[nodiscard]] Result<std::size_t> settle_interrupted(ledger::Ledger& ledger, const Knowledge& knowledge = {});

}  // namespace gramwatt::job
