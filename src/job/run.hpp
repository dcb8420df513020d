#pragma once
// Run a command and account for it.

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "job/account.hpp"
#include "job/child.hpp"
#include "job/machine.hpp"
#include "ledger/ledger.hpp"
#include "ledger/record.hpp"
#include "meter/meter.hpp"
#include "meter/tree_cpu.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::job {

/// What the run is weighed with, and where it took place; made while the program already runs.
struct Context {
  Weights weights;
  ledger::Host host;
  ledger::PlaceFacts place;
  std::vector<std::string> notes, advice;
};

class Recorder;

/// What the live line and the trace see at every tick.
struct Progress {
  const meter::Tick& tick;
  const meter::Meter& meter;
  const std::vector<Channel>& channels;
  const ledger::RunRecord* begun;  ///< null until place and intensity are known
};

struct RunOptions {
  std::vector<std::string> command;
  std::optional<std::string> name, project, stage;
  std::map<std::string, std::string> tags;
  /// Between samples. Unset: as often as somebody looks, which is every 100 ms with sensors or a trace, and once a second
  /// without, because nothing that is split once a second gains by waking more often.
  std::optional<Nanoseconds> interval;
  IdleOwner idle_owner = IdleOwner::job;
  bool wait_all = false;
  std::optional<std::filesystem::path> ledger;
  std::optional<std::string> parent;  ///< GRAMWATT_RUN_ID of the run that this one is nested in
  Roots roots;
  meter::TreeMechanism tree = meter::TreeMechanism::best;
  std::string version;
  std::function<Context(const Machine&)> context;  ///< called once, in another thread
  bool detailed_ticks = false;                     ///< on_tick is a trace, and every tick counts
  std::function<void(const Progress&)> on_tick;    ///< may be empty
  Recorder* recorder = nullptr;                    ///< --record; outlives the run
};

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
[[nodiscard]] Result<std::size_t> settle_interrupted(ledger::Ledger& ledger);

}  // namespace gramwatt::job
