// plan: the best start, the best pauses, the best place.

#include <unistd.h>

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/plan_places.hpp"
#include "cli/plan_what_if.hpp"
#include "report/plan.hpp"
#include "report/plan_emit.hpp"

namespace gramwatt::cli {
namespace {

Estimate<Ratio> pue_of(const PlanRequest& request, const Surroundings& surroundings, const Candidate& c) {
  if (c.listed) return c.pue;
  if (surroundings.pue)
    return {Ratio(*surroundings.pue), Method::assumed, "PUE given by " + surroundings.pue_origin, std::nullopt, {}};
  if (request.pue) return *request.pue;
  if (!(c.pue.value.value() > 0)) return {Ratio(1), Method::assumed, "no PUE", std::nullopt, {}};
  return c.pue;
}

/// The job at the node's plug, in a zone: what all buildings there have in common. `pue`: what carbon is multiplied with
/// afterwards, where making the machine counts, which no building makes dearer.
Result<report::PlannedPlace> plan_in_zone(const PlanRequest& request, const Ahead& ahead, Ratio pue) {
  auto slots = plan::make_slots(ahead.ladder, request.start, request.slot, static_cast<std::size_t>(request.slots));
  if (!slots) return tl::unexpected(slots.error());
  plan::Job job = request.job;
  job.embodied_per_hour = job.embodied_per_hour / pue.value();
  auto problem = plan::make_problem(job, *slots, blocked_slots(request));
  if (!problem) return tl::unexpected(problem.error());
  auto options = plan::weigh_options(*problem, plan::make_futures(*slots, ahead.errors, ahead.errors_from));
  if (!options) return tl::unexpected(options.error());
  const grid::Window window{slots->start, slots->end()};
  const auto steps = grid::steps(ahead.ladder, window, std::max(request.slot, window.length() / 200));
  const grid::Series& rung = ahead.ladder.rungs[steps.empty() ? 0 : steps[steps.size() / 2].rung];
  report::PlannedPlace place;
  place.signal = rung.signal;
  place.terms = rung.terms;
  place.slots = std::move(*slots);
  place.problem = std::move(*problem);
  place.options = std::move(*options);
  place.notes = ahead.ladder.notes;
  if (rung.signal.data_kind == "typical day")
    place.notes.emplace_back("planned on a typical day: what is saved on this very day cannot be verified");
  return place;
}

/// All energy times the PUE. The best schedule stays the best: only the quantum of energy grows.
void put_in_building(report::PlannedPlace& place, const Candidate& c, const Estimate<Ratio>& pue) {
  place.zone = c.zone;
  place.name = c.name;
  if (c.cloud) {
    place.provider = c.cloud->provider;
    place.region = c.cloud->region;
  }
  place.terms = product_terms(place.terms, pue.terms);
  place.problem.quantum = place.problem.quantum * pue.value;
  for (plan::Option& o : place.options.options) {
    o.carbon = o.carbon * pue.value.value();
    o.kept = o.kept * pue.value.value();
    o.energy = o.energy * pue.value;
  }
  if (pue.value.value() != 1) place.notes.push_back(fmt::format("PUE {:.2f}: {}", pue.value.value(), pue.source));
}

/// Each zone is planned once, and then put in the buildings that stand there.
Result<void> plan_all(const PlanRequest& request, const Surroundings& surroundings, const Candidates& candidates,
                      report::PlanView& view) {
  using Zone = std::pair<const Ahead*, double>;  // and PUE, where it decides what is best
  const bool by_building = request.job.embodied_per_hour.value() > 0 && request.job.machine != plan::Machine::shared;
  const auto zone_of = [&](const Candidate& c) {
    return Zone{c.ahead.get(), by_building ? pue_of(request, surroundings, c).value.value() : 1};
  };
  std::map<Zone, std::size_t> index;
  std::vector<Zone> zones;
  for (const Candidate& c : candidates.places) {
    if (index.try_emplace(zone_of(c), zones.size()).second) zones.push_back(zone_of(c));
  }
  std::vector<std::optional<Result<report::PlannedPlace>>> planned(zones.size());
  in_parallel(zones.size(),
              [&](std::size_t i) { planned[i] = plan_in_zone(request, *zones[i].first, Ratio(zones[i].second)); });
  for (const Candidate& c : candidates.places) {
    const Result<report::PlannedPlace>& in_zone = *planned[index.at(zone_of(c))];
    if (!in_zone && c.listed) {
      view.notes.push_back(c.name + " is left out: " + in_zone.error().message());
      continue;
    }
    if (!in_zone) return tl::unexpected(in_zone.error());
    report::PlannedPlace place = *in_zone;
    put_in_building(place, c, pue_of(request, surroundings, c));
    view.places.push_back(std::move(place));
  }
  return {};
}

void add_transfer(const Transfer& transfer, const report::PlannedPlace& home, report::PlannedPlace& there) {
  there.transfer = transfer_carbon(transfer, home, there);
  there.notes.push_back(
      fmt::format("moving the data here once: {} at {}", report::text(there.transfer->value), transfer.energy.source));
}

/// What a plan is made in, whatever the job.
struct Around {
  const Surroundings& surroundings;
  const Candidates& places;
  const std::optional<Transfer>& transfer;
};

Result<report::PlanView> planned(const PlanRequest& request, const Around& around) {
  report::PlanView view;
  view.job = request.job;
  view.job_source = request.job_source;
  view.prices = request.prices;
  view.by_cost = request.by_cost;
  view.embodied_per_hour = request.embodied_per_hour;
  view.notes = request.notes;
  view.notes.insert(view.notes.end(), around.places.notes.begin(), around.places.notes.end());
  view.signal_why = around.places.places.front().ahead->why;
  if (auto ok = plan_all(request, around.surroundings, around.places, view); !ok) return tl::unexpected(ok.error());
  for (std::size_t i = 1; around.transfer && i < view.places.size(); ++i)
    add_transfer(*around.transfer, view.home(), view.places[i]);
  view.chosen = choose(view);
  return view;
}

/// The job on other GPUs, and its request there unless its deadline cannot be met.
struct Moved {
  report::WhatIf what_if;
  std::optional<PlanRequest> request;
};

std::vector<Moved> moved_jobs(const PlanRequest& request, const std::optional<WhatIfs>& what_ifs) {
  std::vector<Moved> all;
  if (!what_ifs) return all;
  Joules job;
  for (const Joules e : request.job.steps) job += e;
  for (const plan::Gpus& gpus : what_ifs->others) {
    Moved m;
    m.what_if.gpus = gpus;
    const plan::Move& move = m.what_if.move = plan::move_to(what_ifs->present, gpus, what_ifs->use);
    m.what_if.time = {seconds(request.length) * move.time.value.value(), Method::assumed, move.time.source, std::nullopt,
                      move.time.terms};
    m.what_if.energy = {job * move.energy.value, Method::assumed, move.energy.source, Boundary::node, move.energy.terms};
    m.what_if.notes = notes_of(what_ifs->present, gpus, move);
    auto there = moved(request, move);
    if (there) m.request = std::move(*there);
    else m.what_if.refused = there.error().message();
    all.push_back(std::move(m));
  }
  return all;
}

void plan_moved(std::vector<Moved>& jobs, const Around& around, report::PlanView& view) {
  for (Moved& m : jobs) {
    if (m.request) {
      auto there = planned(*m.request, around);
      if (there) m.what_if.planned = std::move(*there);
      else m.what_if.refused = there.error().message();
    }
    view.what_ifs.push_back(std::move(m.what_if));
  }
}

/// What --emit is asked for; nothing without it.
Result<std::optional<report::EmitRequest>> emit_request(const Invocation& invocation, const Settings& settings) {
  const auto text = invocation.get("emit");
  const int outputs = (settings.json == "-" ? 1 : 0) + (invocation.get("html") == "-" ? 1 : 0) + (text ? 1 : 0);
  if (outputs > 1)
    return fail("two of --json -, --html - and --emit want the standard output", {}, "give --json and --html files",
                Error::Kind::usage);
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
  const auto transfer = transfer_request(invocation);
  if (!transfer) return complain(transfer.error());
  const auto what_if = what_ifs(invocation, *request);
  if (!what_if) return complain(what_if.error());
  std::vector<Moved> jobs = moved_jobs(*request, *what_if);
  int slots = request->slots;
  for (const Moved& m : jobs) slots = std::max(slots, m.request ? m.request->slots : 0);
  const auto places = plan_candidates(invocation, settings, {request->start, request->start + slots * request->slot}, now);
  if (!places) return complain(places.error());
  const Around around{*surroundings, *places, *transfer};
  auto view = planned(*request, around);
  if (!view) return complain(view.error());
  if (*what_if) view->gpus = (*what_if)->present;
  plan_moved(jobs, around, *view);
  if (settings.json) {
    const auto written = write_output(*settings.json, report::plan_json(*view) + "\n");
    if (!written) return complain(written.error());
    if (*settings.json == "-") return 0;
  }
  if (const auto page = invocation.get("html")) {
    const auto written = write_output(*page, report::plan_html(*view));
    if (!written) return complain(written.error());
    if (*page == "-") return 0;
  }
  if (*emit) {
    const auto commands = report::plan_commands(*view, **emit);
    return commands ? print(*commands) : complain(commands.error());
  }
  return settings.quiet ? 0 : print(report::plan_text(*view, style_for(STDOUT_FILENO), width_of(STDOUT_FILENO)));
}

}  // namespace gramwatt::cli
