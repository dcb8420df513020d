#pragma once
// Every way in which jobs that run through can share a resource: the fewest late ones, then the least carbon.

#include <functional>
#include <limits>
#include <vector>

#include "plan/queue.hpp"

namespace gramwatt::plan {

struct BestQueue {
  int late = std::numeric_limits<int>::max();
  double carbon = std::numeric_limits<double>::max();  ///< J × mg/kWh
  int makespan = std::numeric_limits<int>::max();      ///< the least of all, whatever it weighs
};

/// Jobs of constant power on a shared machine, which cost nothing but what they run.
inline BestQueue best_queue(const Slots& slots, const std::vector<Queued>& jobs) {
  const int window = static_cast<int>(slots.intensity.size());
  BestQueue best;
  std::vector<bool> taken(slots.intensity.size(), false);
  const std::function<void(std::size_t, int, double, int)> place = [&](std::size_t i, int late, double carbon, int end) {
    if (i == jobs.size()) {
      if (late < best.late || (late == best.late && carbon < best.carbon)) best = {late, carbon, best.makespan};
      best.makespan = std::min(best.makespan, end);
      return;
    }
    const int length = static_cast<int>(jobs[i].job.steps.size());
    for (int at = 0; at + length <= window; ++at) {
      bool free = true;
      double own = 0;
      for (int s = at; s < at + length; ++s) {
        free = free && !taken[static_cast<std::size_t>(s)];
        own += jobs[i].job.steps[static_cast<std::size_t>(s - at)].value() * slots.intensity[static_cast<std::size_t>(s)];
      }
      if (!free) continue;
      for (int s = at; s < at + length; ++s) taken[static_cast<std::size_t>(s)] = true;
      place(i + 1, late + (at + length > jobs[i].deadline ? 1 : 0), carbon + own, std::max(end, at + length));
      for (int s = at; s < at + length; ++s) taken[static_cast<std::size_t>(s)] = false;
    }
  };
  place(0, 0, 0, 0);
  return best;
}

/// What a plan weighs in the same unit, and when its last job ends.
inline double carbon_of(const Slots& slots, const std::vector<Queued>& jobs, const QueuePlan& plan) {
  double sum = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    std::size_t step = 0;
    for (std::size_t s = 0; s < plan.schedules[i].size(); ++s) {
      if (plan.schedules[i][s] == Action::run) sum += jobs[i].job.steps[step++].value() * slots.intensity[s];
    }
  }
  return sum;
}

}  // namespace gramwatt::plan
