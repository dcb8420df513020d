#include "cli/study_request.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "cli/grid_access.hpp"
#include "cli/series_file.hpp"
#include "grid/builtin.hpp"
#include "plan/known.hpp"

namespace gramwatt::cli {
namespace {

using namespace std::chrono_literals;
namespace facct22 = plan::facct22;

/// Behind the last start, so that it has its window: the longest job and all of its length again.
constexpr Nanoseconds kBeyond = 2 * 216h;
/// Before the first start: what forecasts learn from.
constexpr Nanoseconds kPast = 366 * 24h;
constexpr double kLeastKnown = 0.9;

tl::unexpected<Error> usage(std::string what, const char* where, const char* remedy) {
  return fail(std::move(what), where, remedy, Error::Kind::usage);
}

Result<grid::Window> year(const std::string& text) {
  const auto n = parse_number<int>(text);
  if (!n || *n < 1990 || *n > 2200) return usage(fmt::format("\"{}\" is no year", text), "--year", "such as 2020");
  return grid::Window{parse_iso8601(fmt::format("{}-01-01", *n)).value(),
                      parse_iso8601(fmt::format("{}-01-01", *n + 1)).value()};
}

Result<std::vector<grid::Window>> times_asked(const Invocation& invocation) {
  const auto from = invocation.get("from"), to = invocation.get("to");
  if (!from && !to) {
    std::vector<grid::Window> out;
    for (const std::string& text : invocation.has("year") ? invocation.all("year") : std::vector<std::string>{"2020"}) {
      const auto one = year(text);
      if (!one) return tl::unexpected(one.error());
      if (std::find(out.begin(), out.end(), *one) == out.end()) out.push_back(*one);
    }
    return out;
  }
  if (!from || !to || invocation.has("year")) return usage("a time has two ends", "--from, --to", "both, without --year");
  const auto start = parse_iso8601(*from), end = parse_iso8601(*to);
  if (!start || !end)
    return usage(fmt::format("\"{}\" is no time", start ? *to : *from), start ? "--to" : "--from",
                 "2021-06-01 or 2021-06-01T14:00Z");
  if (*end - *start < 24h) return usage("too short a time", "--from, --to", "a day or more");
  return std::vector{grid::Window{*start, *end}};
}

Result<Nanoseconds> duration(const Invocation& invocation, const char* option, const char* otherwise) {
  return parse_duration(invocation.get(option).value_or(otherwise));
}

std::string span(grid::Window w) { return iso8601(w.start).substr(0, 10) + " to " + iso8601(w.end).substr(0, 10); }

/// Only what was seen: a typical day or a forecast in a study of the past would be a study of the model.
grid::Series seen(grid::Series s) {
  std::erase_if(s.points,
                [](const grid::Point& p) { return p.kind == grid::PointKind::profile || p.kind == grid::PointKind::forecast; });
  return s;
}

/// Series of a zone over the time, most trusted first.
Result<std::vector<grid::Series>> candidates(const std::string& zone, grid::Window time, const StudyAsked& a,
                                             const grid::GridSettings& settings) {
  grid::Window window = with_windows(time);
  if (!a.forecasts.empty()) window.start -= kPast;
  auto known = grid::Grid(settings).look(zone, window);
  if (!known) return tl::unexpected(known.error());
  std::vector<grid::Series> out;
  grid::Ladder ladder = a.signal == grid::SignalKind::average ? known->average : known->marginal.value_or(grid::Ladder{});
  for (grid::Series& s : ladder.rungs) {
    if (s.resolution > Nanoseconds{0}) out.push_back(seen(std::move(s)));
  }
  if (a.signal == grid::SignalKind::average) {
    if (auto hourly = grid::builtin_hourly(zone)) out.push_back(std::move(*hourly));
  }
  std::erase_if(out, [](const grid::Series& s) { return s.points.empty(); });
  return out;
}

std::vector<grid::Held> held(const grid::GridSettings& settings) {
  const auto store = grid::Store::open_read_only(settings.store);
  return store && *store ? (*store)->list().value_or(std::vector<grid::Held>{}) : std::vector<grid::Held>{};
}

/// Times of which steps are held or built in, for a refusal.
std::string what_is_known(const std::string& zone, const StudyAsked& a, const grid::GridSettings& settings) {
  std::vector<std::string> out;
  for (const grid::Held& h : held(settings)) {
    if (h.key.zone == zone && h.key.kind == a.signal && h.resolution > Nanoseconds{0}) out.push_back(span(h.window));
  }
  if (const auto hourly = grid::builtin_hourly(zone); hourly && a.signal == grid::SignalKind::average)
    out.push_back(span({hourly->points.front().start, hourly->end_of(hourly->points.size() - 1)}));
  return fmt::format("{}", fmt::join(out, ", "));
}

tl::unexpected<Error> not_covered(const std::string& name, grid::Window time, const StudyAsked& a, const std::string& known) {
  return fail(fmt::format("the {} intensity of {} is not known for {}; known: {}", to_string(a.signal), name, span(time),
                          known.empty() ? "nothing" : known),
              {}, known.empty() ? "gramwatt grid import FILE, or --series FILE" : "choose such a time: --from TIME --to TIME",
              Error::Kind::missing);
}

Result<AskedRegion> region_of(const std::string& zone, grid::Window time, const StudyAsked& a,
                              const grid::GridSettings& settings) {
  auto series = candidates(zone, time, a, settings);
  if (!series) return tl::unexpected(series.error());
  for (grid::Series& s : *series) {
    if (part_known(s, time).value() >= kLeastKnown) return AskedRegion{a.name(zone, time), std::move(s), time};
  }
  return not_covered(zone, time, a, what_is_known(zone, a, settings));
}

/// All zones of which enough is known.
std::vector<AskedRegion> every_region(grid::Window time, const StudyAsked& a, const grid::GridSettings& settings,
                                      std::vector<std::string>& notes) {
  std::vector<std::string> zones, left_out;
  for (const grid::Held& h : held(settings)) {
    if (h.key.kind == a.signal) zones.push_back(h.key.zone);
  }
  if (a.signal == grid::SignalKind::average) {
    for (const auto& [zone, name] : place::named_zones()) {
      if (grid::builtin_hourly(zone)) zones.push_back(zone);
    }
  }
  std::sort(zones.begin(), zones.end());
  zones.erase(std::unique(zones.begin(), zones.end()), zones.end());
  std::vector<AskedRegion> out;
  for (const std::string& zone : zones) {
    if (auto region = region_of(zone, time, a, settings)) out.push_back(std::move(*region));
    else left_out.push_back(zone);
  }
  if (!left_out.empty())
    notes.push_back(fmt::format("left out, because less than {:.0f} % of {} is known: {}", 100 * kLeastKnown, span(time),
                                fmt::join(left_out, ", ")));
  return out;
}

Result<std::vector<AskedRegion>> files(const Invocation& invocation, const StudyAsked& a) {
  std::vector<AskedRegion> out;
  grid::ImportOptions options;
  if (invocation.has("signal")) options.kind = a.signal;
  for (const std::string& file : invocation.all("series")) {
    auto read = read_series(file, options);
    if (!read) return tl::unexpected(read.error());
    for (const NamedSeries& s : *read) {
      const grid::Series known = seen(s.series);
      const auto& p = known.points;
      for (const grid::Window& time : a.times) {
        if (p.empty() || part_known(known, time).value() < kLeastKnown)
          return not_covered(s.name, time, a, p.empty() ? "" : span({p.front().start, known.end_of(p.size() - 1)}));
        out.push_back({a.name(s.name, time), known, time});
      }
    }
  }
  return out;
}

}  // namespace

grid::Window with_windows(grid::Window time) { return {time.start, time.end + kBeyond}; }

Ratio part_known(const grid::Series& s, grid::Window time) {
  Nanoseconds sum{};
  for (const grid::Window& w : plan::known_time({{s}, {}}, time)) sum += w.length();
  return Ratio(static_cast<double>(sum.count()) / static_cast<double>(time.length().count()));
}

Result<StudyAsked> study_asked(const Invocation& invocation) {
  StudyAsked a;
  auto times = times_asked(invocation);
  if (!times) return tl::unexpected(times.error());
  a.times = std::move(*times);
  const auto slot = duration(invocation, "slot", "5min"), restart = duration(invocation, "restart", "10min");
  if (!slot || !restart) return tl::unexpected(slot ? restart.error() : slot.error());
  if (*slot < 1min || *slot > 1h) return usage("slots of that length are not planned with", "--slot", "1min to 1h");
  if (*restart < 0s) return usage("a restart takes no negative time", "--restart", "such as 10min");
  a.slot = *slot;
  a.restart = *restart;
  const auto starts = invocation.get("starts").value_or("60");
  if (starts != "60" && starts != "all") return usage(fmt::format("\"{}\" are no starts", starts), "--starts", "60 or all");
  a.starts = starts == "all" ? facct22::Starts::all : facct22::Starts::sixty;
  a.exact = invocation.has("exact");
  if (a.exact && a.starts == facct22::Starts::all)
    return usage("an exact plan of every start takes hours", "--exact", "leave --starts at 60");
  const auto kept = invocation.get("kept").value_or("0.2");
  const auto part = parse_number<double>(kept);
  if (!part || std::isnan(*part) || *part < 0 || *part > 1)
    return usage(fmt::format("\"{}\" is no part of full power", kept), "--kept", "0 to 1");
  a.idle = Ratio(*part);
  for (const std::string& text : invocation.all("forecast")) {
    const auto model = grid::parse_model(text);
    if (!model)
      return usage(fmt::format("\"{}\" is no way to forecast", text), "--forecast", "ridge, seasonal-naive or climatology");
    if (std::find(a.forecasts.begin(), a.forecasts.end(), *model) == a.forecasts.end()) a.forecasts.push_back(*model);
  }
  if (const auto text = invocation.get("signal")) {
    const auto kind = grid::parse_signal_kind(*text);
    if (!kind) return usage(fmt::format("\"{}\" is no signal", *text), "--signal", "average or marginal");
    a.signal = *kind;
  }
  return a;
}

Result<std::vector<AskedRegion>> study_regions(const Invocation& invocation, const Settings& settings, const StudyAsked& a,
                                               std::vector<std::string>& notes) {
  const grid::GridSettings grid = grid_settings(settings);
  auto out = files(invocation, a);
  if (!out) return out;
  for (const grid::Window& time : a.times) {
    for (const std::string& zone : invocation.all("zone")) {
      auto region = region_of(zone, time, a, grid);
      if (!region) return tl::unexpected(region.error());
      out->push_back(std::move(*region));
    }
    if (invocation.has("zone") || invocation.has("series")) continue;
    for (AskedRegion& r : every_region(time, a, grid, notes)) out->push_back(std::move(r));
  }
  if (out->empty()) return not_covered("any zone", a.times.front(), a, "");
  return out;
}

Result<std::optional<grid::Series>> study_judge(const Invocation& invocation, const StudyAsked& a) {
  const auto file = invocation.get("judged-by");
  if (!file) return std::nullopt;
  auto read = read_series(*file, {});
  if (!read) return tl::unexpected(read.error());
  if (read->size() != 1)
    return usage("plans are judged by one series, and there are several in the file", "--judged-by", "one of them");
  grid::Series series = seen(std::move(read->front().series));
  const auto& p = series.points;
  for (const grid::Window& time : a.times) {
    if (p.empty() || part_known(series, time).value() < kLeastKnown)
      return not_covered(*file, time, a, p.empty() ? "" : span({p.front().start, series.end_of(p.size() - 1)}));
  }
  return series;
}

}  // namespace gramwatt::cli
