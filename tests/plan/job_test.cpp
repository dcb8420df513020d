// From units to whole numbers, power over time, and the options of a job side by side.

#include "plan/job.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "plan/options.hpp"
#include "plan/profile.hpp"

namespace gramwatt::plan {
namespace {

using namespace std::chrono_literals;

Slots day(std::vector<MilligramsPerKwh> intensity) { return {0h, 1h, std::move(intensity)}; }

Job job(double kilowatt_hours, int hours) {
  Job j;
  j.steps = constant_steps(kwh(kilowatt_hours), std::chrono::hours(hours), 1h);
  return j;
}

TEST(Job, WholeSlotsHoldAllOfItsEnergy) {
  const auto steps = constant_steps(Joules(700), 20min, 6min);
  ASSERT_EQ(steps.size(), 4U);
  EXPECT_DOUBLE_EQ(steps[0].value(), 175);
}

TEST(Job, CarbonIsThatOfItsUnits) {
  Job j = job(2, 2);
  j.may_exit = true;
  j.restart_energy = kwh(0.5);
  const auto p = make_problem(j, day({100'000, 900'000, 200'000}));
  ASSERT_TRUE(p);
  const Schedule s{Action::run, Action::off, Action::run};
  EXPECT_NEAR(grams(weigh(*p, s), *p).value(), 100 + 200 + 0.5 * 200, 0.01);
  EXPECT_NEAR(energy(*p, s).value(), kwh(2.5).value(), 1000);
}

TEST(Job, AMachineWaitsAtWhoseCost) {
  Job j = job(1, 1);
  j.wait = Watts(500);
  const auto carbon = [&](Machine machine) {
    j.machine = machine;
    const auto p = make_problem(j, day({100'000, 100'000, 100'000}));
    return grams(weigh(*p, {Action::wait, Action::run, Action::done}), *p).value();
  };
  EXPECT_NEAR(carbon(Machine::shared), 100, 0.1);
  EXPECT_NEAR(carbon(Machine::rented), 150, 0.1);
  EXPECT_NEAR(carbon(Machine::owned), 200, 0.1);
}

TEST(Job, MakingTheMachineIsChargedWhileItIsKept) {
  Job j = job(1, 1);
  j.embodied_per_hour = Grams(20);
  const auto carbon = [&](Machine machine, const Schedule& schedule) {
    j.machine = machine;
    const auto p = make_problem(j, day({100'000, 100'000, 100'000}));
    return grams(weigh(*p, schedule), *p).value();
  };
  const Schedule now{Action::run, Action::done, Action::done}, later{Action::wait, Action::wait, Action::run};
  EXPECT_NEAR(carbon(Machine::shared, later), 100, 0.1);
  EXPECT_NEAR(carbon(Machine::rented, now), 100 + 20, 0.1);
  EXPECT_NEAR(carbon(Machine::rented, later), 100 + 60, 0.1);
  EXPECT_NEAR(carbon(Machine::owned, now), 100 + 60, 0.1);
}

TEST(Job, RefusesWhatCannotBe) {
  EXPECT_FALSE(make_problem(Job{}, day({1})));
  Job negative = job(1, 1);
  negative.restart_energy = Joules(-1);
  EXPECT_EQ(make_problem(negative, day({1})).error().kind, Error::Kind::usage);
}

TEST(Profile, APowerHoldsUntilTheNextRow) {
  const auto steps = read_profile("seconds,watts\n0,100\n90,400\n150,0\n", "p.csv", 1min);
  ASSERT_TRUE(steps) << steps.error().message();
  ASSERT_EQ(steps->size(), 3U);
  EXPECT_NEAR((*steps)[0].value(), 6000, 1e-6);
  EXPECT_NEAR((*steps)[1].value(), 3000 + 12000, 1e-6);
  EXPECT_NEAR((*steps)[2].value(), 12000, 1e-6);
}

TEST(Profile, NamesTheLineThatIsWrong) {
  const auto what = [](const char* text) { return read_profile(text, "p.csv", 1min).error().message(); };
  EXPECT_TRUE(what("seconds,watts\n0,100\n60,many\n").starts_with("p.csv: line 3: not a time and a power"));
  EXPECT_TRUE(what("0,100\n60,100\n60,100\n").starts_with("p.csv: line 3: the seconds do not ascend"));
  EXPECT_TRUE(what("0,100\n").starts_with("p.csv: line 1: a profile has two rows"));
  EXPECT_TRUE(what("0,1\n1e300,1\n").starts_with("p.csv: line 2: the job is too long"));
}

RC_GTEST_PROP(Profile, EnergyOfARunIsKeptHoweverItIsCut, ()) {
  std::vector<Interval> intervals;
  Microjoules sum;
  Nanoseconds at = 5h;
  for (int i = 0, n = *rc::gen::inRange(1, 20); i < n; ++i) {
    Interval each;
    each.start.utc = at;
    at += std::chrono::milliseconds(*rc::gen::inRange(1, 200'000));
    each.end.utc = at;
    each.flows.resize(1);
    each.flows[0].job_active = Microjoules(*rc::gen::inRange(0, 1'000'000'000));
    sum += each.flows[0].job_active;
    intervals.push_back(each);
  }
  double total = 0;
  for (const Joules e : steps_of(intervals, std::chrono::seconds(*rc::gen::inRange(1, 600)))) total += e.value();
  RC_ASSERT(std::abs(total - sum.joules().value()) < 1e-6 * (1 + total));
}

TEST(Options, TheLeastCarbonIsChosenAndTheRestIsShown) {
  Job j = job(2, 2);
  j.may_exit = true;
  const auto p = make_problem(j, day({300'000, 100'000, 300'000, 100'000}));
  const auto o = weigh_options(*p, {});
  ASSERT_TRUE(o);
  ASSERT_EQ(o->options.size(), 4U);
  EXPECT_EQ(o->options[0].policy, Policy::now);
  EXPECT_EQ(o->options[o->chosen].policy, Policy::pause_resume);  // as good as the exact plan, and the earlier
  EXPECT_NEAR(o->options[o->chosen].saving.value(), 0.5, 1e-9);
  EXPECT_FALSE(o->options[1].p_worse);
}

TEST(Options, APolicyThatBreaksARuleIsNotChosen) {
  Job j = job(2, 2);
  j.may_exit = true;
  j.min_run = 2h;
  const auto p = make_problem(j, day({300'000, 100'000, 300'000, 100'000}));
  const auto o = weigh_options(*p, {});
  EXPECT_EQ(o->options[o->chosen].policy, Policy::now);
}

TEST(Options, RiskIsTheShareOfFuturesThatAreWorse) {
  const Slots slots = day({200'000, 100'000});
  const auto p = make_problem(job(1, 1), slots);
  const Futures futures = make_futures(slots, {{0, 0}, {0, 0.5}, {0, 1.5}, {-0.9, 0}}, 0h);
  ASSERT_EQ(futures[2], (std::vector<MilligramsPerKwh>{200'000, 250'000}));
  const auto o = weigh_options(*p, futures);
  const Option& later = o->options[1];
  EXPECT_NEAR(later.saving.value(), 0.5, 1e-9);
  ASSERT_TRUE(later.p_worse);
  EXPECT_DOUBLE_EQ(later.p_worse->value(), 0.5);  // the third and the fourth
  EXPECT_NEAR(later.mean_saving->value(), (0.5 + 0.25 - 0.25 - 4) / 4, 1e-9);
}

TEST(Options, WhereBlockedHoursLeaveNoRoomForARunTheBestPlanStands) {
  Job j = job(2, 2);
  j.may_exit = true;
  const auto p = make_problem(j, day({1000, 1000, 1000}), {false, true, false});
  const auto o = weigh_options(*p, {});
  ASSERT_TRUE(o) << o.error().message();
  EXPECT_EQ(o->options.size(), 1U);
  EXPECT_EQ(o->notes.size(), 1U);
}

}  // namespace
}  // namespace gramwatt::plan
