// Parts of a program on virtual time: what they are said to use, and what they are not said to.

#include "meter/regions.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

namespace gramwatt::meter {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Nanoseconds kNone{0};

Instant at(Nanoseconds t) { return {t, t, t}; }

/// A run of one channel whose powers are functions of time: closes once a second, ticks in between.
struct Program {
  explicit Program(Nanoseconds tick = milliseconds(100), std::size_t channels = 1)
      : tick_length(tick), sums(kNone, channels), flows(channels) {}

  /// `active`: µJ since the start; the truth.
  void go(Nanoseconds until, const std::function<double(Nanoseconds)>& active, double idle_watts = 0) {
    while (now < until) {
      const Nanoseconds next = std::min(until, now + tick_length);
      Tick t;
      t.at = at(next);
      t.passed = next - now;
      const double used = active(next) - active(now);
      const double idle = idle_watts * static_cast<double>(t.passed.count()) * 1e-3;
      t.job_by_channel = {(Microjoules(std::llround(used + idle))).joules() / gramwatt::seconds(t.passed)};
      sums.sample(t);
      now = next;
      if (now - closed >= seconds(1) || now == until) close(active, idle_watts);
    }
  }
  void close(const std::function<double(Nanoseconds)>& active, double idle_watts) {
    Interval i;
    i.start = at(closed);
    i.end = at(now);
    Flow f;
    f.job_active = Microjoules(std::llround(active(now)) - std::llround(active(closed)));
    f.job_idle = Microjoules(std::llround(idle_watts * static_cast<double>((now - closed).count()) * 1e-3));
    f.machine = f.job_active + f.job_idle;
    i.flows = {f};
    total += f.job();
    sums.settle(i, resolution);
    closed = now;
  }
  void region(std::uint32_t name, std::uint64_t id, Nanoseconds from, Nanoseconds to) {
    const MarkEvent events[] = {{from, MarkKind::begin, name, id}, {to, MarkKind::end, 0, id}};
    sums.add(events);
  }
  void mark(std::uint32_t name, Nanoseconds when) {
    const MarkEvent event[] = {{when, MarkKind::mark, name, 0}};
    sums.add(event);
  }
  [[nodiscard]] const RegionSum& of(std::uint32_t name) const { return sums.regions().at(name); }
  [[nodiscard]] static Microjoules energy(const RegionSum& s) {
    Microjoules e;
    for (const Share& each : s.energy) e += each.active + each.idle;
    return e;
  }

  Nanoseconds tick_length, now{}, closed{}, resolution = milliseconds(10);
  Regions sums;
  std::size_t flows;
  Microjoules total;
};

/// µJ of constant power.
std::function<double(Nanoseconds)> watts(double p) {
  return [p](Nanoseconds t) { return p * static_cast<double>(t.count()) * 1e-3; };
}

TEST(Regions, ConstantPowerIsPowerTimesTime) {
  Program run;
  run.region(7, 1, milliseconds(333), milliseconds(1876));
  run.go(seconds(3), watts(50), 20);
  run.sums.finish();
  const RegionSum& s = run.of(7);
  EXPECT_EQ(s.count, 1);
  EXPECT_EQ(s.time, milliseconds(1543));
  EXPECT_NEAR(static_cast<double>(s.energy[0].active.count()), 1.543 * 50e6, 2);
  EXPECT_NEAR(static_cast<double>(s.energy[0].idle.count()), 1.543 * 20e6, 2);
  EXPECT_NEAR(run.sums.peak().value(), 50, 0.01);
}

TEST(Regions, EnergyGoesWhereTheTicksSawIt) {
  // 100 W in the second half of each second only; the interval itself knows the mean alone.
  const auto power = [](Nanoseconds t) {
    const double s = static_cast<double>(t.count()) * 1e-9;
    return 1e6 * 100 * (std::floor(s) * 0.5 + std::max(0.0, s - std::floor(s) - 0.5));
  };
  Program run;
  run.region(1, 1, seconds(1), milliseconds(1500));
  run.region(2, 2, milliseconds(1500), seconds(2));
  run.go(seconds(3), power);
  run.sums.finish();
  EXPECT_NEAR(Program::energy(run.of(1)).joules().value(), 0, 1e-5);
  EXPECT_NEAR(Program::energy(run.of(2)).joules().value(), 50, 1e-5);
}

TEST(Regions, WithoutTicksTheIntervalIsAStraightLine) {
  Program run(seconds(1));
  run.region(1, 1, milliseconds(500), milliseconds(2500));
  run.go(seconds(3), watts(10));
  run.sums.finish();
  EXPECT_NEAR(Program::energy(run.of(1)).joules().value(), 20, 1e-5);
}

TEST(Regions, WhatIsShorterThanTwoReadingsIsNoNumber) {
  Program run;
  run.region(1, 1, milliseconds(120), milliseconds(319));  // 199 ms
  run.region(1, 2, milliseconds(420), milliseconds(620));  // 200 ms
  run.region(2, 3, milliseconds(700), milliseconds(701));
  run.go(seconds(2), watts(50));
  run.sums.finish();
  EXPECT_EQ(run.of(1).count, 1);
  EXPECT_EQ(run.of(1).time, milliseconds(200));
  EXPECT_EQ(run.of(1).too_short, 1);
  EXPECT_EQ(run.of(1).too_short_time, milliseconds(199));
  EXPECT_EQ(run.of(1).needed, milliseconds(200));
  EXPECT_EQ(run.of(2).count, 0);
  EXPECT_TRUE(run.of(2).energy.empty());
  EXPECT_EQ(run.of(2).shortest, milliseconds(1));
}

TEST(Regions, ASlowSensorMakesTheLimitLonger) {
  Program run;
  run.resolution = milliseconds(400);
  run.region(1, 1, milliseconds(100), milliseconds(850));
  run.region(2, 2, milliseconds(100), milliseconds(950));
  run.go(seconds(2), watts(50));
  run.sums.finish();
  EXPECT_EQ(run.of(1).count, 0);
  EXPECT_EQ(run.of(1).needed, milliseconds(800));
  EXPECT_EQ(run.of(2).count, 1);
}

TEST(Regions, OneThatIsOpenForAnHourIsWhole) {
  Program run;
  const MarkEvent begin[] = {{milliseconds(250), MarkKind::begin, 1, 1}};
  run.sums.add(begin);
  run.go(seconds(3600), watts(30));
  const MarkEvent end[] = {{milliseconds(3'599'750), MarkKind::end, 0, 1}};
  run.sums.add(end);
  run.go(seconds(3601), watts(30));
  run.sums.finish();
  EXPECT_NEAR(Program::energy(run.of(1)).joules().value(), 30 * 3599.5, 1e-4);
}

TEST(Regions, OpenOnesAndEndsWithoutBeginAreCountedNotGuessed) {
  Program run;
  const MarkEvent events[] = {{milliseconds(1), MarkKind::begin, 1, 1},
                              {milliseconds(2), MarkKind::end, 0, 99},
                              {milliseconds(3), MarkKind::begin, 1, 1}};
  run.sums.add(events);
  run.go(seconds(2), watts(10));
  run.sums.finish();
  EXPECT_EQ(run.of(1).unended, 1);
  EXPECT_EQ(run.of(1).ended, 0);
  EXPECT_EQ(run.sums.lost(), 2);
}

TEST(Regions, MarksTellWhatWasUsedBetweenFirstAndLast) {
  Program run;
  for (int i = 1; i <= 5; ++i) run.mark(3, milliseconds(300 * i));
  run.mark(4, milliseconds(100));
  run.mark(5, milliseconds(100));
  run.mark(5, milliseconds(150));
  run.go(seconds(2), watts(10));
  run.sums.finish();
  const MarkSum& m = run.sums.marks().at(3);
  EXPECT_EQ(m.count, 5);
  EXPECT_TRUE(m.resolved);
  EXPECT_NEAR(m.energy[0].active.joules().value(), 12, 1e-5);
  EXPECT_FALSE(run.sums.marks().at(4).resolved);
  EXPECT_FALSE(run.sums.marks().at(5).resolved);
}

TEST(Regions, ARunThatEndsAtOnceHasNothingToSay) {
  Regions sums(kNone, 1);
  const MarkEvent events[] = {{milliseconds(1), MarkKind::begin, 1, 1},
                              {milliseconds(2), MarkKind::end, 0, 1},
                              {milliseconds(2), MarkKind::mark, 2, 0}};
  sums.add(events);
  sums.finish();
  EXPECT_EQ(sums.regions().at(1).ended, 1);
}

TEST(Regions, MemoryIsBoundedWhateverAProgramSays) {
  Regions sums(kNone, 1);
  std::vector<MarkEvent> many(std::size_t{1} << 16U);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = {kNone, MarkKind::begin, 1, i};
  for (std::uint64_t round = 0; round < 32; ++round) {
    for (MarkEvent& e : many) e.region += many.size();
    sums.add(many);
  }
  EXPECT_EQ(sums.lost(), 1 << 20);  // 2 M were said, 1 M are kept
  sums.finish();
  EXPECT_EQ(sums.regions().at(1).unended + sums.lost(), 1 << 21);
}

/// Power that jumps at random, as µJ since the start.
std::function<double(Nanoseconds)> random_power(std::vector<double> levels, Nanoseconds step) {
  std::vector<double> sum{0};
  for (const double p : levels) sum.push_back(sum.back() + p * static_cast<double>(step.count()) * 1e-3);
  return [=](Nanoseconds t) {
    const auto i = std::min(static_cast<std::size_t>(t / step), levels.size() - 1);
    return sum[i] + levels[i] * static_cast<double>((t - step * static_cast<std::int64_t>(i)).count()) * 1e-3;
  };
}

std::function<double(Nanoseconds)> any_power(Nanoseconds length, Nanoseconds step) {
  const auto n = static_cast<std::size_t>(length / step) + 1;
  std::vector<double> levels = *rc::gen::container<std::vector<double>>(
      n, rc::gen::map(rc::gen::inRange(0, 200), [](int w) { return static_cast<double>(w); }));
  return random_power(std::move(levels), step);
}

RC_GTEST_PROP(RegionsProperty, RegionsThatTileARunSumToIt, ()) {
  const Nanoseconds length = milliseconds(*rc::gen::inRange(1500, 9000));
  const auto power = any_power(length, milliseconds(37));
  Program run;
  // Cuts of at least 250 ms, so that every part has a figure; the last one takes what is left.
  std::vector<Nanoseconds> cuts{kNone};
  while (length - cuts.back() > milliseconds(900))
    cuts.push_back(cuts.back() + microseconds(*rc::gen::inRange(250'000, 600'000)));
  cuts.push_back(length);
  for (std::size_t i = 1; i < cuts.size(); ++i) run.region(static_cast<std::uint32_t>(i % 3 + 1), i, cuts[i - 1], cuts[i]);
  run.go(length, power, 13);
  run.sums.finish();
  Microjoules sum;
  for (const auto& [name, s] : run.sums.regions()) {
    RC_ASSERT(s.too_short == 0);
    sum += Program::energy(s);
  }
  RC_ASSERT(sum.count() == run.total.count());
}

RC_GTEST_PROP(RegionsProperty, WhatIsInsideIsNeverMore, ()) {
  const Nanoseconds length = seconds(4);
  Program run;
  std::vector<int> t = *rc::gen::container<std::vector<int>>(4, rc::gen::inRange(0, 4'000'000));
  std::sort(t.begin(), t.end());
  run.region(1, 1, microseconds(t[0]), microseconds(t[3]));
  run.region(2, 2, microseconds(t[1]), microseconds(t[2]));
  run.go(length, any_power(length, milliseconds(23)), 5);
  run.sums.finish();
  const RegionSum& outer = run.of(1);
  const RegionSum& inner = run.of(2);
  RC_ASSERT(inner.count <= outer.count);
  RC_ASSERT(Program::energy(inner) <= Program::energy(outer));
  RC_ASSERT(Program::energy(outer) <= run.total);
}

RC_GTEST_PROP(RegionsProperty, TheOrderOfDrainingDoesNotMatter, ()) {
  const Nanoseconds length = seconds(3);
  const auto power = any_power(length, milliseconds(41));
  const int count = *rc::gen::inRange(1, 40);
  std::vector<MarkEvent> events;
  for (int i = 0; i < count; ++i) {
    const auto a = microseconds(*rc::gen::inRange(0, 2'999'000));
    const auto b = a + microseconds(*rc::gen::inRange(0, 1'000'000));
    const auto id = static_cast<std::uint64_t>(i) + 1;
    events.push_back({a, MarkKind::begin, static_cast<std::uint32_t>(i % 4), id});
    events.push_back({std::min<Nanoseconds>(b, length), MarkKind::end, 0, id});
    events.push_back({a, MarkKind::mark, static_cast<std::uint32_t>(i % 2), 0});
  }
  Program in_order;
  in_order.sums.add(events);
  in_order.go(length, power);
  in_order.sums.finish();
  std::shuffle(events.begin(), events.end(), std::mt19937(*rc::gen::arbitrary<unsigned>()));
  // All of it late, after everything was settled.
  Program late;
  late.go(length, power);
  for (const MarkEvent& e : events) late.sums.add({&e, 1});
  late.sums.finish();
  RC_ASSERT(in_order.sums.lost() == 0);
  RC_ASSERT(late.sums.lost() == 0);
  RC_ASSERT(in_order.sums.regions().size() == late.sums.regions().size());
  for (const auto& [name, a] : in_order.sums.regions()) {
    const RegionSum& b = late.sums.regions().at(name);
    RC_ASSERT(a.count == b.count);
    RC_ASSERT(a.time == b.time);
    RC_ASSERT(a.too_short_time == b.too_short_time);
    RC_ASSERT(Program::energy(a) == Program::energy(b));
  }
  for (const auto& [name, a] : in_order.sums.marks()) RC_ASSERT(a.last == late.sums.marks().at(name).last);
}

// The worst that interpolation knows: the program draws all it can inside its regions and nothing outside, or the reverse, so
// that every edge errs the same way.
RC_GTEST_PROP(RegionsProperty, TheTruthLiesWithinTheStatedBlur, ()) {
  const auto busy = milliseconds(*rc::gen::inRange(250, 900));
  const auto rest = milliseconds(*rc::gen::inRange(120, 900));
  const Nanoseconds first = microseconds(*rc::gen::inRange(0, 400'000));
  const bool inverse = *rc::gen::arbitrary<bool>();
  const Nanoseconds period = busy + rest;
  const int rounds = 12;
  const auto inside = [&](Nanoseconds t) {  // time inside of regions up to t
    if (t <= first) return kNone;
    const Nanoseconds passed = t - first;
    return std::min<std::int64_t>(passed / period, rounds) * busy +
           (passed / period >= rounds ? kNone : std::min<Nanoseconds>(busy, passed % period));
  };
  const auto power = [&](Nanoseconds t) {
    return 100 * 1e-3 * static_cast<double>((inverse ? t - inside(t) : inside(t)).count());
  };
  Program run;
  run.resolution = kNone;
  for (int i = 0; i < rounds; ++i)
    run.region(1, static_cast<std::uint64_t>(i) + 1, first + i * period, first + i * period + busy);
  run.go(first + rounds * period + seconds(1), power);
  run.sums.finish();
  const RegionSum& s = run.of(1);
  RC_ASSERT(s.count == rounds);
  const double truth = inverse ? 0 : 100.0 * static_cast<double>(Nanoseconds(busy * rounds).count()) * 1e-9;
  const double blur = (run.sums.peak() * Seconds(s.blur * 1e-9)).value();
  RC_ASSERT(std::abs(Program::energy(s).joules().value() - truth) <= blur + 1e-3);
}

}  // namespace
}  // namespace gramwatt::meter
