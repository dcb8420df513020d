#include "job/repeat.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace gramwatt::job {
namespace {

using std::chrono::milliseconds;

ledger::RunRecord run_of(double joules, double aliasing = 0.5) {
  ledger::RunRecord r;
  Estimate<Joules> e{Joules(joules), Method::measured, "NVML", Boundary::chip, {}};
  e.terms["gpu-gain:x"] = Shift::symmetric(0.05);
  e.terms["gpu-aliasing"] = Shift::symmetric(aliasing);
  r.energy.components.push_back({Component::gpu, "H100", e, e, e, e});
  r.energy.total = r.energy.active = r.energy.idle = r.energy.facility = r.energy.machine = r.energy.unattributed = e;
  r.carbon.average = r.carbon.embodied = r.carbon.total = {Grams(joules), Method::measured, "x", std::nullopt, e.terms};
  r.duration = r.running = Seconds(5);
  return r;
}

TEST(Repeat, StartsFallOnEightPhasesOfTheSensor) {
  std::mt19937_64 rng(1);
  std::uniform_real_distribution<> any(0, 1);
  std::set<std::int64_t> phases;
  for (int n = 0; n < 32; ++n) {
    const Nanoseconds now(static_cast<std::int64_t>(1e9 + 1e9 * any(rng)));
    const Nanoseconds wait = wait_for_phase(now, milliseconds(100), n, any(rng));
    EXPECT_GE(wait.count(), 0);
    EXPECT_LE(wait, milliseconds(600));
    phases.insert(((now + wait) % milliseconds(100)).count());
    EXPECT_EQ(((now + wait) % milliseconds(100)).count(), 12'500'000 * (n % 8));
  }
  EXPECT_EQ(phases.size(), 8U);
}

TEST(Repeat, TheMeanKeepsTheGainAndLosesWhatThePhasesExplain) {
  std::vector<ledger::RunRecord> all;
  // In resonance: four phases see the high level, four the low one.
  for (int n = 0; n < 32; ++n) all.push_back(run_of(n % 8 < 4 ? 500 : 100));
  const auto mean = mean_of(all);
  EXPECT_NEAR(mean.energy.total.value.value(), 300, 1e-9);
  EXPECT_NEAR(mean.energy.total.terms.at("gpu-gain:x").plus, 0.05, 1e-9);
  EXPECT_LT(mean.energy.total.terms.at("gpu-aliasing").plus, 0.05);
  EXPECT_FALSE(mean.notes.empty());
  EXPECT_FALSE(mean.derivations.empty());
}

TEST(Repeat, WhatThePhasesDoNotAgreeUponRemains) {
  std::vector<ledger::RunRecord> all;
  for (int n = 0; n < 32; ++n) all.push_back(run_of(n % 2 == 0 ? 500 : 300));  // even and odd phases differ
  EXPECT_NEAR(mean_of(all).energy.total.terms.at("gpu-aliasing").plus, 0.26, 0.01);
  std::vector<ledger::RunRecord> few{run_of(500), run_of(100)};
  EXPECT_GT(mean_of(few).energy.total.terms.at("gpu-aliasing").plus, 0.4);
}

TEST(Repeat, ARunThatLostASensorIsLeftOutAndSaid) {
  std::vector<ledger::RunRecord> all{run_of(300), run_of(300), run_of(300)};
  all[1].energy.components.clear();
  const auto mean = mean_of(all);
  EXPECT_NEAR(mean.energy.total.value.value(), 300, 1e-9);
  EXPECT_NE(mean.notes.back().find("left out"), std::string::npos);
}

}  // namespace
}  // namespace gramwatt::job
