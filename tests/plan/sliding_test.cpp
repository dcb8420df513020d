// Every start at once against the same question asked one start at a time.

#include "plan/sliding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

#include "plan/policies.hpp"

namespace gramwatt::plan {
namespace {

using Values = std::vector<MilligramsPerKwh>;

struct OneStart {
  Sum sum = 0;
  std::uint32_t chosen = 0;
};

OneStart flexible_start_of(const Values& c, std::size_t start, int length, int window) {
  OneStart best;
  for (std::size_t i = start; i + static_cast<std::size_t>(length) <= start + static_cast<std::size_t>(window); ++i) {
    const auto from = c.begin() + static_cast<std::ptrdiff_t>(i);
    const Sum sum = std::accumulate(from, from + length, Sum{0});
    if (i == start || sum < best.sum) best = {sum, static_cast<std::uint32_t>(i)};
  }
  return best;
}

struct OnePlan {
  Sum sum = 0, restarted = 0, paused = 0, waited = 0;
  std::uint32_t runs = 0;
};

OnePlan pause_resume_of(const Values& c, std::size_t start, int length, int window, const Values& judged) {
  std::vector<std::size_t> slots(static_cast<std::size_t>(window));
  std::iota(slots.begin(), slots.end(), start);
  std::stable_sort(slots.begin(), slots.end(), [&](std::size_t a, std::size_t b) { return c[a] < c[b]; });
  slots.resize(static_cast<std::size_t>(length));
  std::sort(slots.begin(), slots.end());
  OnePlan p;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    p.sum += judged[slots[i]];
    if (i > 0 && slots[i] == slots[i - 1] + 1) continue;
    ++p.runs;
    if (i > 0) p.restarted += judged[slots[i]];
  }
  for (std::size_t i = start; i < slots.front(); ++i) p.waited += judged[i];
  for (std::size_t i = slots.front(); i <= slots.back(); ++i) p.paused += judged[i];
  p.paused -= p.sum;
  return p;
}

OnePlan pause_resume_of(const Values& c, std::size_t start, int length, int window) {
  return pause_resume_of(c, start, length, window, c);
}

/// A series, mostly with many equal values, and a job and window that fit.
struct Case {
  Values values;
  int length, window;
};

Case any_case() {
  const int n = *rc::gen::inRange(1, 300);
  const int spread = *rc::gen::element(1, 2, 5, 1000, 1'000'000);
  Case c;
  c.values = *rc::gen::container<Values>(static_cast<std::size_t>(n), rc::gen::inRange(-spread / 4, spread));
  c.window = *rc::gen::oneOf(rc::gen::inRange(1, n + 1), rc::gen::just(n));
  c.length = *rc::gen::oneOf(rc::gen::inRange(1, c.window + 1), rc::gen::just(1), rc::gen::just(c.window));
  return c;
}

RC_GTEST_PROP(Sliding, FlexibleStartIsTheBestRunOfEachWindowAndTheEarliestOfEquals, ()) {
  const Case c = any_case();
  Sliding sliding(c.values);
  const auto& got = sliding.flexible_start(c.length, c.window);
  RC_ASSERT(got.sum.size() == c.values.size() - static_cast<std::size_t>(c.window) + 1);
  for (std::size_t s = 0; s < got.sum.size(); ++s) {
    const OneStart want = flexible_start_of(c.values, s, c.length, c.window);
    RC_ASSERT(got.sum[s] == want.sum);
    RC_ASSERT(got.chosen[s] == want.chosen);
  }
}

RC_GTEST_PROP(Sliding, PauseResumeIsTheLowestSlotsOfEachWindowAndTheEarliestOfEquals, ()) {
  const Case c = any_case();
  Sliding sliding(c.values);
  const auto& got = sliding.pause_resume(c.length, c.window, true);
  RC_ASSERT(got.sum.size() == c.values.size() - static_cast<std::size_t>(c.window) + 1);
  for (std::size_t s = 0; s < got.sum.size(); ++s) {
    const OnePlan want = pause_resume_of(c.values, s, c.length, c.window);
    RC_ASSERT(got.sum[s] == want.sum);
    RC_ASSERT(got.runs[s] == want.runs);
    RC_ASSERT(got.restarted[s] == want.restarted);
    RC_ASSERT(got.paused[s] == want.paused);
    RC_ASSERT(got.waited[s] == want.waited);
  }
}

RC_GTEST_PROP(Sliding, WithoutCostsTheAnswerIsTheSame, ()) {
  const Case c = any_case();
  Sliding sliding(c.values);
  const auto with = sliding.pause_resume(c.length, c.window, true);
  const auto& without = sliding.pause_resume(c.length, c.window);
  RC_ASSERT(without.sum == with.sum);
  RC_ASSERT(without.runs == with.runs);
  RC_ASSERT(without.restarted.empty());
}

RC_GTEST_PROP(Sliding, PausesNeverLoseAgainstOneRunAndOneRunNeverAgainstNow, ()) {
  const Case c = any_case();
  Sliding sliding(c.values);
  const auto flexible = sliding.flexible_start(c.length, c.window);
  const auto& paused = sliding.pause_resume(c.length, c.window);
  for (std::size_t s = 0; s < flexible.sum.size(); ++s) {
    RC_ASSERT(paused.sum[s] <= flexible.sum[s]);
    RC_ASSERT(flexible.sum[s] <= sliding.run(s, c.length));
  }
}

RC_GTEST_PROP(Sliding, MoreTimeIsNeverWorse, ()) {
  const Case c = any_case();
  RC_PRE(static_cast<std::size_t>(c.window) < c.values.size());
  Sliding sliding(c.values);
  const auto flexible = sliding.flexible_start(c.length, c.window);
  const auto paused = sliding.pause_resume(c.length, c.window);
  const auto& flexible_longer = sliding.flexible_start(c.length, c.window + 1);
  const auto& paused_longer = sliding.pause_resume(c.length, c.window + 1);
  for (std::size_t s = 0; s < flexible_longer.sum.size(); ++s) {
    RC_ASSERT(flexible_longer.sum[s] <= flexible.sum[s]);
    RC_ASSERT(paused_longer.sum[s] <= paused.sum[s]);
  }
}

/// The policies of one problem at a time (plan/policies.hpp), and what they weigh with costs.
RC_GTEST_PROP(Sliding, AgreesWithThePoliciesOfOneProblem, ()) {
  const Case c = any_case();
  constexpr Quanta kFull = 10, kRestart = 7, kWait = 3;
  Sliding sliding(c.values);
  const auto flexible = sliding.flexible_start(c.length, c.window);
  const auto& paused = sliding.pause_resume(c.length, c.window, true);
  const std::size_t s = *rc::gen::inRange<std::size_t>(0, paused.sum.size());
  Problem p;
  const auto from = c.values.begin() + static_cast<std::ptrdiff_t>(s);
  p.intensity.assign(from, from + c.window);
  p.steps.assign(static_cast<std::size_t>(c.length), kFull);
  p.quantum = Joules(1);
  RC_ASSERT(weigh(p, *flexible_start(p)) == kFull * flexible.sum[s]);
  p.restart_energy = kRestart;
  p.wait = kWait;
  RC_ASSERT(weigh(p, *pause_resume(p)) ==
            kFull * paused.sum[s] + kRestart * paused.restarted[s] + kWait * (paused.paused[s] + paused.waited[s]));
}

RC_GTEST_PROP(Sliding, JudgedByAnotherSeriesTheChoiceIsTheSame, ()) {
  const Case c = any_case();
  const Values other = *rc::gen::container<Values>(c.values.size(), rc::gen::inRange(0, 1000));
  Sliding plain(c.values), judged(c.values, other);
  const auto flexible = plain.flexible_start(c.length, c.window);
  const auto& weighed = judged.flexible_start(c.length, c.window);
  RC_ASSERT(weighed.chosen == flexible.chosen);
  const auto& paused = judged.pause_resume(c.length, c.window, true);
  for (std::size_t s = 0; s < weighed.sum.size(); ++s) {
    const auto from = other.begin() + weighed.chosen[s];
    RC_ASSERT(weighed.sum[s] == std::accumulate(from, from + c.length, Sum{0}));
    const OnePlan want = pause_resume_of(c.values, s, c.length, c.window, other);
    RC_ASSERT(paused.sum[s] == want.sum);
    RC_ASSERT(paused.runs[s] == want.runs);
    RC_ASSERT(paused.restarted[s] == want.restarted);
    RC_ASSERT(paused.paused[s] == want.paused);
    RC_ASSERT(paused.waited[s] == want.waited);
  }
}

TEST(Sliding, OneSlotTakesTheLeastOfItsWindow) {
  const Values c{5, 3, 4, 1, 2, 9};
  Sliding sliding(c);
  EXPECT_THAT(sliding.flexible_start(1, 3).sum, testing::ElementsAre(3, 1, 1, 1));
  EXPECT_THAT(sliding.pause_resume(1, 3).sum, testing::ElementsAre(3, 1, 1, 1));
}

TEST(Sliding, AWindowLongerThanTheSeriesHasNoStart) {
  const Values c{5, 3, 4};
  Sliding sliding(c);
  EXPECT_EQ(sliding.starts(4), 0U);
  EXPECT_TRUE(sliding.flexible_start(2, 4).sum.empty());
  EXPECT_TRUE(sliding.pause_resume(2, 4).sum.empty());
  Sliding nothing(Values{});
  EXPECT_EQ(nothing.starts(1), 0U);
}

/// More ranks than one group of words holds: the second level is walked in both directions.
TEST(Sliding, LongSeriesWithFewRanksInTheWindow) {
  Values c;
  std::uint32_t state = 1;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 1664525 + 1013904223;
    c.push_back(static_cast<MilligramsPerKwh>(state >> 12));
  }
  Sliding sliding(c);
  for (const auto& [length, window] : {std::pair{1, 2}, std::pair{3, 7}, std::pair{4, 5}, std::pair{40, 300}}) {
    const auto& got = sliding.pause_resume(length, window);
    for (std::size_t s = 0; s < got.sum.size(); s += window < 10 ? 1 : 97) {
      const OnePlan want = pause_resume_of(c, s, length, window);
      ASSERT_EQ(got.sum[s], want.sum) << s;
      ASSERT_EQ(got.runs[s], want.runs) << s;
    }
  }
}

}  // namespace
}  // namespace gramwatt::plan
