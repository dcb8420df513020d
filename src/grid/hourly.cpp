#include "grid/hourly.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

namespace gramwatt::grid {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr Nanoseconds kHour = std::chrono::hours(1);

bool observation(const Point& p) { return p.kind == PointKind::observed || p.kind == PointKind::estimated; }

}  // namespace

Hour hour_of(Nanoseconds t) { return std::chrono::floor<std::chrono::hours>(t).count(); }
Nanoseconds start_of(Hour hour) { return std::chrono::hours(hour); }

Hourly::Hourly(const Series& series) : Hourly(series, false) {}
Hourly Hourly::of_any_kind(const Series& series) { return {series, true}; }

Hourly::Hourly(const Series& series, bool any_kind) {
  if (series.resolution <= Nanoseconds{0} || series.resolution > kHour || series.points.empty()) return;
  first_ = hour_of(series.points.front().start);
  const Hour last = hour_of(series.points.back().start + series.resolution - Nanoseconds(1));
  const auto n = static_cast<std::size_t>(last - first_ + 1);
  std::vector<double> covered(n, 0);
  values_.assign(n, 0);
  for (std::size_t i = 0; i < series.points.size(); ++i) {
    const Point& p = series.points[i];
    if (!std::isfinite(p.value.value()) || !(any_kind || observation(p))) continue;
    const Nanoseconds end = series.end_of(i);
    for (Nanoseconds from = p.start; from < end;) {
      const Nanoseconds to = std::min(end, start_of(hour_of(from) + 1));
      const std::size_t h = index(hour_of(from));
      const double part = static_cast<double>((to - from).count()) / static_cast<double>(kHour.count());
      values_[h] += part * p.value.value();
      covered[h] += part;
      from = to;
    }
  }
  constexpr double kHalf = 0.5 - 1e-9;  // thirty minutes in parts that do not add up to it exactly
  sum_.assign(n + 1, 0);
  count_.assign(n + 1, 0);
  least_.assign(n + 1, std::numeric_limits<double>::infinity());
  greatest_.assign(n + 1, -std::numeric_limits<double>::infinity());
  for (std::size_t h = 0; h < n; ++h) {
    const bool is_known = covered[h] >= kHalf;
    values_[h] = is_known ? values_[h] / covered[h] : kMissing;
    sum_[h + 1] = sum_[h] + (is_known ? values_[h] : 0);
    count_[h + 1] = count_[h] + (is_known ? 1 : 0);
    least_[h + 1] = is_known ? std::min(least_[h], values_[h]) : least_[h];
    greatest_[h + 1] = is_known ? std::max(greatest_[h], values_[h]) : greatest_[h];
  }
}

std::size_t Hourly::index(Hour hour) const { return static_cast<std::size_t>(std::clamp(hour, begin(), end()) - first_); }
double Hourly::at(Hour hour) const { return hour < begin() || hour >= end() ? kMissing : values_[index(hour)]; }
bool Hourly::known(Hour hour) const { return !std::isnan(at(hour)); }

int Hourly::count(Hour from, Hour to) const {
  return values_.empty() || to <= from ? 0 : count_[index(to)] - count_[index(from)];
}

double Hourly::mean(Hour from, Hour to) const {
  const int n = count(from, to);
  return n == 0 ? kMissing : (sum_[index(to)] - sum_[index(from)]) / n;
}

double Hourly::least_before(Hour hour) const { return values_.empty() ? kMissing : least_[index(hour)]; }
double Hourly::greatest_before(Hour hour) const { return values_.empty() ? kMissing : greatest_[index(hour)]; }

Hour Hourly::known_until(Hour hour) const {
  Hour at_hour = std::min(hour, end());
  while (at_hour > begin() && !known(at_hour - 1)) --at_hour;
  return std::max(at_hour, begin());
}

}  // namespace gramwatt::grid
