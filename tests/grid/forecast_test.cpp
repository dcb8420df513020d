#include "grid/forecast.hpp"

#include <cmath>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "grid/hourly.hpp"
#include "grid/made_up_series.hpp"
#include "grid/rolling.hpp"

namespace gramwatt::grid {
namespace {

using ::testing::HasSubstr;

Forecast made(const Series& s, Nanoseconds origin, Model model = Model::ridge, hours length = hours(48)) {
  auto f = make_forecast(s, origin, length, model);
  EXPECT_TRUE(f) << f.error().message();
  return f ? *f : Forecast{};
}

// ---- hours ----

TEST(Hourly, IsTheMeanOfFinerPointsAndKnownFromHalfAnHourOn) {
  Series s;
  s.resolution = minutes(15);
  const auto add = [&](int minute, double value) {
    s.points.push_back({start_of(kStart) + minutes(minute), GramsPerKwh(value), {}, {}});
  };
  for (const auto& [minute, value] : {std::pair{0, 10.0}, {15, 20}, {30, 30}, {45, 40}, {60, 100}, {75, 200}, {120, 7}})
    add(minute, value);
  const Hourly h(s);
  EXPECT_DOUBLE_EQ(h.at(kStart), 25);
  EXPECT_DOUBLE_EQ(h.at(kStart + 1), 150);
  EXPECT_FALSE(h.known(kStart + 2)) << "a quarter of an hour is not an hour";
  EXPECT_EQ(h.known_until(kStart + 100), kStart + 2);
}

TEST(Hourly, CutsPointsThatCrossAnHour) {
  Series s;
  s.resolution = hours(1);
  for (int i = 0; i < 3; ++i) s.points.push_back({start_of(kStart + i) + minutes(30), GramsPerKwh(100.0 * i), {}, {}});
  const Hourly h(s);
  EXPECT_DOUBLE_EQ(h.at(kStart), 0);
  EXPECT_DOUBLE_EQ(h.at(kStart + 1), 50);
  EXPECT_DOUBLE_EQ(h.at(kStart + 2), 150);
}

TEST(Hourly, LeavesOutWhatIsNoObservation) {
  Series s = hourly(1, daily);
  s.points[3].kind = PointKind::forecast;
  s.points[4].kind = PointKind::profile;
  s.points[5].kind = PointKind::estimated;
  s.points[6].value = GramsPerKwh(std::numeric_limits<double>::quiet_NaN());
  const Hourly h(s);
  EXPECT_FALSE(h.known(kStart + 3));
  EXPECT_FALSE(h.known(kStart + 4));
  EXPECT_TRUE(h.known(kStart + 5));
  EXPECT_FALSE(h.known(kStart + 6));
  EXPECT_EQ(h.count(kStart, kStart + 24), 21);
}

// ---- what is exact ----

TEST(Forecast, FindsADayThatRepeatsExactly) {
  const Series s = hourly(60, daily);
  for (const Model model : {Model::ridge, Model::seasonal_naive, Model::climatology}) {
    const Forecast f = made(s, after_days(50));
    ASSERT_EQ(f.series.points.size(), 48);
    for (Hour h = 0; h < 48; ++h) {
      const Point& p = f.series.points[static_cast<std::size_t>(h)];
      EXPECT_EQ(p.start, start_of(kStart + 50 * kDay + h));
      EXPECT_NEAR(p.value.value(), daily(h), 1e-6) << to_string(model) << " hour " << h;
      EXPECT_EQ(p.kind, PointKind::forecast);
      EXPECT_NEAR(p.band.minus, 0, 1e-6);
      EXPECT_NEAR(p.band.plus, 0, 1e-6);
    }
  }
}

TEST(Forecast, SeasonalNaiveIsYesterdayWhateverTheHorizon) {
  const Series s = weather(40, 1);
  const Forecast f = made(s, after_days(30.25), Model::seasonal_naive, hours(72));
  const std::size_t origin = 30 * 24 + 6;
  for (std::size_t h = 0; h < 72; ++h) EXPECT_EQ(f.series.points[h].value, s.points[origin - 24 + h % 24].value) << h;
}

TEST(Forecast, APathIsTheErrorThatTheModelMadeThen) {
  const Series s = weather(40, 2);
  const Forecast f = made(s, after_days(30), Model::seasonal_naive);
  ASSERT_EQ(f.paths.size(), 28) << "from the first day that has a day before it, to the last whose two days have passed";
  const std::size_t newest = 28 * 24;
  for (std::size_t h = 0; h < 48; ++h) {
    EXPECT_NEAR(f.paths.back()[h], s.points[newest + h].value / s.points[newest - 24 + h % 24].value - 1, 1e-12);
  }
}

TEST(Forecast, ClimatologyIsTheLastWeekWithThePresentErrorFading) {
  Series s = hourly(40, daily);
  const std::size_t origin = 30 * 24;
  s.points[origin - 1].value = GramsPerKwh(daily(23) + 70);
  const Forecast f = made(s, after_days(30), Model::climatology);
  const double error = 60;  // the last week's mean at 23 h is 10 higher
  EXPECT_NEAR(f.series.points[0].value.value(), daily(0) + error * std::exp(-1.0 / 12), 1e-9);
  EXPECT_NEAR(f.series.points[11].value.value(), daily(11) + error * std::exp(-1.0), 1e-9);
  EXPECT_NEAR(f.series.points[23].value.value(), daily(23) + 10 + error * std::exp(-2.0), 1e-9);
}

TEST(Forecast, RidgeLearnsTheWeekend) {
  const Series s = hourly(200, weekly);
  const Forecast f = made(s, after_days(190), Model::ridge, hours(96));
  double worst = 0;
  for (Hour h = 0; h < 96; ++h) {
    const double truth = weekly(190 * kDay + h);
    worst = std::max(worst, std::abs(f.series.points[static_cast<std::size_t>(h)].value.value() / truth - 1));
  }
  EXPECT_LT(worst, 0.03) << "yesterday again is 20 % off when the weekend comes";
}

// ---- how good, how honest ----

TEST(Backtest, RidgeIsBestAndItsBandsHold) {
  const Series s = weather(500, 3);
  const Window window{after_days(300), after_days(495)};
  const auto ridge = backtest(s, window, hours(72), Model::ridge);
  const auto naive = backtest(s, window, hours(72), Model::seasonal_naive);
  const auto simple = backtest(s, window, hours(72), Model::climatology);
  ASSERT_TRUE(ridge && naive && simple);
  EXPECT_EQ(ridge->origins, 195);
  EXPECT_EQ(ridge->fell_back, 0);
  ASSERT_EQ(ridge->days.size(), 3);
  for (std::size_t d = 0; d < 3; ++d) {
    EXPECT_LT(ridge->days[d].mape, naive->days[d].mape);
    EXPECT_LT(ridge->days[d].mape, simple->days[d].mape);
    EXPECT_GT(ridge->days[d].rank_correlation.value(), 0.8);
    EXPECT_GT(ridge->days[d].covered.value(), 0.85);
    EXPECT_LT(ridge->days[d].covered.value(), 0.95);
    for (const auto* b : {&*naive, &*simple}) {  // wider errors of fewer independent days
      EXPECT_GT(b->days[d].covered.value(), 0.82) << to_string(b->model) << d;
      EXPECT_LT(b->days[d].covered.value(), 0.97) << to_string(b->model) << d;
    }
  }
  EXPECT_LT(ridge->days[0].mape, ridge->days[2].mape);
}

TEST(Forecast, BandsOfAShortHistoryHoldToo) {
  for (const int days : {20, 42, 80}) {
    int inside = 0, hours_judged = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      const Series s = weather(days + 2, 1000 + seed);
      for (const Point& p : made(s, after_days(days)).series.points) {
        const double truth = s.at(p.start)->value / p.value - 1;
        inside += p.band.minus <= truth && truth <= p.band.plus ? 1 : 0;
        ++hours_judged;
      }
    }
    const double covered = static_cast<double>(inside) / hours_judged;
    EXPECT_GT(covered, 0.85) << days;
    EXPECT_LT(covered, 0.98) << days;
  }
}

TEST(Backtest, OfADayThatRepeatsIsPerfect) {
  const auto b = backtest(hourly(100, daily), {after_days(60), after_days(90)}, hours(48), Model::ridge);
  ASSERT_TRUE(b);
  for (const BacktestDay& day : b->days) {
    EXPECT_NEAR(day.mape.value(), 0, 1e-9);
    EXPECT_NEAR(day.rank_correlation.value(), 1, 1e-3);
    EXPECT_DOUBLE_EQ(day.covered.value(), 1);
  }
}

TEST(Backtest, RanksAgainstEachOtherAreMinusOne) {
  // The day is turned upside down each day: yesterday again is as wrong as can be.
  const Series s = hourly(40, [](Hour h) { return 300 + (h / kDay % 2 == 0 ? 1 : -1) * 5.0 * static_cast<double>(h % kDay); });
  const auto b = backtest(s, {after_days(20), after_days(38)}, hours(24), Model::seasonal_naive);
  ASSERT_TRUE(b);
  EXPECT_DOUBLE_EQ(b->days.front().rank_correlation.value(), -1);
}

TEST(Backtest, StartsAtMidnightsInsideTheWindowAndSaysWhatItSkipped) {
  const Series s = weather(40, 4);
  const auto b = backtest(s, {after_days(-3), after_days(39.5)}, hours(24), Model::climatology);
  ASSERT_TRUE(b);
  EXPECT_EQ(b->origins + b->skipped, 43);
  EXPECT_GT(b->skipped, 5);
  EXPECT_FALSE(b->skipped_because.empty());
  const auto none = backtest(s, {after_days(100), after_days(120)}, hours(24), Model::climatology);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, Error::Kind::unavailable);
}

TEST(Forecaster, GivesWhatMakeForecastGives) {
  const Series s = weather(120, 5);
  for (const Model model : {Model::ridge, Model::seasonal_naive, Model::climatology}) {
    Forecaster forecaster(s, hours(48), model);
    for (const double day : {50.0, 51.0, 58.0, 58.25, 99.0, 60.0, 115.0}) {
      const auto one = forecaster.at(after_days(day));
      ASSERT_TRUE(one);
      const Forecast other = made(s, after_days(day), model);
      EXPECT_EQ(one->series.points, other.series.points) << to_string(model) << day;
      EXPECT_EQ(one->paths, other.paths);
      EXPECT_EQ(one->note, other.note);
    }
  }
}

std::vector<GramsPerKwh> values_of(const Series& s) {
  std::vector<GramsPerKwh> values;
  for (const Point& p : s.points) values.push_back(p.value);
  return values;
}

TEST(Forecaster, TellsTheSameValuesWithoutPathsAndBothMayBeAskedInTurn) {
  const Series s = weather(120, 5);
  for (const Model model : {Model::ridge, Model::seasonal_naive, Model::climatology}) {
    Forecaster forecaster(s, hours(48), model);
    for (const double day : {60.0, 61.0, 68.25, 99.0, 100.0}) {
      const auto values = forecaster.point_at(after_days(day));
      ASSERT_TRUE(values);
      const Forecast whole = made(s, after_days(day), model);
      EXPECT_EQ(values->model, whole.model);
      EXPECT_EQ(values->hours, values_of(whole.series)) << to_string(model) << day;
      EXPECT_EQ(forecaster.at(after_days(day))->paths, whole.paths);
    }
  }
}

TEST(Forecaster, NeedsHalfAWeekOnlyForValuesWithoutPaths) {
  const Series s = weather(20, 5);
  Forecaster forecaster(s, hours(14 * 24), Model::ridge);
  EXPECT_FALSE(forecaster.point_at(after_days(3)));
  const auto values = forecaster.point_at(after_days(5));
  ASSERT_TRUE(values);
  EXPECT_EQ(values->model, Model::climatology);
  EXPECT_EQ(values->hours.size(), 14U * 24);
  EXPECT_FALSE(forecaster.at(after_days(19)));
}

// ---- histories as they are ----

TEST(Forecast, OfLateValuesBeginsAtItsOriginAndSaysSo) {
  Series s = weather(100, 6);
  s.points.resize(90 * 24 - 30);
  const Forecast f = made(s, after_days(90));
  EXPECT_EQ(f.series.points.front().start, after_days(90));
  EXPECT_EQ(f.series.points.size(), 48);
  EXPECT_THAT(f.note, HasSubstr("the newest value is 30 h old"));
  const auto too_old = make_forecast(s, after_days(97), hours(24), Model::ridge);
  ASSERT_FALSE(too_old);
  EXPECT_EQ(too_old.error().kind, Error::Kind::unavailable);
  EXPECT_THAT(too_old.error().what, HasSubstr("8 days old"));
}

TEST(Forecast, FillsMissingLagsFromEarlierDaysAndSaysSo) {
  const Series whole = hourly(100, daily);
  Series s = whole;
  std::erase_if(s.points, [](const Point& p) {
    const Hour h = hour_of(p.start) - kStart;
    return (h >= 90 * kDay - 6 && h < 90 * kDay - 2) || (h >= 40 * kDay && h < 47 * kDay);
  });
  const Forecast f = made(s, after_days(90));
  EXPECT_THAT(f.note, HasSubstr("missing values taken from the same hour"));
  EXPECT_THAT(made(whole, after_days(90)).note, ::testing::Not(HasSubstr("missing")));
  for (std::size_t h = 0; h < 48; ++h) EXPECT_NEAR(f.series.points[h].value.value(), daily(static_cast<Hour>(h)), 1);
}

TEST(Forecast, AHoleInThePastCostsRowsAndPathsButNoSense) {
  Series s = weather(200, 7);
  std::mt19937_64 random(8);
  std::erase_if(s.points, [&](const Point&) { return random() % 50 == 0; });
  const auto b = backtest(s, {after_days(150), after_days(195)}, hours(48), Model::ridge);
  const auto whole = backtest(weather(200, 7), {after_days(150), after_days(195)}, hours(48), Model::ridge);
  ASSERT_TRUE(b && whole);
  EXPECT_EQ(b->origins, 45);
  EXPECT_EQ(b->skipped, 0);
  EXPECT_LT(b->days[0].mape.value(), 1.25 * whole->days[0].mape.value());
}

TEST(Forecast, OfAShortHistoryFallsBackAndSaysSo) {
  const Series s = weather(100, 9);
  const Forecast f = made(s, after_days(25));
  EXPECT_EQ(f.model, Model::climatology);
  EXPECT_THAT(f.note, HasSubstr("climatology from 25 days"));
  EXPECT_THAT(f.note, HasSubstr("ridge needs more"));
  EXPECT_EQ(made(s, after_days(42), Model::ridge, hours(96)).model, Model::ridge) << "six weeks are enough";
}

TEST(Forecast, BorrowsPathsUntilItHasItsOwn) {
  const Series s = weather(300, 10);
  const Forecast young = made(s, after_days(60));
  EXPECT_EQ(young.model, Model::ridge);
  EXPECT_THAT(young.note, HasSubstr("of them climatology's"));
  EXPECT_GT(young.paths.size(), 40);
  const Forecast old = made(s, after_days(290));
  EXPECT_THAT(old.note, ::testing::Not(HasSubstr("climatology")));
  EXPECT_GE(old.paths.size(), 60);
}

TEST(Forecast, IsRefusedWhereThereIsNothingToLearnFrom) {
  const Series s = weather(60, 11);
  for (const double day : {-1.0, 0.0, 2.0, 5.0}) {
    const auto f = make_forecast(s, after_days(day), hours(48), Model::ridge);
    ASSERT_FALSE(f) << day;
    EXPECT_EQ(f.error().kind, Error::Kind::unavailable);
  }
  Series annual = s;
  annual.resolution = {};
  EXPECT_FALSE(make_forecast(annual, after_days(50), hours(48), Model::ridge));
  annual.resolution = hours(3);
  EXPECT_FALSE(make_forecast(annual, after_days(50), hours(48), Model::ridge));
  Series holes = s;
  std::erase_if(holes.points, [](const Point& p) { return (hour_of(p.start) - kStart) % 24 == 5; });
  EXPECT_FALSE(make_forecast(holes, after_days(50), hours(48), Model::ridge)) << "05 h is never known";
  for (const int length : {0, -5, 337}) {
    const auto f = make_forecast(s, after_days(50), hours(length), Model::ridge);
    ASSERT_FALSE(f);
    EXPECT_EQ(f.error().kind, Error::Kind::usage);
  }
}

TEST(Forecast, CoversItsLengthFromInsideAnHour) {
  const Series s = weather(60, 12);
  const Nanoseconds origin = after_days(50) + minutes(20);
  const Forecast f = made(s, origin);
  EXPECT_TRUE(f.series.covers({origin, origin + hours(48)}));
  EXPECT_EQ(f.series.points.front().start, after_days(50));
  EXPECT_EQ(f.paths.front().size(), f.series.points.size());
}

TEST(Forecast, NearZeroStaysFinite) {
  // Noon is free on most days.
  std::mt19937_64 random(13);
  const Series s = hourly(150, [&](Hour h) { return h % 24 >= 10 && h % 24 < 15 && random() % 4 != 0 ? 0 : daily(h); });
  for (const Model model : {Model::ridge, Model::seasonal_naive, Model::climatology}) {
    const Forecast f = made(s, after_days(140), model);
    EXPECT_THAT(f.note, HasSubstr("are forecast as that"));
    for (const Point& p : f.series.points) {
      EXPECT_GT(p.value.value(), 0);
      EXPECT_LT(p.value.value(), 900);
      EXPECT_GE(p.band.minus, -1);
    }
    for (const auto& path : f.paths) {
      for (const double e : path) EXPECT_TRUE(std::isfinite(e) && e >= -1);
    }
    const auto b = backtest(s, {after_days(100), after_days(145)}, hours(24), model);
    ASSERT_TRUE(b);
    EXPECT_TRUE(std::isfinite(b->days.front().mape.value()));
  }
}

TEST(Forecast, OfNothingButZerosIsZero) {
  const Series s = hourly(60, [](Hour) { return 0.0; });
  for (const Model model : {Model::ridge, Model::seasonal_naive, Model::climatology}) {
    const Forecast f = made(s, after_days(50), model);
    for (const Point& p : f.series.points) EXPECT_EQ(p.value.value(), 0);
    for (const auto& path : f.paths) EXPECT_THAT(path, ::testing::Each(0.0));
  }
}

TEST(Forecast, KeepsWhatTheSignalMeans) {
  Series s = weather(60, 14);
  s.signal.kind = SignalKind::marginal;
  s.signal.source = "somebody 2021";
  s.terms["table"] = Shift::symmetric(0.1);
  const Forecast f = made(s, after_days(50));
  EXPECT_EQ(f.series.signal.kind, SignalKind::marginal);
  EXPECT_EQ(f.series.signal.data_kind, "forecast");
  EXPECT_EQ(f.series.signal.source, "somebody 2021; forecast by ridge");
  EXPECT_EQ(f.series.terms, s.terms);
  EXPECT_EQ(parse_model(to_string(Model::seasonal_naive)), Model::seasonal_naive);
  EXPECT_FALSE(parse_model("oracle"));
}

TEST(ProviderForecast, IsDressedInTheErrorsOfOurOwnModel) {
  const Series s = weather(100, 20);
  Series provided;
  provided.signal.source = "a provider";
  provided.resolution = minutes(30);
  const auto add = [&](double hour) {
    provided.points.push_back({after_days(90 + hour / 24), GramsPerKwh(100 + hour), PointKind::forecast, {}});
  };
  for (int i = -4; i < 60; ++i) {
    if (i != 0 && i != 1) add(i / 2.0);  // nothing of the first hour, as when the next one is the first that is told
  }
  for (int i = 70; i < 80; ++i) add(i / 2.0);  // behind a hole
  const auto f = with_paths(provided, s, after_days(90));
  ASSERT_TRUE(f) << f.error().message();
  ASSERT_EQ(f->series.points.size(), 29);
  EXPECT_EQ(f->series.points.front().start, after_days(90) + hours(1));
  EXPECT_DOUBLE_EQ(f->series.points.front().value.value(), 101.25);
  EXPECT_DOUBLE_EQ(f->series.points.back().value.value(), 129.25);
  const Forecast ours = made(s, after_days(90), Model::ridge, hours(30));
  ASSERT_EQ(f->paths.size(), ours.paths.size());
  EXPECT_EQ(f->paths.back(), std::vector<double>(ours.paths.back().begin() + 1, ours.paths.back().end()));
  EXPECT_LT(f->series.points.back().band.minus, 0);
  EXPECT_THAT(f->note, HasSubstr("a provider, which publishes no errors"));
  const auto nothing = with_paths(provided, s, after_days(92));
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().kind, Error::Kind::unavailable);
  EXPECT_FALSE(with_paths(provided, weather(3, 21), after_days(90))) << "no errors to be had";
}

// ---- laws ----

Model any_model() { return *rc::gen::element(Model::ridge, Model::seasonal_naive, Model::climatology); }

RC_GTEST_PROP(ForecastProperty, WhatComesAfterTheOriginChangesNothing, ()) {
  const Series s = weather(70, *rc::gen::arbitrary<std::uint32_t>());
  const Nanoseconds origin = after_days(*rc::gen::inRange(30, 69)) + minutes(*rc::gen::inRange(0, 24 * 60));
  const Model model = any_model();
  Series other = s;
  std::mt19937_64 random(*rc::gen::arbitrary<std::uint32_t>());
  std::erase_if(other.points, [&](const Point& p) { return p.start + hours(1) > origin && random() % 4 == 0; });
  for (Point& p : other.points) {
    if (p.start + hours(1) > origin) p.value = GramsPerKwh(static_cast<double>(random() % 100'000));
  }
  const auto a = make_forecast(s, origin, hours(30), model);
  const auto b = make_forecast(other, origin, hours(30), model);
  RC_ASSERT(a.has_value());
  RC_ASSERT(b.has_value());
  RC_ASSERT(a->series.points == b->series.points);
  RC_ASSERT(a->paths == b->paths);
  RC_ASSERT(a->note == b->note);
  const auto c = Forecaster(s, hours(30), model).point_at(origin), d = Forecaster(other, hours(30), model).point_at(origin);
  RC_ASSERT(c->hours == d->hours);
}

RC_GTEST_PROP(ForecastProperty, ASeriesTwiceAsHighHasAForecastTwiceAsHigh, ()) {
  const Series s = weather(60, *rc::gen::arbitrary<std::uint32_t>());
  const double factor = *rc::gen::element(0.001, 0.1, 3.0, 1000.0);
  const Model model = any_model();
  Series scaled = s;
  for (Point& p : scaled.points) p.value = p.value * factor;
  const Forecast a = made(s, after_days(55), model, hours(30));
  const Forecast b = made(scaled, after_days(55), model, hours(30));
  for (std::size_t h = 0; h < 30; ++h) {
    RC_ASSERT(std::abs(b.series.points[h].value / (a.series.points[h].value * factor) - 1) < 1e-6);
    RC_ASSERT(std::abs(b.series.points[h].band.plus - a.series.points[h].band.plus) < 1e-6);
  }
}

RC_GTEST_PROP(ForecastProperty, BandsHoldTheValueAndPathsHaveItsLength, ()) {
  const Series s = weather(100, *rc::gen::arbitrary<std::uint32_t>(), 0.01 * *rc::gen::inRange(1, 60));
  const int length = *rc::gen::inRange(1, 100);
  const auto f = make_forecast(s, after_days(*rc::gen::inRange(30, 100)), hours(length), any_model());
  RC_ASSERT(f.has_value());
  RC_ASSERT(static_cast<int>(f->series.points.size()) == length);
  RC_ASSERT(f->paths.size() >= 5);
  for (const auto& path : f->paths) RC_ASSERT(path.size() == f->series.points.size());
  for (const Point& p : f->series.points) RC_ASSERT(p.band.minus >= -1 && p.band.minus <= 0 && p.band.plus >= 0);
}

TEST(Bands, AreTheOuterTwentiethsOfThePaths) {
  std::vector<std::vector<double>> paths;
  for (int k = 1; k <= 99; ++k) paths.push_back({0.01 * (k - 50), 0.01 * (k - 50)});
  const auto b = bands(paths, 2);
  ASSERT_EQ(b.size(), 2);
  EXPECT_NEAR(b[0].plus, 0.45, 1e-12);  // the 95th of 99
  EXPECT_NEAR(b[0].minus, -0.45, 1e-12);
  const auto few = bands({{0.1}, {0.3}, {0.2}}, 1);
  EXPECT_EQ(few.front(), (Shift{0, 0.3})) << "of few the outermost, and never away from the value";
}

}  // namespace
}  // namespace gramwatt::grid
