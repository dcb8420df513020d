#include "report/run_chart.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "report/chart.hpp"

namespace gramwatt::report {
namespace {

constexpr std::size_t kLeast = 5;
constexpr std::size_t kPowerRows = 6;
constexpr std::size_t kIntensityRows = 3;
constexpr std::size_t kMargin = 6;  // of the axis, in both charts

/// Mean power of the job in each of `n` equal steps; time without intervals is a gap.
Trace power(const std::vector<Interval>& intervals, grid::Window window, std::size_t n) {
  std::vector<double> energy(n), time(n);
  const double step = static_cast<double>(window.length().count()) / static_cast<double>(n);
  for (const Interval& i : intervals) {
    Microjoules sum;
    for (const Flow& f : i.flows) sum += f.job();
    const double from = static_cast<double>((i.start.utc - window.start).count()),
                 to = static_cast<double>((i.end.utc - window.start).count());
    if (to <= from) continue;
    for (auto k = static_cast<std::size_t>(std::max(0.0, from / step)); k < n && static_cast<double>(k) * step < to; ++k) {
      const double part = std::min(to, static_cast<double>(k + 1) * step) - std::max(from, static_cast<double>(k) * step);
      energy[k] += sum.joules().value() * part / (to - from);
      time[k] += part * 1e-9;
    }
  }
  Trace out(n);
  for (std::size_t k = 0; k < n; ++k) {
    if (time[k] > 0) out[k] = energy[k] / time[k];
  }
  return out;
}

std::string clock_time(Nanoseconds utc, bool with_day, bool with_seconds) {
  const std::string text = iso8601(utc);
  return (with_day ? text.substr(5, 5) + " " : "") + text.substr(11, with_seconds ? 8 : 5);
}

std::string lines(const Plot& plot, std::size_t width, std::size_t rows, const Style& style) {
  std::string out;
  for (const std::string& line : braille(plot, width, rows, style)) out += line + "\n";
  return out;
}

}  // namespace

std::string run_chart(const std::vector<Interval>& intervals, const grid::Ladder& average, const Style& style,
                      std::size_t width) {
  if (intervals.size() < kLeast) return {};
  width = std::clamp<std::size_t>(width, 40, 100);
  const grid::Window window{intervals.front().start.utc, intervals.back().end.utc};
  if (window.length() <= Nanoseconds{0}) return {};
  const std::size_t n = std::min(intervals.size(), 2 * (width - kMargin));
  Plot watts;
  watts.line = power(intervals, window, n);
  watts.unit = "W";
  Plot grams;
  const Nanoseconds step = std::max(Nanoseconds(1), window.length() / static_cast<std::int64_t>(n));
  for (const grid::Step& s : grid::steps(average, window, step)) grams.line.emplace_back(s.value.value());
  grams.unit = "g/kWh";
  const bool with_day = window.length() > std::chrono::hours(20), with_seconds = window.length() < std::chrono::minutes(10);
  for (int i = 0; i <= 3; ++i)
    grams.labels.push_back(clock_time(window.start + window.length() / 3 * i, with_day, with_seconds));
  return lines(watts, width, kPowerRows, style) + lines(grams, width, kIntensityRows, style);
}

}  // namespace gramwatt::report
