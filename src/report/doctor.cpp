#include "report/doctor.hpp"

#include <nlohmann/json.hpp>

#include <fmt/format.h>

namespace gramwatt::report {
namespace {

std::string watts(const Estimate<Watts>& e, const Style& style) {
  return fmt::format("{} W ({}{}{})", significant(e.value.value(), 2), significant(e.low().value(), 2), style.dash(),
                     significant(e.high().value(), 2));
}

}  // namespace

std::string doctor_text(const DoctorReport& r, const Style& style, std::size_t width) {
  constexpr std::size_t kLabel = 11;
  width = std::max<std::size_t>(60, std::min<std::size_t>(width, 100));
  std::string out;
  const auto row = [&](std::string_view label, const std::string& text) {
    out += pad(label, kLabel) + flow(text, kLabel, width) + "\n";
  };
  row("machine", fmt::format("{} ({}; {} threads, {} cores, {} CPU{}, {:.0f} GB)", r.cpu, r.machine_class, r.threads, r.cores,
                             r.packages, r.packages == 1 ? "" : "s", r.memory_gb));
  if (r.sensors.empty()) row("sensors", "none can be read: energy is modelled");
  for (const auto& s : r.sensors) {
    row(&s == &r.sensors.front() ? "sensors" : "",
        fmt::format("{} {}: {}, boundary {}, gain ±{:.0f} %{}", s.component, s.device, s.source, s.boundary, 100 * s.gain_error,
                    s.usable ? "" : "; not visible to the program"));
    if (!s.note.empty()) row("", style.dim(s.note));
  }
  for (const auto& b : r.blocked) {
    row(&b == &r.blocked.front() ? "blocked" : "", b.family + ": " + b.why);
    if (!b.remedy.empty()) row("", style.bold(b.remedy));
  }
  row("model", fmt::format("{}: idle {}, all threads busy {}; {}", r.model, watts(r.model_idle, style),
                           watts(r.model_full, style), r.model_source));
  if (!r.calibration.empty()) row("calibration", r.calibration);
  row("processes", fmt::format("counted by {}{}", r.tree,
                               r.tree_shortfall.empty() ? " (exact, short-lived children included)" : "; " + r.tree_shortfall));
  row("place", r.place);
  for (const auto& step : r.place_chain) row("", style.dim(step));
  row("intensity", fmt::format("average {}, {}", text(r.intensity, style), r.intensity.source));
  row("", "marginal " + r.marginal);
  row("PUE", fmt::format("{}, {}", text(r.pue, style), r.pue.source));
  row("ledger", fmt::format("{}: {}", r.ledger, r.ledger_state));
  row("config", fmt::format("{}: {}", r.config, r.config_state));
  for (const auto& remedy : r.remedies) row(&remedy == &r.remedies.front() ? "better by" : "", remedy);
  return out;
}

std::string doctor_json(const DoctorReport& r) {
  using nlohmann::ordered_json;
  const auto estimate = [](const auto& e) {
    return ordered_json{{"value", e.value.value()}, {"low", e.low().value()},        {"high", e.high().value()},
                        {"unit", e.unit()},         {"method", to_string(e.method)}, {"source", e.source}};
  };
  ordered_json j{{"schema", "gramwatt.doctor/1"},
                 {"host",
                  {{"cpu", r.cpu},
                   {"class", r.machine_class},
                   {"threads", r.threads},
                   {"cores", r.cores},
                   {"packages", r.packages},
                   {"memory_gb", r.memory_gb}}}};
  j["sensors"] = ordered_json::array();
  for (const auto& s : r.sensors) {
    j["sensors"].push_back({{"component", s.component},
                            {"device", s.device},
                            {"boundary", s.boundary},
                            {"source", s.source},
                            {"gain_error", s.gain_error},
                            {"usable", s.usable},
                            {"note", s.note}});
  }
  j["blocked"] = ordered_json::array();
  for (const auto& b : r.blocked) j["blocked"].push_back({{"family", b.family}, {"why", b.why}, {"remedy", b.remedy}});
  j["model"] = {{"in_use", r.model_in_use},
                {"what", r.model},
                {"source", r.model_source},
                {"idle", estimate(r.model_idle)},
                {"full", estimate(r.model_full)}};
  j["calibration"] = r.calibration.empty() ? ordered_json(nullptr) : ordered_json(r.calibration);
  j["processes"] = {{"mechanism", r.tree}, {"shortfall", r.tree_shortfall}};
  j["place"] = {{"name", r.place}, {"chain", r.place_chain}};
  j["intensity"] = {{"average", estimate(r.intensity)}, {"marginal", r.marginal}};
  j["pue"] = estimate(r.pue);
  j["ledger"] = {{"path", r.ledger}, {"state", r.ledger_state}};
  j["config"] = {{"path", r.config}, {"state", r.config_state}};
  j["remedies"] = r.remedies;
  return j.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace gramwatt::report
