// What the executor promises: it waits for cleaner hours where that pays, ends in time whatever comes, and runs when it knows
// nothing. All under a virtual clock.

#include "job/executor.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "fakes/simulated_job.hpp"

namespace gramwatt::job {
namespace {

using namespace std::chrono_literals;
using testing::SimulatedJob;

const Nanoseconds kMidnight = *parse_iso8601("2021-06-01");

/// An intensity for each hour from midnight on, in g/kWh.
grid::Series series(const std::vector<double>& values, Nanoseconds from = kMidnight) {
  grid::Series s;
  s.signal.source = "test";
  s.resolution = 1h;
  for (std::size_t i = 0; i < values.size(); ++i)
    s.points.push_back({from + static_cast<std::int64_t>(i) * Nanoseconds(1h), GramsPerKwh(values[i])});
  return s;
}

Outlook outlook(grid::Series s) { return {{{std::move(s)}, {}}, {}, {}, "average"}; }

/// 1 kW for so many hours.
Assignment task(int hours, Nanoseconds allowance) {
  Assignment t;
  t.slot = 1h;
  t.job.steps.assign(static_cast<std::size_t>(hours), Joules(3.6e6));
  t.duration = t.duration_p90 = std::chrono::hours(hours);
  t.created = kMidnight;
  t.allowance = allowance;
  return t;
}

SimulatedJob::Lived live(const Assignment& t, const grid::Series& truth, Nanoseconds true_duration,
                         const grid::Series& forecast) {
  Executor executor(t);
  return SimulatedJob{truth, true_duration, Watts(1000),
                      [&](Nanoseconds, Executor& e) {
                        if (!e.outlook()) e.learn(outlook(forecast));
                      }}
      .live(executor);
}

const std::vector<double> kCleanFrom3To5{400, 400, 400, 100, 100, 400, 400, 400, 400, 400};

TEST(Executor, StartsWhenThePowerIsCleanest) {
  const auto truth = series(kCleanFrom3To5);
  const auto lived = live(task(2, 8h), truth, 2h, truth);
  ASSERT_EQ(lived.runs.size(), 1U);
  EXPECT_EQ(lived.runs[0], (grid::Window{kMidnight + 3h, kMidnight + 5h}));
  EXPECT_DOUBLE_EQ(lived.carbon.value(), 200);
  EXPECT_EQ(lived.told.front().wish, Wish::wait);
  EXPECT_NEAR(lived.told.front().saving->value(), 0.75, 1e-6);
  EXPECT_NE(lived.told.front().why.find("waits until 03:00 UTC"), std::string::npos) << lived.told.front().why;
}

TEST(Executor, PausesOverDirtyHoursByTheCheaperWay) {
  const auto truth = series({100, 900, 900, 100, 400, 400});
  Assignment t = task(2, 4h);
  t.job.may_exit = true;
  t.job.hold = Watts(500);
  const auto lived = live(t, truth, 2h, truth);
  ASSERT_EQ(lived.runs.size(), 2U);
  EXPECT_EQ(lived.runs[1].start, kMidnight + 3h);
  EXPECT_EQ(lived.off, 2h);  // to hold would draw 500 W for two hours
  EXPECT_EQ(lived.restarts, 1);
  t.job.restart_energy = Joules(3.6e6 * 30);
  t.job.hold = Watts(1);
  const auto held = live(t, truth, 2h, truth);
  EXPECT_EQ(held.held, 2h);
  EXPECT_EQ(held.restarts, 0);
}

TEST(Executor, WhatHasJustBegunMayBePausedAgain) {
  Assignment t = task(2, 9h);
  t.job.hold = Watts(0);
  Executor executor(t);
  executor.learn(outlook(series({900, 900, 100, 100, 900, 900, 900, 900, 900, 900, 900, 900})));
  // Let go by somebody a minute ago, in the middle of a dirty hour.
  const Stand stand{Phase::running, kMidnight + 29min, 0h, 0};
  EXPECT_EQ(executor.decide(kMidnight + 30min, stand).wish, Wish::hold);
  executor.terms().min_run = 3h;
  EXPECT_EQ(executor.decide(kMidnight + 30min, stand).wish, Wish::run);
}

TEST(Executor, PausesAtTheFirstTurnOfTheGridThoughItBeganWithinASlot) {
  Assignment t = task(2, 4h);
  t.job.hold = Watts(1);
  const auto wish = [&](const Assignment& a) {
    Executor executor(a);
    executor.learn(outlook(series({100, 900, 900, 100, 400, 400})));
    return executor.decide(kMidnight + 1h, {Phase::running, kMidnight + 20min, 40min}).wish;
  };
  EXPECT_EQ(wish(t), Wish::hold);
  t.job.min_run = 1h;
  EXPECT_EQ(wish(t), Wish::run);
}

TEST(Executor, APlanThatSavesTooLittleStartsAtOnceAndSaysWhy) {
  const auto truth = series({400, 396, 396, 396, 400});
  const auto lived = live(task(1, 4h), truth, 1h, truth);
  EXPECT_EQ(lived.waited, 0ns);
  EXPECT_NE(lived.told.front().why.find("--min-saving"), std::string::npos) << lived.told.front().why;
  Assignment t = task(1, 4h);
  t.min_saving = Ratio(0.005);
  EXPECT_EQ(live(t, truth, 1h, truth).waited, 1h);
}

TEST(Executor, APlanThatIsTooRiskyStartsAtOnceAndSaysWhy) {
  const auto truth = series({400, 300, 300, 300, 300});
  Assignment t = task(1, 4h);
  Outlook o = outlook(truth);
  o.errors_from = kMidnight;
  for (int path = 0; path < 10; ++path)  // in four of ten futures the later hours are dirtier
    o.errors.push_back(path < 4 ? std::vector<double>{0, 0.4, 0.4, 0.4, 0.4} : std::vector<double>(5, 0.0));
  Executor executor(t);
  executor.learn(o);
  const Decision d = executor.decide(kMidnight, {});
  EXPECT_EQ(d.wish, Wish::run);
  EXPECT_NEAR(d.p_worse->value(), 0.4, 1e-9);
  EXPECT_NE(d.why.find("--risk"), std::string::npos) << d.why;
  t.risk = Ratio(0.5);
  t.min_saving = Ratio(-1);
  Executor bold(t);
  bold.learn(o);
  EXPECT_EQ(bold.decide(kMidnight, {}).wish, Wish::wait);
}

TEST(Executor, RunsWhereNothingIsKnownOfTheGrid) {
  Executor executor(task(2, 8h));
  executor.know_nothing("the place is unknown");
  const Decision d = executor.decide(kMidnight, {});
  EXPECT_EQ(d.wish, Wish::run);
  EXPECT_NE(d.why.find("the place is unknown"), std::string::npos);
  // A forecast that ends before the window does is no knowledge of the rest.
  executor.learn(outlook(series({400, 100, 100})));
  EXPECT_EQ(executor.decide(kMidnight, {}).wish, Wish::run);
}

TEST(Executor, ALostForecastEndsAPauseAndTheOldOneServesAsLongAsItReaches) {
  Assignment t = task(2, 8h);
  t.job.hold = Watts(0);
  Executor executor(t);
  executor.learn(outlook(series({400, 400, 400, 400, 100, 100, 400, 400, 400, 400})));
  executor.know_nothing("the provider does not answer");
  const Stand held{Phase::held, kMidnight, 0ns, 0};
  EXPECT_EQ(executor.decide(kMidnight + 1h, held).wish, Wish::hold);
  EXPECT_EQ(executor.decide(kMidnight + 4h, held).wish, Wish::run);
}

TEST(Executor, GoesOnWhenTheJobTakesLongerThanThought) {
  const auto truth = series(std::vector<double>(20, 100));
  Assignment t = task(2, 4h);
  t.job.may_exit = true;
  const auto lived = live(t, truth, 9h, truth);
  EXPECT_EQ(lived.runs.size(), 1U);
  EXPECT_EQ(lived.finish, kMidnight + 9h);
}

TEST(Executor, ADeadlineLeavesRoomForAJobThatTakesLonger) {
  const auto truth = series({400, 400, 400, 300, 200, 100, 50, 50, 50, 50});
  Assignment t = task(2, {});
  t.deadline = kMidnight + 8h;
  t.duration_p90 = 4h;
  const auto lived = live(t, truth, 4h, truth);
  EXPECT_EQ(lived.runs[0].start, kMidnight + 4h);
  EXPECT_LE(lived.finish, *t.deadline);
}

TEST(Executor, PeopleOutrankThePlan) {
  const auto truth = series(kCleanFrom3To5);
  Assignment t = task(2, 8h);
  t.job.hold = Watts(0);
  Executor executor(t);
  executor.learn(outlook(truth));
  executor.obey(Order::now);
  EXPECT_EQ(executor.decide(kMidnight, {}).wish, Wish::run);
  executor.obey(Order::pause);
  EXPECT_EQ(executor.decide(kMidnight, {Phase::running, kMidnight, 0ns, 0}).wish, Wish::hold);
  EXPECT_EQ(executor.decide(kMidnight + 100h, {Phase::held, kMidnight, 0ns, 0}).wish, Wish::hold);
  executor.obey(Order::plan);
  EXPECT_EQ(executor.decide(kMidnight + 100h, {Phase::held, kMidnight, 0ns, 0}).wish, Wish::run);
}

TEST(Executor, MeasuredProgressMovesTheStart) {
  const auto truth = series({400, 400, 400, 100, 100, 400, 400, 400, 400, 400});
  Assignment t = task(2, 6h);
  Executor executor(t);
  executor.learn(outlook(truth));
  executor.expect(4h, 4h);
  EXPECT_EQ(executor.assignment().job.steps.size(), 4U);
  EXPECT_EQ(executor.decide(kMidnight, {}).until, kMidnight + 1h);  // replans; starts at 2 or 3
  EXPECT_EQ(executor.decide(kMidnight + 3h, {}).wish, Wish::run);
}

/// Whatever is forecast and whatever comes, whatever pausing costs: the job is done no later than it may be.
RC_GTEST_PROP(ExecutorLaws, NoTimeLimitIsMissedThatCouldBeKept, ()) {
  const int hours = *rc::gen::inRange(1, 8), slack = *rc::gen::inRange(0, 12);
  const auto values =
      rc::gen::container<std::vector<double>>(40, rc::gen::map(rc::gen::inRange(0, 1000), [](int v) { return double(v); }));
  const auto truth = series(*values);
  Assignment t = task(hours, std::chrono::hours(slack));
  t.created = kMidnight + std::chrono::minutes(*rc::gen::inRange(0, 60));
  t.job.may_exit = *rc::gen::arbitrary<bool>();
  if (*rc::gen::arbitrary<bool>()) t.job.hold = Watts(*rc::gen::inRange(0, 800));
  t.job.restart_energy = Joules(*rc::gen::inRange(0, 4'000'000));
  t.job.restart_time = std::chrono::minutes(*rc::gen::inRange(0, 90));
  t.min_saving = Ratio(*rc::gen::element(-1.0, 0.0, 0.02));
  t.replan_every = std::chrono::minutes(*rc::gen::element(7, 30, 60, 600));
  const bool absolute = *rc::gen::arbitrary<bool>();
  if (absolute) t.deadline = t.created + t.duration + t.allowance;
  // The job takes what was thought, or less; forecasts change at every look and are sometimes lost.
  const Nanoseconds needs = t.duration - std::chrono::minutes(*rc::gen::inRange(0, 50));
  const auto forecasts = *rc::gen::container<std::vector<std::vector<double>>>(
      6, rc::gen::container<std::vector<double>>(40, rc::gen::map(rc::gen::inRange(0, 1000), [](int v) { return double(v); })));
  std::size_t look = 0;
  Executor executor(t);
  const auto lived = SimulatedJob{
      truth, needs, Watts(1000), [&](Nanoseconds, Executor& e) {
        if (look % 5 != 4) e.learn(outlook(series(forecasts[look % forecasts.size()])));
        ++look;
      }}.live(executor);
  RC_ASSERT(lived.finish <= t.created + t.duration + t.allowance);
  RC_ASSERT(lived.waited + lived.held + lived.off <= t.allowance + (t.duration - needs));
}

}  // namespace
}  // namespace gramwatt::job
