#include "job/account.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job/run_registry.hpp"

namespace gramwatt::job {
namespace {

Weights weights() {
  Weights w;
  w.pue = {Ratio(1.5), Method::assumed, "PUE", std::nullopt, {{"pue", Shift::symmetric(0.1)}}};
  w.average = grid::one_value(GramsPerKwh(360));
  w.average.rungs[0].signal.source = "table";
  w.average.rungs[0].terms["intensity"] = Shift::symmetric(0.2);
  w.embodied_per_hour = {Grams(10), Method::assumed, "parts", std::nullopt, {{"life", Shift::symmetric(0.3)}}};
  return w;
}

Measured measured(std::int64_t active, std::int64_t idle) {
  Measured m;
  m.channels = {{Component::platform,
                 "model",
                 Boundary::node,
                 Method::modelled,
                 "table",
                 {{"spread", Shift::symmetric(0.1)}},
                 {{"spread", Shift::symmetric(0.1)}}}};
  m.totals = {{Microjoules(2 * (active + idle)), Microjoules(2 * idle), Microjoules(active), Microjoules(idle)}};
  m.slices = {{Nanoseconds{0}, std::chrono::hours(1), Microjoules(active + idle)}};
  m.duration = Seconds(1800);
  m.machine_share = Ratio(0.5);
  return m;
}

TEST(Account, FollowsFromTheIntegers) {
  ledger::RunRecord r;
  fill_account(measured(3'000'000, 1'000'000), weights(), r);
  EXPECT_DOUBLE_EQ(r.energy.total.value.value(), 4);
  EXPECT_DOUBLE_EQ(r.energy.facility.value.value(), 6);
  EXPECT_EQ(r.energy.total.boundary, Boundary::node);
  EXPECT_EQ(r.energy.facility.boundary, Boundary::facility);
  EXPECT_NEAR(r.carbon.average.value.value(), 6 / 3.6e6 * 360, 1e-12);
  EXPECT_NEAR(r.carbon.embodied.value.value(), 10 * 0.5 * 0.5, 1e-12);
  EXPECT_NEAR(r.carbon.total.value.value(), r.carbon.average.value.value() + 2.5, 1e-12);
  EXPECT_FALSE(r.carbon.marginal);
  EXPECT_NEAR(r.energy.total.high().value(), 4.4, 1e-9);  // one spread for both parts: linear
}

RC_GTEST_PROP(AccountProperty, JobAndUnattributedAreTheMachine, ()) {
  ledger::RunRecord r;
  fill_account(measured(*rc::gen::inRange(0, 1'000'000'000), *rc::gen::inRange(0, 1'000'000'000)), weights(), r);
  RC_ASSERT(std::abs((r.energy.machine.value - r.energy.total.value - r.energy.unattributed.value).value()) < 1e-6);
}

TEST(Account, ARunThatWasKilledIsSettledWithTheWeightsThatItBeganWith) {
  ledger::RunRecord begun;
  set_weights(weights(), begun);
  ledger::RunRecord settled = begun;
  fill_account(measured(3'000'000, 1'000'000), weights_of(begun), settled);
  ledger::RunRecord direct;
  fill_account(measured(3'000'000, 1'000'000), weights(), direct);
  EXPECT_DOUBLE_EQ(settled.carbon.total.value.value(), direct.carbon.total.value.value());
  EXPECT_DOUBLE_EQ(settled.carbon.total.high().value(), direct.carbon.total.high().value());
}

TEST(Slices, KeepAllEnergyAndStaySmall) {
  SliceCollector c;
  std::int64_t sum = 0;
  for (int s = 0; s < 86400; ++s) {
    Interval i;
    i.start.utc = std::chrono::seconds(s);
    i.end.utc = std::chrono::seconds(s + 1);
    i.flows = {{Microjoules(7), {}, Microjoules(s), Microjoules(1)}};
    sum += s + 1;
    c.add(i);
  }
  std::int64_t kept = 0;
  for (const auto& s : c.slices()) kept += s.energy.count();
  EXPECT_EQ(kept, sum);
  EXPECT_EQ(c.slices().size(), 288U);
}

TEST(Slices, AClockThatStepsBackLosesNothing) {
  SliceCollector c;
  for (const int start : {1000, 1001, 400, 401}) {
    Interval i;
    i.start.utc = std::chrono::seconds(start);
    i.end.utc = std::chrono::seconds(start + 1);
    i.flows = {{Microjoules(1), {}, Microjoules(1), {}}};
    c.add(i);
  }
  std::int64_t kept = 0;
  for (const auto& s : c.slices()) kept += s.energy.count();
  EXPECT_EQ(kept, 4);
}

TEST(RunRegistry, CountsThisRunOnceAndForgetsItWhenItLeaves) {
  const std::string name = "/gramwatt-test-" + std::to_string(getpid());
  {
    RunRegistry a(name);
    EXPECT_EQ(a.sharers(Nanoseconds{0}), 1);
    a.enter();
    a.enter();
    EXPECT_EQ(a.sharers(std::chrono::seconds(5)), 1);
    a.leave();
  }
  shm_unlink(name.c_str());
}

TEST(RunRegistry, TheDeadDoNotShare) {
  const std::string name = "/gramwatt-test-dead-" + std::to_string(getpid());
  RunRegistry mine(name);
  mine.enter();
  const pid_t other = fork();
  if (other == 0) {
    RunRegistry theirs(name);
    theirs.enter();
    _exit(theirs.sharers(Nanoseconds{0}) == 2 ? 0 : 1);  // without leaving
  }
  int status = 0;
  waitpid(other, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(mine.sharers(std::chrono::seconds(10)), 1);
  shm_unlink(name.c_str());
}

}  // namespace
}  // namespace gramwatt::job
