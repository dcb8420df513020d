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

constexpr std::array<Policy, kPolicies> kAll{Policy::flexible_start, Policy::pause_resume};

Json number(const std::optional<Saving>& s, bool totals) {
  return s ? Json((totals ? s->ratio_of_totals : s->mean_of_ratios).value()) : Json();
}

Json savings(const std::optional<Saving>& free, const std::optional<Saving>& charged) {
  return {{"mean_of_ratios", number(free, false)},
          {"ratio_of_totals", number(free, true)},
          {"charged", {{"mean_of_ratios", number(charged, false)}, {"ratio_of_totals", number(charged, true)}}}};
}

Json mean_json(const StudyView& v, std::size_t w, std::size_t j) {
  Json out{{"window", slacks()[w].name}, {"job", jobs()[j].short_name}, {"policies", Json::array()}};
  for (const Policy p : kAll) {
    const Published theirs = published(w, j, p);
    Json one{{"policy", to_string(p)}};
    one.update(savings(mean_saving(v, w, j, p), mean_saving(v, w, j, p, v.charges)));
    one["pauses_per_hour"] = mean_pauses_per_hour(v, w, j, p);
    one["published"] = {{"saving", theirs.saving.value()},
                        {"pauses_per_hour", theirs.pauses_per_hour ? Json(*theirs.pauses_per_hour) : Json()}};
    out["policies"].push_back(std::move(one));
  }
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
  for (const Policy p : kAll) {
    Json one{{"policy", to_string(p)}};
    one.update(savings(saving(c, p), saving(c, p, v.charges)));
    one["pauses_per_hour"] = pauses_per_hour(c, p);
    out["policies"].push_back(std::move(one));
  }
  return out;
}

Json jobs_json(const StudyView& v) {
  Json out = Json::array();
  for (const Job& job : jobs()) {
    out.push_back({{"job", job.short_name},
                   {"name", job.name},
                   {"gpus", job.gpus},
                   {"gpu", job.gpu},
                   {"duration_s", seconds(job.length).value()},
                   {"slots", shape(job, slacks()[0], v.asked.slot).length},
                   {"energy_j", job.energy.value()}});
  }
  return out;
}

std::string csv_number(const std::optional<Saving>& s, bool totals) {
  return s ? fmt::format("{:.6g}", (totals ? s->ratio_of_totals : s->mean_of_ratios).value()) : "";
}

std::string csv_savings(const std::optional<Saving>& free, const std::optional<Saving>& charged, double pauses) {
  return fmt::format("{},{},{},{},{:.6g}", csv_number(free, false), csv_number(free, true), csv_number(charged, false),
                     csv_number(charged, true), pauses);
}

}  // namespace

std::string study_csv(const StudyView& v) {
  std::string out =
      "region,window,job,policy,starts,starts_without_known_window,starts_without_carbon,mean_of_ratios,ratio_of_totals,"
      "charged_mean_of_ratios,charged_ratio_of_totals,pauses_per_hour,published_saving,published_pauses_per_hour\n";
  const auto each = [&](auto one) {
    for (std::size_t w = 0; w < kSlacks; ++w) {
      for (std::size_t j = 0; j < kJobs; ++j) {
        for (const Policy p : kAll) one(w, j, p);
      }
    }
  };
  for (const StudyRegion& r : v.regions) {
    each([&](std::size_t w, std::size_t j, Policy p) {
      const Cell& c = r.cells[w][j];
      out += fmt::format("{},{},{},{},{},{},{},{},,\n", csv_quote(r.name), slacks()[w].name, jobs()[j].short_name, to_string(p),
                         c.starts, c.unknown, c.zero,
                         csv_savings(saving(c, p), saving(c, p, v.charges), pauses_per_hour(c, p)));
    });
  }
  each([&](std::size_t w, std::size_t j, Policy p) {
    const Published theirs = published(w, j, p);
    out += fmt::format("mean,{},{},{},,,,{},{:.6g},{}\n", slacks()[w].name, jobs()[j].short_name, to_string(p),
                       csv_savings(mean_saving(v, w, j, p), mean_saving(v, w, j, p, v.charges), mean_pauses_per_hour(v, w, j, p)),
                       theirs.saving.value(), theirs.pauses_per_hour ? fmt::format("{:.6g}", *theirs.pauses_per_hour) : "");
  });
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
                       {"resolution_s", seconds(r.resolution).value()},
                       {"known", r.known.value()},
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
              {"start", iso8601(v.asked.time.start)},
              {"end", iso8601(v.asked.time.end)},
              {"slot_s", seconds(v.asked.slot).value()},
              {"starts", start_slots(v.asked).size()},
              {"charges", {{"restart_s", seconds(v.charges.restart).value()}, {"waiting", v.charges.waiting.value()}}},
              {"jobs", jobs_json(v)},
              {"mean", std::move(means)},
              {"agreement", {{"within", a.within}, {"of", a.all}}},
              {"regions", std::move(regions)},
              {"remarks", study_remarks(v)},
              {"notes", v.notes}}
      .dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gramwatt::report
