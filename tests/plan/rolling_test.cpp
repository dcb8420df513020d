#include "plan/rolling.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "make_problem.hpp"

namespace gramwatt::plan {
namespace {

Foresight perfect(const Problem& p) {
  return [&p](int slot) { return std::vector<MilligramsPerKwh>(p.intensity.begin() + slot, p.intensity.end()); };
}

/// Says anything, and something else each time.
Foresight liar(const Problem& p) {
  return [&p](int slot) {
    std::vector<MilligramsPerKwh> ahead;
    for (int i = slot; i < p.slots(); ++i) ahead.push_back(*rc::gen::inRange(0, 10));
    return ahead;
  };
}

RC_GTEST_PROP(Rolling, WithPerfectForesightIsTheExactPlan, ()) {
  const Problem p = any_problem({20});
  const auto best = exact(p);
  const auto lived = rolling(p, perfect(p), *rc::gen::inRange(1, 6));
  RC_ASSERT(best.has_value() == lived.has_value());
  if (!best) return;
  RC_LOG() << show(*best) << ' ' << show(*lived);
  RC_ASSERT(objection(p, *lived) == "");
  RC_ASSERT(weigh(p, *lived) == weigh(p, *best));
}

RC_GTEST_PROP(Rolling, KeepsEveryRuleWhateverTheForecastsSay, ()) {
  const Problem p = any_problem({24});
  const auto lived = rolling(p, liar(p), *rc::gen::inRange(1, 6));
  RC_ASSERT(lived.has_value() == exact(p).has_value());
  if (!lived) return;
  RC_LOG() << show(*lived);
  RC_ASSERT(objection(p, *lived) == "");
}

TEST(Rolling, RefusesAForecastThatEndsTooEarly) {
  const Problem p = [] {
    Problem made;
    made.intensity = {1, 2, 3};
    made.steps = {1};
    return made;
  }();
  const auto lived = rolling(p, [](int) { return std::vector<MilligramsPerKwh>{1}; }, 1);
  ASSERT_FALSE(lived);
  EXPECT_EQ(lived.error().kind, Error::Kind::usage);
}

RC_GTEST_PROP(Threshold, KeepsEveryRuleAndTheDeadline, ()) {
  const Problem p = any_problem({16});
  std::vector<MilligramsPerKwh> past;
  for (int i = 0, n = *rc::gen::inRange(1, 30); i < n; ++i) past.push_back(*rc::gen::inRange(0, 10));
  const auto lived = threshold(p, {past, *rc::gen::inRange(1, 4)});
  RC_ASSERT(lived.has_value() == exact(p).has_value());
  if (!lived) return;
  RC_LOG() << show(*lived);
  RC_ASSERT(objection(p, *lived) == "");
}

TEST(Threshold, RunsWhereItIsCleanerThanItUsedToBe) {
  Problem p;
  p.intensity = {9, 1, 9, 1, 1, 9, 9, 9};
  p.steps = {1, 1, 1};
  const std::vector<MilligramsPerKwh> past{1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(show(*threshold(p, {past})), "wRoRR...");
  p.intensity = {9, 9, 9, 9, 9, 9, 9, 9};
  EXPECT_EQ(show(*threshold(p, {past})), "wwwwwRRR");  // it never gets clean: as late as can be
}

}  // namespace
}  // namespace gramwatt::plan
