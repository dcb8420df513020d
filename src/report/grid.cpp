#include "report/grid.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "report/chart.hpp"

namespace gramwatt::report {
namespace {

constexpr std::size_t kRows = 10;

std::vector<std::string> time_labels(grid::Window w, std::size_t width) {
  const std::size_t count = std::clamp<std::size_t>(width / 16, 2, 6);
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < count; ++i)
    labels.push_back(short_time(w.start + w.length() / static_cast<std::int64_t>(count - 1) * static_cast<std::int64_t>(i)));
  return labels;
}

/// The steps on an even grid, so that gaps are seen as gaps.
Plot plot_of(const GridView& v, const std::vector<grid::Step>& steps) {
  const auto n = static_cast<std::size_t>((v.window.length() + v.step - Nanoseconds(1)) / v.step);
  Plot plot;
  plot.line.resize(n);
  plot.low.resize(n);
  plot.high.resize(n);
  for (const grid::Step& s : steps) {
    const auto i = static_cast<std::size_t>((s.start - v.window.start) / v.step);
    plot.line[i] = s.value.value();
    // Only what is not measured wears a band: else an interval of ±90 % would hide the shape.
    if (s.kind != grid::PointKind::forecast) continue;
    plot.low[i] = s.low.value();
    plot.high[i] = s.high.value();
  }
  return plot;
}

std::string extremes(const std::vector<grid::Step>& steps) {
  const auto [low, high] =
      std::minmax_element(steps.begin(), steps.end(), [](const auto& a, const auto& b) { return a.value < b.value; });
  double sum = 0;
  for (const grid::Step& s : steps) sum += s.value.value();
  return fmt::format("mean {:.0f}, lowest {:.0f} at {}, highest {:.0f} at {} UTC", sum / static_cast<double>(steps.size()),
                     low->value.value(), short_time(low->start), high->value.value(), short_time(high->start));
}

std::string licence_of(const grid::Signal& s) { return s.licence.empty() ? "licence not told" : s.licence; }

/// One line a rung that was used: share of the steps, source, meaning.
std::string source_lines(const GridView& v, const std::vector<grid::Step>& steps, std::size_t width) {
  std::string out;
  for (std::size_t r = 0; r < v.ladder.rungs.size(); ++r) {
    const auto count = std::count_if(steps.begin(), steps.end(), [r](const grid::Step& s) { return s.rung == r; });
    if (count == 0) continue;
    const grid::Signal& signal = v.ladder.rungs[r].signal;
    const std::string share =
        count == static_cast<std::ptrdiff_t>(steps.size())
            ? ""
            : fmt::format("{:.0f} %: ", 100.0 * static_cast<double>(count) / static_cast<double>(steps.size()));
    out += "  from     " +
           flow(fmt::format("{}{} ({}; {})", share, signal.source, describe(signal), licence_of(signal)), 11, width) + "\n";
  }
  for (const std::string& note : v.ladder.notes) out += "  note     " + flow(note, 11, width) + "\n";
  return out;
}

/// The rung that most steps stand on.
const grid::Series& main_rung(const GridView& v, const std::vector<grid::Step>& steps) {
  std::vector<std::size_t> counts(v.ladder.rungs.size());
  for (const grid::Step& s : steps) ++counts[s.rung];
  return v.ladder.rungs[static_cast<std::size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin())];
}

std::string now_line(const char* label, const GridView& v, Nanoseconds now, const Style& style) {
  const auto here = grid::steps(v.ladder, {now, now + Nanoseconds(1)}, Nanoseconds(1));
  if (here.empty()) return "";
  const grid::Step& s = here.front();
  const grid::Signal& signal = v.ladder.rungs[s.rung].signal;
  const std::string value = fmt::format("{:.0f} {}", s.value.value(), unit_of(signal));
  return fmt::format(
      "{}{}  {}\n", pad(label, 11), style.bold(value),
      style.dim(fmt::format("({:.0f}{}{:.0f}) {}", s.low.value(), style.dash(), s.high.value(), to_string(s.kind))));
}

}  // namespace

std::string unit_of(const grid::Signal& signal) { return "g" + signal.gas + "/kWh"; }

std::string describe(const grid::Signal& s) {
  return fmt::format("{}, {}, {} based, grid losses {}", to_string(s.kind), s.factor == "lifecycle" ? "life-cycle" : s.factor,
                     s.basis.empty() ? "production" : s.basis, s.grid_loss ? "in" : "out");
}

std::string grid_chart(const GridView& v, const Style& style, std::size_t width) {
  const auto steps = grid::steps(v.ladder, v.window, v.step);
  if (steps.empty()) return "nothing is known of this time\n";
  width = std::clamp<std::size_t>(width, 40, 120);
  const grid::Signal& signal = main_rung(v, steps).signal;
  std::string out = fmt::format("{}  {} to {} UTC, {}\n", style.bold(v.zone), minute_text(v.window.start),
                                minute_text(v.window.end), unit_of(signal));
  Plot plot = plot_of(v, steps);
  plot.labels = time_labels(v.window, width - 6);
  for (const std::string& line : braille(plot, width, kRows, style)) out += line + "\n";
  out += "  " + extremes(steps) + "\n";
  return out + source_lines(v, steps, width);
}

std::string grid_csv(const GridView& v) {
  std::string out = "utc_start,g_per_kwh,low,high,kind,source\n";
  for (const grid::Step& s : grid::steps(v.ladder, v.window, v.step)) {
    out += fmt::format("{},{:.6g},{:.6g},{:.6g},{},{}\n", iso8601(s.start), s.value.value(), s.low.value(), s.high.value(),
                       to_string(s.kind), csv_quote(v.ladder.rungs[s.rung].signal.source));
  }
  return out;
}

std::string grid_now(const GridView& average, const std::optional<GridView>& marginal, const std::string& marginal_note,
                     Nanoseconds now, const Style& style, std::size_t width) {
  width = std::clamp<std::size_t>(width, 40, 120);
  const std::string heading = average.place.starts_with(average.zone) ? average.place : average.zone + ", " + average.place;
  std::string out = fmt::format("{}  {} UTC\n", style.bold(heading), minute_text(now));
  const auto one = [&](const char* label, const GridView& v) {
    out += now_line(label, v, now, style);
    const auto steps = grid::steps(v.ladder, v.window, v.step);
    Plot plot = plot_of(v, steps);
    const std::string line = sparkline(plot.line, width - 30, style);
    out += fmt::format("{}{} {} {}\n", std::string(11, ' '), style.dim(short_time(v.window.start).substr(6)), line,
                       style.dim("+" + human_duration(seconds(v.window.end - now))));
    const auto here = grid::steps(v.ladder, {now, now + Nanoseconds(1)}, Nanoseconds(1));
    if (!here.empty()) {
      const grid::Signal& s = v.ladder.rungs[here.front().rung].signal;
      out += "  from     " +
             flow(fmt::format("{} ({}; {}; fit for {})", s.source, describe(s), licence_of(s), fmt::join(s.fit_for, " and ")),
                  11, width) +
             "\n";
    }
    for (const std::string& note : v.ladder.notes) out += "  note     " + flow(note, 11, width) + "\n";
  };
  one("average", average);
  if (marginal) one("marginal", *marginal);
  else out += pad("marginal", 11) + "unknown: " + flow(marginal_note, 11, width) + "\n";
  return out;
}

std::string backtest_table(const std::vector<grid::Backtest>& tests, const std::string& zone, const Style& style) {
  std::string out = style.bold(fmt::format("{}: forecasts at midnight UTC, made from what was known then\n", zone));
  out += fmt::format("{:<15}{:>8}  {}\n", "model", "origins", "day: mean error / rank correlation / inside the 90 % band");
  for (const grid::Backtest& t : tests) {
    out += fmt::format("{:<15}{:>8}", to_string(t.model), t.origins);
    for (std::size_t d = 0; d < t.days.size(); ++d) {
      out += fmt::format("  {}: {:.1f} % / {:.2f} / {:.0f} %", d + 1, 100 * t.days[d].mape.value(),
                         t.days[d].rank_correlation.value(), 100 * t.days[d].covered.value());
    }
    out += "\n";
  }
  return out;
}

}  // namespace gramwatt::report
