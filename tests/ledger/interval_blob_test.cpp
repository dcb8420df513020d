#include "ledger/interval_blob.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "ledger/make.hpp"

namespace gramwatt::ledger {
namespace {

using namespace std::chrono_literals;

Nanoseconds any_time() { return Nanoseconds(*rc::gen::arbitrary<std::int64_t>()); }
Microjoules any_energy() { return Microjoules(*rc::gen::arbitrary<std::int64_t>()); }

/// Values without any order or bound: packing must not rely on either.
Interval any_interval(std::size_t channels) {
  Interval i;
  i.start = {any_time(), any_time(), any_time()};
  i.end = {any_time(), any_time(), any_time()};
  i.job_cpu = any_time();
  i.machine_cpu = any_time();
  i.steal = any_time();
  for (std::size_t c = 0; c < channels; ++c) i.flows.push_back({any_energy(), any_energy(), any_energy(), any_energy()});
  return i;
}

/// A run as a meter makes it: mostly joined intervals of uneven length, with suspends, clock steps and holes.
std::vector<Interval> any_run() {
  std::vector<Interval> run;
  Instant now{Nanoseconds(*rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000)), 0ns, 0ns};
  now.boottime = now.monotonic + 5s;
  now.utc = make::kNoon + now.monotonic;
  const auto n = *rc::gen::inRange(0, 200);
  for (int k = 0; k < n; ++k) {
    if (*rc::gen::inRange(0, 20) == 0) now.monotonic += 3s, now.boottime += 3s, now.utc += 3s;  // a hole
    if (*rc::gen::inRange(0, 20) == 0) now.utc += Nanoseconds(*rc::gen::inRange<std::int64_t>(-90'000'000'000, 90'000'000'000));
    Interval i = any_interval(2);
    i.start = now;
    const Nanoseconds length(*rc::gen::inRange<std::int64_t>(1, 20'000'000'000));
    now.monotonic += length, now.boottime += length, now.utc += length;
    if (*rc::gen::inRange(0, 20) == 0) now.boottime += 60s, now.utc += 60s;  // suspended
    i.end = now;
    i.job_cpu = Nanoseconds(*rc::gen::inRange<std::int64_t>(0, 4'000'000'000));
    i.machine_cpu = Nanoseconds(*rc::gen::inRange<std::int64_t>(0, 4'000'000'000));
    i.steal = Nanoseconds(*rc::gen::inRange<std::int64_t>(0, 4'000'000'000));
    for (Flow& f : i.flows) {
      for (Microjoules* e : {&f.machine, &f.machine_idle, &f.job_active, &f.job_idle}) {
        *e = Microjoules(*rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000));
      }
    }
    run.push_back(std::move(i));
  }
  return run;
}

std::string pack(const std::vector<Interval>& intervals, std::size_t channels) {
  BlobWriter w(channels);
  for (const Interval& i : intervals) w.push(i);
  return w.bytes();
}

struct Sums {
  std::vector<Flow> flows{2};
  Nanoseconds job_cpu{}, machine_cpu{}, steal{}, ran{}, asleep{};
  bool operator==(const Sums&) const = default;
};
Sums sums(const std::vector<Interval>& run) {
  Sums s;
  for (const Interval& i : run) {
    for (std::size_t c = 0; c < 2; ++c) s.flows[c] += i.flows[c];
    s.job_cpu += i.job_cpu;
    s.machine_cpu += i.machine_cpu;
    s.steal += i.steal;
    s.ran += elapsed(i.start, i.end);
    s.asleep += suspended(i.start, i.end);
  }
  return s;
}

RC_GTEST_PROP(IntervalBlob, unpacking_gives_back_any_intervals_whatsoever, ()) {
  const auto channels = *rc::gen::inRange<std::size_t>(0, 5);
  std::vector<Interval> intervals;
  for (int n = *rc::gen::inRange(0, 20); n > 0; --n) intervals.push_back(any_interval(channels));
  std::vector<Interval> back;
  RC_ASSERT(unpack(pack(intervals, channels), back).has_value());
  RC_ASSERT(back == intervals);
}

TEST(IntervalBlob, holds_the_extremes_of_64_bits) {
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  Interval a;
  a.start = {Nanoseconds(kLeast), Nanoseconds(kMost), Nanoseconds(kLeast)};
  a.end = {Nanoseconds(kMost), Nanoseconds(kLeast), Nanoseconds(0)};
  a.flows = {{Microjoules(kMost), Microjoules(kLeast), Microjoules(0), Microjoules(-1)}};
  Interval b = a;
  std::swap(b.start, b.end);
  std::swap(b.flows[0].machine, b.flows[0].machine_idle);
  std::vector<Interval> back;
  ASSERT_TRUE(unpack(pack({a, b, a}, 1), back).has_value());
  EXPECT_EQ(back, (std::vector{a, b, a}));
}

RC_GTEST_PROP(IntervalBlob, damaged_bytes_are_an_error_or_other_intervals_but_never_more_than_the_bytes_can_hold, ()) {
  std::string bytes = pack(make::intervals(0, 5, 2), 2);
  for (int n = *rc::gen::inRange(1, 6); n > 0; --n) {
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
  }
  std::vector<Interval> back(3);
  if (unpack(bytes, back)) {
    RC_ASSERT(back.size() <= 3 + bytes.size() / 9);
  } else {
    RC_ASSERT(back.size() == 3U);
  }
}

TEST(IntervalBlob, every_cut_is_noticed_unless_it_falls_between_two_intervals) {
  const std::string whole = pack(make::intervals(0, 3, 2), 2);
  int readable = 0;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    std::vector<Interval> back;
    readable += unpack(std::string_view(whole).substr(0, n), back) ? 1 : 0;
  }
  EXPECT_EQ(readable, 3);  // none, one, two intervals
}

RC_GTEST_PROP(IntervalMerge, sums_stay_to_the_microjoule_and_nanosecond, ()) {
  const auto run = any_run();
  const auto merged = merge(run, std::chrono::seconds(*rc::gen::element(60, 300)));
  RC_ASSERT(sums(merged) == sums(run));
  RC_ASSERT(merged.size() <= run.size());
}

RC_GTEST_PROP(IntervalMerge, in_steps_or_twice_or_at_once_is_the_same, ()) {
  const auto run = any_run();
  const auto cut = run.begin() + *rc::gen::inRange<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(run.size()) + 1);
  const auto at_once = merge(run, 60s);
  auto in_steps = merge(std::vector(run.begin(), cut), 60s);
  in_steps.insert(in_steps.end(), cut, run.end());
  RC_ASSERT(merge(in_steps, 60s) == at_once);
  RC_ASSERT(merge(at_once, 60s) == at_once);
}

TEST(IntervalMerge, minutes_begin_with_the_minutes_of_utc) {
  std::vector<Interval> run;
  for (int i = 0; i < 150; ++i) {
    Interval v = make::interval(i);
    for (Instant* t : {&v.start, &v.end}) t->monotonic += 17s, t->boottime += 17s, t->utc += 17s;  // begins at 12:00:17
    run.push_back(v);
  }
  const auto merged = merge(run, 60s);
  ASSERT_EQ(merged.size(), 3U);
  EXPECT_EQ(merged[0].end.utc, make::kNoon + 60s);
  EXPECT_EQ(merged[1].start.utc, make::kNoon + 60s);
  EXPECT_EQ(merged[1].end.utc, make::kNoon + 120s);
}

TEST(IntervalMerge, a_hole_between_two_intervals_stays_a_hole) {
  const std::vector run{make::interval(0), make::interval(2)};
  EXPECT_EQ(merge(run, 60s), run);
}

}  // namespace
}  // namespace gramwatt::ledger
