#pragma once
// The model for machines without sensors. See power_model.cpp for the essay: where the curves come from, why a guest pays the
// tangent's intercept by its threads plus slope × use, and what the interval covers.

#include <array>
#include <optional>
#include <span>
#include <string>

#include "base/estimate.hpp"
#include "sense/cpu_identity.hpp"

namespace gramwatt::sense {

/// Power at the plug (AC, `node`) of this machine, or of this guest's share of its host, memory included.
struct PowerModel {
  /// Numbers stand in recordings: new rungs go to the end.
  enum class Rung { cpu_model, microarchitecture, all_servers, tdp_table, calibrated };

  Rung rung = Rung::all_servers;
  std::string description;  ///< "2 of 384 threads of a server with Zen 4 (EPYC Genoa)"
  std::string source;       ///< "SPECpower_ssj2008: 20 servers with Zen 4 (EPYC Genoa), 2022-2024"
  int host_threads = 0;     ///< threads of the reference host; for a guest its threads / host_threads is its share

  /// Drawn whatever the program does: idle power of the machine; for a guest its share of the host's tangent intercept, plus
  /// memory beyond the reference server's GB a thread.
  Estimate<Watts> fixed;

  /// Power above `fixed` at 0, 10, … 100 % load of this machine's threads. A straight line in a guest.
  std::array<Watts, 11> active_at_load{};
  Terms active_terms;  ///< error terms of the active part (ids shared with `fixed` where the source is the same)

  /// Interpolated; load is clamped to 0..1. Load counts core capacity: see `core_capacity_used`.
  [[nodiscard]] Watts active(double load) const;

  /// fixed + active at a load of the machine, with the interval that both parts give together.
  [[nodiscard]] Estimate<Watts> at_load(double load) const;
};

[[nodiscard]] std::string_view to_string(PowerModel::Rung rung);

/// The model for this machine, by the best rung that knows it. Never fails: the last rung is all servers.
[[nodiscard]] PowerModel power_model(const CpuIdentity& cpu);

/// A whole server as SPECpower would measure it: tuned, every thread duty-cycled, idle part = idle power. Its only error term
/// is `spec-spread`, how measured servers scatter around the curve. `cpu.name` as a person or the kernel writes it, or family
/// and model numbers; sockets and threads ≤ 0: typical for that CPU; cpu.memory_gb counts where it and threads are given.
[[nodiscard]] PowerModel server_model(const CpuIdentity& cpu, int sockets, int threads);

/// How a load lies on a server: some cores wholly busy, as a training does, or all threads evenly for a part of the time, as
/// SPECpower does and a mix of many programs nearly.
enum class LoadKind { busy_cores, even };

/// The same server in production: turbo, real loads instead of SPECpower's (terms `production`, `shape`).
[[nodiscard]] PowerModel in_production(PowerModel server, LoadKind kind = LoadKind::busy_cores);

/// The CPU of the tables whose name comes nearest to one that they lack, if one comes near.
[[nodiscard]] std::optional<std::string> similar_cpu(std::string_view name);

/// Name of the microarchitecture by vendor, family and model numbers ("Zen 4 (EPYC Genoa)"), else by CPU name; empty when
/// unknown.
[[nodiscard]] std::string microarchitecture(const CpuIdentity& cpu);

/// Share of the machine's core capacity in use, 0..1. SPECpower's load is throughput, and a thread whose SMT sibling idles
/// already does most of what its core can do: one busy sibling counts 0.78 of the core, two count 1. `busy_fraction` and
/// `core_of_thread` go by CPU number; an offline CPU has core -1. Siblings are taken to overlap as little as they can, as a
/// kernel places them that spreads over cores first. `scratch` needs one entry a core (CpuIdentity::cores): no allocation, for
/// every tick.
[[nodiscard]] double core_capacity_used(std::span<const double> busy_fraction, std::span<const int> core_of_thread,
                                        std::span<double> scratch);

}  // namespace gramwatt::sense
