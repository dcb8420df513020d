#include "plan/exact.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "brute_force.hpp"
#include "make_problem.hpp"
#include "plan/policies.hpp"

namespace gramwatt::plan {
namespace {

Problem uniform(std::vector<MilligramsPerKwh> intensity, int length) {
  Problem p;
  p.intensity = std::move(intensity);
  p.steps.assign(static_cast<std::size_t>(length), 10);
  p.quantum = Joules(1);
  return p;
}

void equals_brute_force(const Problem& p) {
  const auto best = exact(p);
  const auto least = BruteForce(p).least();
  RC_ASSERT(best.has_value() == least.has_value());
  if (!least) return;
  RC_ASSERT(objection(p, *best) == "");
  RC_ASSERT(weigh(p, *best) == *least);
}

RC_GTEST_PROP(Exact, EqualsEverySchedule, ()) { equals_brute_force(any_problem({10})); }
RC_GTEST_PROP(Exact, EqualsEveryScheduleOfLongerWindows, ()) { equals_brute_force(any_problem({18, false, false, true})); }

/// Blocks of rows are kept and computed again: windows of several blocks must give what one gives.
RC_GTEST_PROP(Exact, ItsPlanCostsWhatItSays, ()) {
  Problem p = any_problem({300});
  const auto length = *rc::gen::inRange(1, p.slots() + 1);
  p.steps.assign(static_cast<std::size_t>(length), 6);
  const auto best = exact(p);
  const auto start = flexible_start(p);
  RC_ASSERT(best.has_value() || !start.has_value());
  if (!best) return;
  RC_LOG() << show(*best);
  RC_ASSERT(objection(p, *best) == "");
  if (start) RC_ASSERT(weigh(p, *best) <= weigh(p, *start));
}

RC_GTEST_PROP(Exact, EqualsPauseAndResumeWherePausesAreFree, ()) {
  Problem p = any_problem({200, false, false, false});
  p.restart_energy = p.restart_slots = p.restart_power = p.wait = 0;
  p.kept = 0;
  p.may_exit = true;
  const auto paused = pause_resume(p);
  const auto best = exact(p);
  RC_ASSERT(paused && best);
  RC_ASSERT(weigh(p, *best) == weigh(p, *paused));
}

RC_GTEST_PROP(Exact, EqualsFlexibleStartWhereRestartsCostTooMuch, ()) {
  Problem p = any_problem({200, false, false, true});
  for (auto& c : p.intensity) c += 1;
  p.restart_energy = 1'000'000;
  const auto start = flexible_start(p);
  const auto best = exact(p);
  RC_ASSERT(start && best);
  RC_ASSERT(weigh(p, *best) == weigh(p, *start));
  RC_ASSERT(restarts(*best) == 0);
}

RC_GTEST_PROP(Exact, MoreTimeIsNeverWorse, ()) {
  Problem p = any_problem({40});
  p.wait_after = false;
  const auto best = exact(p);
  Problem longer = p;
  longer.intensity.push_back(*rc::gen::inRange(0, 10));
  if (!longer.blocked.empty()) longer.blocked.push_back(false);
  const auto more = exact(longer);
  if (!best) return;
  RC_ASSERT(more.has_value());
  RC_ASSERT(weigh(longer, *more) <= weigh(p, *best));
}

/// What remains of a best plan is a best plan of what remains, from wherever it stands.
RC_GTEST_PROP(Exact, GoesOnFromWhereItStands, ()) {
  Problem p = any_problem({24, true, true, true});
  const auto best = exact(p);
  if (!best) return;
  const int at = *rc::gen::inRange(0, p.slots());
  RC_LOG() << show(*best) << " from " << at;
  if ((*best)[static_cast<std::size_t>(at)] == Action::restart) return;  // half a restart is no place to stand
  Standing standing;
  Schedule before(best->begin(), best->begin() + at);
  standing.done = static_cast<int>(std::count(before.begin(), before.end(), Action::run));
  const Action last = at == 0 ? Action::wait : before.back();
  if (last == Action::restart || last == Action::done) return;
  standing.state = last == Action::run    ? Standing::State::running
                   : last == Action::hold ? Standing::State::held
                   : last == Action::off  ? Standing::State::off
                                          : Standing::State::fresh;
  standing.since = 0;
  for (auto it = before.rbegin(); it != before.rend() && *it == last; ++it) ++standing.since;
  Problem rest = p;
  rest.intensity.erase(rest.intensity.begin(), rest.intensity.begin() + at);
  if (!rest.blocked.empty()) rest.blocked.erase(rest.blocked.begin(), rest.blocked.begin() + at);
  if (p.max_restarts) rest.max_restarts = *p.max_restarts - (restarts(before));
  const auto going_on = exact(rest, standing);
  RC_ASSERT(going_on.has_value());
  Schedule whole = before;
  whole.insert(whole.end(), going_on->begin(), going_on->end());
  RC_LOG() << "\n" << show(whole);
  RC_ASSERT(objection(p, whole) == "");
  RC_ASSERT(weigh(p, whole) == weigh(p, *best));
}

TEST(Exact, HoldsShortPausesAndExitsLongOnes) {
  Problem p = uniform({1, 90, 1, 90, 90, 90, 90, 90, 90, 90, 90, 1}, 3);
  p.hold = 1;
  p.restart_energy = 400;
  const auto best = exact(p);
  ASSERT_TRUE(best);
  EXPECT_EQ((*best)[1], Action::hold);
  EXPECT_EQ((*best)[5], Action::off);
}

TEST(Exact, SaysWhatWouldBePossible) {
  const auto shorter = exact(uniform({1, 2}, 3));
  ASSERT_FALSE(shorter);
  EXPECT_EQ(shorter.error().kind, Error::Kind::missing);
  EXPECT_EQ(
      shorter.error().message(),
      "the job needs 3 slots, the window has 2 that are free (allow more time (--within, --deadline), or block less of it)");
}

TEST(Exact, RefusesNumbersThatDoNotFit) {
  Problem p = uniform(std::vector<MilligramsPerKwh>(3000, 2'000'000'000), 2000);
  p.steps.assign(2000, 1'000'000'000);
  const auto too_large = exact(p);
  ASSERT_FALSE(too_large);
  EXPECT_EQ(too_large.error().kind, Error::Kind::usage);
}

}  // namespace
}  // namespace gramwatt::plan
