#include "grid/builtin.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.hpp"
#include "data/tables.hpp"
#include "grid/typical_day.hpp"

namespace gramwatt::grid {
namespace {

using std::chrono::hours;

Nanoseconds utc(std::string_view text) { return parse_iso8601(text).value(); }

Window year(int y) { return {utc(std::to_string(y) + "-01-01T00:00:00Z"), utc(std::to_string(y + 1) + "-01-01T00:00:00Z")}; }

const Window kDay{utc("2026-03-02T00:00:00Z"), utc("2026-03-03T00:00:00Z")};

/// First fields of a table's rows, each once, without the header.
std::vector<std::string> keys_of(std::string_view table) {
  std::vector<std::string> keys;
  (void)next_line(table);
  while (const auto line = next_line(table)) {
    const std::string key(split(*line, ',').front());
    if (!key.empty() && (keys.empty() || keys.back() != key)) keys.push_back(key);
  }
  return keys;
}

Intensities known(const std::string& zone, Window window, std::string_view factor = "lifecycle") {
  auto i = builtin(zone, window, factor);
  EXPECT_TRUE(i) << zone;
  return i ? *i : Intensities{};
}

/// Upper end of the interval relative to the value, from terms.
Shift interval(const Series& s) { return total_shift(s.terms); }

bool is_typical_day(const Series& s) { return s.signal.data_kind == "typical day"; }

TEST(Builtin, TheMeanOfEveryYearIsTheAnnualValueExactly) {
  for (const std::string& zone : keys_of(data::grid_profiles())) {
    const double level = annual(zone)->average.last().points.front().value.value();
    for (const int y : {2019, 2024, 2026, 2028}) {
      const Ladder ladder = known(zone, year(y)).average;
      ASSERT_EQ(ladder.rungs.size(), 2U) << zone;
      const auto mean = ladder.rungs.front().mean(year(y).start, year(y).end);
      EXPECT_NEAR(mean.value.value() / level, 1, 1e-6) << zone << ' ' << y;
      EXPECT_EQ(mean.covered, year(y).length()) << zone << ' ' << y;
      EXPECT_EQ(ladder.last().points.front().value.value(), level);
    }
  }
}

TEST(Builtin, EveryRungOfEveryZoneStaysWithinWhatGridsCanEmit) {
  for (const std::string& zone : keys_of(data::zone_intensity())) {
    const Intensities i = known(zone, year(2026));
    ASSERT_FALSE(i.average.rungs.empty()) << zone;
    std::vector<Series> all = i.average.rungs;
    if (i.marginal) all.insert(all.end(), i.marginal->rungs.begin(), i.marginal->rungs.end());
    for (const Series& s : all) {
      ASSERT_FALSE(s.points.empty()) << zone;
      for (const Point& p : s.points) {
        ASSERT_GT(p.value.value(), 0) << zone << ' ' << s.signal.source;
        // Published annual values of old plants reach 1,306 (Turkmenistan) and 1,575 (Zimbabwe's margin).
        ASSERT_LT(p.value.value(), is_typical_day(s) ? 1150 : 1600) << zone << ' ' << s.signal.source;
      }
      EXPECT_LT(interval(s).minus, 0) << zone;
      EXPECT_GT(interval(s).plus, 0) << zone;
      EXPECT_FALSE(s.signal.licence.empty()) << zone;
      EXPECT_GT(s.signal.year, 2000) << zone;
    }
  }
}

TEST(Builtin, BothYearsStandInTheSource) {
  const Signal de = known("DE", kDay).average.rungs.front().signal;
  EXPECT_EQ(de.source, "shape ENTSO-E 2020, level Ember 2024, annual mean");
  EXPECT_EQ(de.data_kind, "typical day");
  EXPECT_EQ(de.year, 2024);
  EXPECT_TRUE(
      contains(known("US-CAL-CISO", kDay).average.rungs.front().signal.source, "shape EIA-930 2020-2021, level EPA eGRID2023"));
}

TEST(Builtin, AnUnknownZoneHasNoProfileAndAnUnknownPlaceNeither) {
  EXPECT_FALSE(builtin("XX-NOWHERE", kDay));
  EXPECT_EQ(builtin("XX-NOWHERE", kDay).error().kind, Error::Kind::missing);
  EXPECT_FALSE(builtin("", kDay));
  const auto nowhere = builtin(std::nullopt, kDay);
  ASSERT_TRUE(nowhere);
  EXPECT_EQ(nowhere->average.rungs.size(), 1U);
  EXPECT_FALSE(is_typical_day(nowhere->average.last()));
  EXPECT_FALSE(nowhere->marginal);
}

TEST(Builtin, AZoneWithoutAMixHasItsAnnualValueOnly) {
  // Islands have plants of their own: the mainland's day is not theirs.
  for (const char* zone : {"AU-NSW", "US-NW-PACE", "CN", "IS", "ES-CN-TE", "FR-COR", "GB-NIR"}) {
    const Ladder ladder = known(zone, kDay).average;
    EXPECT_EQ(ladder.rungs.size(), 1U) << zone;
    EXPECT_EQ(ladder.last().signal.data_kind, "annual mean") << zone;
  }
}

TEST(Builtin, APartOfACountryTakesTheCountrysDayWiderAndSaysSo) {
  const Series part = known("SE-SE3", kDay).average.rungs.front();
  const Series whole = known("SE", kDay).average.rungs.front();
  ASSERT_TRUE(is_typical_day(part));
  EXPECT_TRUE(contains(part.signal.source, "of SE as a whole"));
  EXPECT_TRUE(part.terms.contains("whole-country:SE-SE3"));
  EXPECT_FALSE(whole.terms.contains("whole-country:SE"));
  for (std::size_t i = 0; i < 24; ++i) {
    EXPECT_NEAR(part.points[i].value / part.points[0].value, whole.points[i].value / whole.points[0].value, 1e-12);
  }
  const Series south = known("SE-SE4", kDay).average.rungs.front();
  EXPECT_GT(interval(south).plus, interval(whole).plus);
  EXPECT_LE(interval(south).minus, interval(whole).minus);
  // A part with a level of its own is not the worse for it, though it takes the country's day.
  const Series north = known("SE-SE1", kDay).average.rungs.front();
  EXPECT_TRUE(north.terms.contains("whole-country:SE-SE1"));
  EXPECT_LT(interval(north).plus, interval(south).plus);
  // One of Norway's five parts is no better off with the country's day than without a plan.
  EXPECT_FALSE(known("NO-NO3", kDay).average.rungs.front().signal.is_fit_for("scheduling"));
}

TEST(Builtin, WhereProductionSaysLittleTheIntervalIsWiderAndTheSourceSaysWhy) {
  for (const char* zone : {"CH", "AT", "NL", "RS", "US-NW-BPAT"}) {
    const Series s = known(zone, kDay).average.rungs.front();
    ASSERT_TRUE(is_typical_day(s)) << zone;
    Terms without = s.terms;
    EXPECT_EQ(without.erase("trade:" + std::string(zone)), 1U) << zone;
    EXPECT_GT(interval(s).plus, total_shift(without).plus) << zone;
    EXPECT_TRUE(contains(s.signal.source, "production only")) << zone;
  }
  EXPECT_FALSE(known("DE", kDay).average.rungs.front().terms.contains("trade:DE"));
  EXPECT_FALSE(known("CH", kDay).average.rungs.front().signal.is_fit_for("scheduling"));
}

TEST(Builtin, TheTypicalDayIsNeverSurerThanTheAnnualValueForAnHour) {
  for (const std::string& zone : keys_of(data::grid_profiles())) {
    const Ladder ladder = known(zone, kDay).average;
    EXPECT_LE(interval(ladder.rungs.front()).minus, interval(ladder.last()).minus) << zone;
    EXPECT_GE(interval(ladder.rungs.front()).plus, interval(ladder.last()).plus) << zone;
    EXPECT_TRUE(ladder.rungs.front().terms.contains("intensity:" + zone)) << "the level is one mistake in both rungs";
  }
}

TEST(Builtin, WeatherIsSharedByRunsOfOneDayOnlyAndTheLevelByAll) {
  const auto one_hour = [](std::string_view from) {
    const Series s = known("DE", {utc(from), utc(from) + hours(1)}).average.rungs.front();
    return Estimate<GramsPerKwh>{s.points.front().value, s.method, {}, {}, s.terms};
  };
  const auto width = [](const auto& d) { return (d.high - d.low).value(); };
  const auto morning = one_hour("2026-03-02T08:00:00Z");
  EXPECT_LT(width(difference(morning, one_hour("2026-03-02T09:00:00Z"))),
            width(difference(morning, one_hour("2026-03-03T08:00:00Z"))));
  // Two days have weather of their own: each ±50 %, of the value; the level, -42..+94 %, cancels.
  EXPECT_GT(width(difference(morning, one_hour("2026-03-03T08:00:00Z"))), 0.9 * morning.value.value());
}

TEST(Builtin, WindowsAreHalfOpenAndHoursWhole) {
  const auto points = [](std::string_view from, std::string_view to) {
    return known("DE", {utc(from), utc(to)}).average.rungs.front().points;
  };
  EXPECT_EQ(points("2026-03-02T00:00:00Z", "2026-03-02T03:00:00Z").size(), 3U);
  EXPECT_EQ(points("2026-03-02T00:00:00Z", "2026-03-02T03:00:01Z").size(), 4U);
  const auto inside = points("2026-03-02T00:59:59Z", "2026-03-02T01:00:00Z");
  ASSERT_EQ(inside.size(), 1U);
  EXPECT_EQ(inside.front().start, utc("2026-03-02T00:00:00Z"));
  // An instant is an hour, not nothing.
  EXPECT_EQ(points("2026-03-02T05:30:00Z", "2026-03-02T05:30:00Z").size(), 1U);
}

TEST(Builtin, HoursAreUtcOnDaysWhenClocksChangeAndOnLeapDays) {
  for (const char* day : {"2026-03-29", "2026-10-25", "2028-02-29", "2025-12-31"}) {
    const Nanoseconds start = utc(std::string(day) + "T00:00:00Z");
    const Series s = known("DE", {start, start + hours(24)}).average.rungs.front();
    ASSERT_EQ(s.points.size(), 24U) << day;
    for (std::size_t i = 0; i < s.points.size(); ++i) EXPECT_EQ(s.points[i].start, start + hours(i));
    EXPECT_TRUE(s.covers({start, start + hours(24)}));
  }
  // 29 February is a day of February: same values as the Tuesday before.
  const Nanoseconds leap = utc("2028-02-29T00:00:00Z");
  const Series s = known("DE", {leap - hours(7 * 24), leap + hours(24)}).average.rungs.front();
  for (std::size_t i = 0; i < 24; ++i) EXPECT_DOUBLE_EQ(s.points[i].value.value(), s.points[i + 168].value.value());
}

TEST(Builtin, WeekendsAreLocalOnes) {
  // Saturday 01:00 UTC is still Friday in California; its Monday 03:00 UTC still Sunday.
  const Nanoseconds friday = utc("2026-05-15T00:00:00Z");
  const Series s = known("US-CAL-CISO", {friday, friday + hours(5 * 24)}).average.rungs.front();
  const auto at = [&](int day, int hour) { return s.at(friday + hours(day * 24 + hour))->value.value(); };
  EXPECT_DOUBLE_EQ(at(1, 1), at(4, 1));
  EXPECT_NE(at(3, 3), at(4, 3));
  EXPECT_DOUBLE_EQ(at(1, 20), at(2, 20));
  EXPECT_NE(at(1, 20), at(3, 20));
}

TEST(Builtin, AWindowBeyondAllReasonFallsBackToTheAnnualValue) {
  const Ladder ladder = known("DE", {Nanoseconds::min(), Nanoseconds::max()}).average;
  EXPECT_EQ(ladder.rungs.size(), 1U);
}

TEST(Builtin, DirectIsLessThanLifeCycleAndOnlyWhereTheMixIsKnown) {
  for (const char* zone : {"DE", "US-TEX-ERCO", "SE-SE1"}) {
    const Ladder direct = known(zone, year(2026), "direct").average;
    const Ladder whole = known(zone, year(2026)).average;
    ASSERT_EQ(direct.rungs.size(), 2U) << zone;
    EXPECT_EQ(direct.last().signal.factor, "direct");
    EXPECT_LT(direct.last().points.front().value, whole.last().points.front().value) << zone;
    EXPECT_NEAR(direct.rungs.front().mean(year(2026).start, year(2026).end).value / direct.last().points.front().value, 1,
                1e-6);
  }
  EXPECT_EQ(builtin("AU-NSW", kDay, "direct").error().kind, Error::Kind::missing);
}

TEST(BuiltinMarginal, AmericanZonesHaveAvertsDayAtItsAnnualMean) {
  const auto i = known("US-CAL-CISO", year(2026));
  ASSERT_TRUE(i.marginal);
  ASSERT_EQ(i.marginal->rungs.size(), 2U);
  const Series& day = i.marginal->rungs.front();
  EXPECT_NEAR(day.mean(year(2026).start, year(2026).end).value / i.marginal->last().points.front().value, 1, 1e-6);
  EXPECT_EQ(day.signal.kind, SignalKind::marginal);
  EXPECT_EQ(day.signal.source, "EPA AVERT 2023, region CA");
  EXPECT_EQ(day.signal.gas, "CO2");
}

TEST(BuiltinMarginal, EuropeanZonesAreRegressedOnFossilGenerationAndSayHow) {
  const auto i = known("DE", year(2026));
  ASSERT_TRUE(i.marginal);
  ASSERT_EQ(i.marginal->rungs.size(), 2U);
  const Signal& signal = i.marginal->rungs.front().signal;
  EXPECT_TRUE(contains(signal.source, "regression on fossil generation, ENTSO-E 2020 (R² 0.9"));
  EXPECT_EQ(signal.factor, "direct");
  EXPECT_TRUE(contains(i.marginal->last().signal.source, "IFI"));
  // Hydro and nuclear grids burn next to nothing: what meets one more kWh there stands in no mix.
  EXPECT_FALSE(marginal_profile("NO") || marginal_profile("SE") || marginal_profile("CH"));
}

TEST(BuiltinMarginal, NoEstimateIsFitForScheduling) {
  for (const std::string& zone : keys_of(data::zone_intensity())) {
    const auto i = known(zone, kDay);
    if (!i.marginal) continue;
    for (const Series& s : i.marginal->rungs) EXPECT_FALSE(s.signal.is_fit_for("scheduling")) << zone;
  }
}

TEST(BuiltinHourly, TheSeriesAreWholeAndWithinWhatGridsCanEmit) {
  for (const std::string& zone : keys_of(data::grid_hourly_index())) {
    const auto s = builtin_hourly(zone);
    ASSERT_TRUE(s) << zone;
    EXPECT_GT(s->points.size(), 8600U) << zone;
    for (std::size_t i = 0; i < s->points.size(); ++i) {
      ASSERT_GE(s->points[i].value.value(), 5) << zone;
      ASSERT_LE(s->points[i].value.value(), 1200) << zone;
      if (i > 0) {
        ASSERT_GE(s->points[i].start - s->points[i - 1].start, hours(1)) << zone;
      }
    }
    // The typical day is made of the same hours.
    double sum = 0;
    for (const Point& p : s->points) sum += p.value.value();
    const auto profile = average_profile(zone, "lifecycle");
    ASSERT_TRUE(profile) << zone;
    EXPECT_NEAR(sum / static_cast<double>(s->points.size()) / profile->day.mean.value(), 1, 0.002) << zone;
  }
}

TEST(BuiltinHourly, AHourThatIsMissingIsAGap) {
  const auto s = builtin_hourly("IE");  // 120 hours of 2020 were never reported
  ASSERT_TRUE(s);
  EXPECT_EQ(s->points.size(), 8784U - 120U);
  EXPECT_FALSE(s->covers({s->points.front().start, s->points.back().start}));
}

TEST(BuiltinHourly, OtherZonesHaveNone) {
  EXPECT_FALSE(builtin_hourly("AU-NSW"));
  EXPECT_FALSE(builtin_hourly("D"));
  EXPECT_FALSE(builtin_hourly(""));
}

RC_GTEST_PROP(BuiltinProperty, AWindowsPartsAreItsWhole, ()) {
  const auto zones = keys_of(data::grid_profiles());
  const std::string zone = *rc::gen::elementOf(zones);
  const Nanoseconds start = utc("2019-06-01T00:00:00Z") + std::chrono::seconds(*rc::gen::inRange(0, 300'000'000));
  const Nanoseconds middle = start + std::chrono::seconds(*rc::gen::inRange(1, 10'000'000));
  const Nanoseconds end = middle + std::chrono::seconds(*rc::gen::inRange(1, 10'000'000));
  const auto total = [&](Nanoseconds from, Nanoseconds to) {
    const auto mean = builtin(zone, {from, to})->average.rungs.front().mean(from, to);
    RC_ASSERT(mean.covered == to - from);
    return mean.value.value() * static_cast<double>((to - from).count());
  };
  const double whole = total(start, end);
  RC_ASSERT(std::abs(total(start, middle) + total(middle, end) - whole) < 1e-9 * whole);
}

}  // namespace
}  // namespace gramwatt::grid
