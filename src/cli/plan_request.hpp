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

/// GPUs of the run that the job is like.
struct RunGpus {
  std::vector<std::string> names;  ///< of each that drew energy for the run: "NVIDIA H100 (GPU-5f…)"
  Joules boards;                   ///< of the run, at them
  Joules platform;                 ///< of the run, between chips and plug
};

struct PlanRequest {
  plan::Job job;         ///< steps at the node, before PUE
  Nanoseconds length{};  ///< of the job, before it fills whole slots
  std::optional<RunGpus> gpus;
  std::string job_source;              ///< "--energy 37.3kWh over 36h", "as run 01J…"
  std::optional<Estimate<Ratio>> pue;  ///< of the run that it is like
  Estimate<Grams> embodied_per_hour;   ///< of the machine that is kept; 0: not charged
  Nanoseconds start{}, slot{};
  Nanoseconds within{};                 ///< finished so much later than if it ran at once; unless there is
  std::optional<Nanoseconds> deadline;  ///< when it must be finished
  int slots = 0;                        ///< of the window
  std::vector<HoursOfDay> blackouts;
  report::Prices prices;
  bool by_cost = false;
  std::vector<std::string> notes;
};

/// `now`: where no start is given, the next whole slot.
[[nodiscard]] Result<PlanRequest> plan_request(const Invocation& invocation, const Settings& settings, Nanoseconds now);

/// Slots of the window that a job of so many steps has. Kind missing where the deadline comes before its end.
[[nodiscard]] Result<int> window_slots(const PlanRequest& request, std::size_t steps);

/// Which slots lie in hours in which the job must not run; empty: none.
[[nodiscard]] std::vector<bool> blocked_slots(const PlanRequest& request);

}  // namespace gramwatt::cli
