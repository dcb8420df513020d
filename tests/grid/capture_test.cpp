#include <gtest/gtest.h>

#include "grid/forecast.hpp"
#include "grid/made_up_series.hpp"

namespace gramwatt::grid {
namespace {

const Window kSpan{after_days(60), after_days(118)};
CaptureRules knowing(std::optional<Model> model = {}) {
  CaptureRules rules;
  rules.model = model;
  return rules;
}

TEST(Capture, ThatKnowsTheJudgeIsTheOracle) {
  const Series s = weather(120, 15);
  for (const bool pauses : {false, true}) {
    CaptureRules rules = knowing();
    rules.pauses = pauses;
    const auto c = capture(s, s, kSpan, rules);
    ASSERT_TRUE(c);
    EXPECT_DOUBLE_EQ(c->saving.value(), c->oracle.value());
    EXPECT_DOUBLE_EQ(c->share().value(), 1);
    EXPECT_DOUBLE_EQ(c->worse.value(), 0);
    EXPECT_EQ(c->arrivals, 58 * 4);
    EXPECT_LT(c->low, c->saving);
    EXPECT_GT(c->high, c->saving);
    EXPECT_TRUE(c->beats_running_at_once());
  }
}

TEST(Capture, PausesSaveMoreThanOneStart) {
  const Series s = weather(120, 16, 0.4);
  CaptureRules rules = knowing();
  const auto one = capture(s, s, kSpan, rules);
  rules.pauses = true;
  const auto many = capture(s, s, kSpan, rules);
  ASSERT_TRUE(one && many);
  EXPECT_GT(many->oracle, one->oracle);
}

TEST(Capture, OfAForecastLiesBetweenNothingAndTheOracle) {
  const Series s = weather(120, 17);
  const auto c = capture(s, s, kSpan);
  ASSERT_TRUE(c);
  EXPECT_TRUE(c->beats_running_at_once());
  EXPECT_GT(c->share().value(), 0.5);
  EXPECT_LT(c->share().value(), 1);
}

TEST(Capture, OfASignalThatRanksUpsideDownIsWorseThanNoPlan) {
  const Series truth = hourly(120, daily);
  Series wrong = truth;
  for (Point& p : wrong.points) p.value = GramsPerKwh(600) - p.value;
  const auto c = capture(wrong, truth, kSpan, knowing());
  ASSERT_TRUE(c);
  EXPECT_LT(c->saving.value(), 0);
  EXPECT_FALSE(c->beats_running_at_once());
  EXPECT_GT(c->worse.value(), 0.5);
}

TEST(Capture, OfASignalThatSaysNothingIsNothing) {
  const auto flat = hourly(120, [](Hour) { return 100.0; });
  const auto c = capture(flat, weather(120, 18), kSpan, knowing());
  ASSERT_TRUE(c);
  EXPECT_DOUBLE_EQ(c->saving.value(), 0);
  EXPECT_FALSE(c->beats_running_at_once()) << "a tie is not a win";
}

TEST(Capture, ByHandOfOneJobOfTwoHours) {
  // Each day: 9 at midnight, 5 after, 1 at six and seven.
  const Series s = hourly(40, [](Hour h) { return h % 24 == 0 ? 9.0 : h % 24 == 6 || h % 24 == 7 ? 1.0 : 5.0; });
  CaptureRules rules = knowing();
  rules.job = hours(2);
  rules.slack = hours(6);
  rules.every = hours(24);
  const auto c = capture(s, s, {after_days(10), after_days(30)}, rules);
  ASSERT_TRUE(c);
  EXPECT_EQ(c->arrivals, 20);
  EXPECT_DOUBLE_EQ(c->saving.value(), 1 - 2.0 / 14);
}

TEST(Capture, IsRefusedForAFortnightOrRulesWithoutSense) {
  const Series s = weather(60, 19);
  const auto few = capture(s, s, {after_days(40), after_days(50)}, knowing());
  ASSERT_FALSE(few);
  EXPECT_EQ(few.error().kind, Error::Kind::unavailable);
  CaptureRules rules;
  rules.job = hours(0);
  const auto senseless = capture(s, s, kSpan, rules);
  ASSERT_FALSE(senseless);
  EXPECT_EQ(senseless.error().kind, Error::Kind::usage);
}

}  // namespace
}  // namespace gramwatt::grid
