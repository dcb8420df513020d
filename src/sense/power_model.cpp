// What a machine without sensors draws.
//
// Problem. Most people train on machines whose power they cannot see, above all on guests of a cloud. TDP × load is wrong there
// by a factor: it misses the idle power, the memory, the fans and the power supply, and a guest is not a socket.
//
// Idea. Servers have been measured at the plug, idle and at each tenth of load, for 20 years: SPECpower_ssj2008. Its figures
// are wall power of the whole server, memory included, so nothing is added to them twice. tools/power_fit.py holds the fit: by
// CPU model where that one was measured, else by microarchitecture with TDP and threads, else by microarchitecture alone (a
// guest may say no more than "AMD EPYC", family 25, model 17), else all servers. Desktops and laptops: TDP times what
// SPECpower's few client-class machines draw for each watt of it, with a wide interval. docs/validation.md has the errors of
// every rung.
//
// Two shapes of load. SPEC's load is duty-cycled threads, turbo mostly off; a training keeps some cores wholly busy, and power
// is then concave in the capacity used. Measured with RAPL on three CPUs (data/SOURCES.md), the mixture of both shapes that
// errs least on a CPU left out gives the busy-core shape a weight of 0.55: that is our point. The term `shape` spans SPEC's own
// shape to the most concave CPU measured. In a guest it moves power between the fixed and the active part: its shifts there
// have opposite signs, and part of them cancels in the total.
//
// A guest. Guests that fill a host must sum to the host. At its typical load L0 a host draws P(L0) = a + L0 · P'(L0): the
// tangent. So a guest pays, by its threads, the intercept a as its fixed part, and P'(L0)/N for each busy thread. (Idle power
// by threads plus slope leaves up to a quarter of the host unbilled, because the curve rises steeply at first.) The host's load
// is nobody's to see: 40 % (20..60), the term `host-load`. Barroso, Hölzle and Ranganathan, "The Datacenter as a Computer", 3rd
// edition, 2018: 10..50 % is typical of mixed clusters; the US Data Center Energy Usage Report of 2016, as Cloud Carbon
// Footprint uses it, has 50 % for large clouds.
//
// Production. SPEC's servers are tuned to be measured: turbo mostly off, one disk, few memory modules, supplies of the right
// size, slow fans in a cool room. Real ones draw more: we judge 10..25 % for turbo at the same load and 5..10 % for fans and
// drives. They seldom draw less: a cloud's custom boards and shared supplies save some. No public data of cloud hosts exists to
// settle it. Term `production`: -10..+30 %.
//
// Memory beyond the reference's 2 GB a thread goes to `fixed` at 0.1 W/GB (0..0.392). Results of one CPU model that differ in
// memory only show no slope (median of 20 models -0.01 W/GB, upper quartile 0.16): few, larger modules draw alike. Across
// models 0.10..0.15 predicts best. The upper end is Cloud Carbon Footprint's 0.392 W/GB; as a point it would make up the whole
// idle power of SPEC's servers.

#include "sense/power_model.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sense/power_curves.hpp"

namespace gramwatt::sense {
namespace {

constexpr double kHostLoad = 0.4;  // see "A guest" above
constexpr double kHostLoadLow = 0.2;
constexpr double kHostLoadHigh = 0.6;
// The tangent's slope is taken over ± this much load: the curves have 10 % steps and some noise.
constexpr double kSlopeSpan = 0.2;
constexpr Shift kProduction{-0.10, 0.30};       // see "Production" above
constexpr double kCcfMemoryWattsPerGb = 0.392;  // Cloud Carbon Footprint, methodology: mean of two makers' DDR4 figures

// Desktops and laptops. SPECpower's client-class machines are small servers without screen, graphics card or turbo tuning: a
// person's machine seldom draws less, and unlocked desktop parts are allowed about twice their TDP (PL2 253 W of a 125 W
// i9-13900K; PPT 230 W of a 170 W Ryzen 9 7950X).
constexpr Shift kClientIdleProduction{-0.2, 1.0};
constexpr Shift kClientActiveProduction{-0.2, 1.0};
// Where no table lists the CPU: the usual TDP classes (35..125 W desktop, 9..45 W laptop).
struct TdpRange {
  double value, low, high;
};
constexpr TdpRange kDesktopTdp{65, 35, 125};
constexpr TdpRange kLaptopTdp{20, 9, 45};

LoadShape mixture(const LoadShape& spec, const LoadShape& busy, double busy_weight) {
  LoadShape out;
  for (std::size_t k = 0; k < out.size(); ++k) out[k] = (1 - busy_weight) * spec[k] + busy_weight * busy[k];
  return out;
}

/// The tangent of a shape at a load: value(load) = intercept + load · slope.
struct Tangent {
  double intercept, slope;
};

Tangent tangent(const LoadShape& shape, double load) {
  const double slope = (at_load(shape, load + kSlopeSpan) - at_load(shape, load - kSlopeSpan)) / (2 * kSlopeSpan);
  return {at_load(shape, load) - load * slope, slope};
}

/// Both parts of a guest for one hardware thread of its host.
struct ThreadShare {
  Watts fixed, active;
};

ThreadShare thread_share(const ThreadCurve& curve, const LoadShape& shape, double host_load) {
  const Tangent t = tangent(shape, host_load);
  const Watts range = curve.full - curve.idle;
  return {curve.idle + range * t.intercept, range * t.slope};
}

/// The shift of one id on both parts, from the shares at the source's two ends.
void add_shift(Terms& fixed, Terms& active, const char* id, const ThreadShare& base, const ThreadShare& low,
               const ThreadShare& high) {
  fixed[id] = {low.fixed / base.fixed - 1, high.fixed / base.fixed - 1};
  active[id] = {low.active / base.active - 1, high.active / base.active - 1};
}

/// GB a thread beyond the reference server's, in watts of the whole machine, with its wide term.
void add_memory(PowerModel& model, const CpuIdentity& cpu) {
  const double extra_gb = cpu.memory_gb - power_constant("reference_gb_per_thread") * cpu.threads;
  if (extra_gb <= 0) return;
  const double per_gb = power_constant("watts_per_gb");
  const Watts memory(extra_gb * per_gb);
  const Terms terms{{"memory", Shift::range(per_gb, 0, kCcfMemoryWattsPerGb)}};
  model.fixed.terms = weighted_terms(model.fixed.terms, model.fixed.value.value(), terms, memory.value());
  model.fixed.value += memory;
}

std::string_view label_or(const ServerFacts& server, std::string_view otherwise) {
  return server.microarchitecture ? server.microarchitecture->label : otherwise;
}

Estimate<Watts> estimate(Watts value, const std::string& source) {
  return {value, Method::modelled, source, Boundary::node, {}};
}

PowerModel guest_model(const CpuIdentity& cpu) {
  const ServerFacts host = server_facts(cpu, 0, 0);
  const ThreadCurve curve = thread_curve(host);
  const LoadShape busy = busy_core_shape(BusyCores::mean);
  const LoadShape shape = mixture(curve.shape, busy, power_constant("busy_core_weight"));
  const ThreadShare share = thread_share(curve, shape, kHostLoad);

  PowerModel model;
  model.rung = curve.rung;
  model.source = curve.source;
  model.host_threads = std::max(cpu.threads, static_cast<int>(std::lround(host.sockets * host.threads_per_socket)));
  model.description =
      fmt::format("{} of {} threads of a server with {}", cpu.threads, model.host_threads,
                  curve.rung == PowerModel::Rung::cpu_model ? std::string_view(cpu.name) : label_or(host, "an unknown CPU"));
  Terms fixed, active;
  const LoadShape concave = busy_core_shape(BusyCores::most_concave);
  add_shift(fixed, active, "shape", share, thread_share(curve, curve.shape, kHostLoad),
            thread_share(curve, concave, kHostLoad));
  add_shift(fixed, active, "host-load", share, thread_share(curve, shape, kHostLoadLow),
            thread_share(curve, shape, kHostLoadHigh));
  const double idle_part = curve.idle / share.fixed;
  fixed["spec-spread"] = {idle_part * curve.idle_spread.minus + (1 - idle_part) * curve.active_spread.minus,
                          idle_part * curve.idle_spread.plus + (1 - idle_part) * curve.active_spread.plus};
  active["spec-spread"] = curve.active_spread;
  fixed["production"] = active["production"] = kProduction;

  model.fixed = estimate(share.fixed * cpu.threads, curve.source);
  model.fixed.terms = fixed;
  model.active_terms = active;
  for (std::size_t k = 0; k < model.active_at_load.size(); ++k) {
    model.active_at_load[k] = share.active * (cpu.threads * static_cast<double>(k) / 10);
  }
  add_memory(model, cpu);
  return model;
}

PowerModel client_model(const CpuIdentity& cpu) {
  const bool laptop = cpu.machine_class == MachineClass::laptop;
  const auto listed = listed_tdp(normalise_cpu_name(cpu.name));
  const TdpRange& assumed = laptop ? kLaptopTdp : kDesktopTdp;
  const Watts tdp = listed.value_or(Watts(assumed.value));
  const auto ratio = [](std::string_view part, std::string_view q) {
    return power_constant(fmt::format("client_{}_per_tdp_{}", part, q));
  };
  const auto range = [&](std::string_view part) {
    return Shift::range(ratio(part, "median"), ratio(part, "low"), ratio(part, "high"));
  };

  PowerModel model;
  model.rung = PowerModel::Rung::tdp_table;
  model.host_threads = cpu.threads;
  model.description =
      fmt::format("{} with {}{}", laptop ? "laptop" : "desktop", cpu.name.empty() ? "an unknown CPU" : cpu.name,
                  listed ? fmt::format(", TDP {} W", tdp.value()) : fmt::format(", TDP assumed {} W", tdp.value()));
  model.source = listed
                     ? "TDP table (CodeCarbon 2026, Green Algorithms 2024) × SPECpower_ssj2008 client-class machines, 2016-2026"
                     : "assumed TDP × SPECpower_ssj2008 client-class machines, 2016-2026";
  model.fixed = estimate(tdp * ratio("idle", "median"), model.source);
  if (!listed) model.fixed.method = Method::assumed;
  const Watts full = tdp * ratio("active", "median");
  const LoadShape busy = busy_core_shape(BusyCores::mean);
  for (std::size_t k = 0; k < busy.size(); ++k) model.active_at_load[k] = full * busy[k];
  model.fixed.terms = {{"tdp-idle", range("idle")}, {"production", kClientIdleProduction}};
  model.active_terms = {{"tdp-active", range("active")}, {"production", kClientActiveProduction}};
  if (!listed) {
    const Shift unknown = Shift::range(assumed.value, assumed.low, assumed.high);
    model.fixed.terms["tdp"] = model.active_terms["tdp"] = unknown;
  }
  return model;
}

}  // namespace

std::string_view to_string(PowerModel::Rung rung) {
  switch (rung) {
    case PowerModel::Rung::cpu_model: return "CPU model";
    case PowerModel::Rung::microarchitecture: return "microarchitecture";
    case PowerModel::Rung::all_servers: return "all servers";
    case PowerModel::Rung::tdp_table: return "TDP table";
    case PowerModel::Rung::calibrated: return "calibrated";
  }
  return "";
}

Watts PowerModel::active(double load) const {
  const double x = std::clamp(load, 0.0, 1.0) * 10;
  const auto k = std::min<std::size_t>(static_cast<std::size_t>(x), 9);
  return active_at_load[k] + (active_at_load[k + 1] - active_at_load[k]) * (x - static_cast<double>(k));
}

Estimate<Watts> PowerModel::at_load(double load) const {
  Estimate<Watts> part = estimate(active(load), source);
  part.method = fixed.method;
  part.terms = active_terms;
  return fixed + part;
}

PowerModel server_model(const CpuIdentity& cpu, int sockets, int threads) {
  const ServerFacts server = server_facts(cpu, sockets, threads);
  const ThreadCurve curve = thread_curve(server);
  const int n = threads > 0 ? threads : std::max(1, static_cast<int>(std::lround(server.sockets * server.threads_per_socket)));
  PowerModel model;
  model.rung = curve.rung;
  model.source = curve.source;
  model.host_threads = n;
  model.description = fmt::format("server with {} × {}, {} threads", server.sockets,
                                  cpu.name.empty() ? label_or(server, "unknown CPU") : std::string_view(cpu.name), n);
  model.fixed = estimate(curve.idle * n, curve.source);
  model.fixed.terms = {{"spec-spread", curve.idle_spread}};
  model.active_terms = {{"spec-spread", curve.active_spread}};
  for (std::size_t k = 0; k < curve.shape.size(); ++k)
    model.active_at_load[k] = (curve.full - curve.idle) * (curve.shape[k] * n);
  return model;
}

PowerModel in_production(PowerModel server, LoadKind kind) {
  const Watts range = server.active_at_load.back();
  LoadShape spec;
  for (std::size_t k = 0; k < spec.size(); ++k) spec[k] = server.active_at_load[k] / range;
  const double busy_weight = kind == LoadKind::busy_cores ? power_constant("busy_core_weight") : 0;
  const LoadShape shape = mixture(spec, busy_core_shape(BusyCores::mean), busy_weight);
  for (std::size_t k = 0; k < shape.size(); ++k) server.active_at_load[k] = range * shape[k];
  // One relative shift stands for the whole curve; half load is where the shapes differ most in a run's energy.
  constexpr std::size_t kHalf = 5;
  const LoadShape concave = busy_core_shape(BusyCores::most_concave);
  server.active_terms["shape"] = {spec[kHalf] / shape[kHalf] - 1, concave[kHalf] / shape[kHalf] - 1};
  server.active_terms["production"] = server.fixed.terms["production"] = kProduction;
  return server;
}

PowerModel power_model(const CpuIdentity& cpu) {
  switch (cpu.machine_class) {
    case MachineClass::guest: return guest_model(cpu);
    case MachineClass::desktop:
    case MachineClass::laptop: return client_model(cpu);
    case MachineClass::server: break;
  }
  return in_production(server_model(cpu, cpu.packages, cpu.threads));
}

}  // namespace gramwatt::sense
