#pragma once
// What `gramwatt plan` is asked: the job, the time it has, and what pausing and waiting cost, from options and the ledger.

#include "cli/context.hpp"
#include "ledger/record.hpp"
#include "plan/job.hpp"
#include "report/plan.hpp"

namespace gramwatt::cli {

struct HoursOfDay {
  Nanoseconds from{}, to{};  ///< since midnight UTC; to ≤ from: over midnight
};

struct PlanRequest {
  plan::Job job;                       ///< steps at the node, before PUE
  std::string job_source;              ///< "--energy 37.3kWh over 36h", "as run 01J…"
  std::optional<Estimate<Ratio>> pue;  ///< of the run that it is like
  Estimate<Grams> embodied_per_hour;   ///< of the machine that is kept; 0: not charged
  Nanoseconds start{}, slot{};
  int slots = 0;  ///< of the window
  std::vector<HoursOfDay> blackouts;
  report::Prices prices;
  bool by_cost = false;
  std::vector<std::string> notes;
};

/// `now`: where no start is given, the next whole slot.
[[nodiscard]] Result<PlanRequest> plan_request(const Invocation& invocation, const Settings& settings, Nanoseconds now);

/// Which slots lie in hours in which the job must not run; empty: none.
[[nodiscard]] std::vector<bool> blocked_slots(const PlanRequest& request);

}  // namespace gramwatt::cli
