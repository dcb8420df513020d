#pragma once
// Power and intensity over time as CSV.

#include <optional>
#include <string>
#include <vector>

#include "base/account.hpp"

namespace gramwatt::report {

struct TraceRow {
  Nanoseconds at_utc{};
  Seconds since_start;
  Watts machine, job_active, job_idle;
  std::vector<Watts> job_by_channel;
  double job_cores = 0;  ///< CPU time of the program's tree per time
  std::optional<GramsPerKwh> average, marginal;
};

/// utc,seconds,machine_w,job_w,job_active_w,job_idle_w,<component of each
/// channel>_w…,job_cores,average_g_per_kwh,marginal_g_per_kwh
[[nodiscard]] std::string trace_header(const std::vector<Channel>& channels);
[[nodiscard]] std::string trace_row(const TraceRow& row);

}  // namespace gramwatt::report
