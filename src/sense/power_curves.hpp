#pragma once
// What measured servers say about one hardware thread's share of a whole server's power. The shared ground of power_model.cpp.

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "sense/microarchitecture.hpp"
#include "sense/power_model.hpp"

namespace gramwatt::sense {

/// A fraction of (full − idle) at 0, 10, … 100 % load.
using LoadShape = std::array<double, 11>;

/// Interpolated; load is clamped to 0..1.
[[nodiscard]] double at_load(const LoadShape& shape, double load);

/// A server as the curves know it.
struct ServerFacts {
  std::string cpu;  ///< normalised name
  std::optional<Microarchitecture> microarchitecture;
  int sockets = 2;
  double threads_per_socket = 0;  ///< of this CPU, else typical of the microarchitecture
  Watts tdp{};                    ///< of one socket; likewise
  bool cpu_known = false;         ///< TDP and threads are this CPU's own
  double gb_per_thread = 0;       ///< 0: not known, the reference's is taken
};

/// Power of one hardware thread's share, at the plug.
struct ThreadCurve {
  PowerModel::Rung rung = PowerModel::Rung::all_servers;
  Watts idle, full;
  LoadShape shape{};
  Shift idle_spread, active_spread;  ///< 90 % of how servers of this rung scatter
  std::string source;
};

/// Sockets and threads ≤ 0: typical.
[[nodiscard]] ServerFacts server_facts(const CpuIdentity& cpu, int sockets, int threads);
[[nodiscard]] ThreadCurve thread_curve(const ServerFacts& server);

/// Shapes with wholly busy cores: the mean of the measured CPUs, and the most concave of them.
enum class BusyCores { mean, most_concave };
[[nodiscard]] LoadShape busy_core_shape(BusyCores which);

/// TDP by CPU name, where the tables list it.
[[nodiscard]] std::optional<Watts> listed_tdp(std::string_view normalised_name);

/// A value of data/power_constants.csv, as written by tools/build_power_tables.py.
[[nodiscard]] double power_constant(std::string_view name);

}  // namespace gramwatt::sense
