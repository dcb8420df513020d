// The study as a page: bars by region as in the paper's figures, and the table beside the published one. The drawing is SVG
// written here, coloured by the page's own style for light and dark; no script, nothing from elsewhere.

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "report/study.hpp"

namespace gramwatt::report {
namespace {

using namespace plan::facct22;

constexpr const char* kStyle = R"(<style>
:root { color-scheme: light dark; --ink: #1b1f23; --soft: #6a737d; --rule: #d8dde2; --page: #ffffff;
  --b0: #b9d7ea; --b1: #7fb2d5; --b2: #3d85b8; --b3: #14507f; --worse: #a4343a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e7eb; --soft: #98a2ad; --rule: #39424c; --page: #14181c;
  --b0: #22506f; --b1: #3479a6; --b2: #63a6d2; --b3: #b4daf2; --worse: #f0898e; } }
body { margin: 2rem auto; max-width: 84rem; padding: 0 1rem; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
p, li { max-width: 60rem; } .soft, caption { color: var(--soft); }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(25rem, 1fr)); gap: 1rem; }
svg { width: 100%; height: auto; } svg text { fill: var(--ink); font: 11px system-ui, sans-serif; } svg .soft { fill: var(--soft); }
.rule { stroke: var(--rule); stroke-width: 1; } .b0 { fill: var(--b0); } .b1 { fill: var(--b1); } .b2 { fill: var(--b2); } .b3 { fill: var(--b3); }
.published { fill-opacity: .25; stroke: var(--ink); stroke-width: .8; stroke-dasharray: 2 1.5; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .12rem .55rem; text-align: right; white-space: nowrap; } th:first-child, td:first-child, td:nth-child(2) { text-align: left; }
tr.first td { border-top: 1px solid var(--rule); } .far { color: var(--worse); }
</style>
)";

double percent(const std::optional<Saving>& s) { return s ? 100 * s->mean_of_ratios.value() : 0; }

/// Four bars of neighbouring windows: a region's, the mean's, the published.
struct Group {
  std::string name;
  std::array<double, 4> bars{};
  bool published = false;
};

/// `from`: the first of four windows.
std::vector<Group> groups(const StudyView& v, std::size_t from, std::size_t job, Policy policy) {
  std::vector<Group> out;
  for (const StudyRegion& r : v.regions) {
    Group g{r.name, {}, false};
    for (std::size_t i = 0; i < 4; ++i) g.bars[i] = percent(saving(r.cells[from + i][job], policy));
    out.push_back(std::move(g));
  }
  Group mean{"mean", {}, false}, theirs{"published", {}, true};
  for (std::size_t i = 0; i < 4; ++i) {
    mean.bars[i] = percent(mean_saving(v, from + i, job, policy));
    theirs.bars[i] = 100 * published(from + i, job, policy).saving.value();
  }
  out.push_back(std::move(mean));
  out.push_back(std::move(theirs));
  return out;
}

/// 1, 2 or 5 times a power of ten, so that some four of them reach the top.
double rule_step(double top) {
  const double power = std::pow(10, std::floor(std::log10(std::max(top, 1e-6) / 4)));
  for (const double m : {1.0, 2.0, 5.0}) {
    if (m * power * 5 >= top) return m * power;
  }
  return 10 * power;
}

constexpr double kWidth = 560, kTop = 26, kHeight = 170, kLeft = 34, kBelow = 122;

std::string rules(double top) {
  std::string out;
  const double step = rule_step(top);
  for (int i = 0; i * step <= top * 1.0001; ++i) {
    const double y = kTop + kHeight * (1 - i * step / top);
    out += fmt::format(
        R"(<line class="rule" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/><text class="soft" x="{}" y="{:.1f}" text-anchor="end">{:.3g}</text>)",
        kLeft, kWidth, y, y, kLeft - 4, y + 4, i * step);
  }
  return out;
}

std::string panel(const StudyView& v, std::size_t from, std::size_t job, Policy policy) {
  const std::vector<Group> all = groups(v, from, job, policy);
  double top = 0.1;
  for (const Group& g : all) top = std::max(top, *std::max_element(g.bars.begin(), g.bars.end()));
  top *= 1.05;
  const double each = (kWidth - kLeft) / static_cast<double>(all.size()), bar = each * 0.8 / 4;
  const std::string title = fmt::format("{}: {}, {} to {}", jobs()[job].short_name,
                                        policy == Policy::flexible_start ? "flexible start" : "pause and resume",
                                        slacks()[from].name, slacks()[from + 3].name);
  std::string out = fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}"><text x="{}" y="14">{}, % saved</text>)",
                                kWidth, kTop + kHeight + kBelow, html_escaped(title), kLeft, html_escaped(title));
  out += rules(top);
  for (std::size_t g = 0; g < all.size(); ++g) {
    const double x = kLeft + each * (static_cast<double>(g) + 0.1);
    for (std::size_t i = 0; i < 4; ++i) {
      const double height = kHeight * std::max(0.0, all[g].bars[i]) / top;
      out += fmt::format(
          R"(<rect class="b{}{}" x="{:.1f}" y="{:.1f}" width="{:.2f}" height="{:.1f}"><title>{} {}: {:.1f} %</title></rect>)",
          i, all[g].published ? " published" : "", x + bar * static_cast<double>(i), kTop + kHeight - height, bar, height,
          html_escaped(all[g].name), slacks()[from + i].name, all[g].bars[i]);
    }
    const double lx = x + each * 0.4, ly = kTop + kHeight + 10;
    out += fmt::format(R"x(<text x="{:.1f}" y="{:.1f}" text-anchor="end" transform="rotate(-60 {:.1f} {:.1f})">{}</text>)x",
                       lx + 3, ly, lx + 3, ly, html_escaped(all[g].name.substr(0, 18)));
  }
  return out + "</svg>\n";
}

std::string row(std::string_view window, std::string_view label, const char* kind, const std::vector<std::string>& cells) {
  std::string out = fmt::format("<tr{}><td>{}</td><td>{}</td>", kind, window, label);
  for (const std::string& c : cells) out += "<td>" + c + "</td>";
  return out + "</tr>\n";
}

std::string table_head() {
  std::string out = "<div class=\"scroll\"><table>\n<tr><th>window</th><th></th>";
  for (const Job& j : jobs()) out += fmt::format("<th title=\"{}\">{}</th>", html_escaped(j.name), j.short_name);
  return out + "</tr>\n";
}

std::string table(const StudyView& v) {
  std::string out = table_head();
  for (std::size_t w = 0; w < kSlacks; ++w) {
    for (const Policy p : {Policy::flexible_start, Policy::pause_resume}) {
      std::vector<std::string> ours, theirs, difference;
      for (std::size_t j = 0; j < kJobs; ++j) {
        const double us = percent(mean_saving(v, w, j, p)), them = 100 * published(w, j, p).saving.value();
        ours.push_back(fmt::format("{:.1f}", us));
        theirs.push_back(fmt::format("{:.1f}", them));
        const bool far = std::abs(us - them) > std::max(1.5, 0.35 * them);
        difference.push_back(fmt::format("<span class=\"{}\">{:+.1f}</span>", far ? "far" : "near", us - them));
      }
      const bool flexible = p == Policy::flexible_start;
      out += row(flexible ? slacks()[w].name : "", flexible ? "flexible start" : "pause and resume",
                 flexible ? " class=\"first\"" : "", ours);
      out += row("", "published", " class=\"soft\"", theirs) + row("", "difference", "", difference);
    }
  }
  return out + "</table></div>\n";
}

/// A row of percents. `of`: a job's saving or part.
template <class Of>
std::string percent_row(std::string_view window, std::string_view label, const char* kind, Of of) {
  std::vector<std::string> cells;
  for (std::size_t j = 0; j < kJobs; ++j) {
    const std::optional<Ratio> part = of(j);
    cells.push_back(part ? fmt::format("{:.1f}", 100 * part->value()) : "–");
  }
  return row(window, label, kind, cells);
}

std::optional<Ratio> of_ratios(const std::optional<Saving>& s) { return s ? std::optional(s->mean_of_ratios) : std::nullopt; }

/// Restarts, holding and waiting, for every window.
std::string charges_table(const StudyView& v) {
  constexpr const char* kFirst = " class=\"first\"";
  std::string out = table_head();
  for (std::size_t w = 0; w < kSlacks; ++w) {
    const auto saved = [&](Policy p, const Charges& charges) {
      return [&v, w, p, charges](std::size_t j) { return of_ratios(mean_saving(v, w, j, p, charges)); };
    };
    out += percent_row(slacks()[w].name, "flexible start, free", kFirst, saved(Policy::flexible_start, {})) +
           percent_row("", "machine kept while it waits", "", saved(Policy::flexible_start, charges_of(v, Payment::kept))) +
           percent_row("", "pause and resume, free", "", saved(Policy::pause_resume, {}));
    constexpr std::array kLabels{"restarts paid", "held in place", "restarts paid, machine kept"};
    for (std::size_t i = 0; i < report::kPayments.size(); ++i) {
      const Payment p = report::kPayments[i];
      out += percent_row("", kLabels[i], "", saved(Policy::pause_resume, charges_of(v, p)));
      if (has_exact(v))
        out +=
            percent_row("", "exact plan", " class=\"soft\"", [&](std::size_t j) { return of_ratios(mean_exact(v, w, j, p)); });
    }
  }
  return out + "</table></div>\n";
}

std::string compared_table(const StudyView& v, const Compared& c) {
  std::string out = table_head();
  for (std::size_t w = 0; w < kSlacks; ++w) {
    const auto three = [&](std::string_view window, std::string_view what, auto of) {
      return percent_row(window, fmt::format("{}, {}", what, c.forecast ? "all known" : "planned by the judge"),
                         window.empty() ? "" : " class=\"first\"", [&](std::size_t j) { return of_ratios(of(j).known); }) +
             percent_row("", c.by, "", [&](std::size_t j) { return of_ratios(of(j).told); }) +
             percent_row("", "kept, %", " class=\"soft\"", [&](std::size_t j) { return of(j).kept(); });
    };
    const auto policy = [&](Policy p, const Charges& charges) {
      return [&c, w, p, charges](std::size_t j) { return mean_compared(c, w, j, p, charges); };
    };
    out += three(slacks()[w].name, "flexible start", policy(Policy::flexible_start, {})) +
           three("", "pause and resume", policy(Policy::pause_resume, {})) +
           three("", "restarts paid", policy(Policy::pause_resume, charges_of(v, Payment::restarts)));
    if (has_exact(c)) out += three("", "exact plan", [&](std::size_t j) { return mean_compared_exact(c, w, j); });
  }
  return out + "</table></div>\n";
}

/// What is kept, region by region.
std::string kept_table(const StudyView& v, const Compared& c) {
  std::string out = "<div class=\"scroll\"><table>\n<tr><th>kept, %</th><th></th>";
  for (const ShownCell& s : kShownCells) out += fmt::format("<th>{}</th>", s.heading);
  out += "</tr>\n";
  const auto line = [&](std::string_view name, const char* kind, auto of) {
    std::vector<std::string> cells;
    for (const ShownCell& s : kShownCells) {
      const auto kept = of(s);
      cells.push_back(kept ? fmt::format("{:.0f}", 100 * kept->value()) : "–");
    }
    out += row(html_escaped(name), "", kind, cells);
  };
  for (std::size_t r = 0; r < v.regions.size(); ++r)
    line(v.regions[r].name, "", [&](const ShownCell& s) { return compared(c, r, s.slack, s.job, s.policy).kept(); });
  line("mean saving", " class=\"first\"",
       [&](const ShownCell& s) { return mean_compared(c, s.slack, s.job, s.policy).kept(); });
  return out + "</table></div>\n";
}

std::string beyond_the_paper(const StudyView& v) {
  std::string out = fmt::format(
      "<h2>What the paper leaves out</h2>\n<p class=\"soft\">Mean over the regions, % saved, where a restart costs {} at full "
      "power "
      "and a job held in place or a machine kept draws {:.0f} % of it.</p>\n",
      length_text(v.restart), 100 * v.idle.value());
  out += charges_table(v);
  for (const Compared& c : comparisons(v)) {
    out += c.forecast ? fmt::format(
                            "<h2>Forecasts in place of foresight: {}</h2>\n<p class=\"soft\">Made anew every {} from what was "
                            "known then; what came is what is paid. % saved, over the same starts.</p>\n",
                            c.by, length_text(kReplanned))
                      : fmt::format(
                            "<h2>Weighed with another signal</h2>\n<p class=\"soft\">Planned by the region's own signal and "
                            "weighed with {}, beside what planning by that itself saves. %.</p>\n",
                            html_escaped(v.judge));
    out += compared_table(v, c) + kept_table(v, c);
  }
  return out;
}

std::string region_list(const StudyView& v) {
  std::string out = "<ul>\n";
  for (const StudyRegion& r : v.regions) {
    out += fmt::format("<li><b>{}</b>: {} intensity every {}, {} ({})</li>\n", html_escaped(r.name),
                       grid::to_string(r.signal.kind), length_text(r.resolution),
                       html_escaped(r.signal.source.empty() ? "source not told" : r.signal.source),
                       html_escaped(r.signal.licence.empty() ? "licence not told" : r.signal.licence));
  }
  return out + "</ul>\n";
}

}  // namespace

std::string study_html(const StudyView& v) {
  constexpr std::array<std::size_t, 3> kShown{5, 1, 2};  // short, middle, long: those of the paper's figures
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><title>Moving jobs in time</title>\n";
  out += kStyle;
  out += fmt::format(
      "</head><body>\n<h1>Moving machine learning in time</h1>\n<p>{}.<br><span class=\"soft\">The study of {}, done "
      "again; published figures are dashed.</span></p>\n",
      html_escaped(study_heading(v)), html_escaped(kSource));
  for (const Policy p : {Policy::flexible_start, Policy::pause_resume}) {
    out += fmt::format(
        "<h2>{} by region</h2>\n<p class=\"soft\">Four bars each: +6, +12, +18, +24 h, or +25, +50, +75, +100 % of the "
        "job's length.</p>\n<div class=\"panels\">\n",
        p == Policy::flexible_start ? "Flexible start" : "Pause and resume");
    for (const std::size_t from : {std::size_t{0}, kSlacks / 2}) {
      for (const std::size_t job : kShown) out += panel(v, from, job, p);
    }
    out += "</div>\n";
  }
  const Agreement a = agreement(v);
  out += "<h2>Mean over the regions, beside the published</h2>\n" + table(v);
  out += fmt::format(
      "<p>Jobs of 19 h and more: {} of {} averages of pause and resume within max(1.5 points, 35 %) of the "
      "published.</p>\n",
      a.within, a.all);
  out += beyond_the_paper(v);
  out += "<h2>What it stands on</h2>\n" + region_list(v) + "<ul>\n";
  for (const std::string& remark : study_remarks(v)) out += "<li>" + html_escaped(remark) + "</li>\n";
  for (const std::string& note : v.notes) out += "<li>" + html_escaped(note) + "</li>\n";
  return out + "</ul>\n</body></html>\n";
}

}  // namespace gramwatt::report
