#include "sense/publication_clock.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace gramwatt::sense {
namespace {

using std::chrono::milliseconds;

/// Looks at a counter that steps every `period` ms from `phase` on.
struct Counter {
  double period = 100, phase = 37;
  [[nodiscard]] int at(double ms) const { return static_cast<int>(std::floor((ms - phase) / period)); }
};

Nanoseconds from_ms(double ms) { return Nanoseconds(std::llround(ms * 1e6)); }

TEST(PublicationClock, DenseLooksFindPeriodAndPhaseWhateverTheDataSheetSays) {
  for (const double period : {20.0, 60.0, 100.0, 140.0, 210.0}) {
    const Counter c{period, 13};
    PublicationClock clock(milliseconds(100), true);
    int value = c.at(0);
    for (double t = 0; t < 1500; t += 5) {
      const int now = c.at(t);
      (void)clock.look(from_ms(t), std::exchange(value, now) != now);
    }
    EXPECT_NEAR(seconds(clock.period()).value() * 1e3, period, period * 0.03) << period;
    const auto next = clock.next_after(from_ms(1500));
    ASSERT_TRUE(next);
    const double truth = c.phase + (std::floor((1500 - c.phase) / period) + 1) * period;
    EXPECT_NEAR(seconds(next->at).value() * 1e3, truth, 6) << period;
  }
}

TEST(PublicationClock, EveryEdgeLiesWithinItsSlack) {
  std::mt19937_64 rng(5);
  std::uniform_real_distribution<> any(0, 1);
  for (int run = 0; run < 200; ++run) {
    const Counter c{80 + 40 * any(rng), 100 * any(rng)};
    PublicationClock clock(milliseconds(100), true);
    int value = c.at(0);
    double t = 0;
    while (t < 5000) {
      t += t < 400 ? 5 : 100 * any(rng);
      const int now = c.at(t);
      const auto edge = clock.look(from_ms(t), std::exchange(value, now) != now);
      if (!edge) continue;
      const double truth = c.phase + now * c.period;
      EXPECT_LE(std::abs(seconds(edge->at).value() * 1e3 - truth), seconds(edge->slack).value() * 1e3 + 0.5);
    }
  }
}

TEST(PublicationClock, ACounterThatLosesItsRhythmIsFoundAgain) {
  PublicationClock clock(milliseconds(100), true);
  Counter c;
  int value = c.at(0);
  for (double t = 0; t < 4000; t += 5) {
    if (t == 2000) c.phase += 55;
    const int now = c.at(t);
    (void)clock.look(from_ms(t), std::exchange(value, now) != now);
  }
  const double truth = c.phase + std::floor((4000 - c.phase) / c.period) * c.period;
  EXPECT_NEAR(seconds(clock.last()->at).value() * 1e3, truth, 6);
}

}  // namespace
}  // namespace gramwatt::sense
