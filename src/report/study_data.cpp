// The study as CSV and JSON.

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
  return out;
}

Json cell_json(const StudyView& v, const StudyRegion& r, std::size_t w, std::size_t j) {
  const Cell& c = r.cells[w][j];
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
  if (!has_exact(v)) return out;
  Json best = exact_json([&](Payment p) { return exact_saving(c, p); });
  for (const Payment p : report::kPayments) best["paid"][std::string(to_string(p))]["pauses"] = pauses_per_start(c, p);
  out["policies"].push_back(std::move(best));
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

std::string csv_number(const std::optional<Saving>& s, bool totals) {
  return s ? fmt::format("{:.6g}", (totals ? s->ratio_of_totals : s->mean_of_ratios).value()) : "";
}

/// `of`: the exact plan's saving under a payment.
template <class F>
std::string csv_exact(F of) {
  std::string out = ",";  // both averages of free pauses: those of pause-resume
  for (const Payment p : report::kPayments) out += "," + csv_number(of(p), false);
  return out;
}

template <class F>
std::string csv_savings(const StudyView& v, F of) {
  const auto free = of(Charges{});
  std::string out = csv_number(free, false) + "," + csv_number(free, true);
  for (const Payment p : report::kPayments) out += "," + csv_number(of(report::charges_of(v, p)), false);
  return out;
}

std::string csv_region(const StudyView& v, const StudyRegion& r, std::size_t w, std::size_t j) {
  const Cell& c = r.cells[w][j];
  const auto begin = [&](std::string_view policy) {
    return fmt::format("{},{},{},{},{},{},{},", csv_quote(r.name), slacks()[w].name, jobs()[j].short_name, policy, c.starts,
                       c.unknown, c.zero);
  };
  std::string out;
  for (const Policy p : report::kPolicies) {
    out += begin(to_string(p)) + csv_savings(v, [&](const Charges& charges) { return saving(c, p, charges); }) +
           fmt::format(",{:.6g},,\n", pauses_per_hour(c, p));
  }
  if (has_exact(v)) out += begin("exact") + csv_exact([&](Payment p) { return exact_saving(c, p); }) + ",,,\n";
  return out;
}

std::string csv_mean(const StudyView& v, std::size_t w, std::size_t j) {
  const auto begin = [&](std::string_view policy) {
    return fmt::format("mean,{},{},{},,,,", slacks()[w].name, jobs()[j].short_name, policy);
  };
  std::string out;
  for (const Policy p : report::kPolicies) {
    const Published theirs = published(w, j, p);
    out += begin(to_string(p)) + csv_savings(v, [&](const Charges& charges) { return mean_saving(v, w, j, p, charges); }) +
           fmt::format(",{:.6g},{:.6g},{}\n", mean_pauses_per_hour(v, w, j, p), theirs.saving.value(),
                       theirs.pauses_per_hour ? fmt::format("{:.6g}", *theirs.pauses_per_hour) : "");
  }
  if (has_exact(v)) out += begin("exact") + csv_exact([&](Payment p) { return mean_exact(v, w, j, p); }) + ",,,\n";
  return out;
}

}  // namespace

std::string study_csv(const StudyView& v) {
  std::string out =
      "region,window,job,policy,starts,starts_without_known_window,starts_without_carbon,mean_of_ratios,ratio_of_totals,"
      "restarts_paid,held_in_place,restarts_machine_kept,pauses_per_hour,published_saving,published_pauses_per_hour\n";
  const auto each = [](auto one) {
    for (std::size_t w = 0; w < kSlacks; ++w) {
      for (std::size_t j = 0; j < kJobs; ++j) one(w, j);
    }
  };
  for (const StudyRegion& r : v.regions) each([&](std::size_t w, std::size_t j) { out += csv_region(v, r, w, j); });
  each([&](std::size_t w, std::size_t j) { out += csv_mean(v, w, j); });
  return out;
}

std::string study_json(const StudyView& v) {
  Json regions = Json::array(), means = Json::array();
  for (const StudyRegion& r : v.regions) {
    Json cells = Json::array();
    for (std::size_t w = 0; w < kSlacks; ++w) {
      for (std::size_t j = 0; j < kJobs; ++j) cells.push_back(cell_json(v, r, w, j));
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
