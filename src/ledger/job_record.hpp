#pragma once
// Jobs that gramwatt starts late, pauses and resumes: where they stand and what happened to them, written before it is done.
//
// A row a job says what another process needs to list it, to plan beside it, or to go on with it after a crash; its events tell
// the story. Both tables are made with the first job: a ledger that never had one stays as it was, and older programs read on.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "grid/intensity.hpp"
#include "ledger/owner.hpp"

namespace gramwatt::ledger {

enum class JobState : std::uint8_t {
  waiting,  ///< not started yet
  running,
  held,   ///< paused in place: stopped or frozen
  off,    ///< paused by exit, from a checkpoint
  ended,  ///< by itself, by a signal, cancelled: `why` tells
};
[[nodiscard]] std::string_view to_string(JobState state);
[[nodiscard]] std::optional<JobState> parse_job_state(std::string_view text);

struct JobRecord {
  std::string id;  ///< the run's
  JobState state = JobState::waiting;
  std::optional<std::string> name{}, project{};
  std::string resource;              ///< what only one job at a time may use ("gpu:0"); empty: nothing
  std::vector<std::string> command;  ///< as it was started first
  std::vector<std::string> resume;   ///< as it is started after an exit; empty: as at first
  std::vector<std::string> options;  ///< of gramwatt run, that hold for a run which goes on with it: place, machine, tags
  std::string folder;                ///< working directory
  Nanoseconds created{}, since{};    ///< UTC; `since`: of this state
  Nanoseconds latest_start{};        ///< UTC: when it must run to end in time
  std::vector<grid::Window> runs;    ///< planned; empty: straight on
  Nanoseconds until{};               ///< UTC: the next decision
  std::string why;                   ///< of this state, one line
  std::optional<double> saving{};    ///< expected, a share
  Nanoseconds duration{}, done{};    ///< running time that is needed, and that is behind it
  Nanoseconds done_at{};             ///< UTC: when it was; of one that runs, more is behind it by now
  Watts power;                       ///< while it runs, as planned
  bool may_exit = false;             ///< it gives the resource away while it is paused
  Joules restart_energy;             ///< of coming back from that,
  Nanoseconds restart_time{};
  Owner owner;         ///< the gramwatt that steers it
  bool alive = false;  ///< is that process there? Filled in by reading.
};

struct JobEvent {
  Nanoseconds utc{};
  std::string what;  ///< "waiting", "started", "pausing", "held", "resumed", …
  std::string why;
};

class Database;

/// The row as it is now, and one event more, in one commit; an event without a name is none. Makes the tables where they are
/// not.
[[nodiscard]] Result<void> write_job(Database& database, const JobRecord& job, const JobEvent& event);
/// All jobs, oldest first; `alive` is left alone.
[[nodiscard]] Result<std::vector<JobRecord>> read_jobs(Database& database);
/// Oldest first.
[[nodiscard]] Result<std::vector<JobEvent>> read_events(Database& database, const std::string& id);
/// Row and events, within the caller's transaction.
[[nodiscard]] Result<void> delete_job(Database& database, const std::string& id);

}  // namespace gramwatt::ledger
