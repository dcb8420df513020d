// Jobs that share one resource, planned together, against the best there is: random queues of up to four jobs in windows of
// twelve slots, every arrangement tried by brute force. And what ten jobs cost to plan. Prints the lines of docs/validation.md.

#include <chrono>
#include <cstdio>
#include <random>

#include <fmt/format.h>

#include "plan/queue_brute_force.hpp"

namespace {

using namespace gramwatt;
using namespace gramwatt::plan;

std::mt19937_64 rng(1);
int in(int low, int high) { return std::uniform_int_distribution<int>(low, high)(rng); }

Slots any_slots(int n) {
  Slots s{Nanoseconds{0}, std::chrono::hours(1), {}};
  for (int i = 0; i < n; ++i) s.intensity.push_back(in(50'000, 900'000));
  return s;
}

Queued any_job(int longest, int window) {
  Queued q;
  q.job.steps.assign(static_cast<std::size_t>(in(1, longest)), Joules(3.6e6 * in(1, 9)));
  q.deadline = in(static_cast<int>(q.job.steps.size()), window);
  return q;
}

int makespan(const QueuePlan& plan) {
  int end = 0;
  for (const Schedule& s : plan.schedules) end = std::max(end, finish(s));
  return end;
}

/// Each job takes its best hours of what those before it left, in order of arrival: what processes do that do not plan
/// together.
double first_come(const Slots& slots, const std::vector<Queued>& jobs) {
  std::vector<bool> taken(slots.intensity.size(), false);
  double sum = 0;
  for (const Queued& q : jobs) {
    const auto n = q.job.steps.size();
    double least = 1e300;
    std::size_t best = 0;
    for (std::size_t at = 0; at + n <= taken.size(); ++at) {
      double own = 0;
      for (std::size_t s = at; s < at + n; ++s) own += taken[s] ? 1e300 : q.job.steps[0].value() * slots.intensity[s];
      if (own < least) least = own, best = at;
    }
    if (least < 1e300) sum += least;
    for (std::size_t s = best; s < best + n; ++s) taken[s] = true;
  }
  return sum;
}

}  // namespace

int main() {
  constexpr int kCases = 2000, kWindow = 12;
  int exact = 0, late_more = 0, compared = 0;
  double gap = 0, worst = 0, longer = 0, alone = 0;
  for (int i = 0; i < kCases; ++i) {
    const Slots slots = any_slots(kWindow);
    std::vector<Queued> jobs;
    for (int n = in(2, 4); n > 0; --n) jobs.push_back(any_job(3, kWindow));
    const auto plan = plan_queue(slots, jobs);
    if (!plan) continue;
    const BestQueue best = best_queue(slots, jobs);
    if (plan->late > best.late) {
      ++late_more;
      continue;
    }
    const double over = carbon_of(slots, jobs, *plan) / best.carbon - 1;
    gap += over;
    worst = std::max(worst, over);
    exact += over < 1e-9 ? 1 : 0;
    longer += makespan(*plan) - best.makespan;
    alone += first_come(slots, jobs) / best.carbon - 1;
    ++compared;
  }
  fmt::print(
      "{} queues of 2..4 jobs in {} slots: {} late where none need be; the best there is in {:.1f} %, {:.2f} % more carbon in "
      "the mean, "
      "{:.0f} % at worst; last job {:.1f} slots later than at the soonest; first come first served, deadlines ignored: {:+.1f} "
      "%\n",
      compared + late_more, kWindow, late_more, 100.0 * exact / compared, 100 * gap / compared, 100 * worst, longer / compared,
      100 * alone / compared);
  const Slots day = any_slots(576);  // two days of five minutes
  std::vector<Queued> ten;
  for (int i = 0; i < 10; ++i) {
    Queued q;
    q.job.steps.assign(static_cast<std::size_t>(in(6, 36)), Joules(3e5));
    q.deadline = in(288, 576);
    ten.push_back(q);
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto plan = plan_queue(day, ten);
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  fmt::print("ten jobs of 0.5 to 3 h in two days of five minutes: {:.0f} ms, {} late\n", ms, plan ? plan->late : -1);
}
