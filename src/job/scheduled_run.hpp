#pragma once
// Run a command when the grid is clean: start it late, pause and resume it by plan, and account for all of it as one run.

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "job/executor.hpp"
#include "job/foreseer.hpp"
#include "job/hold.hpp"
#include "job/run.hpp"

namespace gramwatt::job {

/// How a program is brought to exit with a checkpoint behind it, and how it goes on from there.
struct PauseByExit {
  int signal = 15;                  ///< SIGTERM; unless
  std::string command;              ///< is not empty: for /bin/sh, with GRAMWATT_RUN_ID and GRAMWATT_JOB_PID in its environment
  std::vector<std::string> resume;  ///< empty: the command as it was started first
  /// How long saving may take. A program that is still there then goes on, and is not asked again.
  Nanoseconds patience = std::chrono::minutes(5);
};

/// What people may see of a job that waits, runs or is paused.
struct Situation {
  Phase phase = Phase::waiting;
  Decision decision;
  std::string why;
};

struct ScheduleOptions {
  Assignment assignment;
  std::string resource;              ///< see ledger::JobRecord
  std::vector<std::string> options;  ///< see ledger::JobRecord
  bool may_hold = false;             ///< paused in place,
  std::optional<HoldWay> hold_way;   ///< by this way only
  std::optional<PauseByExit> exit;   ///< paused by exit
  Estimate<Watts> idle_power;        ///< of this machine, boundary node
  Nanoseconds lease = kLease;        ///< of the guardian
  /// Before each new attempt to start a program that has crashed at a pause or right after a resumption.
  std::array<Nanoseconds, 3> back_off{std::chrono::seconds(1), std::chrono::seconds(10), std::chrono::seconds(60)};
  Foresee foresee;                                  ///< asked in a thread of its own
  std::function<Machine()> probe;                   ///< sensors are opened when the program starts, not while it waits
  std::function<void(const Situation&)> on_change;  ///< may be empty
};

struct ScheduledResult {
  RunResult run;
  bool started = false;             ///< false: `run` holds the ending only, and nothing was measured
  std::optional<Error> book_error;  ///< its story is not, or not wholly, in the ledger
};

/// Errors are those of gramwatt before the command started (exit 125).
[[nodiscard]] Result<ScheduledResult> run_when_clean(RunOptions options, ScheduleOptions schedule, const Clock& clock);

}  // namespace gramwatt::job
