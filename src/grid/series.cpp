#include <algorithm>
#include <array>

#include "grid/intensity.hpp"

namespace gramwatt::grid {
namespace {

constexpr std::array<std::string_view, 2> kSignals{"average", "marginal"};
constexpr std::array<std::string_view, 4> kPointKinds{"observed", "estimated", "forecast", "profile"};

template <class E, std::size_t N>
std::optional<E> parse(const std::array<std::string_view, N>& names, std::string_view text) {
  const auto it = std::find(names.begin(), names.end(), text);
  return it == names.end() ? std::nullopt : std::optional(static_cast<E>(it - names.begin()));
}

/// The first point that starts after `t`.
std::size_t after(const std::vector<Point>& points, Nanoseconds t) {
  const auto it =
      std::upper_bound(points.begin(), points.end(), t, [](Nanoseconds at, const Point& p) { return at < p.start; });
  return static_cast<std::size_t>(it - points.begin());
}

}  // namespace

std::string_view to_string(SignalKind kind) { return kSignals[static_cast<std::size_t>(kind)]; }
std::optional<SignalKind> parse_signal_kind(std::string_view text) { return parse<SignalKind>(kSignals, text); }
std::string_view to_string(PointKind kind) { return kPointKinds[static_cast<std::size_t>(kind)]; }
std::optional<PointKind> parse_point_kind(std::string_view text) { return parse<PointKind>(kPointKinds, text); }

bool Signal::is_fit_for(std::string_view purpose) const {
  return std::find(fit_for.begin(), fit_for.end(), purpose) != fit_for.end();
}

Nanoseconds Series::end_of(std::size_t i) const {
  const bool last = i + 1 >= points.size();
  if (resolution <= Nanoseconds{0}) return last ? Nanoseconds::max() : points[i + 1].start;
  const Nanoseconds end = points[i].start + resolution;
  return last ? end : std::min(end, points[i + 1].start);
}

std::optional<Point> Series::at(Nanoseconds t) const {
  if (points.empty()) return std::nullopt;
  const std::size_t next = after(points, t);
  if (next == 0) return resolution <= Nanoseconds{0} ? std::optional(points.front()) : std::nullopt;
  return t < end_of(next - 1) ? std::optional(points[next - 1]) : std::nullopt;
}

Series::Mean Series::mean(Nanoseconds start, Nanoseconds end) const {
  if (end <= start) {
    const auto point = at(start);
    return {point ? point->value : GramsPerKwh(0), Nanoseconds{0}};
  }
  double sum = 0;
  Nanoseconds covered{};
  const std::size_t next = after(points, start);
  for (std::size_t i = next == 0 ? 0 : next - 1; i < points.size() && points[i].start < end; ++i) {
    const bool before_all = i == 0 && resolution <= Nanoseconds{0};
    const Nanoseconds from = before_all ? start : std::max(start, points[i].start);
    const Nanoseconds to = std::min(end, end_of(i));
    if (to <= from) continue;
    sum += points[i].value.value() * static_cast<double>((to - from).count());
    covered += to - from;
  }
  if (covered <= Nanoseconds{0} && resolution <= Nanoseconds{0} && !points.empty()) return {points.front().value, end - start};
  return {GramsPerKwh(covered > Nanoseconds{0} ? sum / static_cast<double>(covered.count()) : 0), covered};
}

Ladder one_value(GramsPerKwh value) {
  Series s;
  s.points = {{Nanoseconds{0}, value}};
  return {{std::move(s)}, {}};
}

bool Series::covers(Window window) const { return mean(window.start, window.end).covered >= window.length(); }

}  // namespace gramwatt::grid
