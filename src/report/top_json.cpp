#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "report/top.hpp"

namespace gramwatt::report {
namespace {

using Json = nlohmann::ordered_json;

template <class Q>
Json estimate(const Estimate<Q>& e) {
  Json out{{"value", e.value.value()}, {"low", e.low().value()},        {"high", e.high().value()},
           {"unit", Q::unit()},        {"method", to_string(e.method)}, {"source", e.source}};
  if (e.boundary) out["boundary"] = to_string(*e.boundary);
  Json terms = Json::object();
  for (const auto& [id, shift] : e.terms) terms[id] = std::max(-shift.minus, shift.plus);
  out["terms"] = std::move(terms);
  return out;
}

Json process(const TopProcess& p) {
  return {{"pid", p.pid},
          {"parent", p.parent},
          {"session", p.session},
          {"name", p.name},
          {"command", p.command},
          {"user", p.user},
          {"part_of", p.part_of},
          {"cgroup", p.cgroup},
          {"cores", p.cores},
          {"power_w", p.power.value()},
          {"energy_j", p.energy.value()}};
}

}  // namespace

std::string top_json(const TopState& s) {
  Json out{{"schema", "gramwatt.top/1"},
           {"time", iso8601(s.at_utc)},
           {"host", s.host},
           {"elapsed_s", s.elapsed.value()},
           {"interval_s", s.interval.value()},
           {"machine", {{"power", estimate(s.machine)}, {"active", estimate(s.active)}, {"idle", estimate(s.idle)}}},
           {"energy_j", s.energy.value()}};
  Json devices = Json::array(), processes = Json::array();
  for (const TopDevice& d : s.devices) {
    devices.push_back({{"component", to_string(d.component)},
                       {"device", d.device},
                       {"method", to_string(d.method)},
                       {"active_w", d.active.value()},
                       {"idle_w", d.idle.value()}});
  }
  for (const TopProcess& p : s.processes) processes.push_back(process(p));
  out["devices"] = std::move(devices);
  out["processes"] = std::move(processes);
  out["others"] = {{"gpu_w", s.gpu.value()},         {"unattributed_w", s.unattributed.value()},
                   {"idle_w", s.idle.value.value()}, {"ended_j", s.ended.value()},
                   {"gpu_j", s.gpu_energy.value()},  {"unattributed_j", s.unattributed_energy.value()},
                   {"idle_j", s.idle_energy.value()}};
  out["place"] = {{"zone", s.zone ? Json(*s.zone) : Json(nullptr)}, {"name", s.place}};
  out["intensity"] = s.intensity ? estimate(*s.intensity) : Json(nullptr);
  out["pue"] = s.pue ? estimate(*s.pue) : Json(nullptr);
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gramwatt::report
