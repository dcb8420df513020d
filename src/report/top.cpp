// The screen of `gramwatt top`, from the top: what the machine draws (with its interval), where the grid stands, the devices,
// the processes, and the keys. What does not fit goes in this order: help on keys, devices, grid, columns of the list.

#include "report/top.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace gramwatt::report {
namespace {

/// Widths of the list's columns; 0: left out.
struct Columns {
  std::size_t pid = 8, user = 9, cpu = 7, power = 9, energy = 10, what = 0, part_of = 0;
};

/// `named`: some process is part of something that has a name.
Columns columns_for(std::size_t width, bool named) {
  Columns c;
  if (width < 72) c.user = 0;
  if (width < 56) c.energy = 0;
  if (width < 44) c.cpu = 0;
  if (width < 32) c.pid = 0;
  const std::size_t used = c.pid + c.user + c.cpu + c.power + c.energy + 2;
  const std::size_t rest = width > used ? width - used : 0;
  if (named && rest >= 34) c.part_of = std::min<std::size_t>(28, rest * 2 / 5);
  c.what = rest - c.part_of;
  return c;
}

bool any_named(const TopState& s) {
  return std::any_of(s.processes.begin(), s.processes.end(), [](const TopProcess& p) { return !p.part_of.empty(); });
}

bool has_gpus(const TopState& s) {
  return std::any_of(s.devices.begin(), s.devices.end(), [](const TopDevice& d) { return d.component == Component::gpu; });
}

/// The first that fits; else the last, cut.
std::string first_that_fits(const std::vector<std::string>& forms, std::size_t width, const Style& style) {
  for (const std::string& form : forms) {
    if (columns(form) <= width) return form;
  }
  return cut(forms.back(), width, style);
}

/// `text` in `width` columns, with a blank at its right end.
std::string cell(std::string_view text, std::size_t width, const Style& style, bool right = false) {
  if (width == 0) return {};
  const std::string fit = cut(text, width - 1, style);
  return (right ? pad_left(fit, width - 1) : pad(fit, width - 1)) + " ";
}

/// One unit for the whole column, so that the eye can compare.
std::string watts(Watts p) {
  const double w = p.value();
  if (w <= 0) return "0 W";
  return fmt::format("{:.{}f} W", w, w >= 100 ? 0 : w >= 10 ? 1 : w >= 0.1 ? 2 : 3);
}

std::string joules(Joules e) { return e.value() <= 0 ? "0 J" : text(e); }

std::string row_line(const TopRow& r, const Columns& c, const Style& style) {
  const std::string_view mark = !r.group ? "" : style.unicode ? (r.open ? "▾ " : "▸ ") : (r.open ? "- " : "+ ");
  const std::string indent(std::min(static_cast<std::size_t>(r.depth) * 2, c.what / 3), ' ');
  const std::string count = r.group ? fmt::format(" ({})", r.count) : "";
  const std::size_t room =
      c.what > columns(mark) + indent.size() + count.size() + 1 ? c.what - columns(mark) - indent.size() - count.size() - 1 : 1;
  return cell(r.pid != 0 ? fmt::format("{}", r.pid) : "", c.pid, style, true) + cell(r.user, c.user, style) +
         cell(fmt::format("{:.1f}", r.cores * 100), c.cpu, style, true) + cell(watts(r.power), c.power, style, true) +
         cell(joules(r.energy), c.energy, style, true) + " " +
         cell(indent + std::string(mark) + cut(r.what, room, style) + count, c.what, style) + cell(r.part_of, c.part_of, style);
}

std::string head_line(const Columns& c, const TopView& view, const Style& style) {
  return cell("PID", c.pid, style, true) + cell("USER", c.user, style) + cell("CPU %", c.cpu, style, true) +
         cell("POWER", c.power, style, true) + cell("ENERGY", c.energy, style, true) + " " +
         cell(view.grouping == TopGrouping::cgroup ? "CGROUP" : "PROCESS", c.what, style) + cell("PART OF", c.part_of, style);
}

/// Lines that are nobody's: the parts of the machine's power that no process has.
std::string other_line(std::string_view what, Watts power, Joules energy, Columns c, const Style& style) {
  c.what += std::exchange(c.part_of, 0);
  TopRow r;
  r.what = what;
  r.power = power;
  r.energy = energy;
  std::string line = row_line(r, c, style);
  const std::size_t before = c.pid + c.user;
  if (c.cpu > 0) line.replace(before, c.cpu, std::string(c.cpu, ' '));  // ASCII so far
  return line;
}

std::vector<std::string> other_lines(const TopState& s, const Columns& c, const Style& style) {
  std::vector<std::string> lines{other_line("idle: the machine at rest", s.idle.value, s.idle_energy, c, style)};
  if (has_gpus(s)) lines.push_back(other_line("GPUs, by whatever process", s.gpu, s.gpu_energy, c, style));
  lines.push_back(other_line("active, of no known process", s.unattributed, s.unattributed_energy, c, style));
  return lines;
}

/// What comes above the list, the less important after the more important.
struct Head {
  std::vector<std::string> machine, grid, devices;
};

Head head_of(const TopState& s, std::size_t width, const Style& style) {
  Head h;
  const std::string machine = fmt::format("{} {}", style.bold("machine"), style.bold(text(s.machine, style)));
  const std::string idle = text(s.idle.value);
  h.machine.push_back(
      first_that_fits({fmt::format("{}   active {}   idle {}", machine, text(s.active, style), text(s.idle, style)),
                       fmt::format("{}   active {}   idle {}", machine, text(s.active.value), idle), machine},
                      width, style));
  if (!s.intensity) {
    h.grid.emplace_back("grid    being looked up");
  } else {
    const std::string grid = fmt::format("grid    {}", text(*s.intensity, style));
    std::string hourly;
    if (s.pue) {
      const Estimate<Joules> hour{s.machine.value * Seconds(3600), s.machine.method, s.machine.source, std::nullopt,
                                  s.machine.terms};
      hourly = fmt::format("   {} an hour", text(hour * *s.pue * *s.intensity, style));
    }
    h.grid.push_back(first_that_fits(
        {fmt::format("{}  {}{}", grid, s.place, hourly), grid + hourly, fmt::format("{}  {}", grid, s.place), grid}, width,
        style));
  }
  for (const TopDevice& d : s.devices) {
    h.devices.push_back(fmt::format("  {:<8} {:>9} active {:>9} idle  {}: {}", to_string(d.component), text(d.active),
                                    text(d.idle), to_string(d.method), d.device));
  }
  for (auto* part : {&h.machine, &h.grid, &h.devices}) {
    for (std::string& line : *part) line = cut(line, width, style);
  }
  return h;
}

std::string title_line(const TopState& s, const TopView& view, std::size_t width, const Style& style) {
  const std::string time = iso8601(s.at_utc).substr(11, 8);
  const std::string left = fmt::format("gramwatt top  {}  {} UTC", s.host, time);
  const std::string right =
      view.paused ? "paused" : fmt::format("every {}, {} so far", human_duration(s.interval), text(s.energy));
  if (columns(left) + columns(right) + 2 > width) return cut(left, width, style);
  return left + std::string(width - columns(left) - columns(right), ' ') + right;
}

constexpr std::size_t kMostDevices = 6;

/// How the lines of a screen are shared out.
struct Layout {
  bool grid = false, others = false, foot = false;
  std::size_t devices = 0, room = 0;
};

Layout layout_for(const TopState& s, std::size_t height) {
  constexpr std::size_t kLeastRows = 3;
  const std::size_t others = has_gpus(s) ? 3 : 2;
  Layout l;
  std::size_t used = 3;  // title, machine, head of the list
  const auto take = [&](std::size_t lines) {
    if (height < used + lines + kLeastRows) return false;
    used += lines;
    return true;
  };
  l.grid = take(1);
  l.others = take(others);
  l.foot = take(1);
  const std::size_t wanted = s.devices.size() > 1 ? std::min(s.devices.size(), kMostDevices) : 0;
  if (wanted > 0 && height >= 16 && take(wanted)) l.devices = wanted;
  l.room = height > used ? height - used : 0;
  return l;
}

std::vector<std::string> help_lines() {
  return {"",
          "  up, down, k, j     move the mark          PgUp, PgDn   by a page",
          "  Enter, right, left open or close a group  Home, End    to the ends",
          "  s   sort by power, energy, CPU, number    t   trees, cgroups, every process",
          "  +   look less often      -   more often   space   hold the picture (measuring goes on)",
          "  q   quit                                  h, ?    this page",
          "",
          "  POWER of a process is its part, by CPU time, of what the machine draws beyond rest.",
          "  What the machine draws at rest, what GPUs draw and what no process is known to have",
          "  caused are lines of their own: together they are the machine."};
}

std::string fitted(const std::string& line, std::size_t width, const Style& style) { return cut(line, width, style); }

}  // namespace

std::size_t top_room(const TopState& state, std::size_t /*width*/, std::size_t height) {
  return layout_for(state, height).room;
}

std::vector<std::string> top_frame(const TopState& s, const TopView& view, std::size_t width, std::size_t height,
                                   const Style& style) {
  const Layout layout = layout_for(s, height);
  const Columns c = columns_for(width, any_named(s));
  const Head head = head_of(s, width, style);
  std::vector<std::string> lines{style.reverse(pad(title_line(s, view, width, style), width))};
  lines.push_back(head.machine.front());
  if (layout.grid) lines.push_back(head.grid.front());
  if (view.help) {
    for (const std::string& line : help_lines()) lines.push_back(fitted(line, width, style));
  } else {
    lines.insert(lines.end(), head.devices.begin(), head.devices.begin() + static_cast<std::ptrdiff_t>(layout.devices));
    lines.push_back(style.bold(fitted(head_line(c, view, style), width, style)));
    if (layout.others) {
      for (const std::string& line : other_lines(s, c, style)) lines.push_back(style.dim(fitted(line, width, style)));
    }
    const std::vector<TopRow> rows = top_rows(s, view);
    for (std::size_t i = view.first; i < rows.size() && i < view.first + layout.room; ++i) {
      const bool marked = view.selected.empty() ? false : rows[i].key == view.selected;
      const std::string line = fitted(row_line(rows[i], c, style), width, style);
      if (!marked) lines.push_back(line);
      else if (style.colour) lines.push_back(style.reverse(pad(line, width)));
      else lines.push_back(cut(">" + line.substr(line.front() == ' ' ? 1 : 0), width, style));
    }
  }
  lines.resize(height > 0 && layout.foot ? height - 1 : height);
  if (layout.foot) {
    lines.push_back(cut(fmt::format("q quit  Enter open  s sort: {}  t group: {}  space {}  h help", to_string(view.sort),
                                    to_string(view.grouping), view.paused ? "go on" : "hold"),
                        width, style));
  }
  return lines;
}

std::string top_table(const TopState& s, const TopView& view, std::size_t width, std::size_t most, const Style& style) {
  const Columns c = columns_for(width, any_named(s));
  const Head head = head_of(s, width, style);
  std::vector<std::string> lines{title_line(s, view, width, style)};
  for (const auto* part : {&head.machine, &head.grid, &head.devices}) lines.insert(lines.end(), part->begin(), part->end());
  lines.push_back(head_line(c, view, style));
  for (std::string& line : other_lines(s, c, style)) lines.push_back(std::move(line));
  for (const TopRow& row : top_rows(s, view)) {
    if (most-- == 0) break;
    lines.push_back(row_line(row, c, style));
  }
  std::string out;
  for (std::string& line : lines) {
    line = cut(line, width, style);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace gramwatt::report
