// plan: the best start, the best pauses, the best place.

#include <unistd.h>

#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/grid_ahead.hpp"
#include "cli/plan_request.hpp"
#include "cli/series_file.hpp"
#include "report/plan.hpp"
#include "report/plan_emit.hpp"

namespace gramwatt::cli {
namespace {

/// A place to plan for, and how clean it is there.
struct Candidate {
  std::string zone, name;
  Ahead ahead;
  Estimate<Ratio> pue;
};

Result<std::optional<grid::SignalKind>> signal_option(const Invocation& invocation) {
  const auto text = invocation.get("signal");
  if (!text) return std::optional<grid::SignalKind>{};
  const auto kind = grid::parse_signal_kind(*text);
  if (!kind) return fail(fmt::format("\"{}\" is no signal", *text), "--signal", "average or marginal", Error::Kind::usage);
  return std::optional(*kind);
}

/// The series of a file stand for places; they are known, not forecast.
Result<std::vector<Candidate>> candidates_of_file(const std::string& file, std::optional<grid::SignalKind> kind) {
  grid::ImportOptions options;
  options.kind = kind;
  auto series = read_series(file, options);
  if (!series) return tl::unexpected(series.error());
  std::vector<Candidate> all;
  for (NamedSeries& s : *series) {
    Candidate c{s.name, s.name, {}, {}};
    c.ahead.kind = s.series.signal.kind;
    c.ahead.why = fmt::format("{}: the series of {}, taken as known beforehand", to_string(c.ahead.kind), file);
    c.ahead.ladder.rungs.push_back(std::move(s.series));
    all.push_back(std::move(c));
  }
  return all;
}

Result<Candidate> candidate(const Surroundings& surroundings, const Settings& settings, std::optional<grid::SignalKind> kind,
                            grid::Window window, Nanoseconds now) {
  const auto place = place::locate(place_query(surroundings, settings));
  if (!place) return tl::unexpected(place.error());
  auto ahead = look_ahead(grid_settings(settings), *place, kind, window, now);
  if (!ahead) return tl::unexpected(ahead.error());
  return Candidate{*place->zone, place->name, std::move(*ahead), place::pue(place->cloud, place::Building::data_centre)};
}

Result<std::vector<Candidate>> candidates(const Invocation& invocation, const Settings& settings, grid::Window window,
                                          Nanoseconds now) {
  const auto kind = signal_option(invocation);
  if (!kind) return tl::unexpected(kind.error());
  if (const auto file = invocation.get("series")) return candidates_of_file(*file, *kind);
  const auto surroundings = surroundings_of(invocation, settings.config);
  if (!surroundings) return tl::unexpected(surroundings.error());
  std::vector<std::string> zones = invocation.all("zone");
  if (zones.empty()) zones.emplace_back();
  std::vector<Candidate> all;
  std::optional<grid::SignalKind> common = *kind;
  for (const std::string& zone : zones) {
    Surroundings at = *surroundings;
    if (!zone.empty()) at.said.zone = zone;
    auto one = candidate(at, settings, common, window, now);
    if (!one) return tl::unexpected(one.error());
    // Places are compared on one signal; the first decides where nobody has.
    if (zones.size() > 1) common = one->ahead.kind;
    all.push_back(std::move(*one));
  }
  return all;
}

Estimate<Ratio> pue_of(const PlanRequest& request, const Surroundings& surroundings, const Candidate& c) {
  if (surroundings.pue)
    return {Ratio(*surroundings.pue), Method::assumed, "PUE given by " + surroundings.pue_origin, std::nullopt, {}};
  if (request.pue) return *request.pue;
  if (!(c.pue.value.value() > 0)) return {Ratio(1), Method::assumed, "no PUE", std::nullopt, {}};
  return c.pue;
}

plan::Job at_facility(plan::Job job, Ratio pue) {
  for (Joules& e : job.steps) e = e * pue;
  job.restart_energy = job.restart_energy * pue;
  job.wait = job.wait * pue.value();
  if (job.hold) *job.hold = *job.hold * pue.value();
  return job;
}

Result<report::PlannedPlace> plan_at(const PlanRequest& request, Candidate& c, const Estimate<Ratio>& pue) {
  auto slots = plan::make_slots(c.ahead.ladder, request.start, request.slot, static_cast<std::size_t>(request.slots));
  if (!slots) return tl::unexpected(slots.error());
  auto problem = plan::make_problem(at_facility(request.job, pue.value), *slots, blocked_slots(request));
  if (!problem) return tl::unexpected(problem.error());
  auto options = plan::weigh_options(*problem, plan::make_futures(*slots, c.ahead.errors, c.ahead.errors_from));
  if (!options) return tl::unexpected(options.error());
  const grid::Window window{slots->start, slots->end()};
  const auto steps = grid::steps(c.ahead.ladder, window, std::max(request.slot, window.length() / 200));
  const grid::Series& rung = c.ahead.ladder.rungs[steps.empty() ? 0 : steps[steps.size() / 2].rung];
  report::PlannedPlace place{c.zone,
                             c.name,
                             rung.signal,
                             product_terms(rung.terms, pue.terms),
                             std::move(*slots),
                             std::move(*problem),
                             std::move(*options),
                             std::move(c.ahead.ladder.notes)};
  if (pue.value.value() != 1) place.notes.push_back(fmt::format("PUE {:.2f}: {}", pue.value.value(), pue.source));
  if (rung.signal.data_kind == "typical day")
    place.notes.emplace_back("planned on a typical day: what is saved on this very day cannot be verified");
  return place;
}

/// What --emit is asked for; nothing without it.
Result<std::optional<report::EmitRequest>> emit_request(const Invocation& invocation, const Settings& settings) {
  const auto text = invocation.get("emit");
  if (!text) {
    if (!invocation.arguments.empty())
      return fail("a plan starts nothing by itself", invocation.arguments.front(),
                  "add --emit sh to print the commands that start it, or leave the command out", Error::Kind::usage);
    if (invocation.has("resource"))
      return fail("a resource is named, and no commands are asked for", "--resource", "add --emit FORM", Error::Kind::usage);
    return std::optional<report::EmitRequest>{};
  }
  const auto form = report::parse_emit_form(*text);
  if (!form)
    return fail(fmt::format("\"{}\" is no form of commands", *text), "--emit", "sh, at, sbatch, az, aws, gcloud or k8s",
                Error::Kind::usage);
  if (settings.json == "-")
    return fail("--emit and --json - both want the standard output", {}, "give --json a file", Error::Kind::usage);
  report::EmitRequest request{*form, invocation.get("resource").value_or(""), invocation.arguments};
  if (auto ok = report::check(request); !ok) return tl::unexpected(ok.error());
  return std::optional(std::move(request));
}

}  // namespace

int command_plan(const Invocation& invocation, const Settings& settings) {
  const Nanoseconds now = SystemClock().now().utc;
  const auto emit = emit_request(invocation, settings);
  if (!emit) return complain(emit.error());
  auto request = plan_request(invocation, settings, now);
  if (!request) return complain(request.error());
  const auto surroundings = surroundings_of(invocation, settings.config);
  if (!surroundings) return complain(surroundings.error());
  auto places = candidates(invocation, settings, {request->start, request->start + request->slots * request->slot}, now);
  if (!places) return complain(places.error());
  report::PlanView view;
  view.job = request->job;
  view.job_source = request->job_source;
  view.prices = request->prices;
  view.notes = request->notes;
  view.signal_why = places->front().ahead.why;
  for (Candidate& c : *places) {
    auto planned = plan_at(*request, c, pue_of(*request, *surroundings, c));
    if (!planned) return complain(planned.error());
    view.places.push_back(std::move(*planned));
  }
  view.chosen = choose(view);
  if (settings.json) {
    const auto written = write_output(*settings.json, report::plan_json(view) + "\n");
    if (!written) return complain(written.error());
    if (*settings.json == "-") return 0;
  }
  if (*emit) {
    const auto commands = report::plan_commands(view, **emit);
    return commands ? print(*commands) : complain(commands.error());
  }
  return settings.quiet ? 0 : print(report::plan_text(view, style_for(STDOUT_FILENO), width_of(STDOUT_FILENO)));
}

}  // namespace gramwatt::cli
