#include "report/study_jobs.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "report/grid.hpp"

namespace gramwatt::report {
namespace {

using plan::ClusterAccount;
using Json = nlohmann::ordered_json;

constexpr int kPolicyColumn = 34;

Seconds time(plan::Second t) { return Seconds(static_cast<double>(t)); }
double hours(plan::Second t) { return static_cast<double>(t) / 3600; }
/// "2 h", not "2 h 0 min".
std::string duration(Seconds t) {
  std::string text = human_duration(t);
  for (const std::string_view nothing : {" 0 h", " 0 min", " 0 s"}) {
    if (text.ends_with(nothing)) text.resize(text.size() - nothing.size());
  }
  return text;
}
std::string duration(plan::Second t) { return duration(time(t)); }

struct ClusterView {
  std::string_view name;
  const std::vector<ClusterAccount>& accounts;
  bool fixed;

  [[nodiscard]] const ClusterAccount& now() const { return accounts.front(); }
};

std::array<ClusterView, 2> clusters(const JobsStudy& s) {
  return {{{"elastic", s.study.elastic, false}, {"fixed", s.study.fixed, true}}};
}

/// To run-now's; nothing where that emits nothing.
std::optional<double> relative(const ClusterAccount& a, const ClusterView& c) {
  if (c.now().carbon() <= 0) return std::nullopt;
  return static_cast<double>(a.carbon()) / static_cast<double>(c.now().carbon());
}
std::optional<double> saving(const ClusterAccount& a, const ClusterView& c) {
  const auto r = relative(a, c);
  return r ? std::optional(1 - *r) : std::nullopt;
}

/// Mean use over the CPUs that there are: those of the fixed cluster; of the elastic one, the most that were in use at once.
double busy(const ClusterAccount& a, const ClusterView& c, const JobsStudy& s) {
  const double mean = static_cast<double>(a.work_seconds) / static_cast<double>(s.study.end - s.study.begin);
  return mean / static_cast<double>(c.fixed ? s.study.cpus : a.most_cpus);
}

std::string policy_text(const ClusterAccount& a) {
  using enum plan::ClusterPolicy;
  switch (a.policy) {
    case run_now: return "run now";
    case flexible_start: return "flexible start";
    case flexible_start_mean: return "flexible start, length unknown";
    case pause_resume: return a.restart > 0 ? "pause and resume, charged" : "pause and resume, free";
    case exact_pause: return "pause and resume, exact";
    case threshold_start: return "threshold start, no forecast";
    case threshold_pause: return "threshold pauses, no forecast";
  }
  return {};
}

std::string class_text(const JobsStudy& s, std::size_t i) {
  const plan::WaitingLimit& l = s.settings.limits[i];
  const std::string up_to = l.up_to == plan::kNoEnd ? "longer" : "up to " + duration(l.up_to);
  return fmt::format("{}: {} ({} jobs, mean {})", up_to, duration(l.wait), s.study.class_jobs[i],
                     duration(s.study.class_mean[i]));
}

std::string row(const ClusterAccount& a, const ClusterView& c, const JobsStudy& s) {
  const auto share = &a == &c.now() ? std::nullopt : saving(a, c);
  return fmt::format("{:<{}}{:>12}{:>9}{:>12}{:>8.2f}{:>7.2f}{:>7.1f}{:>8.1f}{:>7.1f}{:>10}{:>8}\n", policy_text(a),
                     kPolicyColumn, text(carbon_of(a, s).value), share ? fmt::format("{:.2f} %", 100 * *share) : "",
                     text(energy_of(a, s).value), hours(a.mean_wait), hours(a.median_wait), hours(a.p95_wait),
                     hours(a.longest_wait), 100 * busy(a, c, s), a.restarts, a.beyond_limit);
}

Json json_of(const Terms& terms) {
  Json out = Json::object();
  for (const auto& [id, shift] : terms) out[id] = shift.size();
  return out;
}

template <class Q>
Json json_of(const Estimate<Q>& e) {
  Json out{{"value", e.value.value()}, {"low", e.low().value()},        {"high", e.high().value()},
           {"unit", e.unit()},         {"method", to_string(e.method)}, {"source", e.source}};
  if (e.boundary) out["boundary"] = to_string(*e.boundary);
  out["terms"] = json_of(e.terms);
  return out;
}

Json or_null(std::optional<double> x) { return x ? Json(*x) : Json(); }

Json json_of(const ClusterAccount& a, const ClusterView& c, const JobsStudy& s) {
  return {{"policy", plan::to_string(a.policy)},
          {"restart_s", a.restart},
          {"carbon", json_of(carbon_of(a, s))},
          {"relative", or_null(relative(a, c))},
          {"saving", or_null(saving(a, c))},
          {"energy", json_of(energy_of(a, s))},
          {"wait_s", {{"mean", a.mean_wait}, {"p50", a.median_wait}, {"p95", a.p95_wait}, {"max", a.longest_wait}}},
          {"utilisation", busy(a, c, s)},
          {"most_cpus", a.most_cpus},
          {"restarts", a.restarts},
          {"beyond_limit", a.beyond_limit}};
}

/// Whole seconds, as the contract writes them.
std::string day(Nanoseconds t) { return iso8601(t).substr(0, 10); }

}  // namespace

Estimate<Joules> energy_of(const ClusterAccount& a, const JobsStudy& s) {
  Estimate<Joules> e;
  e.value = s.cpu.value * time(a.cpu_seconds());
  e.method = s.cpu.method;
  e.source = s.cpu.source;
  e.boundary = Boundary::node;
  e.terms = s.cpu.terms;
  return e;
}

Estimate<Grams> carbon_of(const ClusterAccount& a, const JobsStudy& s) {
  Estimate<Grams> e;
  e.value = s.cpu.value * Seconds(1) * GramsPerKwh(1e-3) * static_cast<double>(a.carbon());
  e.method = s.cpu.method;
  e.source = join_sources(s.cpu.source, s.signal.source);
  e.terms = product_terms(s.cpu.terms, s.terms);
  return e;
}

std::string jobs_table(const JobsStudy& s, const Style& style) {
  const double cpu_hours = static_cast<double>(s.study.elastic.front().work_seconds) / 3600;
  std::string out = fmt::format("{} jobs of {}, {:.0f} CPU-hours\n", s.jobs, s.trace, cpu_hours);
  out += fmt::format("{} intensity{} of {} to {} every {}, mean {:.0f} {}: {}\n", to_string(s.signal.kind),
                     s.zone ? " of " + *s.zone : "", day(s.window.start), day(s.window.end), duration(seconds(s.slot)),
                     s.mean.value(), unit_of(s.signal), s.signal.source);
  out += "waiting limits:";
  for (std::size_t i = 0; i < s.settings.limits.size(); ++i) out += (i == 0 ? " " : "; ") + class_text(s, i);
  out += fmt::format("\na CPU at work: {} ({}); a restart: {} at full power; threshold: percentile {} of the last 14 days\n",
                     text(s.cpu, style), s.cpu.source, duration(s.settings.restart), s.settings.percentile);
  for (const std::string& note : s.notes) out += "note: " + note + "\n";
  for (const ClusterView& c : clusters(s)) {
    out += "\n" +
           style.bold(c.fixed ? fmt::format("fixed: {} CPUs, an idle one draws {} % of full power", s.study.cpus,
                                            significant(s.settings.idle_thousandths / 10.0, 3))
                              : "elastic: as many CPUs as are asked for, none drawn while idle") +
           "\n";
    out += style.dim(fmt::format("{:<{}}{:>12}{:>9}{:>12}{:>8}{:>7}{:>7}{:>8}{:>7}{:>10}{:>8}", "", kPolicyColumn, "carbon",
                                 "saving", "energy", "wait h", "p50", "p95", "max", "busy %", "restarts", "late")) +
           "\n";
    for (const ClusterAccount& a : c.accounts) out += row(a, c, s);
  }
  out +=
      "\nwait: from arrival to finish, less the job's own length. late: jobs that waited beyond their limit. busy: of the "
      "fixed\n"
      "cluster's CPUs; of the most that were in use at once on the elastic one. carbon: of the node, without PUE and embodied "
      "parts.\n";
  return out;
}

namespace {
std::string or_blank(std::optional<double> x) { return x ? fmt::format("{}", *x) : ""; }
}  // namespace

std::string jobs_csv(const JobsStudy& s) {
  std::string out =
      "cluster,policy,restart_s,carbon_g,relative,saving,energy_kwh,wait_mean_s,wait_p50_s,wait_p95_s,wait_max_s,utilisation,"
      "most_cpus,restarts,beyond_limit\n";
  for (const ClusterView& c : clusters(s)) {
    for (const ClusterAccount& a : c.accounts) {
      out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", c.name, plan::to_string(a.policy), a.restart,
                         carbon_of(a, s).value.value(), or_blank(relative(a, c)), or_blank(saving(a, c)),
                         energy_of(a, s).value.value() / kJoulesPerKwh, a.mean_wait, a.median_wait, a.p95_wait, a.longest_wait,
                         busy(a, c, s), a.most_cpus, a.restarts, a.beyond_limit);
    }
  }
  return out;
}

std::string jobs_json(const JobsStudy& s) {
  Json limits = Json::array();
  for (std::size_t i = 0; i < s.settings.limits.size(); ++i) {
    const plan::WaitingLimit& l = s.settings.limits[i];
    limits.push_back({{"up_to_s", l.up_to == plan::kNoEnd ? Json() : Json(l.up_to)},
                      {"wait_s", l.wait},
                      {"jobs", s.study.class_jobs[i]},
                      {"mean_length_s", s.study.class_mean[i]}});
  }
  Json all = Json::array();
  for (const ClusterView& c : clusters(s)) {
    Json policies = Json::array();
    for (const ClusterAccount& a : c.accounts) policies.push_back(json_of(a, c, s));
    all.push_back({{"cluster", c.name},
                   {"cpus", c.fixed ? Json(s.study.cpus) : Json()},
                   {"idle_share", c.fixed ? s.settings.idle_thousandths / 1000.0 : 0.0},
                   {"policies", std::move(policies)}});
  }
  Json out{{"schema", "gramwatt.study-jobs/1"},
           {"trace", s.trace},
           {"jobs", s.jobs},
           {"cpu_s", s.study.elastic.front().work_seconds},
           {"zone", s.zone ? Json(*s.zone) : Json()},
           {"signal", to_string(s.signal.kind)},
           {"intensity",
            {{"source", s.signal.source},
             {"licence", s.signal.licence},
             {"unit", unit_of(s.signal)},
             {"factor", s.signal.factor},
             {"basis", s.signal.basis},
             {"grid_loss", s.signal.grid_loss},
             {"year", s.signal.year},
             {"fit_for", s.signal.fit_for},
             {"start", time_text(s.window.start)},
             {"end", time_text(s.window.end)},
             {"slot_s", seconds(s.slot).value()},
             {"mean", s.mean.value()}}},
           {"cpu_power", json_of(s.cpu)},
           {"restart_s", s.settings.restart},
           {"percentile", s.settings.percentile},
           {"limits", std::move(limits)},
           {"clusters", std::move(all)}};
  if (!s.notes.empty()) out["notes"] = s.notes;
  return out.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gramwatt::report
