// The published study: its jobs and windows in slots, its averages against sums made by hand, and the order that any series
// keeps.

#include "plan/facct22.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <map>

#include "plan/known.hpp"

namespace gramwatt::plan::facct22 {
namespace {

using namespace std::chrono_literals;
using testing::DoubleNear;
using testing::ElementsAre;

constexpr Policy kAll[] = {Policy::flexible_start, Policy::pause_resume};

Stretch slots_from(Nanoseconds start, Nanoseconds length, std::vector<MilligramsPerKwh> values,
                   std::vector<MilligramsPerKwh> judges = {}) {
  return {{start, length, std::move(values)}, std::move(judges)};
}

/// Rough values that repeat for nobody.
std::vector<MilligramsPerKwh> rough(std::size_t count, std::uint32_t seed) {
  std::vector<MilligramsPerKwh> out;
  for (std::size_t i = 0; i < count; ++i) {
    seed = seed * 1664525 + 1013904223;
    out.push_back(100'000 + static_cast<MilligramsPerKwh>(seed >> 14));
  }
  return out;
}

/// 40 days in hours: the longest windows (18 days) fit.
Asked forty_days(Starts starts) { return {{0s, 24h * 40}, 1h, starts}; }

TEST(Facct22, JobsAreRoundedUpToSlotsAndTheirSlackDown) {
  const Job short_job = jobs()[5];  // 25 minutes
  EXPECT_EQ(shape(short_job, slacks()[0], 5min).length, 5);
  EXPECT_EQ(shape(short_job, slacks()[0], 5min).window, 5 + 72);
  EXPECT_EQ(shape(short_job, slacks()[4], 5min).window, 5 + 1);  // 25 % are 6.25 minutes
  EXPECT_EQ(shape(short_job, slacks()[7], 5min).window, 5 + 5);
  EXPECT_EQ(shape(short_job, slacks()[7], 1h).length, 1);
  EXPECT_EQ(shape(short_job, slacks()[7], 1h).window, 1);  // it may not end a whole hour later
  EXPECT_EQ(shape(jobs()[2], slacks()[7], 5min).window, 4608);
}

TEST(Facct22, SixtyStartsOfAYearAreFiveAMonthAtAllHours) {
  for (const char* year : {"2020-01-01", "2021-01-01"}) {
    const Nanoseconds start = *parse_iso8601(year);
    const Nanoseconds end = start + 24h * (std::string_view(year).starts_with("2020") ? 366 : 365);
    std::map<std::string, int> months;
    std::map<std::int64_t, int> quarters_of_day;
    for (const std::size_t s : start_slots({{start, end}, 5min, Starts::sixty})) {
      const Nanoseconds at = start + static_cast<std::int64_t>(s) * 5min;
      ++months[iso8601(at).substr(0, 7)];
      ++quarters_of_day[at % 24h / 6h];
    }
    EXPECT_EQ(months.size(), 12U);
    for (const auto& [month, count] : months) EXPECT_EQ(count, 5) << month;
    for (const auto& [quarter, count] : quarters_of_day) EXPECT_GE(count, 12) << quarter;  // of 15
  }
}

TEST(Facct22, AllStartsAreEverySlotOfTheTime) {
  const auto starts = start_slots({{0s, 24h}, 1h, Starts::all});
  ASSERT_EQ(starts.size(), 24U);
  EXPECT_EQ(starts.front(), 0U);
  EXPECT_EQ(starts.back(), 23U);
}

/// In slots of an hour the job of 25 minutes takes one; +6 h is a window of seven.
TEST(Facct22, AveragesAreThoseMadeByHand) {
  const std::vector<MilligramsPerKwh> c{400, 100, 300, 200, 500, 600, 700, 800};
  const Asked asked{{0s, 2h}, 1h, Starts::all};  // two starts, both with their window
  const std::vector<Stretch> known{slots_from(0s, 1h, c)};
  const Cell cell = study(known, asked)[0][5];
  EXPECT_EQ(cell.starts, 2U);
  // From 0: 400 at once, 100 best. From 1: 100 at once and best.
  const auto s = saving(cell, Policy::flexible_start);
  ASSERT_TRUE(s);
  EXPECT_DOUBLE_EQ(s->mean_of_ratios.value(), 0.75 / 2);
  EXPECT_DOUBLE_EQ(s->ratio_of_totals.value(), 1 - 200.0 / 500);
  // Waiting an hour at half of full power from 0 on: 200 more.
  const auto charged = saving(cell, Policy::flexible_start, {{}, {}, Ratio(0.5)});
  EXPECT_DOUBLE_EQ(charged->mean_of_ratios.value(), (1 - 300.0 / 400) / 2);
  EXPECT_DOUBLE_EQ(charged->ratio_of_totals.value(), 1 - 400.0 / 500);
  EXPECT_DOUBLE_EQ((carbon_at_once(cell, jobs()[5]) / jobs()[5].energy).value(), 0.25);
}

/// The job of 19 hours and six more: 19 of 25 hours.
TEST(Facct22, PausesAreCountedAndChargedByWhatTheyMeet) {
  std::vector<MilligramsPerKwh> c(25, 100);
  c[0] = 900;                   // waits
  c[10] = c[11] = 500;          // a pause, behind it a restart in slot 12
  c[20] = c[21] = c[22] = 700;  // another one, restart in slot 23
  c[12] = 110;
  c[23] = 120;
  const Asked asked{{0s, 1h}, 1h, Starts::all};
  const std::vector<Stretch> known{slots_from(0s, 1h, c)};
  const Cell cell = study(known, asked)[0][6];
  ASSERT_EQ(cell.starts, 1U);
  const Outcome& o = cell.of(Policy::pause_resume);
  EXPECT_EQ(o.pauses, 2U);
  EXPECT_DOUBLE_EQ(pauses_per_hour(cell, Policy::pause_resume), 2.0 / 25);
  EXPECT_EQ(o.carbon.total, 17 * 100 + 110 + 120);
  EXPECT_EQ(o.restarts.total, 110 + 120);
  EXPECT_EQ(o.pausing.total, 2 * 500 + 3 * 700);
  EXPECT_EQ(o.waiting.total, 900);
  const double now = 900 + 2 * 500 + 15 * 100 + 110;
  const auto s = saving(cell, Policy::pause_resume, {30min, Ratio(0.1), Ratio(0.2)});
  EXPECT_THAT(s->mean_of_ratios.value(), DoubleNear(1 - (1930 + 0.5 * 230 + 0.1 * 3100 + 0.2 * 900) / now, 1e-12));
}

TEST(Facct22, StartsWithoutCarbonAreLeftOutOfTheMeanOfRatiosAndCounted) {
  std::vector<MilligramsPerKwh> c(8, 200);
  c[1] = 0;
  const Asked asked{{0s, 2h}, 1h, Starts::all};
  const std::vector<Stretch> known{slots_from(0s, 1h, c)};
  const Cell cell = study(known, asked)[0][5];
  EXPECT_EQ(cell.starts, 2U);
  EXPECT_EQ(cell.zero, 1U);
  EXPECT_DOUBLE_EQ(saving(cell, Policy::flexible_start)->mean_of_ratios.value(), 1);
  const std::vector<Stretch> nothing{slots_from(0s, 1h, std::vector<MilligramsPerKwh>(8, 0))};
  EXPECT_FALSE(saving(study(nothing, asked)[0][5], Policy::flexible_start));
}

TEST(Facct22, StartsWhoseWindowIsNotKnownAreCountedAndNotWeighed) {
  const Asked asked{{0s, 24h}, 1h, Starts::all};
  // Hours 0 to 9 and 12 to 29 are known: windows of seven hours fit at 0..3 and 12..23.
  const std::vector<Stretch> known{slots_from(0s, 1h, rough(10, 1)), slots_from(12h, 1h, rough(18, 2))};
  const Cell cell = study(known, asked)[0][5];
  EXPECT_EQ(cell.starts, 4U + 12U);
  EXPECT_EQ(cell.unknown, 8U);
}

TEST(Facct22, KnownSlotsLieWithinWhatTheRungsCoverTogether) {
  const auto series = [](std::vector<int> hours) {
    grid::Series s;
    s.resolution = 1h;
    for (const int h : hours) s.points.push_back({std::chrono::hours(h), GramsPerKwh(100.0 + h)});
    return s;
  };
  const grid::Ladder ladder{{series({0, 1, 5}), series({2, 7})}, {}};
  const auto slots = known_slots(ladder, {30min, 8h}, 45min);
  ASSERT_TRUE(slots) << slots.error().message();
  ASSERT_EQ(slots->size(), 3U);
  EXPECT_EQ((*slots)[0].start, 30min);  // 0:30 to 3:00: three slots and a rest
  EXPECT_THAT((*slots)[0].intensity, ElementsAre(100'333, 101'000, 102'000));
  EXPECT_EQ((*slots)[1].start, 5h);
  EXPECT_EQ((*slots)[2].start, 7h + 15min);
  EXPECT_EQ((*slots)[2].intensity.size(), 1U);
}

/// What any series keeps: pauses save no less than one start, that no less than nothing, and more time no less than less.
RC_GTEST_PROP(Facct22, PausesBeatStartsAndMoreTimeBeatsLess, ()) {
  const Asked asked = forty_days(Starts::all);
  const std::vector<Stretch> known{slots_from(0s, 1h, rough(24 * 60, *rc::gen::arbitrary<std::uint32_t>()))};
  const Cells cells = study(known, asked);
  for (std::size_t j = 0; j < kJobs; ++j) {
    for (std::size_t w = 0; w < kSlacks; ++w) {
      const auto flexible = saving(cells[w][j], Policy::flexible_start), paused = saving(cells[w][j], Policy::pause_resume);
      RC_ASSERT(cells[w][j].unknown == 0U);
      RC_ASSERT(flexible->ratio_of_totals.value() >= 0);
      RC_ASSERT(paused->ratio_of_totals >= flexible->ratio_of_totals);
      RC_ASSERT(paused->mean_of_ratios.value() >= flexible->mean_of_ratios.value() - 1e-12);
      if (w % 4 == 0) continue;
      for (const Policy p : kAll) RC_ASSERT(cells[w][j].of(p).carbon.total <= cells[w - 1][j].of(p).carbon.total);
    }
  }
}

/// Smooth enough for some pauses to be worth a restart, on slots of three hours (short problems).
std::vector<MilligramsPerKwh> waves(std::size_t count) {
  std::vector<MilligramsPerKwh> out = rough(count, 3);
  for (std::size_t i = 0; i < count; ++i) out[i] += i % 8 < 3 ? 0 : 400'000;
  return out;
}

TEST(Facct22, TheExactPlanIsNeverWorseThanThePublishedOnesUnderAnyPayment) {
  const Asked asked{{0s, 24h * 20}, 3h, Starts::sixty};
  const std::vector<Stretch> known{slots_from(0s, 3h, waves(8 * 30)), slots_from(24h * 31, 3h, waves(8 * 10))};
  Cells cells = study(known, asked);
  EXPECT_FALSE(exact_saving(cells[0][0], Payment::restarts));
  add_exact(cells, known, asked, 1h, Ratio(0.25));
  for (const auto& row : cells) {
    for (const Cell& c : row) {
      ASSERT_GT(c.starts, 20U);
      for (const Payment p : {Payment::restarts, Payment::held, Payment::kept}) {
        const double best = exact_saving(c, p)->ratio_of_totals.value();
        for (const Policy published : kAll)
          EXPECT_GE(best, saving(c, published, charges_of(p, 1h, Ratio(0.25)))->ratio_of_totals.value() - 1e-4);
        EXPECT_LE(best, saving(c, Policy::pause_resume)->ratio_of_totals.value() + 1e-4);
      }
    }
  }
  const Cell& c = cells[3][8];
  EXPECT_LT(pauses_per_start(c, Payment::restarts), pauses_per_start(c, Policy::pause_resume));
}

TEST(Facct22, TheExactPlanWithFreeRestartsIsPauseAndResume) {
  const Asked asked{{0s, 24h * 20}, 3h, Starts::sixty};
  const std::vector<Stretch> known{slots_from(0s, 3h, waves(8 * 40))};
  Cells cells = study(known, asked);
  add_exact(cells, known, asked, 0s, Ratio(0));
  for (const auto& row : cells) {
    for (const Cell& c : row) {
      const auto free = saving(c, Policy::pause_resume), best = exact_saving(c, Payment::restarts);
      EXPECT_NEAR(best->ratio_of_totals.value(), free->ratio_of_totals.value(), 1e-12);
      EXPECT_NEAR(best->mean_of_ratios.value(), free->mean_of_ratios.value(), 1e-12);
    }
  }
}

TEST(Facct22, APlanByOneSignalIsWeighedWithAnother) {
  const std::vector<MilligramsPerKwh> planned{400, 100, 300, 200, 500, 600, 700, 800};
  const std::vector<MilligramsPerKwh> judges{10, 40, 10, 10, 10, 10, 10, 10};
  const Asked asked{{0s, 1h}, 1h, Starts::all};
  const std::vector<Stretch> known{slots_from(0s, 1h, planned, judges)};
  Cells cells = study(known, asked);
  add_exact(cells, known, asked, 0s, Ratio(0));
  const Cell& c = cells[0][5];  // one slot of seven: the plan takes slot 1
  EXPECT_EQ(c.now, 10);
  for (const Policy p : kAll) EXPECT_DOUBLE_EQ(saving(c, p)->mean_of_ratios.value(), -3);
  EXPECT_DOUBLE_EQ(exact_saving(c, Payment::restarts)->mean_of_ratios.value(), -3);
  EXPECT_EQ(c.of(Policy::flexible_start).waiting.total, 10);
}

TEST(Facct22, CommonTimeIsWhatBothKnow) {
  using W = grid::Window;
  EXPECT_THAT(common({W{0s, 4s}, W{6s, 9s}}, {W{1s, 2s}, W{3s, 7s}, W{9s, 10s}}), ElementsAre(W{1s, 2s}, W{3s, 4s}, W{6s, 7s}));
  EXPECT_TRUE(common({W{0s, 4s}}, {}).empty());
}

TEST(Facct22, APublishedAverageIsFound) {
  EXPECT_DOUBLE_EQ(published(3, 8, Policy::pause_resume).saving.value(), 0.117);
  EXPECT_DOUBLE_EQ(published(7, 2, Policy::flexible_start).saving.value(), 0.026);
  EXPECT_DOUBLE_EQ(*published(0, 0, Policy::pause_resume).pauses_per_hour, 0.41);
  for (std::size_t w = 0; w < kSlacks; ++w) {
    for (std::size_t j = 0; j < kJobs; ++j)
      EXPECT_LE(published(w, j, Policy::flexible_start).saving, published(w, j, Policy::pause_resume).saving) << w << " " << j;
  }
}

TEST(Facct22, TheMeanOverRegionsTakesThoseThatThereAre) {
  const std::vector<std::optional<Saving>> all{Saving{Ratio(0.1), Ratio(0.3)}, std::nullopt, Saving{Ratio(0.2), Ratio(0.5)}};
  EXPECT_DOUBLE_EQ(mean(all)->mean_of_ratios.value(), 0.15);
  EXPECT_DOUBLE_EQ(mean(all)->ratio_of_totals.value(), 0.4);
  EXPECT_FALSE(mean({}));
}

}  // namespace
}  // namespace gramwatt::plan::facct22
