#include "report/summary.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "report/receipt.hpp"

namespace gramwatt::report {
namespace {

constexpr std::size_t kLabel = 11;
constexpr std::size_t kValue = 13;
constexpr std::size_t kInterval = 13;
constexpr std::size_t kMostAdvice = 3;
constexpr std::size_t kMostRegions = 8;

/// Lines of four columns: what, how much, between what, and where from.
class Table {
 public:
  Table(const Style& style, std::size_t width) : style_(style), width_(std::max<std::size_t>(60, width)) {}

  void row(std::string_view label, const Figure& f, const std::string& note, bool strong = false) {
    const std::string value = pad_left(f.value, kValue);
    std::string line = pad(label, kLabel) + (strong ? style_.bold(value) : value) + "  " + pad(f.interval, kInterval);
    // The value column is sized for the usual; a longer one pushes the note rather than being cut.
    const std::size_t used = columns(line);
    out += line + style_.dim(cut(note, width_ > used + 1 ? width_ - used : 1, style_)) + "\n";
    while (out.size() >= 2 && out[out.size() - 2] == ' ') out.erase(out.size() - 2, 1);
  }
  void note(std::string_view label, const std::string& note_text) {
    out += pad(label, kLabel) + flow(note_text, kLabel, width_) + "\n";
  }
  void blank() { out += "\n"; }
  [[nodiscard]] std::size_t width() const { return width_; }

  std::string out;

 private:
  const Style& style_;
  std::size_t width_;
};

std::string header(const ledger::RunRecord& r, const Style& style, std::size_t width) {
  std::string right = human_duration(r.duration);
  if (r.state == ledger::State::interrupted) right += ", interrupted";
  else if (r.state == ledger::State::running) right += ", still running";
  else if (r.signal) right += fmt::format(", ended by signal {}", *r.signal);
  else if (r.exit_code) right += fmt::format(", exit {}", *r.exit_code);
  const std::string what = r.name ? *r.name + (r.command.empty() ? "" : ": ") : "";
  const std::size_t room = width > columns(right) + 12 ? width - columns(right) - 11 : 20;
  const std::string left = cut(what + command_line(r.command, room, style), room, style);
  return style.bold("gramwatt") + " " + left +
         std::string(std::max<std::size_t>(
                         2, width > 9 + columns(left) + columns(right) ? width - 9 - columns(left) - columns(right) : 2),
                     ' ') +
         right + "\n";
}

std::string component_note(const ledger::ComponentEnergy& c) {
  return fmt::format("{}: {}", to_string(c.energy.method), c.device);
}

void energy_rows(const ledger::Energy& e, bool ran, Table& t, const Style& style) {
  t.row("energy", figure(e.total, style), "at the plug", true);
  t.row("  active", figure(e.active, style), ran ? "what the program did" : "what the load adds");
  t.row("  idle", figure(e.idle, style),
        !ran                             ? "the machine at rest"
        : e.idle_owner == IdleOwner::job ? "the machine at rest; this run pays"
                                         : "the machine at rest; the host pays");
  if (e.components.size() > 1) {
    for (const auto& c : e.components)
      t.row("  " + std::string(to_string(c.component)), figure(c.energy, style), component_note(c));
  }
  t.row("  building", figure(e.facility, style),
        fmt::format("{} PUE {}, {}", style.times(), text(e.pue, style), to_string(e.pue.method)));
}

void carbon_rows(const ledger::RunRecord& r, bool ran, Table& t, const Style& style) {
  const auto gas = [](const ledger::IntensityFacts& i) { return i.signal.gas; };
  t.row("carbon", figure(r.carbon.total, style), "average power + manufacturing", true);
  if (r.average_intensity) {
    t.row("  average", figure(r.carbon.average, style, gas(*r.average_intensity)),
          fmt::format("{}: {}", r.place.name, text(r.average_intensity->value, style)));
  }
  if (r.carbon.marginal && r.marginal_intensity) {
    t.row("  marginal", figure(*r.carbon.marginal, style, gas(*r.marginal_intensity)),
          fmt::format("one more kWh causes {}", text(r.marginal_intensity->value, style)));
  } else {
    t.row("  marginal", {"unknown", ""}, "nothing is known for this place");
  }
  t.row("  embodied", figure(r.carbon.embodied, style),
        ran ? "making the machine: this run's share" : "making the machine: this time's share");
}

/// "3 of 0.50 s" under a heading, and what could not be told.
std::string region_note(const ledger::RegionEnergy& r, const ledger::Energy& all) {
  std::string note;
  if (r.energy && all.total.value.value() > 0) {
    note = fmt::format("{:.0f} %  {}: {} of {}", 100 * (r.energy->value / all.total.value), r.name, r.count,
                       human_duration(r.time / static_cast<double>(r.count)));
  } else {
    note = r.name + ":";
  }
  if (const auto& na = r.not_attributable) {
    note += fmt::format("{} {}{} of {}, {}", r.energy ? "," : "", na->count, r.energy ? " more" : "",
                        human_duration(na->time / static_cast<double>(std::max<std::int64_t>(1, na->count))), na->why);
  }
  return note;
}

/// Regions may overlap, so their shares need not add up to 100 %.
void region_rows(const ledger::RunRecord& r, Table& t, const Style& style) {
  const char* label = "regions";
  std::size_t left = kMostRegions;
  for (const auto& region : r.regions) {
    if (left-- == 0) break;
    t.row(std::exchange(label, ""), region.energy ? figure(*region.energy, style) : Figure{"no figure", ""},
          region_note(region, r.energy));
  }
  if (r.regions.size() > kMostRegions)
    t.note("", fmt::format("and {} more: gramwatt show --json", r.regions.size() - kMostRegions));
  label = "marks";
  left = kMostRegions;
  for (const auto& mark : r.marks) {
    if (left-- == 0) break;
    t.row(std::exchange(label, ""), mark.energy ? figure(*mark.energy, style) : Figure{"no figure", ""},
          fmt::format("{}: {} in {}{}", mark.name, mark.count, human_duration(mark.time), mark.why ? ", " + *mark.why : ""));
  }
}

std::string sources(const ledger::Energy& e) {
  std::string all;
  for (const auto& c : e.components) all = join_sources(all, c.energy.source);
  return all;
}

}  // namespace

std::string command_line(const std::vector<std::string>& command, std::size_t width, const Style& style) {
  std::string line;
  for (const std::string& word : command) {
    if (!line.empty()) line += ' ';
    const bool plain = !word.empty() && word.find_first_of(" \t\n\"'\\$`*?[]{}()<>|&;#~!") == std::string::npos;
    std::string shown = word;
    // A line break or an escape in an argument must not break the screen.
    for (char& c : shown) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
    }
    line += plain ? shown : "'" + shown + "'";
    if (columns(line) > width) break;
  }
  return cut(line, width, style);
}

std::string short_id(const std::string& id) { return id.size() > 8 ? id.substr(id.size() - 8) : id; }

std::string summary(const ledger::RunRecord& r, const Style& style, std::size_t width, bool kept) {
  Table t(style, std::min<std::size_t>(width, 100));
  t.out = "\n" + header(r, style, t.width());
  const bool ran = !r.command.empty();  // else it is an estimate
  energy_rows(r.energy, ran, t, style);
  carbon_rows(r, ran, t, style);
  if (r.receipt) {
    for (const ReceiptRow& row : receipt_rows(*r.receipt, style)) t.row(row.label, row.figure, row.note);
  }
  region_rows(r, t, style);
  t.note("  from", sources(r.energy));
  for (const Gap& g : r.gaps)
    t.note("  gap", fmt::format("{}{}: {}", g.component, g.length.value() > 0 ? " " + human_duration(g.length) : "", g.why));
  std::size_t shown = 0;
  for (const std::string& a : r.advice) {
    if (shown++ == kMostAdvice) break;
    t.note(shown == 1 ? "better by" : "", a);
  }
  if (kept) {
    t.note("run", fmt::format("{}{}; gramwatt show --explain {}", short_id(r.id),
                              r.parent ? ", inside " + short_id(*r.parent) : "", short_id(r.id)));
  }
  return t.out;
}

}  // namespace gramwatt::report
