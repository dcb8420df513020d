#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "grid/forecast.hpp"
#include "grid/hourly.hpp"

namespace gramwatt::grid {
namespace {

constexpr Hour kDay = 24;

/// 1-based ranks; equal values share the mean of theirs.
std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> rank(values.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    for (std::size_t j = i; j < end; ++j) rank[order[j]] = static_cast<double>(i + end + 1) / 2;
    i = end;
  }
  return rank;
}

/// Spearman's; nothing where one of the two is constant.
std::optional<double> rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const std::vector<double> ra = ranks(a), rb = ranks(b);
  const double mean = (static_cast<double>(a.size()) + 1) / 2;
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < ra.size(); ++i) {
    ab += (ra[i] - mean) * (rb[i] - mean);
    aa += (ra[i] - mean) * (ra[i] - mean);
    bb += (rb[i] - mean) * (rb[i] - mean);
  }
  return aa > 0 && bb > 0 ? std::optional(ab / std::sqrt(aa * bb)) : std::nullopt;
}

struct Tally {
  double errors = 0, correlations = 0;
  int hours = 0, inside = 0, days = 0;

  [[nodiscard]] BacktestDay day() const {
    return {Ratio(hours > 0 ? errors / hours : 0), Ratio(days > 0 ? correlations / days : 0),
            Ratio(hours > 0 ? static_cast<double>(inside) / hours : 0)};
  }
};

bool inside(const Point& p, double truth) {
  constexpr double kRounding = 1e-9;  // a value that is met exactly lies inside
  const double value = p.value.value();
  return value * (1 + p.band.minus - kRounding) <= truth && truth <= value * (1 + p.band.plus + kRounding);
}

void judge(const Series& forecast, const Hourly& truth, double floor, std::size_t day, Tally& tally) {
  std::vector<double> said, came;
  const std::size_t end = std::min(forecast.points.size(), (day + 1) * kDay);
  for (std::size_t i = day * kDay; i < end; ++i) {
    const Point& p = forecast.points[i];
    const double t = truth.at(hour_of(p.start));
    if (std::isnan(t)) continue;
    said.push_back(p.value.value());
    came.push_back(t);
    if (const double error = std::abs(said.back() - t); error > 0) tally.errors += error / std::max(std::abs(t), floor);
    tally.inside += inside(p, t) ? 1 : 0;
  }
  tally.hours += static_cast<int>(said.size());
  constexpr std::size_t kLeastToRank = 6;
  if (said.size() < kLeastToRank) return;
  if (const auto r = rank_correlation(said, came)) {
    tally.correlations += *r;
    ++tally.days;
  }
}

}  // namespace

Result<Backtest> backtest(const Series& truth, Window window, std::chrono::hours length, Model model) {
  const Hourly hourly(truth);
  constexpr double kLeastShare = 0.05;  // of the mean, that a true value counts as
  const double floor = kLeastShare * hourly.mean_before(hourly.end());
  Forecaster forecaster(truth, length, model);
  Backtest b;
  b.model = model;
  std::vector<Tally> tallies(static_cast<std::size_t>(std::max<Hour>(0, (length.count() + kDay - 1) / kDay)));
  using Days = std::chrono::days;
  for (auto day = std::chrono::ceil<Days>(window.start); day < window.end; day += Days(1)) {
    const auto forecast = forecaster.at(day);
    if (!forecast) {
      if (forecast.error().kind == Error::Kind::usage) return tl::unexpected(forecast.error());
      ++b.skipped;
      b.skipped_because = forecast.error().what;
      continue;
    }
    ++b.origins;
    if (forecast->model != model) ++b.fell_back;
    for (std::size_t d = 0; d < tallies.size(); ++d) judge(forecast->series, hourly, floor, d, tallies[d]);
  }
  for (const Tally& t : tallies) b.days.push_back(t.day());
  if (tallies.empty() || tallies.front().hours == 0) {
    return fail(b.skipped > 0 ? "no forecast could be made: " + b.skipped_because : "nothing in the window to judge by",
                "backtest", "", Error::Kind::unavailable);
  }
  return b;
}

}  // namespace gramwatt::grid
