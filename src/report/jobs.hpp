#pragma once
// Jobs that wait, run or are paused, as a table, and the story of one.

#include <string>
#include <vector>

#include "ledger/job_record.hpp"
#include "report/format.hpp"

namespace gramwatt::report {

/// One line a job. `now`: UTC, for "in 3 h".
[[nodiscard]] std::string jobs_table(const std::vector<ledger::JobRecord>& jobs, Nanoseconds now, const Style& style,
                                     std::size_t width);
/// {"schema":"gramwatt.jobs/1","jobs":[…]}
[[nodiscard]] std::string jobs_json(const std::vector<ledger::JobRecord>& jobs);
/// What happened to a job, a line each; empty without events.
[[nodiscard]] std::string story(const std::vector<ledger::JobEvent>& events);

}  // namespace gramwatt::report
