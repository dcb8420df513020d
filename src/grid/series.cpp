#include <algorithm>

#include "grid/intensity.hpp"

namespace gramwatt::grid {
namespace {

/// The point that holds at `t`: the last one that starts at or before it, else the first.
std::vector<Point>::const_iterator holding(const std::vector<Point>& points, Nanoseconds t) {
  const auto after =
      std::upper_bound(points.begin(), points.end(), t, [](Nanoseconds at, const Point& p) { return at < p.start; });
  return after == points.begin() ? after : after - 1;
}

}  // namespace

GramsPerKwh Series::mean(Nanoseconds start, Nanoseconds end) const {
  auto at = holding(points, start);
  if (end <= start) return at->value;
  double sum = 0;
  for (Nanoseconds from = start; from < end; ++at) {
    const auto next = at + 1;
    const Nanoseconds to = next == points.end() ? end : std::clamp(next->start, from, end);
    sum += at->value.value() * static_cast<double>((to - from).count());
    from = to;
    if (next == points.end()) break;
  }
  return GramsPerKwh(sum / static_cast<double>((end - start).count()));
}

}  // namespace gramwatt::grid
