// The group `grid`: zones, where, now, history, forecast, backtest, providers. (`import` stands in command_grid_import.cpp.)

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/grid_access.hpp"
#include "report/grid.hpp"

namespace gramwatt::cli {
namespace {

using namespace std::chrono_literals;

constexpr Nanoseconds kHour = std::chrono::hours(1);
constexpr std::size_t kMostSteps = 200'000;
/// Regression looks this far back; older habits of a grid say little.
constexpr Nanoseconds kHistory = std::chrono::days(400);
constexpr Nanoseconds kStillPresent = std::chrono::hours(30);

struct Asked {
  place::Place place;
  grid::SignalKind signal = grid::SignalKind::average;
  grid::GridSettings settings;
  Nanoseconds now{};
};

Result<Asked> asked(const Invocation& invocation, const Settings& settings) {
  const auto surroundings = surroundings_of(invocation, settings.config);
  if (!surroundings) return tl::unexpected(surroundings.error());
  auto place = place::locate(place_query(*surroundings, settings));
  if (!place) return tl::unexpected(place.error());
  Asked a;
  a.place = std::move(*place);
  a.settings = grid_settings(settings);
  a.now = SystemClock().now().utc;
  if (const auto text = invocation.get("signal")) {
    const auto kind = grid::parse_signal_kind(*text);
    if (!kind) return fail(fmt::format("\"{}\" is no signal", *text), "--signal", "average or marginal", Error::Kind::usage);
    a.signal = *kind;
  }
  return a;
}

Result<std::string> zone_of(const Asked& a) {
  if (a.place.zone) return *a.place.zone;
  return fail("the place is unknown", {},
              "name the grid zone with --zone ZONE, or once and for all: gramwatt config set zone ZONE", Error::Kind::missing);
}

Result<Nanoseconds> time_option(const Invocation& invocation, const char* name, Nanoseconds otherwise) {
  const auto text = invocation.get(name);
  if (!text) return otherwise;
  const auto time = parse_iso8601(*text);
  if (!time)
    return fail(fmt::format("\"{}\" is no time", *text), fmt::format("--{}", name), "2021-06-01 or 2021-06-01T14:00Z",
                Error::Kind::usage);
  return *time;
}

Result<std::chrono::hours> hours_option(const Invocation& invocation) {
  const auto text = invocation.get("hours").value_or("96");
  const auto n = parse_number<int>(text);
  if (!n || *n < 1 || *n > 336)
    return fail(fmt::format("\"{}\" is no number of hours", text), "--hours", "1 to 336", Error::Kind::usage);
  return std::chrono::hours(*n);
}

/// Asks who may be asked, then looks.
Result<report::GridView> view_of(const Asked& a, grid::Window window, Nanoseconds step, bool fetch = true) {
  const auto zone = zone_of(a);
  if (!zone) return tl::unexpected(zone.error());
  grid::Grid grid(a.settings);
  std::vector<std::string> notes;
  if (fetch) notes = grid.fetch(where_of(a.place), window);
  auto all = grid.look(*zone, window);
  if (all) grid::widen(*all, reach_of(a.place));
  if (!all) return tl::unexpected(all.error());
  report::GridView view{*zone, a.place.name, {}, window, step};
  if (a.signal == grid::SignalKind::marginal) {
    if (!all->marginal)
      return fail("the marginal intensity of " + *zone + " is unknown", {}, all->marginal_note, Error::Kind::missing);
    view.ladder = std::move(*all->marginal);
  } else {
    view.ladder = std::move(all->average);
  }
  view.ladder.notes.insert(view.ladder.notes.end(), notes.begin(), notes.end());
  return view;
}

/// Of the first rung that has steps; an hour otherwise. A year of five-minute steps is still drawn.
Nanoseconds step_of(const report::GridView& view) {
  Nanoseconds step = kHour;
  for (const grid::Series& s : view.ladder.rungs) {
    if (s.resolution <= Nanoseconds{0} || s.points.empty()) continue;
    step = s.resolution;
    break;
  }
  return std::max(step, view.window.length() / static_cast<std::int64_t>(kMostSteps));
}

int show(const report::GridView& view, const Invocation& invocation, const Settings& settings) {
  if (settings.json) {
    const auto written = write_output(*settings.json, report::grid_json(view) + "\n");
    return written ? 0 : complain(written.error());
  }
  if (invocation.has("csv")) return print(report::grid_csv(view));
  return print(report::grid_chart(view, style_for(STDOUT_FILENO), width_of(STDOUT_FILENO)));
}

int now(const Asked& a, const Settings& settings) {
  const grid::Window window{a.now - 12h, a.now + 24h};
  Asked average = a;
  average.signal = grid::SignalKind::average;
  auto first = view_of(average, window, kHour);
  if (!first) return complain(first.error());
  Asked marginal = a;
  marginal.signal = grid::SignalKind::marginal;
  auto second = view_of(marginal, window, kHour, false);
  if (settings.json) {
    if (a.signal == grid::SignalKind::marginal && !second) return complain(second.error());
    report::GridView& chosen = a.signal == grid::SignalKind::marginal ? *second : *first;
    chosen.step = step_of(chosen);
    chosen.window = {a.now / chosen.step * chosen.step, a.now / chosen.step * chosen.step + chosen.step};
    const auto written = write_output(*settings.json, report::grid_json(chosen) + "\n");
    return written ? 0 : complain(written.error());
  }
  return print(report::grid_now(*first, second ? std::optional(*second) : std::nullopt, second ? "" : second.error().remedy,
                                a.now, style_for(STDOUT_FILENO), width_of(STDOUT_FILENO)));
}

int history(const Invocation& invocation, const Settings& settings, const Asked& a) {
  const auto to = time_option(invocation, "to", a.now);
  const auto from = to ? time_option(invocation, "from", *to - 7 * 24h) : to;
  if (!from) return complain(from.error());
  if (*from >= *to) return complain({"--to is not later than --from", {}, {}, Error::Kind::usage});
  auto view = view_of(a, {*from, *to}, kHour);
  if (!view) return complain(view.error());
  view->step = step_of(*view);
  if (const auto text = invocation.get("step")) {
    const auto step = parse_duration(*text);
    if (!step) return complain(step.error());
    view->step = *step;
  }
  if (view->step <= Nanoseconds{0} || view->window.length() / view->step > static_cast<std::int64_t>(kMostSteps))
    return complain(
        {fmt::format("more than {} steps", kMostSteps), "--step", "take longer steps, or less time", Error::Kind::usage});
  view->window.start = view->window.start / view->step * view->step;
  return show(*view, invocation, settings);
}

/// What is held of a signal, observed or estimated, as one series: for regressions, which know nothing of rungs.
grid::Series observed(const report::GridView& view) {
  for (const grid::Series& s : view.ladder.rungs) {
    const bool seen = s.resolution > Nanoseconds{0} && !s.points.empty() && s.points.back().kind < grid::PointKind::forecast;
    if (seen) return s;
  }
  return {};
}

Result<grid::Model> model_option(const std::string& text) {
  const auto model = grid::parse_model(text);
  if (model) return *model;
  return fail(fmt::format("\"{}\" is no model", text), "--model", "ridge, seasonal-naive or climatology", Error::Kind::usage);
}

/// Our own forecast from what is held, where that reaches to the present: behind a provider's, unless a model was asked for. A
/// provider's gets the errors that ours has made, because providers publish none.
void add_own_forecast(const grid::Series& known, Nanoseconds origin, std::chrono::hours length, grid::Model model, bool wanted,
                      report::GridView& view) {
  if (known.points.empty() || known.points.back().start + kStillPresent <= origin) return;
  auto& rungs = view.ladder.rungs;
  auto at = rungs.begin();
  for (; at != rungs.end() && !at->points.empty() && at->resolution > Nanoseconds{0} &&
         at->points.back().kind != grid::PointKind::profile;
       ++at) {
    if (at->points.back().kind != grid::PointKind::forecast) continue;  // the hour that has begun
    auto banded = grid::with_paths(*at, known, origin);
    if (!banded) continue;
    *at = std::move(banded->series);
    view.ladder.notes.push_back(std::move(banded->note));
  }
  auto made = grid::make_forecast(known, origin, length, model);
  if (made) {
    view.ladder.notes.push_back(std::move(made->note));
    rungs.insert(wanted ? rungs.begin() : at, std::move(made->series));
  } else {
    view.ladder.notes.push_back("no forecast from the past: " + made.error().message());
  }
}

int forecast(const Invocation& invocation, const Settings& settings, const Asked& a) {
  const auto hours = hours_option(invocation);
  if (!hours) return complain(hours.error());
  const auto origin = time_option(invocation, "from", a.now / kHour * kHour);
  if (!origin) return complain(origin.error());
  const auto model = model_option(invocation.get("model").value_or("ridge"));
  if (!model) return complain(model.error());
  const grid::Window ahead{*origin, *origin + *hours};
  const bool replayed = invocation.has("from");
  auto view = view_of(a, ahead, kHour, !replayed);
  if (!view) return complain(view.error());
  if (replayed) {  // what was observed later was not known then
    std::erase_if(view->ladder.rungs, [](const grid::Series& s) {
      return s.resolution > Nanoseconds{0} && !s.points.empty() && s.points.back().kind != grid::PointKind::profile;
    });
  }
  const auto past = view_of(a, {*origin - kHistory, *origin}, kHour, false);
  const grid::Series known = past ? observed(*past) : grid::Series{};
  add_own_forecast(known, *origin, *hours, *model, invocation.has("model"), *view);
  return show(*view, invocation, settings);
}

int backtest(const Invocation& invocation, const Settings& settings, const Asked& a) {
  const auto hours = hours_option(invocation);
  if (!hours) return complain(hours.error());
  const auto from = time_option(invocation, "from", a.now - 180 * 24h);
  const auto to = from ? time_option(invocation, "to", a.now) : from;
  if (!to) return complain(to.error());
  std::vector<grid::Model> models{grid::Model::ridge, grid::Model::seasonal_naive, grid::Model::climatology};
  if (const auto text = invocation.get("model")) {
    const auto model = model_option(*text);
    if (!model) return complain(model.error());
    models = {*model};
  }
  const auto view = view_of(a, {*from - kHistory, *to}, kHour, false);
  if (!view) return complain(view.error());
  const grid::Series truth = observed(*view);
  if (truth.points.empty())
    return complain({"no observed series is held for " + view->zone,
                     {},
                     "gramwatt grid import FILE, or name a provider: gramwatt config set grid-providers NAME",
                     Error::Kind::missing});
  std::vector<grid::Backtest> tests;
  for (const grid::Model model : models) {
    auto tested = grid::backtest(truth, {*from, *to}, *hours, model);
    if (!tested) return complain(tested.error());
    tests.push_back(std::move(*tested));
  }
  if (settings.json) {
    const auto written = write_output(*settings.json, report::backtest_json(tests, view->zone) + "\n");
    return written ? 0 : complain(written.error());
  }
  return print(report::backtest_table(tests, view->zone, style_for(STDOUT_FILENO)));
}

int providers(const Invocation& invocation, const Asked& a) {
  std::string out;
  for (const grid::ProviderFacts& p : grid::provider_facts()) {
    const auto configured = a.settings.providers.find(p.name);
    std::string state = "not used";
    if (configured != a.settings.providers.end()) {
      state = "used";
      for (const std::string& what : p.secrets) {
        if (!configured->second.secrets.contains(what)) state = fmt::format("named, but {}-{} is not set", p.name, what);
      }
    }
    out += fmt::format("{:<16}{:<10}{}\n{:16}{}\n{:16}{}\n", p.name, to_string(p.signal), state, "", p.covers, "", p.terms);
    if (!invocation.has("check") || state != "used" || !a.place.zone) continue;
    const auto provider = grid::make_provider(p.name, configured->second);
    const auto series =
        provider ? (*provider)->history(where_of(a.place), {a.now - 24h, a.now}) : tl::unexpected(provider.error());
    out += fmt::format("{:16}{}\n", "",
                       !series ? "check: " + series.error().message()
                       : series->points.empty()
                           ? "check: answered, but has nothing of the last day"
                           : fmt::format("check: answers; newest {:.0f} {} of {}", series->points.back().value.value(),
                                         report::unit_of(series->signal), iso8601(series->points.back().start)));
  }
  return print(out + "\nUse one or several, most trusted first: gramwatt config set grid-providers NAME,NAME\n");
}

int where(const Asked& a, const Settings& settings) {
  if (settings.json) {
    const auto written =
        write_output(*settings.json,
                     report::where_json(a.place.zone, std::string(to_string(a.place.how)), a.place.name, a.place.chain) + "\n");
    return written ? 0 : complain(written.error());
  }
  std::string out = fmt::format("zone       {}\nplace      {}\nfound by   {}\n", a.place.zone.value_or("unknown"), a.place.name,
                                to_string(a.place.how));
  for (const std::string& step : a.place.chain) out += fmt::format("           {}\n", step);
  return print(out);
}

int zones(const Invocation& invocation, const Asked& a, const Settings& settings) {
  const auto held_of = [&](const std::string& zone, const std::vector<grid::Held>& held) {
    std::vector<std::string> origins;
    for (const grid::Held& h : held) {
      if (h.key.zone == zone) origins.push_back(fmt::format("{} ({})", h.key.origin, to_string(h.key.kind)));
    }
    return origins;
  };
  std::vector<grid::Held> held;
  std::error_code ec;
  if (std::filesystem::exists(a.settings.store, ec)) {
    if (const auto store = grid::Store::open(a.settings.store)) held = store->list().value_or(held);
  }
  std::vector<report::ZoneLine> lines;
  for (const auto& [zone, name] : place::named_zones()) {
    const auto matches = [&](const std::string& word) {
      return contains_ignoring_case(zone, word) || contains_ignoring_case(name, word);
    };
    if (!std::all_of(invocation.arguments.begin(), invocation.arguments.end(), matches)) continue;
    const auto known = grid::Grid(a.settings).look(zone, {a.now, a.now + kHour});
    if (!known) continue;
    report::ZoneLine line{zone,
                          name,
                          known->average.last().points.front().value,
                          known->average.rungs.front().signal.data_kind,
                          {},
                          {},
                          held_of(zone, held)};
    if (known->marginal) {
      line.marginal = known->marginal->last().points.front().value;
      line.marginal_kind = known->marginal->rungs.front().signal.data_kind;
    }
    lines.push_back(std::move(line));
  }
  if (lines.empty())
    return complain({"no such zone", fmt::format("{}", fmt::join(invocation.arguments, " ")), {}, Error::Kind::missing});
  if (settings.json) {
    const auto written = write_output(*settings.json, report::zones_json(lines) + "\n");
    return written ? 0 : complain(written.error());
  }
  return print(report::zones_table(lines, style_for(STDOUT_FILENO), width_of(STDOUT_FILENO)));
}

}  // namespace

int command_grid(const Invocation& invocation, const Settings& settings) {
  const std::string_view what = invocation.command->name == "grid" ? "" : invocation.command->name.substr(5);
  if (what.empty()) return print(help_text(*invocation.command));
  if (what == "import") return command_grid_import(invocation, settings);
  const auto a = asked(invocation, settings);
  if (!a) return complain(a.error());
  if (what == "zones") return zones(invocation, *a, settings);
  if (what == "where") return where(*a, settings);
  if (what == "now") return now(*a, settings);
  if (what == "history") return history(invocation, settings, *a);
  if (what == "forecast") return forecast(invocation, settings, *a);
  if (what == "backtest") return backtest(invocation, settings, *a);
  return providers(invocation, *a);
}

}  // namespace gramwatt::cli
