#pragma once
// Runs, channels and intervals for the ledger's tests.

#include <chrono>
#include <string>
#include <vector>

#include "ledger/ledger.hpp"

namespace gramwatt::ledger::make {

using namespace std::chrono_literals;

/// 2026-11-23T12:00:00Z, the beginning of an hour.
inline constexpr Nanoseconds kNoon = std::chrono::seconds(1795435200);

inline Instant at(Nanoseconds since_noon) { return {1000s + since_noon, 1500s + since_noon, kNoon + since_noon}; }

inline RunRecord run(std::string id, Nanoseconds since_noon = 0s) {
  RunRecord r;
  r.id = std::move(id);
  r.start_utc = kNoon + since_noon;
  r.command = {"python3", "train.py"};
  return r;
}

inline std::vector<Channel> channels(std::size_t n = 1) {
  std::vector<Channel> all(n);
  for (std::size_t i = 0; i < n; ++i) {
    all[i].component = Component::cpu;
    all[i].device = "package-" + std::to_string(i);
    all[i].source = "powercap RAPL";
    all[i].active_terms = {{"rapl-gain", {-0.05, 0.03}}};
  }
  return all;
}

/// Interval number `i` of a run that begins at noon, with flows that tell it from all others.
inline Interval interval(std::int64_t i, std::size_t channels = 1, Nanoseconds length = 1s) {
  Interval v;
  v.start = at(length * i);
  v.end = at(length * (i + 1));
  for (std::size_t c = 0; c < channels; ++c) {
    const std::int64_t wobble = (i * 7919 + static_cast<std::int64_t>(c) * 104729) % 1000003;  // µJ, up to 1 J
    v.flows.push_back({Microjoules(50'000'000 + wobble), Microjoules(20'000'000), Microjoules(25'000'000 + wobble / 2),
                       Microjoules(10'000'000 + wobble / 4)});
  }
  v.job_cpu = Nanoseconds(900'000'000 + (i * 6007) % 99'999'999);
  v.machine_cpu = Nanoseconds(1'100'000'000 + (i * 5003) % 99'999'999);
  v.steal = Nanoseconds((i * 13) % 10'000'000);
  return v;
}

inline std::vector<Interval> intervals(std::int64_t from, std::int64_t to, std::size_t channels = 1) {
  std::vector<Interval> all;
  for (std::int64_t i = from; i < to; ++i) all.push_back(interval(i, channels));
  return all;
}

}  // namespace gramwatt::ledger::make

namespace gramwatt {

inline bool operator==(const Instant& a, const Instant& b) {
  return a.monotonic == b.monotonic && a.boottime == b.boottime && a.utc == b.utc;
}
inline bool operator==(const Flow& a, const Flow& b) {
  return a.machine == b.machine && a.machine_idle == b.machine_idle && a.job_active == b.job_active && a.job_idle == b.job_idle;
}
inline bool operator==(const Interval& a, const Interval& b) {
  return a.start == b.start && a.end == b.end && a.flows == b.flows && a.job_cpu == b.job_cpu &&
         a.machine_cpu == b.machine_cpu && a.steal == b.steal;
}
inline bool operator==(const Channel& a, const Channel& b) {
  return a.component == b.component && a.device == b.device && a.boundary == b.boundary && a.method == b.method &&
         a.source == b.source && a.active_terms == b.active_terms && a.idle_terms == b.idle_terms;
}
template <class Q>
bool operator==(const Estimate<Q>& a, const Estimate<Q>& b) {
  return a.value == b.value && a.method == b.method && a.source == b.source && a.boundary == b.boundary && a.terms == b.terms;
}
inline bool operator==(const Gap& a, const Gap& b) {
  return a.component == b.component && a.length == b.length && a.why == b.why;
}

namespace grid {
inline bool operator==(const Signal& a, const Signal& b) {
  return a.kind == b.kind && a.factor == b.factor && a.basis == b.basis && a.grid_loss == b.grid_loss && a.year == b.year &&
         a.data_kind == b.data_kind && a.gas == b.gas && a.source == b.source && a.licence == b.licence &&
         a.fit_for == b.fit_for;
}
}  // namespace grid

namespace ledger {

inline bool operator==(const Host& a, const Host& b) {
  return a.hostname == b.hostname && a.cpu == b.cpu && a.cpus == b.cpus && a.memory_gb == b.memory_gb &&
         a.is_virtual == b.is_virtual && a.cloud_provider == b.cloud_provider && a.cloud_instance == b.cloud_instance &&
         a.cloud_region == b.cloud_region && a.gpus == b.gpus && a.machine == b.machine;
}
inline bool operator==(const PlaceFacts& a, const PlaceFacts& b) {
  return a.zone == b.zone && a.how == b.how && a.name == b.name;
}
inline bool operator==(const ComponentEnergy& a, const ComponentEnergy& b) {
  return a.component == b.component && a.device == b.device && a.energy == b.energy && a.active == b.active &&
         a.idle == b.idle && a.machine == b.machine;
}
inline bool operator==(const Energy& a, const Energy& b) {
  return a.total == b.total && a.active == b.active && a.idle == b.idle && a.idle_owner == b.idle_owner &&
         a.facility == b.facility && a.pue == b.pue && a.components == b.components && a.machine == b.machine &&
         a.unattributed == b.unattributed;
}
inline bool operator==(const Carbon& a, const Carbon& b) {
  return a.average == b.average && a.embodied == b.embodied && a.total == b.total && a.marginal == b.marginal;
}
inline bool operator==(const IntensityFacts& a, const IntensityFacts& b) { return a.value == b.value && a.signal == b.signal; }
inline bool operator==(const Derivation& a, const Derivation& b) {
  return a.figure == b.figure && a.formula == b.formula && a.inputs == b.inputs && a.source == b.source;
}
inline bool operator==(const NotAttributable& a, const NotAttributable& b) {
  return a.count == b.count && a.time == b.time && a.why == b.why;
}
inline bool operator==(const RegionEnergy& a, const RegionEnergy& b) {
  return a.name == b.name && a.count == b.count && a.time == b.time && a.energy == b.energy && a.shortest == b.shortest &&
         a.mean == b.mean && a.longest == b.longest && a.not_attributable == b.not_attributable;
}
inline bool operator==(const MarkEnergy& a, const MarkEnergy& b) {
  return a.name == b.name && a.count == b.count && a.time == b.time && a.energy == b.energy && a.why == b.why;
}
inline bool operator==(const Stretch& a, const Stretch& b) {
  return a.doing == b.doing && a.start == b.start && a.end == b.end && a.length == b.length && a.active == b.active &&
         a.idle == b.idle;
}
inline bool operator==(const Expectation& a, const Expectation& b) {
  return a.signal == b.signal && a.why == b.why && a.saving == b.saving && a.p_worse == b.p_worse;
}
inline bool operator==(const SavingFacts& a, const SavingFacts& b) {
  return a.actual == b.actual && a.counterfactual == b.counterfactual && a.saving == b.saving && a.low == b.low &&
         a.high == b.high && a.kind == b.kind && a.why == b.why && a.gas == b.gas;
}
inline bool operator==(const Receipt& a, const Receipt& b) {
  return a.handed_in == b.handed_in && a.planned == b.planned && a.stretches == b.stretches &&
         a.restart_time == b.restart_time && a.restart_energy == b.restart_energy && a.waiting_power == b.waiting_power &&
         a.pauses == b.pauses && a.restarts == b.restarts && a.waited == b.waited && a.paused == b.paused &&
         a.running == b.running && a.restarting == b.restarting && a.checkpointing == b.checkpointing && a.held == b.held &&
         a.off == b.off && a.waiting == b.waiting && a.waited_instead == b.waited_instead && a.average == b.average &&
         a.marginal == b.marginal && a.notes == b.notes;
}
inline bool operator==(const RunRecord& a, const RunRecord& b) {
  return a.id == b.id && a.parent == b.parent && a.state == b.state && a.name == b.name && a.project == b.project &&
         a.stage == b.stage && a.tags == b.tags && a.command == b.command && a.exit_code == b.exit_code &&
         a.signal == b.signal && a.stopped_by == b.stopped_by && a.start_utc == b.start_utc && a.end_utc == b.end_utc &&
         a.duration == b.duration && a.waited == b.waited && a.running == b.running && a.paused == b.paused &&
         a.host == b.host && a.place == b.place && a.energy == b.energy && a.carbon == b.carbon &&
         a.average_intensity == b.average_intensity && a.marginal_intensity == b.marginal_intensity &&
         a.embodied_per_hour == b.embodied_per_hour && a.regions == b.regions && a.marks == b.marks && a.gaps == b.gaps &&
         a.receipt == b.receipt && a.advice == b.advice && a.notes == b.notes && a.derivations == b.derivations &&
         a.version == b.version && a.own_cpu == b.own_cpu && a.own_max_rss_mb == b.own_max_rss_mb;
}

}  // namespace ledger
}  // namespace gramwatt
