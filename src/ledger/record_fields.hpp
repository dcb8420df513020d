#pragma once
// The fields of a run, in the order of the contract's JSON (schema gramwatt.run/1).
//
// Problem: writing and reading are the same list of fields twice, and two lists drift apart.
// Idea: every struct has one list, `fields(io, value)`, which names each field once, in the contract's order. A Writer walks it
// to write, a Reader walks it to read. The verb says what a field is:
//   io(key, v)          the contract promises it: always written, and an error when it is absent or of the wrong type;
//   io.extra(key, v)    ours beyond the contract: always written, may be absent when read;
//   io.derived(key, v)  follows from the others (low, high, unit, sizes of terms): written, never read;
//   io.nested(key, f)   an object of JSON that is no struct of ours.
// Times are ISO 8601 to the millisecond for people, and once more in nanoseconds at the end ("start_ns"), which wins.
// What JSON cannot say: a number that is not finite becomes null and reads as NaN; bytes that are not UTF-8 become U+FFFD.

#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "ledger/record.hpp"

namespace gramwatt::ledger {

inline constexpr const char* kSchema = "gramwatt.run/1";

template <class T, template <class...> class Template>
inline constexpr bool kIs = false;
template <template <class...> class Template, class... A>
inline constexpr bool kIs<Template<A...>, Template> = true;

/// Sizes of terms as the contract prints them.
inline std::map<std::string, double> sizes(const Terms& terms) {
  std::map<std::string, double> out;
  for (const auto& [id, shift] : terms) out.emplace(id, shift.size());
  return out;
}

/// The unit, where a source knows CO2 only: "gCO2e" becomes "gCO2".
inline std::string unit_for_gas(std::string unit, const std::string& gas) {
  if (gas == "CO2") {
    if (const auto e = unit.find("CO2e"); e != std::string::npos) unit.erase(e + 3, 1);
  }
  return unit;
}

template <class Io, class E>
void estimate_fields(Io& io, E& e, const std::string& unit) {
  io("value", e.value);
  io.derived("low", e.low());
  io.derived("high", e.high());
  io.derived("unit", unit);
  io("method", e.method);
  io("source", e.source);
  io.if_present("boundary", e.boundary);
  io.derived("terms", sizes(e.terms));
  io.shifts("shifts", e.terms);
}

template <class Io, class R>
void receipt_fields(Io& io, R& v) {
  io.instant("handed_in", v.handed_in);
  io("planned", v.planned);
  io("pauses", v.pauses);
  io("restarts", v.restarts);
  io("waited_s", v.waited);
  io("paused_s", v.paused);
  io.nested("energy", [&](auto& energy) {
    energy("running", v.running);
    energy("restarting", v.restarting);
    energy("checkpointing", v.checkpointing);
    energy("held", v.held);
    energy("off", v.off);
    energy("waiting", v.waiting);
    energy("waited_instead", v.waited_instead);
  });
  io("average", v.average);
  io("marginal", v.marginal);
  io("restart_time_s", v.restart_time);
  io("restart_energy_j", v.restart_energy);
  io("waiting_power", v.waiting_power);
  io("stretches", v.stretches);
  io("notes", v.notes);
  io.exact_instant("handed_in_ns", v.handed_in);
}

template <class Io, class T>
void fields(Io& io, T& v) {
  using U = std::remove_const_t<T>;
  if constexpr (kIs<U, Estimate>) {
    estimate_fields(io, v, v.unit());
  } else if constexpr (std::same_as<U, Channel>) {
    io("component", v.component);
    io("device", v.device);
    io("boundary", v.boundary);
    io("method", v.method);
    io("source", v.source);
    io("active_terms", v.active_terms);
    io("idle_terms", v.idle_terms);
  } else if constexpr (std::same_as<U, Host>) {
    io("hostname", v.hostname);
    io("cpu", v.cpu);
    io("cpus", v.cpus);
    io("memory_gb", v.memory_gb);
    io("virtual", v.is_virtual);
    io.nested_or_null("cloud", v.cloud_provider || v.cloud_instance || v.cloud_region, [&](auto& cloud) {
      cloud("provider", v.cloud_provider);
      cloud("instance", v.cloud_instance);
      cloud("region", v.cloud_region);
    });
    io("gpus", v.gpus);
    io("machine", v.machine);
  } else if constexpr (std::same_as<U, PlaceFacts>) {
    io("zone", v.zone);
    io("how", v.how);
    io("name", v.name);
  } else if constexpr (std::same_as<U, ComponentEnergy>) {
    io("component", v.component);
    io("device", v.device);
    io("energy", v.energy);
    io("active", v.active);
    io("idle", v.idle);
    io("machine", v.machine);
  } else if constexpr (std::same_as<U, Energy>) {
    io("total", v.total);
    io("active", v.active);
    io("idle", v.idle);
    io("idle_owner", v.idle_owner);
    io("facility", v.facility);
    io("pue", v.pue);
    io("components", v.components);
    io("machine", v.machine);
    io("unattributed", v.unattributed);
  } else if constexpr (std::same_as<U, IntensityFacts>) {
    estimate_fields(io, v.value, unit_for_gas(v.value.unit(), v.signal.gas));
    io("factor", v.signal.factor);
    io("basis", v.signal.basis);
    io("grid_loss", v.signal.grid_loss);
    io("year", v.signal.year);
    io("kind", v.signal.data_kind);
    io.extra("gas", v.signal.gas);
    io("fit_for", v.signal.fit_for);
    io.extra("licence", v.signal.licence);
    io.extra("signal", v.signal.kind);
    io.extra("series", v.signal.source);
  } else if constexpr (std::same_as<U, Gap>) {
    io("component", v.component);
    io("seconds", v.length);
    io("why", v.why);
  } else if constexpr (std::same_as<U, NotAttributable>) {
    io("count", v.count);
    io("seconds", v.time);
    io("why", v.why);
  } else if constexpr (std::same_as<U, RegionEnergy>) {
    io("name", v.name);
    io("count", v.count);
    io("seconds", v.time);
    io("energy", v.energy);
    io("shortest_s", v.shortest);
    io("mean_s", v.mean);
    io("longest_s", v.longest);
    io("not_attributable", v.not_attributable);
  } else if constexpr (std::same_as<U, MarkEnergy>) {
    io("name", v.name);
    io("count", v.count);
    io("seconds", v.time);
    io("energy", v.energy);
    io("why", v.why);
  } else if constexpr (std::same_as<U, EarlierWeighing>) {
    const auto gas = [](const auto& facts) { return facts ? facts->signal.gas : std::string("CO2e"); };
    io.instant("replaced", v.replaced_utc);
    io.of_gas("average", v.average, gas(v.average_intensity));
    io.of_gas("marginal", v.marginal, gas(v.marginal_intensity));
    io("average_intensity", v.average_intensity);
    io("marginal_intensity", v.marginal_intensity);
  } else if constexpr (std::same_as<U, Stretch>) {
    io("doing", v.doing);
    io.instant("start", v.start);
    io.instant("end", v.end);
    io("seconds", v.length);
    io("active_j", v.active);
    io("idle_j", v.idle);
    io.exact_instant("start_ns", v.start);
    io.exact_instant("end_ns", v.end);
  } else if constexpr (std::same_as<U, Expectation>) {
    io("signal", v.signal);
    io("why", v.why);
    io("saving", v.saving);
    io("p_worse", v.p_worse);
  } else if constexpr (std::same_as<U, SavingFacts>) {
    io.of_gas("actual", v.actual, v.gas);
    io.of_gas("counterfactual", v.counterfactual, v.gas);
    io("gas", v.gas);
    io.nested("saving", [&](auto& saving) {
      saving("value", v.saving);
      saving("low", v.low);
      saving("high", v.high);
      saving("kind", v.kind);
      saving("why", v.why);
    });
  } else if constexpr (std::same_as<U, Receipt>) {
    receipt_fields(io, v);
  } else {
    static_assert(std::same_as<U, Derivation>);
    io("figure", v.figure);
    io("formula", v.formula);
    io("inputs", v.inputs);
    io("source", v.source);
  }
}

template <class Io, class R>
void run_fields(Io& io, R& r) {
  io.constant("schema", kSchema);
  io("id", r.id);
  io("name", r.name);
  io("project", r.project);
  io("stage", r.stage);
  io("tags", r.tags);
  io("command", r.command);
  io("exit_code", r.exit_code);
  io("signal", r.signal);
  io("stopped_by", r.stopped_by);
  io.instant("start", r.start_utc);
  io.instant("end", r.end_utc);
  io("duration_s", r.duration);
  io("waited_s", r.waited);
  io("running_s", r.running);
  io("paused_s", r.paused);
  io("host", r.host);
  io("place", r.place);
  io("energy", r.energy);
  const auto gas = [](const auto& facts) { return facts ? facts->signal.gas : std::string("CO2e"); };
  const std::string average_gas = gas(r.average_intensity);
  const std::string marginal_gas = gas(r.marginal_intensity);
  io.nested("carbon", [&](auto& carbon) {
    carbon.of_gas("average", r.carbon.average, average_gas);
    carbon.of_gas("marginal", r.carbon.marginal, marginal_gas);
    carbon("embodied", r.carbon.embodied);
    carbon("total", r.carbon.total);
  });
  io.nested("intensity", [&](auto& intensity) {
    intensity("average", r.average_intensity);
    intensity("marginal", r.marginal_intensity);
  });
  io.derived("sci", std::optional<double>{});  // no functional unit is known here; `report` adds it where one is given
  io("gaps", r.gaps);
  io.nested("gramwatt", [&](auto& own) {
    own("version", r.version);
    own("cpu_s", r.own_cpu);
    own("max_rss_mb", r.own_max_rss_mb);
  });
  io.extra("parent", r.parent);
  io.extra("regions", r.regions);
  io.extra("marks", r.marks);
  io.extra("earlier", r.earlier);
  io.if_present("receipt", r.receipt);
  io.extra("state", r.state);
  io.extra("embodied_per_hour", r.embodied_per_hour);
  io.extra("advice", r.advice);
  io.extra("notes", r.notes);
  io.extra("derivations", r.derivations);
  io.exact_instant("start_ns", r.start_utc);
  io.exact_instant("end_ns", r.end_utc);
}

}  // namespace gramwatt::ledger
