#include "base/estimate.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace gramwatt {
namespace {

Estimate<Joules> joules(double value, Terms terms = {}, Method method = Method::measured, std::string source = "sensor") {
  return {Joules(value), method, std::move(source), Boundary::node, std::move(terms)};
}

TEST(Estimate, IndependentTermsAddInQuadrature) {
  const auto e = joules(100, {{"a", Shift::symmetric(0.03)}, {"b", Shift::symmetric(0.04)}});
  EXPECT_NEAR(e.high().value(), 105, 1e-9);
  EXPECT_NEAR(e.low().value(), 95, 1e-9);
}

TEST(Estimate, TheSameSourceOfErrorAddsLinearly) {
  const auto sum = joules(100, {{"gain", Shift::symmetric(0.1)}}) + joules(100, {{"gain", Shift::symmetric(0.1)}});
  EXPECT_NEAR(sum.high().value(), 220, 1e-9);  // not 200 + sqrt(2) * 10
}

TEST(Estimate, DifferentSourcesOfASumAreIndependent) {
  const auto sum = joules(100, {{"a", Shift::symmetric(0.1)}}) + joules(100, {{"b", Shift::symmetric(0.1)}});
  EXPECT_NEAR(sum.high().value() - 200, std::sqrt(200.0), 1e-9);
}

TEST(Estimate, WhatMovesEnergyFromIdleToActiveCancelsInTheirTotal) {
  const auto active = joules(100, {{"shape", {-0.2, 0.4}}});
  const auto idle = joules(200, {{"shape", {0.1, -0.2}}});
  const auto total = active + idle;
  EXPECT_NEAR(total.low().value(), 300, 1e-9);
  EXPECT_NEAR(total.high().value(), 300, 1e-9);
}

TEST(Estimate, LopsidedShiftsStayLopsided) {
  const auto e = joules(100, {{"production", {-0.1, 0.5}}});
  EXPECT_NEAR(e.low().value(), 90, 1e-9);
  EXPECT_NEAR(e.high().value(), 150, 1e-9);
}

TEST(Estimate, ARangeGivesItsOwnEndsBack) {
  const Estimate<GramsPerKwh> e{
      GramsPerKwh(480), Method::assumed, "world", std::nullopt, {{"place", Shift::range(480, 20, 900)}}};
  EXPECT_NEAR(e.low().value(), 20, 1e-9);
  EXPECT_NEAR(e.high().value(), 900, 1e-9);
}

TEST(Estimate, SumsNameEachSourceOnceAndMixMethods) {
  const auto sum = joules(1, {}, Method::measured, "RAPL") + joules(1, {}, Method::modelled, "model") +
                   joules(1, {}, Method::measured, "RAPL");
  EXPECT_EQ(sum.method, Method::mixed);
  EXPECT_EQ(sum.source, "RAPL + model");
  EXPECT_EQ(sum.boundary, Boundary::node);
}

TEST(Estimate, AZeroPartDoesNotChangeHowASumWasObtained) {
  const auto sum = joules(5, {}, Method::measured) + joules(0, {{"x", Shift::symmetric(1)}}, Method::modelled, "model");
  EXPECT_EQ(sum.method, Method::measured);
  EXPECT_NEAR(sum.high().value(), 5, 1e-12);
}

TEST(Estimate, ProductsKeepBothErrors) {
  const Estimate<GramsPerKwh> clean{
      GramsPerKwh(360), Method::modelled, "table", std::nullopt, {{"intensity", Shift::symmetric(0.04)}}};
  const auto carbon = joules(3.6e6, {{"gain", Shift::symmetric(0.03)}}) * clean;
  EXPECT_NEAR(carbon.value.value(), 360, 1e-9);
  EXPECT_NEAR(carbon.high().value(), 360 * 1.05, 1e-9);
  EXPECT_EQ(carbon.method, Method::mixed);
}

TEST(Difference, WhatTwoRunsShareCancels) {
  const Terms shared{{"gain", Shift::symmetric(0.1)}};
  const auto d = difference(joules(110, shared), joules(100, shared));
  EXPECT_NEAR(d.low.value(), 9, 1e-9);
  EXPECT_NEAR(d.high.value(), 11, 1e-9);
  EXPECT_TRUE(d.significant());
}

TEST(Difference, WhatTheyDoNotShareAdds) {
  const auto d = difference(joules(110, {{"a", Shift::symmetric(0.1)}}), joules(100, {{"b", Shift::symmetric(0.1)}}));
  EXPECT_FALSE(d.significant());
}

TEST(Ratio, SharedGainLeavesTheRatioExact) {
  const Terms shared{{"gain", Shift::symmetric(0.3)}};
  const auto r = ratio(joules(200, shared), joules(100, shared));
  EXPECT_NEAR(r.low.value(), 2, 1e-9);
  EXPECT_NEAR(r.high.value(), 2, 1e-9);
}

rc::Gen<Terms> terms_gen() {
  return rc::gen::map(rc::gen::container<std::vector<std::tuple<int, int, int>>>(
                          rc::gen::tuple(rc::gen::inRange(0, 5), rc::gen::inRange(0, 99), rc::gen::inRange(0, 300))),
                      [](const std::vector<std::tuple<int, int, int>>& raw) {
                        Terms t;
                        for (const auto& [id, minus, plus] : raw) t["id" + std::to_string(id)] = {-minus / 100.0, plus / 100.0};
                        return t;
                      });
}

RC_GTEST_PROP(EstimateProperty, TheIntervalHoldsTheValueAndNeverGoesBelowZero, ()) {
  const Terms t = *terms_gen();
  const auto e = joules(*rc::gen::inRange(1, 1000), t);
  RC_ASSERT(e.low() <= e.value);
  RC_ASSERT(e.value <= e.high());
  RC_ASSERT(e.low().value() >= 0);
}

RC_GTEST_PROP(EstimateProperty, SumsDoNotDependOnTheirOrder, ()) {
  const auto a = joules(*rc::gen::inRange(1, 1000), *terms_gen());
  const auto b = joules(*rc::gen::inRange(1, 1000), *terms_gen());
  const auto c = joules(*rc::gen::inRange(1, 1000), *terms_gen());
  const auto left = (a + b) + c;
  const auto right = c + (b + a);
  RC_ASSERT(std::abs(left.high().value() - right.high().value()) < 1e-6);
  RC_ASSERT(std::abs(left.low().value() - right.low().value()) < 1e-6);
}

RC_GTEST_PROP(EstimateProperty, ASumIsNeverMoreCertainThanIndependenceAllows, ()) {
  const auto a = joules(*rc::gen::inRange(1, 1000), {{"same", Shift::symmetric(0.2)}});
  const auto b = joules(*rc::gen::inRange(1, 1000), {{"same", Shift::symmetric(0.2)}});
  const auto sum = a + b;
  RC_ASSERT(std::abs((sum.high() - sum.value) / sum.value - 0.2) < 1e-9);
}

RC_GTEST_PROP(EstimateProperty, ADifferenceWithItselfIsExactlyZero, ()) {
  const auto a = joules(*rc::gen::inRange(1, 1000), *terms_gen());
  const auto d = difference(a, a);
  RC_ASSERT(d.low.value() == 0);
  RC_ASSERT(d.high.value() == 0);
}

}  // namespace
}  // namespace gramwatt
