#include "sense/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gramwatt::sense {
namespace {

using Points = std::vector<std::pair<double, double>>;

/// A concave machine: 60 W at rest, 200 W in all.
double truth(double x) { return 60 + 140 * std::pow(x, 0.7); }

CalibrationTrace trace_of(const Points& points) {
  CalibrationTrace t;
  t.cpu = "Some CPU";
  t.threads = 8;
  t.source = "a plug meter";
  t.accuracy = 0.02;
  t.utc = std::chrono::hours(24) * 20000;
  for (const auto& [x, y] : points) t.levels.push_back({LoadKind::even, x, Ratio(x), Watts(y), Seconds(10), {}});
  return t;
}

RC_GTEST_PROP(CalibrationLaws, TheCurveNeverFallsWhateverTheReadings, ()) {
  const auto raw = *rc::gen::container<std::vector<std::pair<int, int>>>(
      *rc::gen::inRange(2, 20), rc::gen::pair(rc::gen::inRange(0, 1001), rc::gen::inRange(0, 5000)));
  Points points;
  for (const auto& [x, y] : raw) points.emplace_back(x / 1000.0, y / 10.0);
  const CalibratedCurve c = fit_curve(points);
  RC_ASSERT(c.idle.value() >= 0);
  RC_ASSERT(std::abs(c.active[0].value()) < 1e-9);
  for (std::size_t k = 1; k < c.active.size(); ++k) RC_ASSERT(c.active[k].value() >= c.active[k - 1].value() - 1e-9);
  const auto highest = std::max_element(points.begin(), points.end(), [](auto a, auto b) { return a.second < b.second; });
  RC_ASSERT(c.idle.value() + c.active.back().value() <= highest->second + 1e-9);
}

RC_GTEST_PROP(CalibrationLaws, AKnownCurveIsFoundWithinItsNoise, ()) {
  std::mt19937 random(*rc::gen::inRange(0, 1'000'000));
  const double noise = *rc::gen::inRange(0, 40) / 10.0;  // up to 4 W
  std::uniform_real_distribution<double> error(-noise, noise);
  Points points;
  for (const double x : {0.004, 0.01, 0.15, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0})
    points.emplace_back(x, truth(x) + error(random));
  const CalibratedCurve c = fit_curve(points);
  // Straight lines between the levels miss this curve by at most 4 W, at its steep beginning.
  RC_ASSERT(std::abs(c.idle.value() - 60) <= noise + 4);
  for (std::size_t k = 0; k < c.active.size(); ++k) {
    RC_ASSERT(std::abs((c.idle + c.active[k]).value() - truth(static_cast<double>(k) / 10)) <= noise + 4);
  }
}

RC_GTEST_PROP(CalibrationLaws, TheOrderOfLevelsDoesNotMatter, ()) {
  Points points{{0.01, 61}, {0.2, 90}, {0.2, 94}, {0.5, 150}, {0.55, 149}, {0.8, 180}, {1, 200}};
  const CalibratedCurve before = fit_curve(points);
  std::shuffle(points.begin(), points.end(), std::mt19937(*rc::gen::inRange(0, 1'000'000)));
  const CalibratedCurve after = fit_curve(points);
  RC_ASSERT(before.idle == after.idle);
  RC_ASSERT(before.active == after.active);
}

TEST(Calibration, TheIntervalHoldsTheLevelsAndGrowsWithTheNoise) {
  const Points clean{{0.01, 62}, {0.25, 113}, {0.5, 146}, {0.5, 147}, {0.75, 175}, {1, 200}};
  const Points noisy{{0.01, 62}, {0.25, 93}, {0.5, 170}, {0.5, 130}, {0.75, 175}, {1, 200}};
  const auto model = [](const Points& p) { return calibrated_model(trace_of(p), *fit(trace_of(p))); };
  const auto width = [](const Estimate<Watts>& e) { return e.high() - e.low(); };
  EXPECT_LT(width(model(clean).at_load(0.5)), width(model(noisy).at_load(0.5)));
  for (const auto& [x, y] : clean) {
    EXPECT_LE(model(clean).at_load(x).low().value(), y) << x;
    EXPECT_GE(model(clean).at_load(x).high().value(), y) << x;
  }
  EXPECT_EQ(model(clean).rung, PowerModel::Rung::calibrated);
  EXPECT_NE(model(clean).source.find("calibrated on 2024-10-04 against a plug meter"), std::string::npos)
      << model(clean).source;
}

TEST(Calibration, TheMetersOwnAccuracyIsInTheInterval) {
  CalibrationTrace t = trace_of({{0.01, 62}, {0.25, 113}, {0.5, 146}, {0.75, 175}, {1, 200}});
  const double before = calibrated_model(t, *fit(t)).fixed.high().value();
  t.accuracy = 0.2;
  EXPECT_GT(calibrated_model(t, *fit(t)).fixed.high().value(), before + 5);
}

TEST(Calibration, ThePlatformLineIsFoundBesideChips) {
  CalibrationTrace t;
  for (const double x : {0.01, 0.25, 0.5, 0.75, 1.0}) {
    const double package = 20 + 100 * x, dram = 5 + 5 * x;
    t.levels.push_back({LoadKind::even,
                        x,
                        Ratio(x),
                        Watts(30 + 1.15 * (package + dram)),
                        Seconds(10),
                        {{"package-0", Watts(package)}, {"dram-0", Watts(dram)}}});
  }
  const auto c = fit(t);
  ASSERT_TRUE(c && c->platform);
  EXPECT_NEAR(c->platform->loss, 0.15, 1e-6);
  EXPECT_NEAR(c->platform->base.value(), 30, 1e-6);
  ASSERT_EQ(c->chips.size(), 2U);
  EXPECT_EQ(c->chips[0].first, "package-0");
  EXPECT_NEAR(c->chips[0].second.idle.value(), 20, 1e-6);
  t.boundary = Boundary::chip;  // RAPL against itself says nothing of the plug
  EXPECT_FALSE(fit(t)->platform);
}

TEST(Calibration, TooFewLevelsABusyRestAndALoadThatDidNotRunAreRefused) {
  EXPECT_FALSE(fit(trace_of({{0.01, 60}, {1, 200}})));
  EXPECT_FALSE(fit(trace_of({{0.4, 120}, {0.7, 160}, {1, 200}})));
  EXPECT_FALSE(fit(trace_of({{0.01, 60}, {0.02, 61}, {0.01, 60}})));
}

}  // namespace
}  // namespace gramwatt::sense
