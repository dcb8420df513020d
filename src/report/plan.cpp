#include "report/plan.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "report/chart.hpp"
#include "report/grid.hpp"

namespace gramwatt::report {
namespace {

constexpr std::size_t kChartRows = 6;
constexpr std::size_t kAxis = 6;  // columns of the chart's axis
constexpr std::size_t kMostPlaces = 12;
constexpr std::size_t kLabel = 14;  // the policies' longest name

std::string percent(Ratio r) {
  const double value = 100 * r.value();
  return fmt::format("{:.1f} %", value == 0 ? 0.0 : value);
}

/// A table's cells, and how wide each column is; the first four are aligned to the left.
struct Rows {
  std::vector<std::vector<std::string>> cells;
  std::vector<std::size_t> widths;
};

constexpr std::size_t kLeftColumns = 4;

std::vector<std::string> row_cells(const PlanView& view, Choice c, const Style& style, bool interval) {
  const PlannedPlace& place = view.places[c.place];
  const plan::Option& o = view.option(c);
  const bool base = c == Choice{};
  const auto worse = p_worse(view, c);
  const auto at = [&](int slot) { return short_time(place.slots.time(static_cast<std::size_t>(slot))); };
  const Figure f = figure(carbon(view, c), style, "");
  std::string grams(trim(f.value));
  if (interval && !f.interval.empty()) grams += " (" + f.interval + ")";
  std::vector<std::string> cells{option_label(view, c),
                                 at(plan::runs(o.schedule).front().begin),
                                 at(plan::finish(o.schedule)),
                                 std::move(grams),
                                 base ? "" : percent(saving(view, c)),
                                 base    ? ""
                                 : worse ? percent(*worse)
                                         : std::string(style.dash()),
                                 std::to_string(plan::restarts(o.schedule))};
  if (const auto money = cost(view, c)) cells.push_back(fmt::format("{:.2f}", *money));
  return cells;
}

Rows make_rows(const PlanView& view, const std::vector<Choice>& choices, const Style& style, bool interval) {
  Rows rows;
  rows.cells.push_back({"", "start", "finish", view.home().signal.gas, "saving", "P(worse)", "restarts"});
  if (view.prices.any()) rows.cells.front().emplace_back("cost");
  for (const Choice c : choices) rows.cells.push_back(row_cells(view, c, style, interval));
  rows.widths.resize(rows.cells.front().size());
  for (const auto& row : rows.cells) {
    for (std::size_t i = 0; i < row.size(); ++i) rows.widths[i] = std::max(rows.widths[i], columns(row[i]));
  }
  return rows;
}

/// Narrow terminals: the names give way first, then the intervals, which the other outputs keep.
Rows fitting_rows(const PlanView& view, const std::vector<Choice>& choices, const Style& style, std::size_t width) {
  Rows rows;
  for (const bool interval : {true, false}) {
    rows = make_rows(view, choices, style, interval);
    std::size_t sum = 1;
    for (const std::size_t w : rows.widths) sum += w + 1;
    if (sum <= width) return rows;
    const std::size_t over = sum - width;
    if (rows.widths[0] >= kLabel + over || !interval) {
      rows.widths[0] = std::max<std::size_t>(rows.widths[0] - std::min(over, rows.widths[0]), kLabel);
      return rows;
    }
  }
  return rows;
}

std::string table(const PlanView& view, const Style& style, std::size_t width) {
  const std::vector<Choice> choices = table_choices(view);
  const Rows r = fitting_rows(view, choices, style, width);
  std::string out;
  for (std::size_t i = 0; i < r.cells.size(); ++i) {
    const bool chosen = i > 0 && choices[i - 1] == view.chosen;
    std::string line = chosen ? (style.unicode ? "→" : ">") : " ";
    for (std::size_t c = 0; c < r.cells[i].size(); ++c) {
      const std::string cell = cut(r.cells[i][c], r.widths[c], style);
      line += " " + (c < kLeftColumns ? pad(cell, r.widths[c]) : pad_left(cell, r.widths[c]));
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out += (i == 0 ? style.dim(line) : chosen ? style.bold(line) : line) + "\n";
  }
  return out;
}

/// One character for what the job does in the slots of a column: the most active of them.
std::string_view mark(const plan::Schedule& schedule, std::size_t begin, std::size_t end, const Style& style) {
  using plan::Action;
  constexpr std::array order{Action::run, Action::restart, Action::hold, Action::off, Action::wait, Action::done};
  static constexpr std::array<std::string_view, 6> unicode{"█", "▓", "▒", "·", " ", " "};
  static constexpr std::array<std::string_view, 6> ascii{"#", "r", "h", ".", " ", " "};
  for (std::size_t k = 0; k < order.size(); ++k) {
    const auto first = schedule.begin() + static_cast<std::ptrdiff_t>(begin),
               last = schedule.begin() + static_cast<std::ptrdiff_t>(end);
    const auto count = std::count(first, last, order[k]);
    const bool enough = k == 0 ? 2 * count >= last - first : count > 0;
    if (enough) return style.unicode ? unicode[k] : ascii[k];
  }
  return " ";
}

/// The schedules of the place that was chosen, above its intensity, on one time axis.
std::string gantt(const PlanView& view, const Style& style, std::size_t width) {
  const PlannedPlace& place = view.places[view.chosen.place];
  const std::size_t n = place.slots.intensity.size();
  const std::size_t columns = std::min<std::size_t>(std::clamp<std::size_t>(width, 60, 110) - kAxis - kLabel - 2, n);
  Plot plot;
  for (std::size_t c = 0; c < 2 * columns; ++c) {  // two dots a character
    const std::size_t begin = c * n / (2 * columns), end = std::max(begin + 1, (c + 1) * n / (2 * columns));
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += place.slots.intensity[i];
    plot.line.emplace_back(sum / 1000 / static_cast<double>(end - begin));
  }
  plot.unit = "g/kWh";
  for (int i = 0; i <= 3; ++i)
    plot.labels.push_back(short_time(place.slots.start + (place.slots.end() - place.slots.start) / 3 * i));
  std::string out = "\n";
  const std::vector<std::string> chart = braille(plot, columns + kAxis, kChartRows, style);
  for (const std::string& line : chart) out += line + "\n";
  const std::size_t axis =
      chart.empty() ? 0 : std::min(chart.back().find_first_not_of(' '), kAxis);  // the labels begin where it ends
  for (const plan::Option& o : place.options.options) {
    std::string line(axis, ' ');
    for (std::size_t c = 0; c < columns; ++c)
      line += mark(o.schedule, c * n / columns, std::max(c * n / columns + 1, (c + 1) * n / columns), style);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out += line + "  " + style.dim(policy_label(o.policy)) + "\n";
  }
  return out;
}

std::string head(const PlanView& view, const Style& style, std::size_t width) {
  const PlannedPlace& home = view.home();
  Joules sum;
  for (const Joules e : view.job.steps) sum += e;
  const Seconds length = seconds(home.slots.length) * static_cast<double>(view.job.steps.size());
  const std::string job = fmt::format("{} over {} in {}", text(sum), human_duration(length), home.zone);
  const std::string rest =
      fmt::format("{}; between {} and {} UTC", view.job_source, short_time(home.slots.start), short_time(home.slots.end()));
  const bool fits = columns(job) + 2 + columns(rest) <= width;
  return style.bold(job) + (fits ? "  " : "\n") + style.dim(fits ? rest : flow(rest, 0, width)) + "\n\n";
}

std::string foot(const PlanView& view, const Style& style, std::size_t width) {
  const PlannedPlace& place = view.places[view.chosen.place];
  std::string out = "\n";
  const auto line = [&](std::string_view what, const std::string& said) {
    out += style.dim(pad(what, 10)) + flow(said, 10, width) + "\n";
  };
  // Narrow tables leave the interval out; it is said here in any case.
  line("carbon", fmt::format("{} for the plan that is chosen; 90 % interval", text(carbon(view, view.chosen), style)));
  if (view.option(view.chosen).kept.value() > 0)
    line("of that", fmt::format("{} for making the machine, while it is kept", text(view.option(view.chosen).kept)));
  line("signal", view.signal_why);
  line("from", fmt::format("{} ({})", place.signal.source, describe(place.signal)));
  for (const std::string& note : place.options.notes) line("left out", note);
  for (const std::string& note : place.notes) line("note", note);
  for (const std::string& note : view.notes) line("note", note);
  if (view.places.size() > kMostPlaces + 1)
    line("note", fmt::format("{} more places are in --json", view.places.size() - 1 - kMostPlaces));
  return out;
}

}  // namespace

std::vector<Choice> table_choices(const PlanView& view) {
  std::vector<Choice> all;
  for (std::size_t o = 0; o < view.home().options.options.size(); ++o) all.push_back({0, o});
  std::vector<Choice> others;
  for (std::size_t p = 1; p < view.places.size(); ++p) others.push_back(best_at(view, p));
  const auto weight = [&](Choice c) { return view.by_cost ? cost(view, c).value_or(0) : carbon(view, c).value.value(); };
  std::stable_sort(others.begin(), others.end(), [&](Choice a, Choice b) { return weight(a) < weight(b); });
  if (others.size() > kMostPlaces) others.resize(kMostPlaces);
  all.insert(all.end(), others.begin(), others.end());
  return all;
}

std::string policy_label(plan::Policy policy) {
  constexpr std::array<const char*, 4> names{"run now", "flexible start", "pause, resume", "exact plan"};
  return names[static_cast<std::size_t>(policy)];
}

std::string option_label(const PlanView& view, Choice of) {
  const PlannedPlace& place = view.places[of.place];
  if (of.place == 0) return policy_label(view.option(of).policy);
  return place.name.empty() ? place.zone : place.name;
}

std::string plan_text(const PlanView& view, const Style& style, std::size_t width) {
  return head(view, style, width) + table(view, style, width) + gantt(view, style, width) + what_if_text(view, style, width) +
         foot(view, style, width);
}

}  // namespace gramwatt::report
