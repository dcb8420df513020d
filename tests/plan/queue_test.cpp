#include "plan/queue.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

#include "plan/queue_brute_force.hpp"

namespace gramwatt::plan {
namespace {

Slots slots(std::vector<MilligramsPerKwh> intensity) { return {Nanoseconds{0}, std::chrono::hours(1), std::move(intensity)}; }

Queued job(int length, int deadline, double energy = 3.6e6) {
  Queued q;
  q.job.steps.assign(static_cast<std::size_t>(length), Joules(energy));
  q.deadline = deadline;
  return q;
}

std::string show(const Schedule& schedule) {
  std::string text;
  for (const Action a : schedule) text += "wRbho."[static_cast<int>(a)];
  return text;
}

TEST(Queue, TwoJobsDoNotTakeTheSameCleanHour) {
  const auto plan = plan_queue(slots({400, 100, 400, 200, 400}), {job(1, 5), job(1, 5)});
  ASSERT_TRUE(plan);
  EXPECT_EQ(show(plan->schedules[0]), "wR...");
  EXPECT_EQ(show(plan->schedules[1]), "wwwR.");
}

TEST(Queue, TheJobThatNeedsMoreGetsTheCleanHour) {
  const auto plan = plan_queue(slots({400, 100, 400, 200, 400}), {job(1, 5, 3.6e5), job(1, 5, 3.6e6)});
  ASSERT_TRUE(plan);
  EXPECT_EQ(show(plan->schedules[1]), "wR...");
}

TEST(Queue, WaitingForACleanHourMakesNobodyLate) {
  // The first job's best is hour 2, but then the second, of three hours, would have to run from 3 to 6.
  const auto plan = plan_queue(slots({400, 400, 100, 400, 400, 400}), {job(1, 6), job(3, 4)});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->late, 0);
  EXPECT_LE(finish(plan->schedules[1]), 4);
}

TEST(Queue, AJobThatRunsKeepsTheResource) {
  Queued runs = job(2, 6);
  runs.has_resource = true;
  runs.standing = {Standing::State::running, 0, 1};
  const auto plan = plan_queue(slots({400, 400, 100, 100, 100, 100}), {job(1, 6), runs});
  ASSERT_TRUE(plan);
  EXPECT_EQ(show(plan->schedules[1]), "RR....");
  EXPECT_EQ(finish(plan->schedules[0]), 3);
}

TEST(Queue, AJobThatCanExitGivesTheResourceAway) {
  Queued pausable = job(2, 4);
  pausable.job.may_exit = true;
  const auto plan = plan_queue(slots({100, 900, 900, 100}), {pausable, job(2, 4, 36)});
  ASSERT_TRUE(plan);
  EXPECT_EQ(show(plan->schedules[0]), "RooR");
  EXPECT_EQ(show(plan->schedules[1]), "wRR.");
}

TEST(Queue, WhoCannotBeInTimeIsLateAndNotLeftOut) {
  const auto plan = plan_queue(slots({1, 1, 1, 1, 1, 1}), {job(3, 3), job(3, 3)});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->late, 1);
  EXPECT_FALSE(plan_queue(slots({1, 1, 1}), {job(2, 3), job(2, 3)}));
}

/// Random jobs that run through, with deadlines that some order can keep or not.
std::vector<Queued> any_jobs(int window) {
  const auto in = [](int low, int high) { return *rc::gen::inRange(low, high + 1); };
  std::vector<Queued> jobs;
  int left = window;
  for (int n = in(1, 4); n > 0 && left > 0; --n) {
    const int length = in(1, std::min(3, left));
    left -= length;
    jobs.push_back(job(length, in(length, window), in(1, 9)));
  }
  return jobs;
}

bool some_order_is_in_time(std::vector<Queued> jobs) {
  std::sort(jobs.begin(), jobs.end(), [](const Queued& a, const Queued& b) { return a.deadline < b.deadline; });
  int at = 0;
  return std::all_of(jobs.begin(), jobs.end(),
                     [&](const Queued& q) { return (at += static_cast<int>(q.job.steps.size())) <= q.deadline; });
}

RC_GTEST_PROP(QueueLaws, NoneOverlapsNoneStarvesAndDeadlinesAreKept, ()) {
  const int window = *rc::gen::inRange(4, 12);
  const auto s =
      slots(*rc::gen::container<std::vector<MilligramsPerKwh>>(static_cast<std::size_t>(window), rc::gen::inRange(0, 9)));
  const auto jobs = any_jobs(window);
  const auto plan = plan_queue(s, jobs);
  RC_ASSERT(plan.has_value());
  for (int slot = 0; slot < window; ++slot) {
    const auto running = std::count_if(plan->schedules.begin(), plan->schedules.end(), [&](const Schedule& each) {
      return each[static_cast<std::size_t>(slot)] == Action::run;
    });
    RC_ASSERT(running <= 1);
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    RC_ASSERT(std::count(plan->schedules[i].begin(), plan->schedules[i].end(), Action::run) ==
              static_cast<std::ptrdiff_t>(jobs[i].job.steps.size()));
  }
  if (some_order_is_in_time(jobs)) RC_ASSERT(plan->late == 0);
  // Never better than the best there is, or somebody cheats.
  const BestQueue best = best_queue(s, jobs);
  RC_ASSERT(plan->late >= best.late);
  if (plan->late == best.late) RC_ASSERT(carbon_of(s, jobs, *plan) >= best.carbon - 1e-9);
}

}  // namespace
}  // namespace gramwatt::plan
