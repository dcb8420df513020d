#include "report/study.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/clock.hpp"
#include "base/text.hpp"

namespace gramwatt::report {
namespace {

using namespace plan::facct22;

constexpr std::size_t kLabel = 28, kColumn = 8;
/// Jobs that the paper's averages of another signal still describe: reference of the bar in docs/validation.md.
constexpr Nanoseconds kLong = std::chrono::hours(19);
constexpr double kPoints = 0.015, kShare = 0.35;

std::string percent(const std::optional<double>& part) { return part ? fmt::format("{:.1f}", 100 * *part) : "?"; }

template <class F>
std::string line(std::string_view window, std::string_view label, std::size_t first, std::size_t last, F cell) {
  std::string out = pad(window, 8) + pad(label, kLabel - 8);
  for (std::size_t j = first; j < last; ++j) out += pad_left(cell(j), kColumn);
  return out + "\n";
}

std::optional<double> ratio_of(const std::optional<Saving>& s, bool totals) {
  if (!s) return std::nullopt;
  return (totals ? s->ratio_of_totals : s->mean_of_ratios).value();
}

std::string beside(const StudyView& v, std::size_t w, Policy policy, std::size_t first, std::size_t last, const Style& style) {
  const bool flexible = policy == Policy::flexible_start;
  const auto ours = [&](std::size_t j) { return ratio_of(mean_saving(v, w, j, policy), false); };
  const auto theirs = [&](std::size_t j) { return published(w, j, policy).saving.value(); };
  std::string out = line(flexible ? slacks()[w].name : "", flexible ? "flexible start" : "pause and resume", first, last,
                         [&](std::size_t j) { return percent(ours(j)); });
  out += line("", "  published", first, last, [&](std::size_t j) { return percent(theirs(j)); });
  out += line("", "  difference", first, last,
              [&](std::size_t j) { return ours(j) ? fmt::format("{:+.1f}", 100 * (*ours(j) - theirs(j))) : "?"; });
  out += style.dim(line("", "  saving of totals", first, last,
                        [&](std::size_t j) { return percent(ratio_of(mean_saving(v, w, j, policy), true)); }));
  return out;
}

std::string pauses(const StudyView& v, std::size_t w, std::size_t first, std::size_t last, const Style& style) {
  return style.dim(
      line("", "  pauses an hour", first, last,
           [&](std::size_t j) { return fmt::format("{:.2f}", mean_pauses_per_hour(v, w, j, Policy::pause_resume)); }) +
      line("", "  published", first, last, [&](std::size_t j) {
        return fmt::format("{:.2f}", published(w, j, Policy::pause_resume).pauses_per_hour.value_or(0));
      }));
}

std::string header(std::string_view first_word, std::size_t first, std::size_t last, const Style& style) {
  return style.bold(line(first_word, "", first, last, [](std::size_t j) { return std::string(jobs()[j].short_name); }));
}

const char* label_of(Payment payment) {
  switch (payment) {
    case Payment::restarts: return "  restarts paid";
    case Payment::held: return "  held in place";
    case Payment::kept: return "  restarts, kept";
  }
  return "";
}

/// Mean over the regions of what `of` says of a cell.
template <class F>
std::string mean_count(const StudyView& v, std::size_t w, std::size_t j, F of) {
  double sum = 0;
  for (const StudyRegion& r : v.regions) sum += of(r.cells[w][j]);
  return fmt::format("{:.1f}", sum / static_cast<double>(v.regions.size()));
}

std::string charged(const StudyView& v, std::size_t w, std::size_t first, std::size_t last) {
  const auto row = [&](std::string_view window, std::string_view label, Policy policy, const Charges& charges) {
    return line(window, label, first, last,
                [&](std::size_t j) { return percent(ratio_of(mean_saving(v, w, j, policy, charges), false)); });
  };
  const auto best = [&](Payment p) {
    return line("", "    exact plan", first, last,
                [&](std::size_t j) { return percent(ratio_of(mean_exact(v, w, j, p), false)); }) +
           line("", "    its pauses", first, last,
                [&](std::size_t j) { return mean_count(v, w, j, [p](const Cell& c) { return pauses_per_start(c, p); }); });
  };
  std::string out = row(slacks()[w].name, "start, free", Policy::flexible_start, {}) +
                    row("", "  machine kept", Policy::flexible_start, report::charges_of(v, Payment::kept)) +
                    row("", "pauses, free", Policy::pause_resume, {}) +
                    line("", "  their number", first, last, [&](std::size_t j) {
                      return mean_count(v, w, j, [](const Cell& c) { return pauses_per_start(c, Policy::pause_resume); });
                    });
  for (const Payment p : report::kPayments) {
    out += row("", label_of(p), Policy::pause_resume, report::charges_of(v, p));
    if (has_exact(v)) out += best(p);
  }
  return out;
}

/// The paper's figures show regions.
std::string region_lines(const StudyView& v, const Style& style) {
  std::string head = fmt::format("{:<18}{:>8}{:>8}{:>8}", "REGION", "every", "known", "g/kWh");
  for (const ShownCell& s : kShownCells) head += fmt::format("{:>19}", s.heading);
  std::string out = style.bold(head) + "\n";
  for (const StudyRegion& r : v.regions) {
    out += fmt::format("{}{:>8}{:>6.1f} %{:>8.0f}", pad(cut(r.name, 17, style), 18), length_text(r.resolution),
                       100 * r.known.value(), r.mean.value());
    for (const ShownCell& s : kShownCells)
      out += fmt::format("{:>19}", percent(ratio_of(saving(r.cells[s.slack][s.job], s.policy), false)));
    out += "\n";
  }
  return out;
}

std::string whole_percent(const std::optional<Ratio>& part) { return part ? fmt::format("{:.0f}", 100 * part->value()) : "-"; }

/// What is known, what is told and what that keeps, a line each. `of`: a job's.
template <class Of>
std::string three_lines(std::string_view window, const char* what, const Compared& c, std::size_t first, std::size_t last,
                        const Style& style, Of of) {
  return line(window, fmt::format("{}, {}", what, c.forecast ? "known" : "judge"), first, last,
              [&](std::size_t j) { return percent(ratio_of(of(j).known, false)); }) +
         line("", "  " + c.by, first, last, [&](std::size_t j) { return percent(ratio_of(of(j).told, false)); }) +
         style.dim(line("", "  kept, %", first, last, [&](std::size_t j) { return whole_percent(of(j).kept()); }));
}

std::string compared_lines(const StudyView& v, const Compared& c, std::size_t w, std::size_t first, std::size_t last,
                           const Style& style) {
  const auto policy = [&](Policy p, const Charges& charges = {}) {
    return [&c, w, p, charges](std::size_t j) { return mean_compared(c, w, j, p, charges); };
  };
  std::string out = three_lines(slacks()[w].name, "start", c, first, last, style, policy(Policy::flexible_start)) +
                    three_lines("", "pauses", c, first, last, style, policy(Policy::pause_resume)) +
                    three_lines("", "restarts paid", c, first, last, style,
                                policy(Policy::pause_resume, report::charges_of(v, Payment::restarts)));
  if (has_exact(c))
    out += three_lines("", "exact plan", c, first, last, style, [&](std::size_t j) { return mean_compared_exact(c, w, j); });
  return out;
}

/// A line a region: what is kept of the cells that the other table of regions shows.
std::string kept_by_region(const StudyView& v, const Compared& c, const Style& style) {
  std::string head = fmt::format("{:<42}", "KEPT, %, by " + c.by);
  for (const ShownCell& s : kShownCells) head += fmt::format("{:>19}", s.heading);
  std::string out = style.bold(head) + "\n";
  for (std::size_t r = 0; r < v.regions.size(); ++r) {
    out += pad(cut(v.regions[r].name, 17, style), 42);
    for (const ShownCell& s : kShownCells)
      out += fmt::format("{:>19}", whole_percent(compared(c, r, s.slack, s.job, s.policy).kept()));
    out += "\n";
  }
  out += fmt::format("{:<42}", "mean saving");
  for (const ShownCell& s : kShownCells)
    out += fmt::format("{:>19}", whole_percent(mean_compared(c, s.slack, s.job, s.policy).kept()));
  return out + "\n";
}

std::string compared_table(const StudyView& v, const Compared& c, std::size_t step, const Style& style) {
  std::string out =
      c.forecast ? fmt::format("Forecasts in place of foresight: {}, made anew every {} from what was known then\n", c.by,
                               length_text(kReplanned))
                 : fmt::format("Weighed with {}: planned by the region's own signal, beside what planning by {} itself saves\n",
                               v.judge, v.judge);
  for (std::size_t first = 0; first < kJobs; first += step) {
    const std::size_t last = std::min(kJobs, first + step);
    out += header("WINDOW", first, last, style);
    for (const std::size_t w : kShownSlacks) out += compared_lines(v, c, w, first, last, style);
    out += "\n";
  }
  return out + kept_by_region(v, c, style) + "\n";
}

void add_forecast_remarks(const StudyView& v, std::vector<std::string>& out) {
  if (v.regions.front().forecasts.empty()) return;
  out.emplace_back(
      "Forecasts know what came before their hour and no weather; they are by whole hours and reach 14 days, behind which "
      "their last week comes again. Kept: their saving by that of foresight over the same starts; of the mean, the mean saving "
      "by the mean saving.");
  for (std::size_t i = 0; i < v.regions.front().forecasts.size(); ++i) {
    std::size_t starts = 0, without = 0, fell_back = 0;
    for (const StudyRegion& r : v.regions) {
      starts += r.forecasts[i].starts;
      without += r.forecasts[i].without;
      fell_back += r.forecasts[i].fell_back;
    }
    if (without + fell_back == 0) continue;
    out.push_back(
        fmt::format("{}: of {} starts {} have too little history before them for any forecast and are left out of what "
                    "is compared, {} have too little for {} and are planned by climatology.",
                    grid::to_string(v.regions.front().forecasts[i].model), starts, without, fell_back,
                    grid::to_string(v.regions.front().forecasts[i].model)));
  }
}

}  // namespace

std::optional<Saving> mean_saving(const StudyView& v, std::size_t slack, std::size_t job, Policy policy,
                                  const Charges& charges) {
  std::vector<std::optional<Saving>> all;
  for (const StudyRegion& r : v.regions) all.push_back(saving(r.cells[slack][job], policy, charges));
  return mean(all);
}

double mean_pauses_per_hour(const StudyView& v, std::size_t slack, std::size_t job, Policy policy) {
  double sum = 0;
  for (const StudyRegion& r : v.regions) sum += pauses_per_hour(r.cells[slack][job], policy);
  return sum / static_cast<double>(v.regions.size());
}

Agreement agreement(const StudyView& v) {
  Agreement a;
  for (std::size_t w = 0; w < kSlacks; ++w) {
    for (std::size_t j = 0; j < kJobs; ++j) {
      if (jobs()[j].length < kLong) continue;
      ++a.all;
      const auto ours = mean_saving(v, w, j, Policy::pause_resume);
      const double theirs = published(w, j, Policy::pause_resume).saving.value();
      if (ours && std::abs(ours->mean_of_ratios.value() - theirs) <= std::max(kPoints, kShare * theirs)) ++a.within;
    }
  }
  return a;
}

Charges charges_of(const StudyView& v, Payment payment) { return plan::facct22::charges_of(payment, v.restart, v.idle); }

bool has_exact(const StudyView& v) { return v.regions.front().cells[0][0].exact.front().has_value(); }

std::optional<Saving> mean_exact(const StudyView& v, std::size_t slack, std::size_t job, Payment payment) {
  std::vector<std::optional<Saving>> all;
  for (const StudyRegion& r : v.regions) all.push_back(exact_saving(r.cells[slack][job], payment));
  return mean(all);
}

std::string length_text(Nanoseconds length) {
  using namespace std::chrono;
  if (length < minutes(1)) return human_duration(seconds(length));
  const auto h = floor<hours>(length);
  const auto m = floor<minutes>(length - h);
  return fmt::format("{}{}{}", h.count() > 0 ? fmt::format("{} h", h.count()) : "", h.count() > 0 && m.count() > 0 ? " " : "",
                     m.count() > 0 ? fmt::format("{} min", m.count()) : "");
}

std::string study_heading(const StudyView& v) {
  std::set<std::string_view> signals;
  std::set<std::string> times;
  std::set<std::size_t> starts;
  for (const StudyRegion& r : v.regions) {
    signals.insert(grid::to_string(r.signal.kind));
    times.insert(iso8601(r.asked.time.start).substr(0, 10) + " to " + iso8601(r.asked.time.end).substr(0, 10));
    starts.insert(start_slots(r.asked).size());
  }
  return fmt::format("{} region{}, {} intensity, {}, {} starts, slots of {}", v.regions.size(),
                     v.regions.size() == 1 ? "" : "s", fmt::join(signals, " and "), fmt::join(times, " and "),
                     fmt::join(starts, " or "), length_text(v.regions.front().asked.slot));
}

std::vector<std::string> study_remarks(const StudyView& v) {
  std::vector<std::string> out{
      "Perfect foresight, pauses and waiting free, as published: upper bounds. The power of a job is constant, so jobs of one "
      "length have the same savings (the paper measured it every five minutes).",
      "Savings are means over the starts of 1 - carbon / carbon at once; \"saving of totals\" divides the totals instead, so "
      "that starts in dirty hours weigh more. Then the mean over the regions."};
  const auto coarse = static_cast<std::size_t>(
      std::count_if(v.regions.begin(), v.regions.end(), [&](const auto& r) { return r.resolution > r.asked.slot; }));
  if (coarse > 0)
    out.push_back(
        fmt::format("{} of {} series tell less often than once a slot and are held over their time: what moves within "
                    "it is not seen, and short jobs gain less.",
                    coarse, v.regions.size()));
  std::size_t unknown = 0, zero = 0, starts = 0;
  for (const StudyRegion& r : v.regions) {
    for (const auto& row : r.cells) {
      for (const Cell& c : row) {
        starts += c.starts + c.unknown;
        unknown += c.unknown;
        zero += c.zero;
      }
    }
  }
  if (unknown > 0)
    out.push_back(
        fmt::format("{:.1f} % of the starts are left out because their window is not known wholly (a gap, or the end of "
                    "the series).",
                    100.0 * static_cast<double>(unknown) / static_cast<double>(starts)));
  if (zero > 0)
    out.push_back(
        fmt::format("{:.1f} % of the starts meet no carbon when run at once: nothing can be saved there, and they are "
                    "left out of the mean.",
                    100.0 * static_cast<double>(zero) / static_cast<double>(starts)));
  add_forecast_remarks(v, out);
  return out;
}

std::string study_table(const StudyView& v, const Style& style, std::size_t width) {
  const std::size_t fit = width > kLabel + kColumn ? (width - kLabel) / kColumn : 1;
  const std::size_t blocks = (kJobs + fit - 1) / fit, step = (kJobs + blocks - 1) / blocks;
  std::string out = style.bold("The study of " + std::string(kSource) + ", done again") + "\n" + study_heading(v) + "\n\n";
  out += "Carbon saved against running at once, %\n";
  for (std::size_t first = 0; first < kJobs; first += step) {
    const std::size_t last = std::min(kJobs, first + step);
    out += header("WINDOW", first, last, style);
    for (std::size_t w = 0; w < kSlacks; ++w) {
      out += beside(v, w, Policy::flexible_start, first, last, style) + beside(v, w, Policy::pause_resume, first, last, style) +
             pauses(v, w, first, last, style);
    }
    out += "\n";
  }
  const Agreement a = agreement(v);
  out += fmt::format(
      "Jobs of 19 h and more: {} of {} averages of pause and resume within max(1.5 points, 35 %) of the published.\n\n",
      a.within, a.all);
  out +=
      fmt::format("What the paper leaves out: a restart costs {} at full power, a job held or a machine kept draws {:.0f} %\n",
                  length_text(v.restart), 100 * v.idle.value());
  for (std::size_t first = 0; first < kJobs; first += step) {
    const std::size_t last = std::min(kJobs, first + step);
    out += header("WINDOW", first, last, style);
    for (const std::size_t w : kShownSlacks) out += charged(v, w, first, last);
    out += "\n";
  }
  for (const Compared& c : comparisons(v)) out += compared_table(v, c, step, style);
  out += region_lines(v, style) + "\n";
  for (const std::string& remark : study_remarks(v))
    out += "  " + flow(remark, 2, std::clamp<std::size_t>(width, 40, 120)) + "\n";
  for (const std::string& note : v.notes) out += "  note: " + flow(note, 8, std::clamp<std::size_t>(width, 40, 120)) + "\n";
  return out;
}

}  // namespace gramwatt::report
