// Forecasts in the study: what plans knew and what they did not, and what they paid.

#include "plan/facct22_forecast.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <numbers>
#include <random>

namespace gramwatt::plan::facct22 {
namespace {

using namespace std::chrono_literals;
using grid::Model;
using testing::ElementsAre;

constexpr int kPast = 60;  // days of history before the first start: ridge wants 49
constexpr Nanoseconds kStart = 24h * kPast;
constexpr std::array kRestarts{Payment::restarts};
constexpr Model kModels[] = {Model::ridge, Model::seasonal_naive, Model::climatology};

using Values = std::vector<double>;  // by hour since 1970

Values repeating_day(int days) {
  Values out;
  for (int h = 0; h < days * 24; ++h) out.push_back(300 + 100 * std::sin(2 * std::numbers::pi * h / 24) + h % 24 % 7);
  return out;
}

/// A day that repeats, and weather.
Values weather(int days, std::uint32_t seed) {
  Values out = repeating_day(days);
  std::mt19937 random(seed);
  double state = 0;
  for (double& v : out) {
    state = 0.95 * state + (static_cast<double>(random() % 1000) - 500) / 2000;
    v *= std::exp(0.3 * state);
  }
  return out;
}

grid::Series series(const Values& values) {
  grid::Series s;
  s.resolution = 1h;
  for (std::size_t h = 0; h < values.size(); ++h)
    s.points.push_back({std::chrono::hours(h), GramsPerKwh(values[h]), grid::PointKind::observed, {}});
  return s;
}

/// All that comes from kStart on, in slots.
std::vector<Stretch> known(const Values& values, Nanoseconds slot = 1h) {
  const auto past = static_cast<std::size_t>(kStart / 1h);
  const auto all = make_slots(series(values), kStart, slot, (values.size() - past) * static_cast<std::size_t>(1h / slot));
  return {{*all, {}}};
}

Asked asked(Nanoseconds time, Starts starts = Starts::sixty, Nanoseconds slot = 1h) {
  return {{kStart, kStart + time}, slot, starts};
}

Forecasts studied(const Values& values, const Asked& a, Model model, const std::optional<Paid>& paid = {}) {
  const auto stretches = known(values, a.slot);
  Cells cells = study(stretches, a);
  if (paid) add_exact_at(start_slots(a), cells, stretches, a, *paid);
  return study_forecasts(cells, stretches, a, series(values), model, paid);
}

void expect_same(const Part& a, const Part& b) {
  EXPECT_EQ(a.total, b.total);
  EXPECT_NEAR(a.shares, b.shares, 1e-9);
}

TEST(Facct22Forecast, SaysOfSlotsWhatItSaysOfTheirHours) {
  Foretold::Made made{Model::ridge, 10h, {}};
  for (int h = 0; h < 14 * 24; ++h) made.hours.push_back(1000 * h);
  EXPECT_THAT(expected(made, 10h + 50min, 5min, 4), ElementsAre(0, 0, 1000, 1000));
  EXPECT_THAT(expected(made, 10h + 45min, 30min, 3), ElementsAre(500, 1000, 1500));
  EXPECT_THAT(expected(made, 10h, 3h, 2), ElementsAre(1000, 4000));
}

TEST(Facct22Forecast, BehindItsEndItsLastWeekComesAgain) {
  Foretold::Made made{Model::ridge, 0h, {}};
  for (int h = 0; h < 14 * 24; ++h) made.hours.push_back(h);
  const auto all = expected(made, 0h, 1h, 24 * 30);
  EXPECT_EQ(all[14 * 24 - 1], 14 * 24 - 1);
  for (std::size_t h = 14 * 24; h < all.size(); ++h) EXPECT_EQ(all[h], all[h - 168]);
}

TEST(Facct22Forecast, OfADayThatRepeatsKeepsAllOfTheSaving) {
  const Values values = repeating_day(kPast + 30);
  for (const Model model : {Model::seasonal_naive, Model::climatology}) {
    const Forecasts f = studied(values, asked(24h), model, Paid{30min, Ratio(0.2), kAllPayments});
    EXPECT_EQ(f.starts, 24U);
    EXPECT_EQ(f.without, 0U);
    for (std::size_t w = 0; w < kSlacks; ++w) {
      for (std::size_t j = 0; j < kJobs; ++j) {
        const Cell &is = f.told[w][j], &best = f.known[w][j];
        ASSERT_EQ(is.starts, best.starts);
        EXPECT_EQ(is.unknown, best.unknown);
        EXPECT_EQ(is.now, best.now);
        for (const Policy p : {Policy::flexible_start, Policy::pause_resume}) {
          expect_same(is.of(p).carbon, best.of(p).carbon);
          expect_same(is.of(p).waiting, best.of(p).waiting);
          expect_same(is.of(p).restarts, best.of(p).restarts);
          expect_same(is.of(p).pausing, best.of(p).pausing);
          EXPECT_EQ(is.of(p).pauses, best.of(p).pauses);
        }
        for (const Payment p : kAllPayments) {
          if (!exact_saving(best, p)) continue;
          EXPECT_NEAR(exact_saving(is, p)->ratio_of_totals.value(), exact_saving(best, p)->ratio_of_totals.value(), 1e-5);
        }
      }
    }
  }
}

/// Seasonal naive says yesterday; so what each plan does can be said in a few lines.
TEST(Facct22Forecast, PlansByYesterdayAndPaysToday) {
  const Values v = weather(kPast + 30, 5);
  const Asked a = asked(24h * 5, Starts::all);
  const Forecasts f = studied(v, a, Model::seasonal_naive);
  const auto at = [&](std::size_t s, std::size_t h) { return std::lround(1000 * v[kPast * 24 + s + h]); };
  // 6 hours of up to 18: planned once. What is expected of hour h is that of 24 hours before.
  const Cell& cell = f.told[1][0];
  ASSERT_EQ(cell.shape, (Shape{6, 18}));
  Sum start = 0, pauses = 0;
  for (std::size_t s = 0; s < 120; ++s) {
    const auto yesterday = [&](std::size_t h) { return std::lround(1000 * v[kPast * 24 + s + h - 24]); };
    std::vector<std::pair<Sum, std::size_t>> starts, hours;
    for (std::size_t b = 0; b <= 12; ++b) {
      Sum sum = 0;
      for (std::size_t h = b; h < b + 6; ++h) sum += yesterday(h);
      starts.emplace_back(sum, b);
    }
    for (std::size_t h = 0; h < 18; ++h) hours.emplace_back(yesterday(h), h);
    std::sort(hours.begin(), hours.end());
    const std::size_t begin = std::min_element(starts.begin(), starts.end())->second;
    for (std::size_t h = begin; h < begin + 6; ++h) start += at(s, h);
    for (std::size_t i = 0; i < 6; ++i) pauses += at(s, hours[i].second);
  }
  EXPECT_EQ(cell.of(Policy::flexible_start).carbon.total, start);
  EXPECT_EQ(cell.of(Policy::pause_resume).carbon.total, pauses);
}

/// Hour 2 was clean and hour 10 was dirty, until the start; from then on it is the other way round. Of 43 hours 19 are needed.
/// The first plan takes hour 2 of both days and the earliest others but hour 10. On the second day, when one hour is left to
/// do, hour 10 is known to be clean.
TEST(Facct22Forecast, ReplansEveryDayFromWhereTheJobStands) {
  Values v(static_cast<std::size_t>(kPast + 30) * 24, 500);
  for (int d = 0; d < kPast + 30; ++d) {
    v[static_cast<std::size_t>(d * 24 + 2)] = d < kPast ? 400 : 600;
    v[static_cast<std::size_t>(d * 24 + 10)] = d < kPast ? 600 : 400;
  }
  const Cell cell = studied(v, {{kStart, kStart + 1h}, 1h, Starts::all}, Model::seasonal_naive).told[3][7];
  ASSERT_EQ(cell.shape, (Shape{19, 43}));
  EXPECT_EQ(cell.of(Policy::pause_resume).carbon.total, 1000 * (17 * 500 + 600 + 400));  // 600 at the end, were it not for news
  EXPECT_EQ(cell.of(Policy::pause_resume).pauses, 2U);
}

/// Whatever comes after a moment does not change what was planned until then: what is paid is left as it is, what plans see is
/// changed from the start of day n of the only start on. Windows that end within a day of that were planned before.
RC_GTEST_PROP(Facct22Forecast, KnowsNothingOfTheFuture, ()) {
  const Values values = weather(kPast + 30, *rc::gen::arbitrary<std::uint32_t>());
  const Model model = *rc::gen::elementOf(std::vector<Model>(std::begin(kModels), std::end(kModels)));
  const Asked a{{kStart, kStart + 1h}, 1h, Starts::all};
  const int days = *rc::gen::inRange(0, 18);
  Values other = values;
  std::mt19937 random(*rc::gen::arbitrary<std::uint32_t>());
  for (auto h = static_cast<std::size_t>(kPast + days) * 24; h < other.size(); ++h)
    other[h] = static_cast<double>(random() % 2000);

  const auto stretches = known(values);
  const Paid paid{10min, Ratio(0.2), kRestarts};
  Cells cells = study(stretches, a);
  add_exact_at(start_slots(a), cells, stretches, a, paid);
  const Forecasts first = study_forecasts(cells, stretches, a, series(values), model, paid);
  const Forecasts second = study_forecasts(cells, stretches, a, series(other), model, paid);
  std::size_t seen = 0;
  for (std::size_t w = 0; w < kSlacks; ++w) {
    for (std::size_t j = 0; j < kJobs; ++j) {
      const Cell &one = first.told[w][j], &two = second.told[w][j];
      if (one.shape.window > 24 * (days + 1)) continue;
      ++seen;
      for (std::size_t p = 0; p < facct22::kPolicies; ++p) {
        RC_ASSERT(one.by_policy[p].carbon.total == two.by_policy[p].carbon.total);
        RC_ASSERT(one.by_policy[p].waiting.total == two.by_policy[p].waiting.total);
        RC_ASSERT(one.by_policy[p].pausing.total == two.by_policy[p].pausing.total);
      }
      RC_ASSERT(one.exact.front()->total == two.exact.front()->total);
    }
  }
  RC_ASSERT(seen > 0U);
}

/// The test above would pass if plans looked at nothing at all.
TEST(Facct22Forecast, KnowsThePast) {
  const Values values = weather(kPast + 30, 9);
  Values other = values;
  for (std::size_t h = 0; h < kPast * 24; ++h) other[h] = 2000 - values[h];
  const Asked a = asked(24h * 2);
  const auto stretches = known(values);
  const Cells cells = study(stretches, a);
  for (const Model model : kModels) {
    const Cell one = study_forecasts(cells, stretches, a, series(values), model).told[0][0];
    const Cell two = study_forecasts(cells, stretches, a, series(other), model).told[0][0];
    EXPECT_NE(one.of(Policy::flexible_start).carbon.total, two.of(Policy::flexible_start).carbon.total);
    EXPECT_EQ(one.now, two.now);
  }
}

TEST(Facct22Forecast, StartsWithoutAForecastAreInNeitherSideAndCounted) {
  const Values values = weather(kPast + 30, 3);
  grid::Series history = series(values);
  // Nothing is known before day 5 of the starts: climatology wants half a week.
  std::erase_if(history.points, [](const grid::Point& p) { return p.start < kStart + 24h * 5; });
  const Asked a = asked(24h * 10, Starts::all);
  const auto stretches = known(values);
  const Forecasts f = study_forecasts(study(stretches, a), stretches, a, history, Model::ridge);
  EXPECT_EQ(f.starts, 240U);
  EXPECT_GT(f.without, 8U * 24);
  EXPECT_LT(f.without, 9U * 24);
  EXPECT_EQ(f.fell_back, f.starts - f.without);
  EXPECT_EQ(f.known[0][0].starts, f.starts - f.without);
  EXPECT_EQ(f.told[0][0].starts, f.starts - f.without);
  EXPECT_EQ(f.told[0][0].now, f.known[0][0].now);
  EXPECT_EQ(f.told[0][0].unknown, 0U);
}

RC_GTEST_PROP(Facct22Forecast, NeverBeatsForesightAndAlwaysDoesTheWork, ()) {
  const Values values = weather(kPast + 25, *rc::gen::arbitrary<std::uint32_t>());
  const Model model = *rc::gen::elementOf(std::vector<Model>(std::begin(kModels), std::end(kModels)));
  const Nanoseconds slot = *rc::gen::element<Nanoseconds>(45min, 1h, 3h);
  const Asked a = asked(3 * slot, Starts::all, slot);
  const Forecasts f = studied(values, a, model, Paid{10min, Ratio(0.2), kRestarts});
  RC_ASSERT(f.fell_back == 0U);
  for (std::size_t w = 0; w < kSlacks; ++w) {
    for (std::size_t j = 0; j < kJobs; ++j) {
      const Cell &is = f.told[w][j], &best = f.known[w][j];
      RC_ASSERT(is.starts == best.starts);
      RC_ASSERT(is.now == best.now);
      for (std::size_t p = 0; p < facct22::kPolicies; ++p)
        RC_ASSERT(is.by_policy[p].carbon.total >= best.by_policy[p].carbon.total);
      RC_ASSERT(is.exact.front()->total >= best.exact.front()->total * (1 - 1e-6));
    }
  }
}

TEST(Facct22Forecast, AForecastByAnotherSignalIsPaidByTheJudge) {
  const Values values = weather(kPast + 25, 4);
  const Asked a = asked(24h * 3);
  std::vector<Stretch> stretches = known(values);
  stretches.front().judges.assign(stretches.front().slots.intensity.size(), 250'000);  // nothing can be saved there
  const Forecasts f = study_forecasts(study(stretches, a), stretches, a, series(values), Model::climatology);
  for (const auto& row : f.told) {
    for (const Cell& c : row) {
      if (c.starts == 0) continue;
      EXPECT_EQ(c.of(Policy::pause_resume).carbon.total, c.now);
      EXPECT_FALSE(kept(saving(c, Policy::pause_resume)->ratio_of_totals, Ratio(0)));
    }
  }
}

TEST(Facct22Forecast, KeptIsAPartOfWhatForesightSaves) {
  EXPECT_DOUBLE_EQ(kept(Ratio(0.06), Ratio(0.08))->value(), 0.75);
  EXPECT_LT(kept(Ratio(-0.01), Ratio(0.08))->value(), 0);
  EXPECT_FALSE(kept(Ratio(0.01), Ratio(0)));
  EXPECT_FALSE(kept(std::nullopt, Ratio(0.1)));
}

}  // namespace
}  // namespace gramwatt::plan::facct22
