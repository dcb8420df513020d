#include "plan/policies.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "make_problem.hpp"
#include "plan/slots.hpp"

namespace gramwatt::plan {
namespace {

using namespace std::chrono_literals;

constexpr auto W = Action::wait, X = Action::run, O = Action::off, D = Action::done, R = Action::restart, H = Action::hold;

Problem small() {
  Problem p;
  p.intensity = {5, 1, 4, 1, 1, 6};
  p.steps = {10, 10, 10};
  p.quantum = Joules(3600);  // a watt-hour: carbon in units of µg
  return p;
}

TEST(Weigh, ChargesEverySlotWithWhatItDoes) {
  Problem p = small();
  p.wait = 1;
  p.hold = 2;
  p.restart_energy = 7;
  p.restart_power = 10;
  EXPECT_EQ(weigh(p, {W, X, O, X, X, D}), 5 * 1 + 1 * 10 + 4 * 1 + 1 * (10 + 7) + 1 * 10);
  EXPECT_EQ(weigh(p, {W, X, H, X, X, D}), 5 * 1 + 1 * 10 + 4 * 2 + 1 * 10 + 1 * 10);
  EXPECT_EQ(weigh(p, {X, O, R, X, X, D}), 50 + 1 * 1 + 4 * (10 + 7) + 10 + 10);
  p.wait_after = true;
  EXPECT_EQ(weigh(p, {X, X, X, D, D, D}), 50 + 10 + 40 + 1 + 1 + 6);
  EXPECT_DOUBLE_EQ(grams(1'000'000, p).value(), 1);
  EXPECT_DOUBLE_EQ(energy(p, {X, X, X, D, D, D}).value(), 33 * 3600);
}

TEST(Objection, NamesTheRuleThatIsBroken) {
  Problem p = small();
  EXPECT_EQ(objection(p, {W, X, O, X, X, D}), "");
  EXPECT_EQ(objection(p, {W, X, O, X, D, D}), "it does not do the work");
  EXPECT_EQ(objection(p, {X, W, X, X, D, D}), "it waits for its start after it has started");
  EXPECT_EQ(objection(p, {W, X, H, X, X, D}), "it is held, and cannot be");
  p.min_run = 2;
  EXPECT_EQ(objection(p, {W, X, O, X, X, D}), "the run at slot 1 is too short");
  EXPECT_EQ(objection(p, {X, X, O, X, D, D}), "");
  p.min_pause = 2;
  EXPECT_EQ(objection(p, {X, X, O, X, D, D}), "the pause at slot 2 is too short");
  p = small();
  p.max_restarts = 0;
  EXPECT_EQ(objection(p, {X, X, O, X, D, D}), "it restarts too often");
  p = small();
  p.blocked = {false, true, false, false, false, false};
  EXPECT_EQ(objection(p, {X, X, X, D, D, D}), "it runs in slot 1, which is blocked");
}

TEST(Policies, RunNowStartsAtOnce) { EXPECT_EQ(*run_now(small()), (Schedule{X, X, X, D, D, D})); }

TEST(Policies, FlexibleStartTakesTheLeastAndTheEarliest) {
  EXPECT_EQ(*flexible_start(small()), (Schedule{W, X, X, X, D, D}));  // 6, as from slot 2
  Problem p = small();
  p.steps = {1, 1, 9};
  p.intensity = {5, 1, 4, 0, 1, 6};
  EXPECT_EQ(*flexible_start(p), (Schedule{W, X, X, X, D, D}));
}

TEST(Policies, WaitingCanCostMoreThanItSaves) {
  Problem p = small();
  EXPECT_EQ(flexible_start(p)->front(), W);
  p.wait = 9;
  EXPECT_EQ(flexible_start(p)->front(), X);
}

TEST(Policies, PauseAndResumeTakesTheLowestSlots) {
  EXPECT_EQ(*pause_resume(small()), (Schedule{W, X, O, X, X, D}));
  Problem p = small();
  p.may_exit = false;
  EXPECT_FALSE(pause_resume(p));
  p.hold = 1;
  EXPECT_EQ(*pause_resume(p), (Schedule{W, X, H, X, X, D}));
}

TEST(Policies, RestartsThatTakeTimeTakeSlots) {
  Problem p = small();
  p.intensity = {1, 9, 9, 1, 2, 3};
  p.restart_slots = 1;
  EXPECT_EQ(*pause_resume(p), (Schedule{X, O, O, R, X, X}));
}

TEST(Policies, BlockedSlotsAreLeftOut) {
  Problem p = small();
  p.blocked = {false, false, false, true, false, false};
  EXPECT_EQ(*run_now(p), (Schedule{X, X, X, D, D, D}));
  p.blocked = {true, false, true, false, true, false};
  EXPECT_EQ(*pause_resume(p), (Schedule{W, X, O, X, O, X}));
  const auto none = run_now(p);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message(), "no 3 slots in a row are free (let the job pause (--pausable), or block less)");
}

RC_GTEST_PROP(Policies, FreePausesAreNeverWorseThanAFlexibleStart, ()) {
  Problem p = any_problem({60, false, false, false});
  p.restart_energy = p.restart_slots = p.wait = 0;
  p.kept = 0;
  p.may_exit = true;
  RC_ASSERT(weigh(p, *pause_resume(p)) <= weigh(p, *flexible_start(p)));
  RC_ASSERT(weigh(p, *flexible_start(p)) <= weigh(p, *run_now(p)));
}

grid::Series hourly(std::vector<double> values, Nanoseconds start = 0h) {
  grid::Series s;
  s.resolution = 1h;
  for (const double v : values)
    s.points.push_back({start + static_cast<std::int64_t>(s.points.size()) * Nanoseconds(1h), GramsPerKwh(v)});
  return s;
}

TEST(Slots, AreMeansOverTheirTime) {
  const auto slots = make_slots(hourly({100, 200, 50}), 30min, 1h, 2);
  ASSERT_TRUE(slots);
  EXPECT_EQ(slots->intensity, (std::vector<MilligramsPerKwh>{150'000, 125'000}));
  EXPECT_EQ(slots->time(1), 90min);
}

TEST(Slots, AGapIsFilledByTheNextRungOrRefused) {
  grid::Series holes = hourly({100, 200, 50});
  holes.points.erase(holes.points.begin() + 1);
  const auto refused = make_slots(holes, 0h, 1h, 3);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::missing);
  EXPECT_NE(refused.error().what.find("1970-01-01T01:00:00.000Z to 1970-01-01T02:00:00.000Z"), std::string::npos);
  grid::Series rest;
  rest.points = {{0h, GramsPerKwh(7)}};
  const auto filled = make_slots(grid::Ladder{{holes, rest}, {}}, 30min, 1h, 3);
  ASSERT_TRUE(filled);
  EXPECT_EQ(filled->intensity, (std::vector<MilligramsPerKwh>{53'500, 28'500, 28'500}));
}

}  // namespace
}  // namespace gramwatt::plan
