#include "grid/intensity.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "place/place.hpp"

namespace gramwatt::grid {
namespace {

Series steps(const std::vector<std::pair<int, double>>& points) {
  Series s;
  for (const auto& [second, value] : points) s.points.push_back({std::chrono::seconds(second), GramsPerKwh(value)});
  return s;
}

double mean(const Series& s, int from, int to) {
  return s.mean(std::chrono::seconds(from), std::chrono::seconds(to)).value.value();
}

TEST(Series, APointHoldsUntilTheNextAndTheFirstAlsoBefore) {
  const Series s = steps({{100, 10}, {200, 20}});
  EXPECT_DOUBLE_EQ(mean(s, 100, 200), 10);
  EXPECT_DOUBLE_EQ(mean(s, 200, 900), 20);
  EXPECT_DOUBLE_EQ(mean(s, 0, 100), 10);
  EXPECT_DOUBLE_EQ(mean(s, 150, 250), 15);
  EXPECT_DOUBLE_EQ(mean(s, 0, 300), (200 * 10 + 100 * 20) / 300.0);
}

TEST(Series, AnEmptyIntervalHasTheValueOfItsInstant) {
  const Series s = steps({{100, 10}, {200, 20}});
  EXPECT_DOUBLE_EQ(mean(s, 199, 199), 10);
  EXPECT_DOUBLE_EQ(mean(s, 200, 200), 20);
}

RC_GTEST_PROP(SeriesProperty, TheMeanOfAWholeIsTheWeightedMeanOfItsParts, ()) {
  std::vector<std::pair<int, double>> points;
  int at = 0;
  for (const int step : *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 100)))) {
    points.emplace_back(at += step, *rc::gen::inRange(0, 1000));
  }
  const Series s = steps(points);
  const int a = *rc::gen::inRange(0, at + 50);
  const int b = a + *rc::gen::inRange(1, 200);
  const int c = b + *rc::gen::inRange(1, 200);
  RC_ASSERT(std::abs(mean(s, a, c) * (c - a) - mean(s, a, b) * (b - a) - mean(s, b, c) * (c - b)) < 1e-6);
}

TEST(Annual, UnknownPlaceIsTheWorldsRangeAndNoMarginal) {
  const auto i = annual(std::nullopt);
  ASSERT_TRUE(i);
  const auto shift = total_shift(i->average.last().terms);
  const double value = i->average.last().points.front().value.value();
  EXPECT_NEAR(value * (1 + shift.minus), 20, 1e-6);
  EXPECT_NEAR(value * (1 + shift.plus), 900, 1e-6);
  EXPECT_FALSE(i->marginal);
  EXPECT_FALSE(i->marginal_note.empty());
}

TEST(Annual, KnownCountriesHaveTheirPublishedValues) {
  EXPECT_NEAR(annual("FR")->average.last().points.front().value.value(), 44, 1);
  EXPECT_NEAR(annual("DE")->average.last().points.front().value.value(), 342, 1);
  EXPECT_EQ(annual("DE")->average.last().signal.factor, "lifecycle");
  EXPECT_NE(annual("DE")->average.last().signal.source.find("2024"), std::string::npos);
}

TEST(Annual, AMarginListedAsZeroOrNextToItIsUnknownNotClean) {
  for (const char* hydro : {"NO", "IS", "AL", "PY", "NP"}) {
    const auto i = annual(hydro);
    ASSERT_TRUE(i) << hydro;
    EXPECT_FALSE(i->marginal) << hydro;
    EXPECT_FALSE(i->marginal_note.empty());
  }
}

TEST(Annual, MarginalIsDirectCo2AndNeverTheAverage) {
  const auto i = annual("US-CAL-CISO");
  ASSERT_TRUE(i && i->marginal);
  EXPECT_EQ(i->marginal->last().signal.gas, "CO2");
  EXPECT_EQ(i->marginal->last().signal.factor, "direct");
  EXPECT_NE(i->marginal->last().points.front().value, i->average.last().points.front().value);
}

TEST(Annual, PartOfACountryTakesItsValueWithAWiderIntervalAndSaysSo) {
  const auto part = annual("JP-CB");
  const auto whole = annual("JP");
  ASSERT_TRUE(part && whole);
  EXPECT_EQ(part->average.last().points.front().value, whole->average.last().points.front().value);
  EXPECT_GT(total_shift(part->average.last().terms).size(), total_shift(whole->average.last().terms).size());
  EXPECT_NE(part->average.last().signal.source.find("whole country"), std::string::npos);
}

TEST(Annual, WhatIsPublishedForAPartReplacesTheCountrysValue) {
  const auto quebec = annual("CA-QC");
  const auto canada = annual("CA");
  ASSERT_TRUE(quebec && canada);
  EXPECT_LT(quebec->average.last().points.front().value.value(), 0.3 * canada->average.last().points.front().value.value());
  EXPECT_NE(quebec->average.last().signal.source.find("Google"), std::string::npos);
  EXPECT_EQ(quebec->average.last().signal.licence, "Apache-2.0");
}

double level(const char* zone) { return annual(zone)->average.last().points.front().value.value(); }

TEST(Annual, PartsOfACountryDifferAsTheirPlantsDo) {
  EXPECT_LT(level("AU-TAS"), 0.2 * level("AU-VIC"));  // dams against brown coal
  EXPECT_LT(level("AU-SA"), 0.4 * level("AU-QLD"));   // wind and sun against hard coal
  EXPECT_GT(level("CA-AB"), 8 * level("CA-BC"));
  EXPECT_GT(level("ES-CN-GC"), 4 * level("ES"));  // an island that burns oil
  EXPECT_LT(level("ES-CN-HI"), level("ES-CN-LP"));
  EXPECT_GT(level("NO-NO4"), level("NO-NO1"));  // its gas plant
}

TEST(Annual, APartByItsOwnGenerationSaysSoAndIsMoreCertainThanTheWholeCountrysValue) {
  struct Case {
    const char *zone, *source, *licence;
  };
  for (const Case& c : {Case{"AU-TAS", "Australian Energy Statistics", "CC BY 4.0"}, Case{"CA-AB", "CodeCarbon", "MIT"},
                        Case{"NO-NO4", "ENTSO-E", "CC BY 4.0"}, Case{"GB-NIR", "NISRA", "OGL v3.0"},
                        Case{"ES-CN-TE", "ISTAC", "facts, no licence"}}) {
    const auto part = annual(c.zone);
    ASSERT_TRUE(part) << c.zone;
    const Series& s = part->average.last();
    EXPECT_NE(s.signal.source.find("own generation by fuel"), std::string::npos) << s.signal.source;
    EXPECT_NE(s.signal.source.find(c.source), std::string::npos) << s.signal.source;
    EXPECT_EQ(s.signal.source.find("whole country"), std::string::npos) << s.signal.source;
    EXPECT_EQ(s.signal.licence, c.licence) << c.zone;
    EXPECT_EQ(s.signal.factor, "lifecycle");
    EXPECT_EQ(s.signal.basis, "production");
    EXPECT_LT(total_shift(s.terms).size(), total_shift(annual("JP-CB")->average.last().terms).size()) << c.zone;
  }
}

TEST(Annual, EveryKnownZoneHasAnAverageWithinWhatAGridCanEmit) {
  for (const std::string& zone : place::known_zones()) {
    const auto i = annual(zone);
    ASSERT_TRUE(i) << zone;
    const double v = i->average.last().points.front().value.value();
    EXPECT_GE(v, 11) << zone;  // wind alone, life-cycle
    EXPECT_LT(v, 1400) << zone;
    const double marginal = i->marginal ? i->marginal->last().points.front().value.value() : 1000;
    EXPECT_GE(marginal, 100) << zone;
    EXPECT_EQ(i->average.last().signal.fit_for, std::vector<std::string>{"accounting"});
  }
}

TEST(Annual, AZoneThatDoesNotExistIsAnError) {
  EXPECT_FALSE(annual("XX-NOWHERE"));
  EXPECT_FALSE(annual(""));
  EXPECT_FALSE(annual("D"));
}

TEST(Reach, ACountryOfSeveralZonesReachesOverTheValuesOfAll) {
  auto australia = annual("AU");
  ASSERT_TRUE(australia);
  const Shift before = total_shift(australia->average.last().terms);
  const Reach reach = reach_over("AU", {"AU-TAS", "AU-TAS-KI"});
  widen(*australia, reach);
  const Shift after = total_shift(australia->average.last().terms);
  EXPECT_LT(after.minus, 2 * before.minus);
  EXPECT_GT(after.plus, 1.3 * before.plus);
  EXPECT_TRUE(australia->average.last().terms.count("which-zone"));
}

TEST(Reach, OfNoOthersOrOfTheZoneAloneWidensNothingUnseen) {
  EXPECT_EQ(reach_over("DE", {}).average, Shift{});
  auto germany = annual("DE");
  const Terms before = germany->average.last().terms;
  widen(*germany, {});
  EXPECT_EQ(germany->average.last().terms, before);
  // Clean California beside coal: the reach is upward only as far as the dirtier zone's own interval.
  const Reach reach = reach_over("US-CAL-CISO", {"US-NW-WACM"});
  EXPECT_GT(reach.average.plus, 0.5);
  EXPECT_GT(reach.marginal.plus, 0);
}

}  // namespace
}  // namespace gramwatt::grid
