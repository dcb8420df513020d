#pragma once
// Hourly series whose shape is known.

#include <chrono>
#include <cmath>
#include <functional>
#include <numbers>
#include <random>

#include "grid/hourly.hpp"

namespace gramwatt::grid {

using std::chrono::hours;
using std::chrono::minutes;

inline constexpr Hour kStart = 438'288;  // 2020-01-01T00Z, a Wednesday
inline constexpr Hour kDay = 24;

inline Nanoseconds after_days(double days) { return start_of(kStart) + minutes(std::lround(days * 24 * 60)); }

/// Hourly values from a function of the hour since kStart.
inline Series hourly(int days, const std::function<double(Hour)>& value) {
  Series s;
  s.resolution = hours(1);
  for (Hour h = 0; h < days * kDay; ++h) s.points.push_back({start_of(kStart + h), GramsPerKwh(value(h)), {}, {}});
  return s;
}

inline double daily(Hour h) { return 300 + 120 * std::sin(2 * std::numbers::pi * static_cast<double>(h % kDay) / 24); }

inline double weekly(Hour h) {
  const Hour weekday = (h / kDay + 2) % 7;  // Monday: 0
  return daily(h) * (weekday >= 5 ? 0.8 : 1);
}

/// A typical day and week under weather that lasts for a day or so.
inline Series weather(int days, std::uint64_t seed, double size = 0.15) {
  std::mt19937_64 random(seed);
  std::normal_distribution<> normal;
  double state = 0;
  return hourly(days, [&](Hour h) {
    state = 0.96 * state + std::sqrt(1 - 0.96 * 0.96) * normal(random);
    return weekly(h) * std::exp(size * state);
  });
}

}  // namespace gramwatt::grid
