#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "report/plan.hpp"

namespace gramwatt::report {
namespace {

using Json = nlohmann::ordered_json;

template <class Q>
Json estimate(const Estimate<Q>& e) {
  Json terms = Json::object();
  for (const auto& [id, shift] : e.terms) terms[id] = shift.size();
  Json out{{"value", e.value.value()},      {"low", e.low().value()}, {"high", e.high().value()}, {"unit", Q::unit()},
           {"method", to_string(e.method)}, {"source", e.source},     {"terms", std::move(terms)}};
  if (e.boundary) out["boundary"] = to_string(*e.boundary);
  return out;
}

Json estimate(const Estimate<Grams>& e, const grid::Signal& signal) {
  Json out = estimate(e);
  out["unit"] = "g" + signal.gas;
  return out;
}

Json optional(const std::optional<Ratio>& r) { return r ? Json(r->value()) : Json(nullptr); }

Json option(const PlanView& view, Choice c) {
  const PlannedPlace& place = view.places[c.place];
  const plan::Option& o = view.option(c);
  const auto at = [&](int slot) { return time_text(place.slots.time(static_cast<std::size_t>(slot))); };
  Json runs = Json::array();
  for (const plan::Run& run : plan::runs(o.schedule)) runs.push_back({{"start", at(run.begin)}, {"end", at(run.end)}});
  Json out{{"policy", plan::to_string(o.policy)},
           {"zone", place.zone},
           {"place", place.name},
           {"start", at(plan::runs(o.schedule).front().begin)},
           {"finish", at(plan::finish(o.schedule))},
           {"runs", std::move(runs)},
           {"carbon", estimate(carbon(view, c), place.signal)},
           {"saving", saving(view, c).value()},
           {"mean_saving", optional(o.mean_saving)},
           {"p_worse", optional(p_worse(view, c))},
           {"restarts", plan::restarts(o.schedule)},
           {"energy_J", o.energy.value()}};
  if (!place.region.empty()) out["region"] = {{"provider", place.provider}, {"region", place.region}};
  if (place.transfer) out["transfer"] = estimate(*place.transfer, place.signal);
  if (const auto money = cost(view, c)) out["cost"] = *money;
  const std::string broken = plan::objection(place.problem, o.schedule);
  if (!broken.empty()) out["breaks"] = broken;
  return out;
}

Json gpus(const plan::Gpus& g) { return {{"gpu", g.board.name}, {"count", g.count}}; }

/// An option on other GPUs: its saving is told against the present ones, and no futures are.
Json moved_option(const PlanView& view, const WhatIf& w, Choice c) {
  const PlanView& there = *w.planned;
  const Estimate<Ratio> left = remaining(view, w, c);
  Json out = option(there, c);
  out["carbon"] = estimate(carbon(w, c), there.places[c.place].signal);
  out["saving"] = 1 - left.value.value();
  out["saving_low"] = 1 - left.high().value();
  out["saving_high"] = 1 - left.low().value();
  out.erase("mean_saving");
  out.erase("p_worse");
  out.erase("cost");  // the price of another machine is not known
  return out;
}

Json what_if(const PlanView& view, const WhatIf& w) {
  Json out = gpus(w.gpus);
  out["from"] = gpus(view.gpus);
  out["time"] = estimate(w.time);
  out["energy"] = estimate(w.energy);
  out["time_ratio"] = estimate(w.move.time);
  out["energy_ratio"] = estimate(w.move.energy);
  if (w.planned) {
    Json options = Json::array();
    for (std::size_t p = 0; p < w.planned->places.size(); ++p) {
      for (std::size_t o = 0; o < w.planned->places[p].options.options.size(); ++o)
        options.push_back(moved_option(view, w, {p, o}));
    }
    out["options"] = std::move(options);
    out["best"] = moved_option(view, w, w.planned->chosen);
  } else {
    out["refused"] = w.refused;
  }
  out["notes"] = w.notes;
  return out;
}

Json job(const PlanView& view) {
  Joules sum;
  for (const Joules e : view.job.steps) sum += e;
  const plan::Job& j = view.job;
  return {{"energy_J", sum.value()},
          {"duration_s", seconds(view.home().slots.length).value() * static_cast<double>(j.steps.size())},
          {"source", view.job_source},
          {"pausable", j.can_pause()},
          {"restart_energy_J", j.restart_energy.value()},
          {"restart_time_s", seconds(j.restart_time).value()},
          {"hold_power_W", j.hold ? Json(j.hold->value()) : Json(nullptr)},
          {"wait_power_W", j.wait.value()},
          {"embodied_per_hour_g", view.embodied_per_hour.value.value()},
          {"machine", plan::to_string(j.machine)}};
}

}  // namespace

std::string plan_json(const PlanView& view) {
  const grid::Signal& signal = view.home().signal;
  Json options = Json::array();
  for (std::size_t p = 0; p < view.places.size(); ++p) {
    for (std::size_t o = 0; o < view.places[p].options.options.size(); ++o) options.push_back(option(view, {p, o}));
  }
  std::vector<std::string> notes = view.notes;
  for (const PlannedPlace& p : view.places) {
    for (const std::string& note : p.notes) {
      std::string told = view.places.size() > 1 ? (p.region.empty() ? p.zone : p.name) + ": " + note : note;
      notes.push_back(std::move(told));
    }
  }
  Json out{{"schema", "gramwatt.plan/1"},
           {"signal", grid::to_string(signal.kind)},
           {"signal_why", view.signal_why},
           {"factor", signal.factor},
           {"fit_for", signal.fit_for},
           {"zone", view.home().zone},
           {"slot_s", seconds(view.home().slots.length).value()},
           {"window", {{"start", time_text(view.home().slots.start)}, {"end", time_text(view.home().slots.end())}}},
           {"job", job(view)},
           {"options", std::move(options)},
           {"chosen_by", view.by_cost ? "cost" : "carbon"},
           {"chosen", plan::to_string(view.option(view.chosen).policy)},
           {"chosen_zone", view.places[view.chosen.place].zone},
           {"chosen_place", view.places[view.chosen.place].name},
           {"notes", std::move(notes)}};
  if (!view.what_ifs.empty()) {
    out["what_if"] = Json::array();
    for (const WhatIf& w : view.what_ifs) out["what_if"].push_back(what_if(view, w));
  }
  return out.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gramwatt::report
