#pragma once
// The model for machines without sensors. See power_model.cpp for the essay: where the curves come from, why a guest pays the
// tangent's intercept by its threads plus slope × use, and what the interval covers.

#include <array>
#include <string>

#include "base/estimate.hpp"
#include "sense/cpu_identity.hpp"

namespace gramwatt::sense {

/// Power at the plug (AC, `node`) of this machine, or of this guest's share of its host, memory included.
struct PowerModel {
  enum class Rung { cpu_model, microarchitecture, all_servers, tdp_table };

  Rung rung = Rung::all_servers;
  std::string description;  ///< "2 of 384 threads of a server with AMD EPYC Genoa (Zen 4)"
  std::string source;       ///< "SPECpower_ssj2008: 38 servers with Zen 4 EPYC, 2022-2026"
  int host_threads = 0;     ///< threads of the reference host; for a guest its threads / host_threads is its share

  /// Drawn whatever the program does: idle power of the machine; for a guest its share of the host's tangent intercept, plus
  /// memory beyond the reference server's GB a thread.
  Estimate<Watts> fixed;

  /// Power above `fixed` at 0, 10, … 100 % load of this machine's threads. A straight line in a guest.
  std::array<Watts, 11> active_at_load{};
  Terms active_terms;       ///< error terms of the active part (ids shared with `fixed` where the source is the same)

  /// Interpolated; load is clamped to 0..1. Load counts core capacity: see `core_capacity_used`.
  [[nodiscard]] Watts active(double load) const;
};

/// The model for this machine, by the best rung that knows it. Never fails: the last rung is all servers.
[[nodiscard]] PowerModel power_model(const CpuIdentity& cpu);

/// What a whole server of the given kind draws (not a guest): used by the model, by `estimate` and by its tests.
/// `cpu_name` as a person or the kernel writes it; threads 0 = typical for that CPU.
[[nodiscard]] PowerModel server_model(const CpuIdentity& cpu, int sockets, int threads);

/// Name of the microarchitecture by vendor, family and model numbers ("Zen 4 (EPYC Genoa)"), else by CPU name; empty when unknown.
[[nodiscard]] std::string microarchitecture(const CpuIdentity& cpu);

}  // namespace gramwatt::sense
