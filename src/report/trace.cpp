#include "report/trace.hpp"

#include <map>

#include <fmt/format.h>

namespace gramwatt::report {

std::string trace_header(const std::vector<Channel>& channels) {
  std::string out = "utc,seconds,machine_w,job_w,job_active_w,job_idle_w";
  std::map<Component, int> seen;
  for (const Channel& c : channels) {
    const int n = seen[c.component]++;
    out += fmt::format(",{}{}_w", to_string(c.component), n == 0 ? "" : std::to_string(n));
  }
  return out + ",job_cores,average_g_per_kwh,marginal_g_per_kwh\n";
}

std::string trace_row(const TraceRow& r) {
  std::string out =
      fmt::format("{},{:.3f},{:.3f},{:.3f},{:.3f},{:.3f}", iso8601(r.at_utc), r.since_start.value(), r.machine.value(),
                  (r.job_active + r.job_idle).value(), r.job_active.value(), r.job_idle.value());
  for (const Watts w : r.job_by_channel) out += fmt::format(",{:.3f}", w.value());
  out += fmt::format(",{:.3f},", r.job_cores);
  if (r.average) out += fmt::format("{:.1f}", r.average->value());
  out += ",";
  if (r.marginal) out += fmt::format("{:.1f}", r.marginal->value());
  return out + "\n";
}

}  // namespace gramwatt::report
