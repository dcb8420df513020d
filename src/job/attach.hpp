#pragma once
// Measure what runs already, until it ends or somebody says that it is enough. What is measured is never touched: no signal,
// no ptrace, no cgroup of ours.

#include <sys/types.h>

#include "base/error.hpp"
#include "job/session.hpp"

namespace gramwatt::job {

struct AttachOptions : SessionOptions {  ///< `command` is found out
  std::vector<pid_t> pids;               ///< trees to measure; one that is below another counts once
  std::optional<std::string> cgroup;     ///< or all of a cgroup: a folder, or as in /proc/PID/cgroup
  meter::TreeMechanism tree = meter::TreeMechanism::best;
};

struct AttachResult {
  ledger::RunRecord record;
  std::optional<Error> ledger_error;  ///< the run is not, or not wholly, in the ledger
  std::optional<Error> record_error;  ///< the recording is incomplete
};

/// The run that a process belongs to, when gramwatt itself started it: its GRAMWATT_RUN_ID.
[[nodiscard]] std::optional<std::string> run_of(pid_t pid);

/// Processes of a cgroup, as AttachOptions names it.
[[nodiscard]] Result<std::vector<pid_t>> processes_of_cgroup(const std::string& cgroup);

/// Measures until the processes given have ended, or the cgroup is empty, or SIGINT, SIGTERM or SIGHUP comes, which ends the
/// measuring only. Errors: no such process or cgroup (missing), not to be seen by this user.
[[nodiscard]] Result<AttachResult> attach(AttachOptions options, Machine machine, const Clock& clock);

}  // namespace gramwatt::job
