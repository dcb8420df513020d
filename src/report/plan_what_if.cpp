// The job on other GPUs, beside its plan. Everything here is assumed, and its interval says how little is known.

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "base/text.hpp"
#include "report/plan.hpp"

namespace gramwatt::report {
namespace {

constexpr Choice kHomeNow{0, 0};

/// What the move's errors do to an option's carbon: what was moved there from home is not the job's.
Terms terms_of(const WhatIf& w, Choice of) {
  const PlannedPlace& place = w.planned->places[of.place];
  const double job = w.planned->option(of).carbon.value(), moving = place.transfer ? place.transfer->value.value() : 0;
  return weighted_terms(w.move.energy.terms, job, {}, moving);
}

std::string percent(double share) { return fmt::format("{:.0f}", 100 * (std::abs(share) < 0.005 ? 0 : share)); }

/// One row: what, time, energy, carbon, saving.
using Row = std::vector<std::string>;

std::string joined(const Figure& f, bool interval = true) {
  return f.interval.empty() || !interval ? f.value : f.value + " (" + f.interval + ")";
}

/// `narrow`: without the intervals of time and energy, which the other outputs keep.
Row row_of(const PlanView& view, const WhatIf& w, Choice c, const Style& style, bool narrow) {
  const Estimate<Ratio> left = remaining(view, w, c);
  const std::string saved = left.terms.empty() ? percent(1 - left.value.value()) + " %"
                                               : fmt::format("{} % ({}..{})", percent(1 - left.value.value()),
                                                             percent(1 - left.high().value()), percent(1 - left.low().value()));
  const bool now = c == kHomeNow;  // the job's own time and energy: the same in every row
  return {option_label(*w.planned, c), now ? joined(figure(w.time, style), !narrow) : "",
          now ? joined(figure(w.energy, style), !narrow) : "", joined(figure(carbon(w, c), style, "")), saved};
}

/// Running at once at home, and the best, where that is another.
std::vector<Row> rows_of(const PlanView& view, const WhatIf& w, const Style& style, bool narrow = false) {
  std::vector<Row> rows;
  if (!w.planned) return rows;
  rows.push_back(row_of(view, w, kHomeNow, style, narrow));
  if (w.planned->chosen != kHomeNow) rows.push_back(row_of(view, w, w.planned->chosen, style, narrow));
  return rows;
}

/// The rows of each what-if, and how wide each column is.
struct Table {
  Row head;
  std::vector<std::vector<Row>> rows;
  std::vector<std::size_t> widths;

  void widen(const Row& row) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  [[nodiscard]] std::size_t width() const { return 1 + std::accumulate(widths.begin(), widths.end(), widths.size()); }
};

Table table_of(const PlanView& view, const Style& style, bool narrow) {
  Table t{{"", "time", "energy", view.home().signal.gas, "saving"}, {}, {}};
  t.widen(t.head);
  for (const WhatIf& w : view.what_ifs) {
    t.rows.push_back(rows_of(view, w, style, narrow));
    for (const Row& row : t.rows.back()) t.widen(row);
  }
  return t;
}

/// Narrow terminals: the names give way first, then the intervals of time and energy.
Table fitting_table(const PlanView& view, const Style& style, std::size_t width) {
  constexpr std::size_t kLabel = 14;  // the policies' longest name
  Table t;
  for (const bool narrow : {false, true}) {
    t = table_of(view, style, narrow);
    const std::size_t over = t.width() - std::min(width, t.width());
    t.widths[0] -= std::min(over, t.widths[0] - std::min(t.widths[0], kLabel));
    if (t.width() <= width) break;
  }
  return t;
}

std::vector<std::string> common_notes(const PlanView& view) {
  std::vector<std::string> notes{
      "all of this is assumed: time and energy scaled from published rates and power limits; only a run there measures them"};
  if (view.places.size() > 1) notes.emplace_back("which region has these GPUs, and at what price, is not known to gramwatt");
  if (view.job.can_pause() || view.job.machine != plan::Machine::shared)
    notes.emplace_back("what pausing, waiting and making the machine cost is taken as it is now");
  if (view.prices.any()) notes.emplace_back("no cost is told, as the price of another machine is not known");
  return notes;
}

}  // namespace

std::string gpus_label(const plan::Gpus& gpus, const Style& style) {
  return gpus.count == 1 ? gpus.board.name : fmt::format("{} {} {}", gpus.count, style.times(), gpus.board.name);
}

Estimate<Grams> carbon(const WhatIf& w, Choice of) {
  Estimate<Grams> e = carbon(*w.planned, of);
  e.method = Method::assumed;
  e.source = join_sources(e.source, w.move.energy.source);
  e.terms = product_terms(e.terms, terms_of(w, of));
  return e;
}

Estimate<Ratio> remaining(const PlanView& view, const WhatIf& w, Choice of) {
  const Grams base = view.option(kHomeNow).carbon;
  const Grams here = carbon(*w.planned, of).value;
  return {Ratio(base.value() == 0 ? 1 : here / base), Method::assumed, w.move.energy.source, std::nullopt, terms_of(w, of)};
}

std::string what_if_text(const PlanView& view, const Style& style, std::size_t width) {
  if (view.what_ifs.empty()) return {};
  std::string out = "\n" + flow("what if, in place of " + gpus_label(view.gpus, style) + " (assumed)", 2, width) + "\n";
  const Table table = fitting_table(view, style, width);
  const auto line = [&](const Row& row) {
    std::string text = " ";
    for (std::size_t i = 0; i < row.size(); ++i) text += " " + pad(cut(row[i], table.widths[i], style), table.widths[i]);
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  };
  out += style.dim(line(table.head));
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const WhatIf& w = view.what_ifs[i];
    out += style.bold(gpus_label(w.gpus, style)) + "\n";
    for (const Row& row : table.rows[i]) out += line(row);
    if (!w.planned) out += "  " + flow(w.refused, 2, width) + "\n";
    for (const std::string& note : w.notes) out += style.dim("  " + flow(note, 2, width)) + "\n";
  }
  for (const std::string& note : common_notes(view)) out += style.dim(flow(note, 2, width)) + "\n";
  return out;
}

std::string what_if_html(const PlanView& view) {
  if (view.what_ifs.empty()) return {};
  const Style style;
  std::string out = fmt::format(
      "<h2>What if it ran on other GPUs than {}?</h2>\n<div class='scroll'><table><thead><tr><th>GPUs</th><th>option</th><th "
      "class='n'>time</th><th class='n'>energy</th><th class='n'>carbon</th><th class='n'>saving</th></tr></thead><tbody>\n",
      html_escaped(gpus_label(view.gpus, style)));
  for (const WhatIf& w : view.what_ifs) {
    const std::string label = html_escaped(gpus_label(w.gpus, style));
    if (!w.planned) out += fmt::format("<tr><td>{}</td><td colspan='5'>{}</td></tr>\n", label, html_escaped(w.refused));
    for (const Row& row : rows_of(view, w, style)) {
      out += fmt::format("<tr><td>{}</td><td>{}</td>", label, html_escaped(row[0]));
      for (std::size_t i = 1; i < row.size(); ++i) out += "<td class='n'>" + html_escaped(row[i]) + "</td>";
      out += "</tr>\n";
    }
  }
  out += "</tbody></table></div>\n<dl>";
  const auto note = [&](const std::string& text) { out += fmt::format("<dt>note</dt><dd>{}</dd>\n", html_escaped(text)); };
  for (const WhatIf& w : view.what_ifs) {
    for (const std::string& text : w.notes) note(gpus_label(w.gpus, style) + ": " + text);
  }
  for (const std::string& text : common_notes(view)) note(text);
  return out + "</dl>\n";
}

}  // namespace gramwatt::report
