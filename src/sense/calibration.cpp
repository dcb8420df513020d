// One machine, measured once.
//
// Problem. The model by CPU name errs by a tenth on tuned servers and by more on real ones, because boards, supplies, fans and
// settings differ. A person with a plug meter, or a sensor that is there only for root, can settle that for good.
//
// Idea. Hold a few levels of load, in both ways that a machine is loaded (all threads part of the time, some threads all of the
// time), note the capacity used as the meter will count it in later runs, and what the reference says. Power rises with
// capacity, so the fit is isotonic regression (pool adjacent violators): it needs no law of the curve's form, and noise cannot
// make it fall. Idle is what the line through the two lowest levels gives at no load, because a machine at rest is never quite
// so.
//
// How wrong it is, is asked of the data: each level between the ends is left out in its turn and predicted from the others.
// That error holds the meter's noise and the difference between the two ways of loading, which a curve by capacity cannot tell
// apart. To it come the reference's own accuracy, which moves idle and active alike, and `calibration-workload`: the load here
// is arithmetic in registers; programs that move much memory or use wide vectors draw 10 to 20 % more or less at the same
// capacity (assumed ±15 %; Khan et al. 2018 and VPower find that order between workloads).
//
// Chips and plug. Where chip sensors were read beside a reference at the plug, a straight line through (chips, plug) is the
// platform: its slope above one is what supply and fans lose, its intercept is what board, fans and disks draw at rest. That
// replaces 0.17 W a watt and an assumed base (meter/platform.cpp). The same levels tell the packages' idle power.

#include "sense/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

namespace gramwatt::sense {
namespace {

/// std::hypot wants a newer glibc than the binary may.
double in_quadrature(double a, double b) { return std::sqrt(a * a + b * b); }

constexpr double kZ90 = 1.645;  // 90 % of a normal distribution
constexpr Shift kWorkload = Shift::symmetric(0.15);
constexpr double kFewLevelsError = 0.05;  // of the range, where too few levels are between the ends to ask them
constexpr double kMostRelative = 0.9;
constexpr double kRestCapacity = 0.15;  // "at rest": little else was running
constexpr double kTooNarrow = 0.1;      // chips must move by this part of their largest to show a slope

struct Knot {
  double x, y, weight;
};

/// Pool adjacent violators: never falling, knots at the blocks' centres, x strictly rising.
std::vector<Knot> isotonic(std::span<const std::pair<double, double>> points) {
  std::vector<std::pair<double, double>> sorted(points.begin(), points.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<Knot> knots;
  for (const auto& [x, y] : sorted) {
    knots.push_back({x, y, 1});
    while (knots.size() >= 2) {
      const Knot b = knots.back();
      Knot& a = knots[knots.size() - 2];
      const bool same_load = b.x - a.x < 1e-9;
      if (!same_load && a.y <= b.y) break;
      const double w = a.weight + b.weight;
      a = {(a.x * a.weight + b.x * b.weight) / w, (a.y * a.weight + b.y * b.weight) / w, w};
      knots.pop_back();
    }
  }
  return knots;
}

/// Between knots straight; below the first along the first line, but neither below zero nor above it; beyond the last flat.
double value_at(const std::vector<Knot>& knots, double x) {
  const Knot& first = knots.front();
  if (x >= knots.back().x) return knots.back().y;
  if (x <= first.x) {
    const double slope = knots.size() > 1 ? (knots[1].y - first.y) / (knots[1].x - first.x) : 0;
    return std::clamp(first.y - slope * (first.x - x), 0.0, first.y);
  }
  const auto above = std::find_if(knots.begin(), knots.end(), [&](const Knot& k) { return k.x > x; });
  const auto below = std::prev(above);
  return below->y + (above->y - below->y) * (x - below->x) / (above->x - below->x);
}

/// 90 % error of levels left out, in watts.
double left_out_error(std::span<const std::pair<double, double>> points, double range) {
  const auto [low, high] = std::minmax_element(points.begin(), points.end());
  double squares = 0;
  int count = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].first <= low->first || points[i].first >= high->first) continue;
    std::vector<std::pair<double, double>> others(points.begin(), points.end());
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    const double error = value_at(isotonic(others), points[i].first) - points[i].second;
    squares += error * error;
    ++count;
  }
  if (count < 2) return kFewLevelsError * range;
  return kZ90 * std::sqrt(squares / count);
}

Shift relative(double error, double value) {
  return Shift::symmetric(value > 0 ? std::min(kMostRelative, error / value) : kMostRelative);
}

/// The straight line plug = base + slope × chips.
std::optional<CalibratedPlatform> fit_platform(const CalibrationTrace& trace) {
  std::vector<std::pair<double, double>> points;
  for (const CalibrationLevel& level : trace.levels) {
    if (level.chips.empty()) continue;
    const double chips = std::accumulate(level.chips.begin(), level.chips.end(), 0.0,
                                         [](double sum, const auto& c) { return sum + c.second.value(); });
    points.emplace_back(chips, level.reference.value());
  }
  const auto n = static_cast<double>(points.size());
  if (trace.boundary != Boundary::node || points.size() < 3) return std::nullopt;
  double mean_x = 0, mean_y = 0;
  for (const auto& [x, y] : points) {
    mean_x += x / n;
    mean_y += y / n;
  }
  double sxx = 0, sxy = 0;
  for (const auto& [x, y] : points) {
    sxx += (x - mean_x) * (x - mean_x);
    sxy += (x - mean_x) * (y - mean_y);
  }
  const auto [low, high] = std::minmax_element(points.begin(), points.end());
  if (high->first - low->first < kTooNarrow * high->first) return std::nullopt;
  const double slope = std::max(1.0, sxy / sxx);  // the plug gives all that the chips take
  const double base = std::max(0.0, mean_y - slope * mean_x);
  double squares = 0;
  for (const auto& [x, y] : points) squares += std::pow(y - base - slope * x, 2);
  const double sigma = std::sqrt(squares / std::max(1.0, n - 2));
  const double slope_error = in_quadrature(kZ90 * sigma / std::sqrt(sxx), trace.accuracy * slope);
  const double base_error = in_quadrature(kZ90 * sigma * std::sqrt(1 / n + mean_x * mean_x / sxx), trace.accuracy * base);
  CalibratedPlatform p{slope - 1, Watts(base), {}, {}};
  // A loss near zero has no relative error to speak of: it is stated against at least 1 % of the chips.
  p.loss = std::max(p.loss, 0.01);
  p.loss_shift = {-std::min(1.0, slope_error / p.loss), slope_error / p.loss};
  p.base_shift = relative(base_error, base);
  return p;
}

std::vector<std::pair<std::string, CalibratedCurve>> fit_chips(const CalibrationTrace& trace) {
  std::vector<std::pair<std::string, CalibratedCurve>> out;
  if (trace.levels.empty()) return out;
  for (const auto& [id, unused] : trace.levels.front().chips) {
    std::vector<std::pair<double, double>> points;
    for (const CalibrationLevel& level : trace.levels) {
      for (const auto& [other, watts] : level.chips) {
        if (other == id) points.emplace_back(level.capacity.value(), watts.value());
      }
    }
    if (points.size() >= 2) out.emplace_back(id, fit_curve(points));
  }
  return out;
}

}  // namespace

CalibratedCurve fit_curve(std::span<const std::pair<double, double>> points) {
  const std::vector<Knot> knots = isotonic(points);
  CalibratedCurve curve;
  curve.idle = Watts(value_at(knots, 0));
  for (std::size_t k = 0; k < curve.active.size(); ++k) {
    curve.active[k] = Watts(value_at(knots, static_cast<double>(k) / 10)) - curve.idle;
  }
  curve.error = Watts(left_out_error(points, curve.active.back().value()));
  return curve;
}

Result<Calibration> fit(const CalibrationTrace& trace) {
  std::vector<std::pair<double, double>> points;
  double least = 1, most = 0;
  for (const CalibrationLevel& level : trace.levels) {
    points.emplace_back(level.capacity.value(), level.reference.value());
    least = std::min(least, level.capacity.value());
    most = std::max(most, level.capacity.value());
  }
  if (points.size() < 3) return fail(fmt::format("{} levels are too few for a curve", points.size()), "calibration");
  if (least > kRestCapacity) {
    return fail(fmt::format("{:.0f} % of the machine was busy even at rest", 100 * least), "calibration",
                "end what else is running and calibrate again");
  }
  if (most < least + 0.3) return fail("the levels hardly differ: the load did not run", "calibration");
  Calibration c{fit_curve(points), fit_chips(trace), fit_platform(trace)};
  if (c.curve.idle.value() <= 0 && c.curve.active.back().value() <= 0)
    return fail("the reference shows no power", "calibration");
  return c;
}

std::string calibrated_on(const CalibrationTrace& trace) {
  return fmt::format("calibrated on {} against {}", iso8601(trace.utc).substr(0, 10), trace.source);
}

PowerModel calibrated_model(const CalibrationTrace& trace, const Calibration& c) {
  PowerModel model;
  model.rung = PowerModel::Rung::calibrated;
  model.host_threads = trace.threads;
  model.source = fmt::format("{}, {} levels", calibrated_on(trace), trace.levels.size());
  model.description = fmt::format("this machine, {}", calibrated_on(trace));
  model.fixed = {c.curve.idle, Method::modelled, model.source, trace.boundary, {}};
  model.active_at_load = c.curve.active;
  const Shift reference = Shift::symmetric(trace.accuracy);
  model.fixed.terms = {{"calibration-reference", reference},
                       {"calibration-fit", relative(c.curve.error.value(), c.curve.idle.value())}};
  model.active_terms = {{"calibration-reference", reference},
                        {"calibration-fit", relative(c.curve.error.value(), c.curve.active[5].value())},
                        {"calibration-workload", kWorkload}};
  return model;
}

}  // namespace gramwatt::sense
