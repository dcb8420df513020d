// Widths of an elastic job: the exact plan against every plan, the greedy one against both its bound and the exact one.

#include "plan/elastic.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

#include "plan/policies.hpp"

namespace gramwatt::plan {
namespace {

/// Any curve: with bends, falling parts and equal points. Intensities may be below zero.
ElasticProblem problem(int most_slots, int most_workers) {
  ElasticProblem p;
  p.intensity = *rc::gen::container<std::vector<MilligramsPerKwh>>(
      static_cast<std::size_t>(*rc::gen::inRange(1, most_slots + 1)), rc::gen::inRange(-20, 100));
  const auto workers = static_cast<std::size_t>(*rc::gen::inRange(1, most_workers + 1));
  p.curve.work = *rc::gen::container<std::vector<Work>>(workers, rc::gen::inRange<Work>(0, 12));
  p.curve.energy = *rc::gen::container<std::vector<Quanta>>(workers, rc::gen::inRange(0, 30));
  p.curve.work.insert(p.curve.work.begin(), 0);
  p.curve.energy.insert(p.curve.energy.begin(), *rc::gen::inRange(0, 3));
  const Work possible = *std::max_element(p.curve.work.begin(), p.curve.work.end()) * std::ssize(p.intensity);
  p.work = *rc::gen::inRange<Work>(0, possible + 1);
  return p;
}

Cost least_of_all(const ElasticProblem& p) {
  std::vector<int> workers(p.intensity.size());
  Cost least = INT64_MAX;
  for (;;) {
    if (work_done(p, workers) >= p.work) least = std::min(least, weigh(p, workers));
    std::size_t i = 0;
    while (i < workers.size() && ++workers[i] == static_cast<int>(p.curve.work.size())) workers[i++] = 0;
    if (i == workers.size()) return least;
  }
}

RC_GTEST_PROP(Elastic, TheExactPlanIsTheBestOfAll, ()) {
  const ElasticProblem p = problem(6, 3);
  const auto plan = elastic_exact(p);
  RC_ASSERT(plan.has_value());
  RC_ASSERT(plan->workers.size() == p.intensity.size());
  RC_ASSERT(work_done(p, plan->workers) >= p.work);
  RC_ASSERT(weigh(p, plan->workers) == plan->cost);
  RC_ASSERT(plan->cost == least_of_all(p));
  RC_ASSERT(plan->gap() == 0);
}

RC_GTEST_PROP(Elastic, TheGreedyPlanLiesBetweenItsBoundAndIsNeverBelowTheExactOne, ()) {
  const ElasticProblem p = problem(24, 8);
  const auto greedy = elastic_greedy(p);
  const auto exact = elastic_exact(p);
  RC_ASSERT(greedy.has_value());
  RC_ASSERT(exact.has_value());
  RC_ASSERT(work_done(p, greedy->workers) >= p.work);
  RC_ASSERT(weigh(p, greedy->workers) == greedy->cost);
  RC_ASSERT(greedy->bound <= exact->cost);
  RC_ASSERT(exact->cost <= greedy->cost);
}

RC_GTEST_PROP(Elastic, OnAStraightCurveGreedyIsExact, ()) {
  ElasticProblem p = problem(24, 8);
  for (MilligramsPerKwh& c : p.intensity) c = std::abs(c);
  const Work work = *rc::gen::inRange<Work>(1, 9);
  const Quanta energy = *rc::gen::inRange(1, 9);
  for (std::size_t m = 0; m < p.curve.work.size(); ++m) {
    p.curve.work[m] = static_cast<Work>(m) * work;
    p.curve.energy[m] = static_cast<Quanta>(m) * energy;
  }
  p.work = *rc::gen::inRange<Work>(0, p.curve.work.back() * std::ssize(p.intensity) + 1);
  RC_ASSERT(elastic_greedy(p)->cost == elastic_exact(p)->cost);
}

RC_GTEST_PROP(Elastic, OneWorkerIsAJobThatPausesForFree, ()) {
  ElasticProblem p = problem(24, 1);
  for (MilligramsPerKwh& c : p.intensity) c = std::abs(c);
  p.curve = {{0, 1}, {0, 7}};
  p.work = *rc::gen::inRange<Work>(1, std::ssize(p.intensity) + 1);
  Problem job;
  job.intensity = p.intensity;
  job.steps.assign(static_cast<std::size_t>(p.work), 7);
  const Cost paused = weigh(job, *pause_resume(job));
  RC_ASSERT(elastic_exact(p)->cost == paused);
  RC_ASSERT(elastic_greedy(p)->cost == paused);
}

RC_GTEST_PROP(Elastic, MoreTimeOrWidthIsNeverWorse, ()) {
  const ElasticProblem p = problem(12, 4);
  ElasticProblem wider = p;
  wider.curve.work.push_back(*rc::gen::inRange<Work>(0, 20));
  wider.curve.energy.push_back(*rc::gen::inRange(0, 40));
  RC_ASSERT(elastic_exact(wider)->cost <= elastic_exact(p)->cost);
  ElasticProblem less = p;
  less.work = *rc::gen::inRange<Work>(0, p.work + 1);
  RC_ASSERT(elastic_exact(less)->cost <= elastic_exact(p)->cost);
}

TEST(Elastic, TheGapOnUsualCurvesIsSmall) {
  // A day of five-minute slots, up to 16 workers: a rate that falls with the width (Amdahl's law, 5 % serial), one that has a
  // hollow (a second machine that hardly helps until it is full).
  std::uint32_t seed = 1;
  const auto next = [&](std::uint32_t below) { return (seed = seed * 1664525U + 1013904223U) / 65536U * below / 65536U; };
  for (const bool hollow : {false, true}) {
    Cost greedy = 0, bound = 0, exact = 0;
    for (int trial = 0; trial < 20; ++trial) {
      ElasticProblem p;
      for (int i = 0; i < 96; ++i) p.intensity.push_back(static_cast<MilligramsPerKwh>(100'000 + next(300'000)));
      for (int m = 0; m <= 16; ++m) {
        const double rate = m == 0 ? 0 : 1 / (0.05 + 0.95 / m);
        p.curve.work.push_back(static_cast<Work>(20 * (hollow && m > 8 && m < 16 ? 1 / (0.05 + 0.95 / 8) : rate)));
        p.curve.energy.push_back(300 * m);
      }
      p.work = 2000 + next(6000);
      const auto g = elastic_greedy(p);
      greedy += g->cost;
      bound += g->bound;
      exact += elastic_exact(p)->cost;
    }
    const auto percent = [&](Cost c) { return 100 * static_cast<double>(c) / static_cast<double>(exact); };
    std::printf("%s: greedy %.4f %% above the exact plan, which is %.4f %% above the bound\n",
                hollow ? "with a hollow" : "Amdahl", percent(greedy - exact), percent(exact - bound));
    EXPECT_LT(percent(greedy - exact), 0.5);
    EXPECT_LT(percent(exact - bound), 0.5);
  }
}

TEST(Elastic, WhatCannotBeIsRefusedWithWhatCan) {
  using ::testing::HasSubstr;
  ElasticProblem p{{1, 2, 3}, {{0, 4}, {0, 1}}, 13};
  for (const auto& plan : {elastic_exact(p), elastic_greedy(p)}) {
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().kind, Error::Kind::missing);
    EXPECT_THAT(plan.error().message(), HasSubstr("12 can be done in 3 slots"));
  }
  p.work = 12;
  EXPECT_EQ(elastic_exact(p)->workers, (std::vector<int>{1, 1, 1}));
  p.curve.work[1] = kMostElasticCells;
  p.work = kMostElasticCells / 2;
  EXPECT_THAT(elastic_exact(p).error().message(), HasSubstr("too many for an exact plan"));
  EXPECT_EQ(elastic_greedy(p)->workers, (std::vector<int>{1, 0, 0}));
  p.curve.work[0] = 1;
  EXPECT_EQ(elastic_greedy(p).error().kind, Error::Kind::usage);
  p.curve = {{0, 1}, {0}};
  EXPECT_EQ(elastic_exact(p).error().kind, Error::Kind::usage);
}

}  // namespace
}  // namespace gramwatt::plan
