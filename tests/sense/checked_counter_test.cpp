// A counter and its witness, against a truth that is known: counters that run well, stand still, jump, go back, wrap.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "sense/checked_counter.hpp"

namespace gramwatt::sense {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double kUnit = 1e6 / 65536;

/// A GPU with a known truth: energy that flows, a counter that may be damaged, and power readings.
class Gpu {
 public:
  explicit Gpu(std::uint64_t range = 0) {
    decoder_ = std::move(*make_decoder(checked_counter_spec(kUnit, range, Watts(1500))));
  }

  /// Lets `watts` flow for `step` and takes a reading.
  Result<Reading> flow(double watts, Nanoseconds step, bool with_power = true) {
    now_ += step;
    truth_ += watts * static_cast<double>(step.count()) * 1e-9;
    if (!frozen_) counter_ += watts * static_cast<double>(step.count()) * 1e-9;
    return read(watts, with_power);
  }
  Result<Reading> read(double watts, bool with_power = true) {
    auto counts = static_cast<std::uint64_t>(std::max(0.0, counter_) * 65536);
    if (wraps_at_ != 0) counts %= wraps_at_;
    const std::uint64_t milliwatts = with_power ? static_cast<std::uint64_t>(std::llround(watts * 1000)) : RawSample::kAbsent;
    Instant at;
    at.monotonic = at.boottime = now_;
    auto r = decoder_->decode(RawSample::of(at, {has_counter_ ? counts : RawSample::kAbsent, milliwatts}));
    if (r) {
      EXPECT_GE(r->energy.count(), shown_) << "energy fell";
      shown_ = r->energy.count();
    }
    return r;
  }
  void freeze(bool on = true) { frozen_ = on; }
  void jump(double joules) { counter_ += joules; }
  void wrap_at(std::uint64_t counts) { wraps_at_ = counts; }
  void lose_counter() { has_counter_ = false; }
  [[nodiscard]] double shown() const { return static_cast<double>(shown_) * 1e-6; }
  [[nodiscard]] double truth() const { return truth_; }
  [[nodiscard]] Settled settled() const { return decoder_->settled(); }

 private:
  std::unique_ptr<Decoder> decoder_;
  Nanoseconds now_ = seconds(1000);
  double truth_ = 0, counter_ = 200'000;
  bool frozen_ = false, has_counter_ = true;
  std::uint64_t wraps_at_ = 0;
  std::int64_t shown_ = 0;
};

TEST(CheckedCounter, AGoodCounterIsCountedToTheLastMicrojoule) {
  Gpu gpu;
  (void)gpu.read(50);
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(gpu.flow(300, milliseconds(100)));
  EXPECT_NEAR(gpu.shown(), 6000, 2 * kUnit * 1e-6);
  EXPECT_TRUE(gpu.settled().notes.empty());
  EXPECT_TRUE(gpu.settled().terms.empty());
}

TEST(CheckedCounter, TheCounterIsTheMeasureAndPowerOnlyTheWitness) {
  Gpu gpu;
  (void)gpu.read(300);
  for (int i = 0; i < 100; ++i) (void)gpu.flow(300, milliseconds(100), false);
  EXPECT_NEAR(gpu.shown(), 3000, 0.001) << "without power readings the counter is taken as it is";
}

TEST(CheckedCounter, OneThatStandsStillIsReplacedByPowerFromTheStart) {
  Gpu gpu;
  gpu.freeze();
  (void)gpu.read(250);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(gpu.flow(250, milliseconds(100)));
  EXPECT_NEAR(gpu.shown(), 1250, 0.1);
  const Settled s = gpu.settled();
  ASSERT_EQ(s.notes.size(), 1U);
  EXPECT_NE(s.notes[0].find("stood still while 250 W flowed"), std::string::npos) << s.notes[0];
  EXPECT_NEAR(s.terms.at("gpu-counter-lost").plus, 0.1, 1e-6);
}

TEST(CheckedCounter, ARunShorterThanAWindowIsNotZeroBecauseTheCounterStoodStill) {
  Gpu gpu;
  gpu.freeze();
  (void)gpu.read(200);
  for (int i = 0; i < 4; ++i) (void)gpu.flow(200, milliseconds(100));
  EXPECT_NEAR(gpu.shown(), 80, 0.1);
}

TEST(CheckedCounter, OneThatStopsInTheMiddleLosesNothing) {
  Gpu gpu;
  (void)gpu.read(300);
  for (int i = 0; i < 25; ++i) (void)gpu.flow(300, milliseconds(100));
  gpu.freeze();
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(gpu.flow(300, milliseconds(100)));
  EXPECT_NEAR(gpu.shown(), gpu.truth(), 0.1);
  gpu.freeze(false);  // it comes back, with a jump of what it missed or not: it is not asked any more
  gpu.jump(1000);
  for (int i = 0; i < 40; ++i) (void)gpu.flow(300, milliseconds(100));
  EXPECT_NEAR(gpu.shown(), gpu.truth(), 0.1);
}

TEST(CheckedCounter, AJumpBeyondWhatTheBoardCanDrawIsBridged) {
  Gpu gpu;
  (void)gpu.read(300);
  for (int i = 0; i < 25; ++i) (void)gpu.flow(300, milliseconds(100));
  gpu.jump(50'000);
  for (int i = 0; i < 25; ++i) EXPECT_TRUE(gpu.flow(300, milliseconds(100)));
  gpu.jump(-50'000);
  for (int i = 0; i < 25; ++i) EXPECT_TRUE(gpu.flow(300, milliseconds(100)));
  EXPECT_NEAR(gpu.shown(), gpu.truth(), 0.01);
  ASSERT_EQ(gpu.settled().notes.size(), 1U);
  EXPECT_NE(gpu.settled().notes[0].find("2 times"), std::string::npos);
}

TEST(CheckedCounter, ACounterInAnotherUnitThatIsPlausibleAtFirstSightIsNotBelieved) {
  Gpu gpu;
  (void)gpu.read(40);
  for (int i = 0; i < 50; ++i) {
    gpu.jump(60);  // 600 W more than flows
    (void)gpu.flow(40, milliseconds(100));
  }
  EXPECT_NEAR(gpu.shown(), gpu.truth(), 0.1);
  EXPECT_NE(gpu.settled().notes.at(0).find("16 times"), std::string::npos) << gpu.settled().notes.at(0);
}

TEST(CheckedCounter, DisagreementThatIsNoFaultIsSaidAndSpanned) {
  Gpu gpu;
  (void)gpu.read(200);
  for (int i = 0; i < 100; ++i) {
    gpu.jump(6);  // 260 W where power says 200
    (void)gpu.flow(200, milliseconds(100));
  }
  EXPECT_NEAR(gpu.shown(), 2600, 0.1);
  EXPECT_NEAR(gpu.settled().terms.at("gpu-counter-against-power").minus, 200.0 / 260 - 1, 0.001);
}

TEST(CheckedCounter, ThirtyTwoBitsThatWrapAreUnwrapped) {
  Gpu gpu(0xFFFF'FFFFU);
  gpu.wrap_at(1ULL << 32U);
  gpu.jump(61'600);  // 261.6 kJ: 544 J below four times the range
  (void)gpu.read(400);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(gpu.flow(400, milliseconds(100)));
  EXPECT_NEAR(gpu.shown(), 40'000, 0.1);
  EXPECT_TRUE(gpu.settled().notes.empty());
}

TEST(CheckedCounter, WithoutACounterPowerIsIntegrated) {
  Gpu gpu;
  gpu.lose_counter();
  (void)gpu.read(100);
  for (int i = 0; i < 10; ++i) (void)gpu.flow(100, milliseconds(100));
  EXPECT_NEAR(gpu.shown(), 100, 0.001);
}

TEST(CheckedCounter, ALongSilenceIsCountedByTheCounterAndIsAGapForPowerAlone) {
  Gpu good;
  (void)good.read(100);
  EXPECT_FALSE(good.flow(100, seconds(60))->resumed);
  EXPECT_NEAR(good.shown(), 6000, 0.001);
  Gpu bare;
  bare.lose_counter();
  (void)bare.read(100);
  EXPECT_TRUE(bare.flow(100, seconds(60))->resumed);
}

TEST(CheckedCounter, SlowReadingsOfABurstyLoadDoNotCondemnTheCounter) {
  Gpu gpu;
  (void)gpu.read(40);
  for (int i = 0; i < 6; ++i) {  // a second of full load, and the reading falls where it has just ended
    gpu.jump(700);
    (void)gpu.flow(40, seconds(1));
  }
  EXPECT_TRUE(gpu.settled().notes.empty());
}

/// Whatever happens to the counter, the sum stays with the truth: within what one window may hide, and the gain of the witness.
RC_GTEST_PROP(CheckedCounter, FreezesAndJumpsNeitherLoseNorInventEnergy, ()) {
  Gpu gpu;
  const int level = *rc::gen::inRange(50, 700);
  const int stops_at = *rc::gen::inRange(1, 150);
  const int jumps_at = *rc::gen::inRange(1, 150);
  const int jump = *rc::gen::inRange(-100'000, 100'000);
  (void)gpu.read(level);
  double largest = level;
  for (int i = 0; i < 200; ++i) {
    const int watts = level + *rc::gen::inRange(-level / 3, level / 3 + 1);
    largest = std::max<double>(largest, watts);
    if (i == stops_at) gpu.freeze();
    if (i == jumps_at) gpu.jump(jump);
    RC_ASSERT(gpu.flow(watts, milliseconds(100)));
  }
  // What passes as real: a step that the board could have drawn in 150 ms.
  const double undetectable = 1500 * 0.15;
  RC_ASSERT(gpu.shown() >= gpu.truth() - largest);
  RC_ASSERT(gpu.shown() <= gpu.truth() + largest + undetectable);
}

}  // namespace
}  // namespace gramwatt::sense
