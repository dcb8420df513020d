// A plan as one page: the table of options, and the schedules over the intensity, drawn in SVG. Nothing is loaded from
// elsewhere and nothing runs: the page can be mailed, kept beside a paper, and opened in ten years.

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "report/grid.hpp"
#include "report/plan.hpp"

namespace gramwatt::report {
namespace {

using namespace std::chrono_literals;

// The drawing's own units; the browser scales it.
constexpr double kWidth = 960, kLeft = 130, kRight = 20, kTop = 26, kPlot = 190, kRow = 26, kGap = 30;
constexpr double kInner = kWidth - kLeft - kRight;
constexpr std::size_t kMostColumns = 830;  // one a unit of width

constexpr std::string_view kStyle = R"CSS(
:root{color-scheme:light dark;--page:#fff;--text:#1c2430;--soft:#5d6878;--line:#d9dee6;--area:#e4ebf5;--curve:#3b6fb6;
--run:#1f8a5b;--restart:#c77700;--hold:#a9d8c2;--pick:#e9f6ef}
@media(prefers-color-scheme:dark){:root{--page:#14181f;--text:#e6eaf0;--soft:#9aa6b6;--line:#2f3744;--area:#1e2a3c;--curve:#7fb0f0;
--run:#3fbf86;--restart:#f0a63c;--hold:#2c5a47;--pick:#18302a}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:1.5rem;background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.35rem;margin:0}
p{margin:.25rem 0 1.25rem}
.soft,dt,th,figcaption{color:var(--soft)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;white-space:nowrap;font-size:.92rem}
th{font-weight:500;text-align:left}
td,th{padding:.3rem .6rem .3rem .4rem;border-bottom:1px solid var(--line)}
td.n,th.n{text-align:right;padding:.3rem .4rem .3rem .6rem}
tr.pick td{background:var(--pick);font-weight:600}
figure{margin:1.5rem 0}
svg{width:100%;min-width:40rem;height:auto;display:block;font:13px system-ui,sans-serif}
svg text{fill:var(--soft)}
svg .strong{fill:var(--text);font-weight:600}
figcaption{font-size:.9rem;margin-top:.4rem}
.key{display:inline-block;width:.9em;height:.9em;border-radius:2px;vertical-align:-.1em;margin:0 .3em 0 1em}
.key:first-child{margin-left:0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;font-size:.9rem}
dd{margin:0}
)CSS";

std::string percent(Ratio r) {
  const double value = 100 * r.value();
  return fmt::format("{:.1f} %", std::abs(value) < 0.05 ? 0.0 : value);
}

/// 1, 2 or 5 times a power of ten: at most `most` steps up to `top`.
double nice_step(double top, int most) {
  const double rough = top / most;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double k : {1.0, 2.0, 5.0}) {
    if (k * power >= rough) return k * power;
  }
  return 10 * power;
}

Nanoseconds time_step(Nanoseconds length) {
  constexpr std::array<std::chrono::seconds, 17> steps{1s, 5s, 15s, 1min, 5min, 15min, 30min, 1h,  2h,
                                                       3h, 6h, 12h, 24h,  48h,  168h,  336h,  720h};
  for (const auto step : steps) {
    if (length / Nanoseconds(step) <= 8) return step;
  }
  return length / 8;
}

/// Time and intensity to places in the drawing.
struct Frame {
  const plan::Slots& slots;
  double top = 1;  ///< g/kWh at the upper edge

  [[nodiscard]] double x(Nanoseconds t) const {
    return kLeft + kInner * (seconds(t - slots.start) / seconds(slots.end() - slots.start));
  }
  [[nodiscard]] double x(std::size_t slot) const { return x(slots.time(slot)); }
  [[nodiscard]] double y(double grams) const { return kTop + kPlot * (1 - grams / top); }
};

Frame frame_of(const plan::Slots& slots) {
  const auto most = std::max_element(slots.intensity.begin(), slots.intensity.end());
  const double peak = most == slots.intensity.end() ? 0 : *most / 1000.0;
  return {slots, peak > 0 ? peak * 1.06 : 1};
}

/// The curve as steps; many slots are drawn by their means. Below: the area under it, which the grid is drawn over.
struct Curve {
  std::string area, line;
};

Curve curve(const Frame& f) {
  const std::size_t n = f.slots.intensity.size(), columns = std::min(n, kMostColumns);
  std::string line;
  for (std::size_t c = 0; c < columns; ++c) {
    const std::size_t begin = c * n / columns, end = std::max(begin + 1, (c + 1) * n / columns);
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += f.slots.intensity[i];
    const double y = f.y(sum / 1000 / static_cast<double>(end - begin));
    line += fmt::format("{}{:.1f} {:.1f}H{:.1f}", c == 0 ? "M" : "L", f.x(begin), y, f.x(end));
  }
  return {fmt::format("<path d='{}V{:.1f}H{:.1f}Z' fill='var(--area)'/>\n", line, f.y(0), kLeft),
          fmt::format("<path d='{}' fill='none' stroke='var(--curve)' stroke-width='1.8'/>\n", line)};
}

std::string axes(const Frame& f, double bottom) {
  std::string out;
  const double step = nice_step(f.top, 4);
  for (double v = 0; v <= f.top; v += step)
    out += fmt::format(
        "<path d='M{:.0f} {:.1f}H{:.0f}' stroke='var(--line)'/><text x='{:.0f}' y='{:.1f}' text-anchor='end'>{:g}</text>\n",
        kLeft, f.y(v), kWidth - kRight, kLeft - 8, f.y(v) + 4, v);
  out += fmt::format("<text x='{:.0f}' y='{:.0f}'>g/kWh</text>\n", kLeft, kTop - 10);
  const Nanoseconds every = time_step(f.slots.end() - f.slots.start);
  for (Nanoseconds t = (f.slots.start + every - 1ns) / every * every; t <= f.slots.end(); t += every) {
    const std::string when = iso8601(t);
    const bool days = every >= 24h;
    out += fmt::format(
        "<path d='M{0:.1f} {1:.0f}V{2:.1f}' stroke='var(--line)'/><text x='{0:.1f}' y='{3:.1f}' "
        "text-anchor='middle'>{4}</text>\n",
        f.x(t), kTop, bottom, bottom + 16, days ? when.substr(5, 5) : when.substr(11, every < 1min ? 8 : 5));
    if (!days && (t % Nanoseconds(24h) == 0ns || t - every < f.slots.start))
      out +=
          fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='middle'>{}</text>\n", f.x(t), bottom + 32, when.substr(5, 5));
  }
  return out;
}

std::string bar(const Frame& f, std::size_t begin, std::size_t end, plan::Action action, double y) {
  using plan::Action;
  const double x = f.x(begin), width = std::max(0.4, f.x(end) - x);
  const std::string when = minute_text(f.slots.time(begin)) + " to " + minute_text(f.slots.time(end));
  const auto solid = [&](const char* colour, const char* what) {
    return fmt::format("<rect x='{:.1f}' y='{:.1f}' width='{:.1f}' height='16' fill='var(--{})'><title>{} {}</title></rect>\n",
                       x, y, width, colour, what, when);
  };
  switch (action) {
    case Action::run: return solid("run", "runs");
    case Action::restart: return solid("restart", "restarts");
    case Action::hold: return solid("hold", "held");
    case Action::off:
      return fmt::format("<path d='M{:.1f} {:.1f}h{:.1f}' stroke='var(--run)' stroke-dasharray='2 3'/>\n", x, y + 8, width);
    default: return {};
  }
}

std::string gantt(const PlanView& view, const Frame& f) {
  const PlannedPlace& place = view.places[view.chosen.place];
  std::string out;
  double y = kTop + kPlot + kGap - 12;
  for (std::size_t i = 0; i < place.options.options.size(); ++i, y += kRow) {
    const plan::Option& o = place.options.options[i];
    const bool chosen = i == view.chosen.option;
    out += fmt::format("<text x='{:.0f}' y='{:.1f}' text-anchor='end'{}>{}</text>\n", kLeft - 8, y + 13,
                       chosen ? " class='strong'" : "", policy_label(o.policy));
    for (std::size_t begin = 0; begin < o.schedule.size();) {
      std::size_t end = begin;
      while (end < o.schedule.size() && o.schedule[end] == o.schedule[begin]) ++end;
      out += bar(f, begin, end, o.schedule[begin], y);
      begin = end;
    }
  }
  return out;
}

/// The hours that the chosen plan runs in, over the curve.
std::string shade(const PlanView& view, const Frame& f) {
  std::string out;
  for (const plan::Run& r : plan::runs(view.option(view.chosen).schedule)) {
    const double x = f.x(static_cast<std::size_t>(r.begin));
    out += fmt::format("<rect x='{:.1f}' y='{:.0f}' width='{:.1f}' height='{:.0f}' fill='var(--run)' opacity='.14'/>\n", x,
                       kTop, f.x(static_cast<std::size_t>(r.end)) - x, kPlot);
  }
  return out;
}

std::string figure(const PlanView& view) {
  const PlannedPlace& place = view.places[view.chosen.place];
  const Frame f = frame_of(place.slots);
  const double bottom = kTop + kPlot + kGap - 12 + kRow * static_cast<double>(place.options.options.size());
  std::string out = fmt::format(
      "<figure><div class='scroll'><svg viewBox='0 0 {:.0f} {:.0f}' role='img' aria-label='Schedules of each option over the "
      "carbon "
      "intensity of {}'>\n",
      kWidth, bottom + 40, html_escaped(place.zone));
  const Curve c = curve(f);
  out += c.area + shade(view, f) + axes(f, bottom) + c.line + gantt(view, f);
  out += fmt::format(
      "</svg></div><figcaption><span class='key' style='background:var(--run)'></span>runs<span class='key' "
      "style='background:var(--restart)'></span>restarts<span class='key' style='background:var(--hold)'></span>held in place; "
      "dotted: off. Carbon intensity of {} ({}); times are UTC.</figcaption></figure>\n",
      html_escaped(place.zone), grid::to_string(place.signal.kind));
  return out;
}

std::string table(const PlanView& view) {
  const Style style;
  std::string out =
      "<div class='scroll'><table><thead><tr><th>option</th><th>start (UTC)</th><th>finish</th><th class='n'>carbon</th><th "
      "class='n'>90&#8239;%</th><th class='n'>saving</th><th class='n'>P(worse)</th><th class='n'>restarts</th>";
  out += std::string(view.prices.any() ? "<th class='n'>cost</th>" : "") + "</tr></thead><tbody>\n";
  for (const Choice c : table_choices(view)) {
    const plan::Option& o = view.option(c);
    const PlannedPlace& place = view.places[c.place];
    const bool base = c == Choice{};
    const auto worse = p_worse(view, c);
    const auto at = [&](int slot) { return short_time(place.slots.time(static_cast<std::size_t>(slot))); };
    const Figure carbon_figure = figure(carbon(view, c), style, view.home().signal.gas);
    out += fmt::format("<tr{}><td>{}</td><td>{}</td><td>{}</td>", c == view.chosen ? " class='pick'" : "",
                       html_escaped(option_label(view, c)), at(plan::runs(o.schedule).front().begin),
                       at(plan::finish(o.schedule)));
    for (const std::string& cell : {carbon_figure.value, carbon_figure.interval, base ? "" : percent(saving(view, c)),
                                    base    ? std::string()
                                    : worse ? percent(*worse)
                                            : std::string("–"),
                                    std::to_string(plan::restarts(o.schedule))})
      out += "<td class='n'>" + html_escaped(cell) + "</td>";
    if (const auto money = cost(view, c)) out += fmt::format("<td class='n'>{:.2f}</td>", *money);
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string notes(const PlanView& view) {
  const PlannedPlace& place = view.places[view.chosen.place];
  std::string out = "<dl>";
  const auto line = [&](std::string_view what, const std::string& said) {
    out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", what, html_escaped(said));
  };
  line("signal", view.signal_why);
  line("from", fmt::format("{} ({})", place.signal.source, describe(place.signal)));
  for (const std::string& note : place.options.notes) line("left out", note);
  for (const std::string& note : place.notes) line("note", note);
  for (const std::string& note : view.notes) line("note", note);
  const std::size_t shown = table_choices(view).size() - view.home().options.options.size();
  if (shown + 1 < view.places.size()) line("note", fmt::format("{} more places are in --json", view.places.size() - 1 - shown));
  return out + "</dl>\n";
}

}  // namespace

std::string plan_html(const PlanView& view) {
  const PlannedPlace& home = view.home();
  Joules sum;
  for (const Joules e : view.job.steps) sum += e;
  const Seconds length = seconds(home.slots.length) * static_cast<double>(view.job.steps.size());
  const std::string job = html_escaped(fmt::format("{} over {} in {}", text(sum), human_duration(length), home.zone));
  const PlannedPlace& best = view.places[view.chosen.place];
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'><meta name='viewport' "
      "content='width=device-width,initial-scale=1'><title>Plan: {0}</title><style>{1}</style></head>\n<body><h1>{0}</h1>\n"
      "<p class='soft'>{2}; between {3} and {4} UTC. Least carbon: {5} in {6}, {7} less than running at once in {8}.</p>\n",
      job, kStyle, html_escaped(view.job_source), minute_text(home.slots.start), minute_text(home.slots.end()),
      policy_label(view.option(view.chosen).policy), html_escaped(best.name.empty() ? best.zone : best.name),
      percent(saving(view, view.chosen)), html_escaped(home.zone));
  return out + table(view) + figure(view) + what_if_html(view) + notes(view) + "</body></html>\n";
}

}  // namespace gramwatt::report
