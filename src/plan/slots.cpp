#include "plan/slots.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace gramwatt::plan {
namespace {

using grid::Series;
using grid::Window;

struct Sum {
  double value = 0;  ///< g/kWh × ns
  std::vector<Window> left;
};

std::size_t first_point(const Series& s, Nanoseconds t) {
  const auto it =
      std::upper_bound(s.points.begin(), s.points.end(), t, [](Nanoseconds at, const grid::Point& p) { return at < p.start; });
  return it == s.points.begin() ? 0 : static_cast<std::size_t>(it - s.points.begin()) - 1;
}

/// Adds what `s` knows of `asked`; what it leaves open stays in `sum.left`.
void add(const Series& s, Window asked, Sum& sum) {
  const bool for_ever = s.resolution <= Nanoseconds{0};
  Nanoseconds open = asked.start;
  for (std::size_t i = first_point(s, asked.start); i < s.points.size() && open < asked.end; ++i) {
    const Nanoseconds from = for_ever && i == 0 ? open : std::max(open, s.points[i].start);
    const Nanoseconds to = std::min(asked.end, s.end_of(i));
    if (from >= asked.end) break;
    if (to <= from) continue;
    if (from > open) sum.left.push_back({open, from});
    sum.value += s.points[i].value.value() * static_cast<double>((to - from).count());
    open = to;
  }
  if (open < asked.end) sum.left.push_back({open, asked.end});
}

tl::unexpected<Error> uncovered(const grid::Signal& signal, Window open) {
  return fail(fmt::format("carbon intensity is not known from {} to {}", iso8601(open.start), iso8601(open.end)), signal.source,
              "plan within the time that is known, or import or fetch a series that covers it", Error::Kind::missing);
}

Result<Slots> make(std::span<const Series> rungs, Nanoseconds start, Nanoseconds length, std::size_t count) {
  if (length <= Nanoseconds{0}) return fail("a slot must have a length", {}, "such as --slot 5min", Error::Kind::usage);
  Slots slots{start, length, {}};
  slots.intensity.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    Sum sum{0, {{slots.time(i), slots.time(i + 1)}}};
    for (const Series& s : rungs) {
      if (sum.left.empty()) break;
      const std::vector<Window> asked = std::move(sum.left);
      sum.left.clear();
      for (const Window& w : asked) add(s, w, sum);
    }
    if (!sum.left.empty()) return uncovered(rungs.back().signal, sum.left.front());
    slots.intensity.push_back(quantise(GramsPerKwh(sum.value / static_cast<double>(length.count()))));
  }
  return slots;
}

}  // namespace

MilligramsPerKwh quantise(GramsPerKwh value) {
  return static_cast<MilligramsPerKwh>(std::lround(std::clamp(value.value(), -2e6, 2e6) * 1000));
}

Result<Slots> make_slots(const Series& series, Nanoseconds start, Nanoseconds length, std::size_t count) {
  return make({&series, 1}, start, length, count);
}

Result<Slots> make_slots(const grid::Ladder& ladder, Nanoseconds start, Nanoseconds length, std::size_t count) {
  return make(ladder.rungs, start, length, count);
}

}  // namespace gramwatt::plan
