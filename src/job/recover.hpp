#pragma once
// Jobs whose gramwatt is gone: killed, or lost with the power. What is left of each, and what can be done.
//
// A guardian lets a held program run on when gramwatt dies (guardian.hpp). What remains is for somebody to do: a job that was
// waiting or had exited to pause is nobody's any more; after a power cut no process is left at all; and where gramwatt and its
// guardian were both killed, a program may still be stopped.

#include <sys/types.h>

#include <string>
#include <vector>

#include "ledger/ledger.hpp"

namespace gramwatt::job {

struct LostJob {
  ledger::JobRecord job;
  std::vector<pid_t> processes;  ///< of the job, that are still there: they carry its GRAMWATT_RUN_ID
  int freed = 0;                 ///< of them, that we had left stopped or frozen, and that run on now
};

/// All of this host that have not ended; programs that were left held are let run on.
[[nodiscard]] Result<std::vector<LostJob>> find_lost(const ledger::Ledger& ledger);

/// What starts the job again, from its checkpoint where it had one. Empty: it still runs.
[[nodiscard]] std::vector<std::string> command_to_go_on(const LostJob& lost);

}  // namespace gramwatt::job
