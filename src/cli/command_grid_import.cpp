// grid import: files into the local store, with a progress bar where somebody looks.

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/grid_access.hpp"
#include "grid/import.hpp"
#include "report/grid.hpp"

namespace gramwatt::cli {
namespace {

constexpr std::size_t kMostSeries = 12;

std::string span(grid::Window w) { return iso8601(w.start).substr(0, 16) + "Z to " + iso8601(w.end).substr(0, 16) + "Z"; }

Result<grid::ImportOptions> options_of(const Invocation& invocation) {
  grid::ImportOptions o;
  o.zone = invocation.get("zone").value_or("");
  o.factor = invocation.get("factor").value_or("");
  o.time_zone = invocation.get("time-zone").value_or("");
  o.column = invocation.get("column").value_or("");
  o.origin = invocation.get("origin").value_or("");
  o.source = invocation.get("source").value_or("");
  o.licence = invocation.get("licence").value_or("");
  if (!o.factor.empty() && o.factor != "direct" && o.factor != "lifecycle")
    return fail(fmt::format("\"{}\" is no factor", o.factor), "--factor", "lifecycle or direct", Error::Kind::usage);
  if (const auto text = invocation.get("signal")) {
    o.kind = grid::parse_signal_kind(*text);
    if (!o.kind) return fail(fmt::format("\"{}\" is no signal", *text), "--signal", "average or marginal", Error::Kind::usage);
  }
  if (const auto text = invocation.get("unit")) {
    o.unit = grid::parse_intensity_unit(*text);
    if (!o.unit)
      return fail(fmt::format("\"{}\" is no unit", *text), "--unit", "g/kWh, kg/kWh, kg/MWh or lb/MWh", Error::Kind::usage);
  }
  if (const auto text = invocation.get("label")) {
    if (*text != "start" && *text != "end")
      return fail(fmt::format("\"{}\" is no label", *text), "--label", "start or end", Error::Kind::usage);
    o.label = *text == "start" ? grid::LabelEnd::start : grid::LabelEnd::end;
  }
  if (const auto text = invocation.get("step")) {
    const auto step = parse_duration(*text);
    if (!step) return tl::unexpected(step.error());
    o.resolution = *step;
  }
  return o;
}

/// A bar on the terminal; nothing elsewhere.
std::function<bool(const grid::ImportProgress&)> bar(const std::string& file, bool quiet) {
  if (quiet || ::isatty(STDERR_FILENO) != 1) return {};
  return [file](const grid::ImportProgress& p) {
    constexpr std::size_t kWidth = 30;
    const double share = p.total > 0 ? std::min(1.0, static_cast<double>(p.done) / static_cast<double>(p.total)) : 0;
    const auto full = static_cast<std::size_t>(share * kWidth);
    std::fputs(fmt::format("\r{} [{}{}] {:3.0f} %  {} rows\x1b[K", file, std::string(full, '#'),
                           std::string(kWidth - full, ' '), 100 * share, p.rows)
                   .c_str(),
               stderr);
    return true;
  };
}

std::string change_of(const grid::Store::Change& c) {
  std::string out = fmt::format("{} new", c.added);
  if (c.replaced > 0) out += fmt::format(", {} replaced", c.replaced);
  if (c.unchanged > 0) out += fmt::format(", {} there before", c.unchanged);
  return out;
}

std::string told(const std::string& file, const grid::ImportResult& r) {
  std::string out =
      fmt::format("{}: {}, {}{}, times in {} name the {} of an interval; {} rows, {} values\n", file, to_string(r.format),
                  to_string(r.unit), r.unit_was_assumed ? " (assumed)" : "", r.time_zone, to_string(r.label), r.lines, r.rows);
  std::size_t shown = 0;
  for (const grid::ImportedSeries& s : r.series) {
    if (shown++ == kMostSeries) {
      out += fmt::format("  and {} more series\n", r.series.size() - kMostSeries);
      break;
    }
    out += fmt::format("  {:<14} {:<9} {}, every {}: {}", s.key.zone, to_string(s.key.kind), span(s.window),
                       human_duration(seconds(s.resolution)), change_of(s.change));
    if (s.gaps.count > 0) out += fmt::format("; {} gaps", s.gaps.count);
    out += "\n";
  }
  for (const std::string& note : r.notes) out += "  note: " + note + "\n";
  return out;
}

int list(const grid::Store& store, const Settings& settings) {
  const auto held = store.list();
  if (!held) return complain(held.error());
  if (settings.json) {
    const auto written = write_output(*settings.json, report::held_json(*held) + "\n");
    return written ? 0 : complain(written.error());
  }
  if (held->empty()) {
    if (!settings.quiet) std::fputs("nothing is held yet: gramwatt grid import FILE\n", stderr);
    return 0;
  }
  std::string out;
  for (const grid::Held& h : *held) {
    out += fmt::format("{:<14} {:<9} {:<28} {} points, {}, every {}; {}\n", h.key.zone, to_string(h.key.kind), h.key.origin,
                       h.points, span(h.window), human_duration(seconds(h.resolution)),
                       h.signal.licence.empty() ? "licence not told" : h.signal.licence);
  }
  return print(out);
}

int remove(grid::Store& store, const std::string& origin) {
  const auto held = store.list();
  if (!held) return complain(held.error());
  std::size_t removed = 0;
  for (const grid::Held& h : *held) {
    if (h.key.origin != origin) continue;
    if (const auto done = store.remove(h.key); !done) return complain(done.error());
    ++removed;
  }
  if (removed > 0) return print(fmt::format("removed {} series of {}\n", removed, origin));
  std::vector<std::string> origins;
  for (const grid::Held& h : *held) origins.push_back(h.key.origin);
  const auto meant = did_you_mean(origin, origins);
  return complain({fmt::format("nothing is held of origin \"{}\"", origin),
                   {},
                   meant ? "did you mean " + *meant + "?" : "see gramwatt grid import --list",
                   Error::Kind::missing});
}

}  // namespace

int command_grid_import(const Invocation& invocation, const Settings& settings) {
  const auto origin = invocation.get("remove");
  if (invocation.arguments.empty() && !invocation.has("list") && !origin)
    return complain({"no file", {}, "gramwatt grid import FILE, or --list", Error::Kind::usage});
  auto options = options_of(invocation);
  if (!options) return complain(options.error());
  auto store = grid::Store::open(grid::Store::default_path());
  if (!store) return complain(store.error());
  if (origin) return remove(*store, *origin);
  for (const std::string& file : invocation.arguments) {
    options->progress = bar(file, settings.quiet);
    const auto result = grid::import_file(*store, file, *options);
    if (options->progress) std::fputs("\r\x1b[K", stderr);
    if (!result) return complain(result.error());
    if (settings.quiet) continue;
    if (const int code = print(told(file, *result)); code != 0) return code;
  }
  return invocation.has("list") ? list(*store, settings) : 0;
}

}  // namespace gramwatt::cli
