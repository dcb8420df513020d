// The bars of a trustworthy GPU meter, on boards whose truth is known: square waves with periods from half to four thirds of
// the sensor's own period, over five seconds. Seeds are fixed. The same simulator prints the table of docs/validation.md
// (bench/sensor_accuracy.cpp).

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <random>

#include "fakes/sensor_simulator.hpp"
#include "sense/nvidia_sensors.hpp"

namespace gramwatt::testing {
namespace {

constexpr double kBar = 0.015;

/// Boards of one kind under random square waves, at rest before and after.
class Cases {
 public:
  explicit Cases(std::uint64_t seed) : rng_(seed) {}
  double any(double low, double high) { return std::uniform_real_distribution<>(low, high)(rng_); }

  SimulatedBoard board(double period, double window) {
    SimulatedBoard b;
    b.truth.start = 10;
    b.truth.end = 15;
    b.truth.period = period * any(0.5, 4.0 / 3);
    b.truth.phase = any(0, 1);
    b.truth.low = any(30, 150);
    b.truth.rest = b.truth.low;
    b.truth.high = b.truth.low + any(50, 500);
    b.instant = {period, window, any(0, period)};
    return b;
  }
  SimulatedBoard with_counter(double period, double window) {
    SimulatedBoard b = board(period, window);
    b.counter = SimulatedCounter{};
    b.counter->phase = any(0, 0.1);
    return b;
  }

 private:
  std::mt19937_64 rng_;
};

SimulatedRun five_seconds(SimulatedBoard b) {
  b.shapes = shapes_of(b);
  return simulate(b, 10, 15);
}

TEST(Simulator, ACounterIsRightWithinTheBarWhateverThePowerSensorMisses) {
  Cases cases(1);
  for (int i = 0; i < 300; ++i) {
    SimulatedBoard b = cases.with_counter(0.1, 0.025);
    EXPECT_LT(std::abs(five_seconds(b).error()), kBar) << "period " << b.truth.period;
  }
}

TEST(Simulator, ASlowCounterIsRightWithinTheBarToo) {
  Cases cases(2);
  for (const int us : {2400, 10'000}) {
    for (int i = 0; i < 150; ++i) {
      SimulatedBoard b = cases.with_counter(0.1, 0.025);
      b.counter_cost = std::chrono::microseconds(us);
      EXPECT_LT(std::abs(five_seconds(b).error()), kBar) << us << " us, period " << b.truth.period;
    }
  }
}

TEST(Simulator, AGainErrorOfTheSensorIsAllThatComesOnTop) {
  Cases cases(3);
  for (int i = 0; i < 100; ++i) {
    SimulatedBoard b = cases.with_counter(0.1, 0.025);
    b.counter->gain = b.instant.gain = cases.any(0.95, 1.05);
    const auto run = five_seconds(b);
    EXPECT_LT(std::abs(run.measured / (run.truth * b.counter->gain) - 1), kBar);
    EXPECT_FALSE(run.settled.terms.contains("gpu-counter-bridged"));
  }
}

TEST(Simulator, AShortRunIsFarNearerThanTheDifferenceOfTwoRawValues) {
  Cases cases(4);
  double ours = 0, naive = 0;
  for (int i = 0; i < 100; ++i) {
    SimulatedBoard b = cases.with_counter(0.1, 0.025);
    b.truth.high = b.truth.low = 300;  // a constant load after rest
    b.truth.rest = 60;
    b.truth.end = 10.5;
    b.shapes = shapes_of(b);
    const auto run = simulate(b, 10, 10.5);
    ours += std::abs(run.error());
    naive += std::abs(run.naive_error());
  }
  EXPECT_LT(ours, naive / 5);
  EXPECT_LT(ours / 100, 0.03);
}

TEST(Simulator, WindowsThatTileTimeAreRightWithinTheBar) {
  Cases cases(5);
  for (int i = 0; i < 200; ++i) {
    SimulatedBoard b = cases.board(0.1, 0.1);
    b.instant.lag = cases.any(0, 1) < 0.5 ? 0 : 0.05;
    const auto run = five_seconds(b);
    EXPECT_LT(std::abs(run.error()), kBar) << "period " << b.truth.period;
    EXPECT_TRUE(run.settled.advice.empty());
  }
}

TEST(Simulator, AOneSecondAverageIsUndone) {
  Cases cases(6);
  for (int i = 0; i < 200; ++i) {
    SimulatedBoard b = cases.board(0.1, 0.025);
    b.average = SimulatedSensor{0.1, 1, cases.any(0, 0.1)};
    const auto run = five_seconds(b);
    EXPECT_LT(std::abs(run.error()), kBar) << "period " << b.truth.period;
  }
}

TEST(Simulator, AFirstOrderResponseIsUndone) {
  Cases cases(7);
  for (int i = 0; i < 30; ++i) {
    SimulatedBoard b = cases.board(0.02, 0.02);
    b.instant.response = 0.1;
    b.truth.end = 15;
    EXPECT_LT(std::abs(five_seconds(b).error()), kBar) << "period " << b.truth.period;
  }
}

struct Coverage {
  int held = 0, warned = 0, all = 0;
  double width = 0;
};

Coverage coverage(std::uint64_t seed, double period, double window) {
  Cases cases(seed);
  Coverage c;
  for (int i = 0; i < 300; ++i) {
    const auto run = five_seconds(cases.board(period, window));
    ++c.all;
    if (run.covers()) ++c.held;
    if (!run.settled.advice.empty() && run.settled.advice[0].find("--repeat") != std::string::npos) ++c.warned;
    const Shift s = total_shift(run.settled.terms);
    c.width += (s.plus - s.minus) / 300;
  }
  return c;
}

TEST(Simulator, WhereTheSensorSeesAPartTheIntervalHoldsTheTruthAndTheWarningIsGiven) {
  for (const double window : {0.025, 0.020, 0.010}) {
    const Coverage c = coverage(8, 0.1, window);
    EXPECT_GE(c.held, c.all * 9 / 10) << window;
    EXPECT_EQ(c.warned, c.all) << window;
  }
  const Coverage pascal = coverage(9, 0.02, 0.01);
  EXPECT_GE(pascal.held, pascal.all * 9 / 10);
}

TEST(Simulator, AConstantLoadDoesNotPayForWhatAnotherOneMightHide) {
  SimulatedBoard b;
  b.truth = {60, 250, 250, 0.1, 0.5, 0, 1e9, 0};
  const auto run = five_seconds(b);
  EXPECT_NEAR(run.error(), 0, 0.001);
  EXPECT_LT(total_shift(run.settled.terms).plus, 0.05);
}

TEST(Simulator, RepetitionsOverTheSensorsPhasesFindTheMean) {
  Cases cases(10);
  int good = 0;
  constexpr int kCases = 40;
  for (int i = 0; i < kCases; ++i) {
    SimulatedBoard b = cases.board(0.1, 0.025);
    if (i % 4 == 0) b.truth.period = 0.1;  // the resonance that one run cannot see
    if (i % 4 == 1) b.truth.period = 0.05;
    b.shapes = shapes_of(b);
    double measured = 0, truth = 0;
    for (int r = 0; r < 32; ++r) {
      const double start = 10 + 0.1 * std::floor(cases.any(0, 20)) + 0.1 / 8 * (r % 8);
      b.truth.start = start;
      b.truth.end = start + 5;
      const auto run = simulate(b, start, start + 5);
      measured += run.measured.value();
      truth += run.truth.value();
    }
    if (std::abs(measured / truth - 1) <= 0.05) ++good;
    EXPECT_NEAR(measured / truth, 1, 0.05) << b.truth.period;
  }
  EXPECT_EQ(good, kCases);
}

TEST(Simulator, AFrozenCounterIsBridgedByPowerAndSaysSo) {
  SimulatedBoard b;
  b.truth = {60, 250, 250, 0.1, 0.5, 10, 30, 0};
  b.counter = SimulatedCounter{};
  b.counter->frozen_from = 15;
  b.counter->frozen_to = 22;
  b.shapes = shapes_of(b);
  const auto run = simulate(b, 10, 30);
  EXPECT_NEAR(run.error(), 0, 0.03);
  EXPECT_TRUE(run.covers());
  EXPECT_TRUE(run.settled.terms.contains("gpu-counter-bridged"));
}

TEST(Simulator, AFrozenCounterWithoutPowerIsAnErrorNotZeroWatts) {
  SimulatedBoard b;
  b.truth = {60, 250, 250, 0.1, 0.5, 10, 30, 0};
  b.counter = SimulatedCounter{};
  b.counter->frozen_from = 15;
  b.has_instant = false;
  b.shapes = shapes_of(b);
  EXPECT_GT(simulate(b, 10, 30).reads_failed, 100);
}

TEST(Simulator, AJumpIsNoEnergy) {
  for (const double jump : {5e9, -4e9}) {
    SimulatedBoard b;
    b.truth = {60, 250, 250, 0.1, 0.5, 10, 30, 0};
    b.counter = SimulatedCounter{};
    b.counter->jump_at = 16.02;
    b.counter->jump_mj = jump;
    b.shapes = shapes_of(b);
    const auto run = simulate(b, 10, 30);
    EXPECT_NEAR(run.error(), 0, 0.03) << jump;
    EXPECT_TRUE(run.settled.terms.contains("gpu-counter-bridged"));
  }
}

TEST(Simulator, CounterAndPowerThatDisagreeAreBothTold) {
  SimulatedBoard b;
  b.truth = {60, 250, 250, 0.1, 0.5, 10, 30, 0};
  b.counter = SimulatedCounter{};
  b.instant.gain = 1.2;
  b.shapes = shapes_of(b);
  const auto run = simulate(b, 10, 30);
  EXPECT_NEAR(run.error(), 0, 0.01);  // the counter's figure
  ASSERT_TRUE(run.settled.terms.contains("counter-against-power"));
  EXPECT_NEAR(run.settled.terms.at("counter-against-power").plus, 0.2, 0.01);
  ASSERT_EQ(run.settled.notes.size(), 1U);
  b.instant.gain = 1.03;
  EXPECT_FALSE(simulate(b, 10, 30).settled.terms.contains("counter-against-power"));
}

RC_GTEST_PROP(SimulatorProperty, EnergyNeverFallsAndNeverRunsAheadOfWhatTheBoardCanDraw, (std::uint32_t seed)) {
  Cases cases(seed);
  SimulatedBoard b = cases.any(0, 1) < 0.5 ? cases.with_counter(0.1, 0.025) : cases.board(0.1, cases.any(0.01, 0.1));
  if (b.counter) {
    b.counter->jitter = cases.any(0, 0.01);
    b.counter->step = cases.any(0.02, 0.15);
    b.counter->frozen_from = cases.any(10, 20);
    b.counter->frozen_to = b.counter->frozen_from + cases.any(0, 5);
    b.counter->jump_at = cases.any(10, 20);
    b.counter->jump_mj = cases.any(-1e9, 1e9);
    b.counter_cost = Nanoseconds(static_cast<std::int64_t>(cases.any(0, 12e6)));
  }
  b.shapes = shapes_of(b);
  const auto run = simulate(b, 10, 15);
  Joules last;
  for (const Joules e : run.at_ticks) {
    RC_ASSERT(e >= last);
    last = e;
  }
  RC_ASSERT(run.measured >= last);
  RC_ASSERT(run.measured <= Watts(2 * b.truth.high) * Seconds(5.3));
}

}  // namespace
}  // namespace gramwatt::testing
