// The study as JSON.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "report/study.hpp"

namespace gramwatt::report {
namespace {

using Json = nlohmann::ordered_json;
using namespace plan::facct22;

/// By division, so that whole seconds are whole numbers.
double plain_seconds(Nanoseconds t) { return std::chrono::duration<double>(t).count(); }

Json number(const std::optional<Saving>& s, bool totals) {
  return s ? Json((totals ? s->ratio_of_totals : s->mean_of_ratios).value()) : Json();
}

Json both(const std::optional<Saving>& s) {
  return {{"mean_of_ratios", number(s, false)}, {"ratio_of_totals", number(s, true)}};
}

/// `of`: the exact plan's saving under a payment.
template <class F>
Json exact_json(F of) {
  Json out{{"policy", "exact"}, {"paid", Json::object()}};
  for (const Payment p : report::kPayments) out["paid"][std::string(to_string(p))] = both(of(p));
  return out;
}

/// `of`: the saving under charges.
template <class F>
Json savings(const StudyView& v, Policy policy, F of) {
  Json out{{"policy", to_string(policy)}, {"saving", both(of(Charges{}))}};
  for (const Payment p : report::kPayments) out["paid"][std::string(to_string(p))] = both(of(report::charges_of(v, p)));
  return out;
}

Json kept_json(const ComparedSaving& c) {
  const auto part = [&](bool totals) {
    const auto kept = c.kept(totals);
    return kept ? Json(kept->value()) : Json();
  };
  return {{"mean_of_ratios", part(false)}, {"ratio_of_totals", part(true)}};
}

/// Plans by forecasts. `of`: a policy under charges; `exact`: the exact plan.
template <class Of, class OfExact, class OfPauses>
Json told_json(const StudyView& v, const Compared& c, Of of, OfExact exact, OfPauses pauses) {
  Json policies = Json::array();
  for (const Policy p : report::kPolicies) {
    const ComparedSaving free = of(p, Charges{});
    Json one{{"policy", to_string(p)},
             {"saving", both(free.told)},
             {"known_beforehand", both(free.known)},
             {"share_kept", kept_json(free)},
             {"pauses_per_hour", pauses(p)}};
    for (const Payment pay : report::kPayments) {
      const ComparedSaving paid = of(p, report::charges_of(v, pay));
      one["paid"][std::string(to_string(pay))] = both(paid.told);
      one["paid"][std::string(to_string(pay))]["share_kept"] = kept_json(paid);
    }
    policies.push_back(std::move(one));
  }
  if (has_exact(c)) {
    const ComparedSaving best = exact();
    Json paid = both(best.told);
    paid["known_beforehand"] = both(best.known);
    paid["share_kept"] = kept_json(best);
    policies.push_back({{"policy", "exact"}, {"paid", {{std::string(to_string(kForecastPayments.front())), std::move(paid)}}}});
  }
  return policies;
}

/// What plans keep that know less: by forecasts under "forecasts"; beside the judge in the policies themselves.
template <class Of, class OfExact, class OfPauses>
void add_compared(const StudyView& v, Json& out, Of of, OfExact exact, OfPauses pauses) {
  for (const Compared& c : comparisons(v)) {
    if (c.forecast) {
      out["forecasts"].push_back({{"model", c.by},
                                  {"policies", told_json(
                                                   v, c, [&](Policy p, const Charges& charges) { return of(c, p, charges); },
                                                   [&] { return exact(c); }, [&](Policy p) { return pauses(c, p); })}});
      continue;
    }
    for (std::size_t i = 0; i < report::kPolicies.size(); ++i) {
      const ComparedSaving free = of(c, report::kPolicies[i], Charges{});
      out["policies"][i]["planned_by_judge"] = both(free.known);
      out["policies"][i]["share_kept"] = kept_json(free);
    }
  }
}

Json mean_json(const StudyView& v, std::size_t w, std::size_t j) {
  Json out{{"window", slacks()[w].name}, {"job", jobs()[j].short_name}, {"policies", Json::array()}};
  for (const Policy p : report::kPolicies) {
    const Published theirs = published(w, j, p);
    Json one = savings(v, p, [&](const Charges& charges) { return mean_saving(v, w, j, p, charges); });
    one["pauses_per_hour"] = mean_pauses_per_hour(v, w, j, p);
    one["published"] = {{"saving", theirs.saving.value()},
                        {"pauses_per_hour", theirs.pauses_per_hour ? Json(*theirs.pauses_per_hour) : Json()}};
    out["policies"].push_back(std::move(one));
  }
  if (has_exact(v)) out["policies"].push_back(exact_json([&](Payment p) { return mean_exact(v, w, j, p); }));
  add_compared(
      v, out, [&](const Compared& c, Policy p, const Charges& charges) { return mean_compared(c, w, j, p, charges); },
      [&](const Compared& c) { return mean_compared_exact(c, w, j); },
      [&](const Compared& c, Policy p) { return mean_pauses_per_hour(c, w, j, p); });
  return out;
}

Json forecasts_json(const StudyRegion& r) {
  Json out = Json::array();
  for (const Forecasts& f : r.forecasts) {
    out.push_back({{"model", grid::to_string(f.model)},
                   {"starts", f.starts},
                   {"starts_without_forecast", f.without},
                   {"starts_by_climatology", f.fell_back}});
  }
  return out;
}

Json cell_json(const StudyView& v, std::size_t region, std::size_t w, std::size_t j) {
  const Cell& c = v.regions[region].cells[w][j];
  Json out{{"window", slacks()[w].name},
           {"job", jobs()[j].short_name},
           {"starts", c.starts},
           {"starts_without_known_window", c.unknown},
           {"starts_without_carbon", c.zero},
           {"carbon_at_once_g", carbon_at_once(c, jobs()[j]).value()},
           {"policies", Json::array()}};
  for (const Policy p : report::kPolicies) {
    Json one = savings(v, p, [&](const Charges& charges) { return saving(c, p, charges); });
    one["pauses_per_hour"] = pauses_per_hour(c, p);
    out["policies"].push_back(std::move(one));
  }
  if (has_exact(v)) {
    Json best = exact_json([&](Payment p) { return exact_saving(c, p); });
    for (const Payment p : report::kPayments) best["paid"][std::string(to_string(p))]["pauses"] = pauses_per_start(c, p);
    out["policies"].push_back(std::move(best));
  }
  add_compared(
      v, out, [&](const Compared& all, Policy p, const Charges& charges) { return compared(all, region, w, j, p, charges); },
      [&](const Compared& all) { return compared_exact(all, region, w, j); },
      [&](const Compared& all, Policy p) { return pauses_per_hour((*all.told[region])[w][j], p); });
  return out;
}

Json jobs_json(const StudyView& v) {
  Json out = Json::array();
  for (const Job& job : jobs()) {
    out.push_back({{"job", job.short_name},
                   {"name", job.name},
                   {"gpus", job.gpus},
                   {"gpu", job.gpu},
                   {"duration_s", plain_seconds(job.length)},
                   {"slots", shape(job, slacks()[0], v.regions.front().asked.slot).length},
                   {"energy_j", job.energy.value()}});
  }
  return out;
}

}  // namespace

std::string study_json(const StudyView& v) {
  Json regions = Json::array(), means = Json::array();
  for (std::size_t i = 0; i < v.regions.size(); ++i) {
    const StudyRegion& r = v.regions[i];
    Json cells = Json::array();
    for (std::size_t w = 0; w < kSlacks; ++w) {
      for (std::size_t j = 0; j < kJobs; ++j) cells.push_back(cell_json(v, i, w, j));
    }
    regions.push_back({{"region", r.name},
                       {"signal", grid::to_string(r.signal.kind)},
                       {"factor", r.signal.factor},
                       {"basis", r.signal.basis},
                       {"gas", r.signal.gas},
                       {"source", r.signal.source},
                       {"licence", r.signal.licence},
                       {"resolution_s", plain_seconds(r.resolution)},
                       {"known", r.known.value()},
                       {"mean_g_per_kwh", r.mean.value()},
                       {"start", iso8601(r.asked.time.start)},
                       {"end", iso8601(r.asked.time.end)},
                       {"starts", start_slots(r.asked).size()},
                       {"forecasts", forecasts_json(r)},
                       {"cells", std::move(cells)}});
  }
  for (std::size_t w = 0; w < kSlacks; ++w) {
    for (std::size_t j = 0; j < kJobs; ++j) means.push_back(mean_json(v, w, j));
  }
  const Agreement a = agreement(v);
  return Json{{"schema", "gramwatt.study/1"},
              {"study", "facct22"},
              {"published_by", kSource},
              {"foresight", "perfect"},
              {"forecasts_replanned_s", plain_seconds(kReplanned)},
              {"judged_by", v.judge.empty() ? Json() : Json(v.judge)},
              {"slot_s", plain_seconds(v.regions.front().asked.slot)},
              {"charges", {{"restart_s", plain_seconds(v.restart)}, {"idle", v.idle.value()}}},
              {"jobs", jobs_json(v)},
              {"mean", std::move(means)},
              {"agreement", {{"within", a.within}, {"of", a.all}}},
              {"regions", std::move(regions)},
              {"remarks", study_remarks(v)},
              {"notes", v.notes}}
      .dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gramwatt::report
