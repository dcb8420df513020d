// The fit behind these tables, and its essay: tools/power_fit.py. Here its prediction is repeated from the shipped medians, so
// that one table serves the CPU models in it and, through their neighbours, those that are not.

#include "sense/power_curves.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include "data/tables.hpp"
#include "sense/table.hpp"

namespace gramwatt::sense {
namespace {

constexpr double kReferenceTdpPerThread = 2.5;  // only centres the regression; as in power_fit.features
constexpr double kReferenceThreads = 96;

/// A row of power_servers.csv: medians of all servers with one CPU model, class of sockets and amount of memory.
struct Group {
  std::string_view cpu, microarchitecture;
  int sockets = 0, octave = 0, servers = 0, first = 0, last = 0;
  double tdp = 0, threads_per_socket = 0, gb_per_thread = 0;
  std::array<double, 2> watts{};  ///< idle and full, a thread
};

template <class Visit>
void for_each_group(Visit visit) {
  find_row<12>(data::power_servers(), [&](const auto& row) {
    visit(row[0], row[1], [&row] {
      Group g{row[0], row[1]};
      g.sockets = table_number<int>(row[2]);
      g.octave = table_number<int>(row[3]);
      g.servers = table_number<int>(row[4]);
      g.first = table_number<int>(row[5]);
      g.last = table_number<int>(row[6]);
      g.tdp = table_number(row[7]);
      g.threads_per_socket = table_number(row[8]);
      g.gb_per_thread = table_number(row[9]);
      g.watts = {table_number(row[10]), table_number(row[11])};
      return g;
    });
    return false;
  });
}

/// A row of power_effects.csv.
struct Effects {
  std::array<double, 2> log_watts{};  ///< idle and full
  double tdp = 0, threads_per_socket = 0;
  int servers = 0, first = 0, last = 0;
};

Effects effects_of(std::string_view key) {
  const auto row = row_of<8>(data::power_effects(), key);
  if (!row) return {};
  const auto& r = *row;
  return {{table_number(r[1]), table_number(r[2])},
          table_number(r[3]),
          table_number(r[4]),
          table_number<int>(r[5]),
          table_number<int>(r[6]),
          table_number<int>(r[7])};
}

std::optional<LoadShape> listed_shape(std::string_view kind, std::string_view name) {
  const auto row = row_of<12>(data::power_shapes(), fmt::format("{}:{}", kind, name));
  if (!row) return std::nullopt;
  LoadShape shape;
  for (std::size_t k = 0; k < shape.size(); ++k) shape[k] = table_number((*row)[k + 1]);
  return shape;
}

LoadShape shape_of(const ServerFacts& server, bool cpu_model) {
  std::optional<LoadShape> shape;
  if (cpu_model) shape = listed_shape("cpu", server.cpu);
  if (!shape && server.microarchitecture) shape = listed_shape("microarchitecture", server.microarchitecture->key);
  if (!shape && server.microarchitecture) shape = listed_shape("class", server.microarchitecture->group);
  if (!shape) shape = listed_shape("class", "all");
  return shape.value_or(LoadShape{});
}

/// 1, 2, up to 4 (one machine), more (a chassis of nodes).
int socket_class(int sockets) { return sockets <= 2 ? sockets : sockets <= 4 ? 4 : 8; }

/// Idle and full watts a thread, and the servers behind them.
struct Level {
  std::array<double, 2> watts{};
  int servers = 0, first = 0, last = 0;
};

/// Servers with this very CPU: the same class of sockets if any was measured, and the nearest memory.
std::optional<Level> measured(const ServerFacts& server, double log_memory) {
  const int octave = static_cast<int>(std::floor(log_memory / std::numbers::ln2 + 0.5));
  const int sockets = socket_class(server.sockets);
  const auto distance = [&](const Group& g) { return (g.sockets == sockets ? 0 : 1000) + std::abs(g.octave - octave); };
  int nearest = std::numeric_limits<int>::max();
  Level all;
  all.first = std::numeric_limits<int>::max();
  for_each_group([&](std::string_view cpu, std::string_view, auto read) {
    if (cpu != server.cpu) return;
    const Group g = read();
    nearest = std::min(nearest, distance(g));
    all.servers += g.servers;
    all.first = std::min(all.first, g.first);
    all.last = std::max(all.last, g.last);
  });
  if (all.servers == 0) return std::nullopt;
  double weight = 0;
  std::array<double, 2> log_sum{};
  for_each_group([&](std::string_view cpu, std::string_view, auto read) {
    if (cpu != server.cpu) return;
    const Group g = read();
    if (distance(g) != nearest) return;
    weight += g.servers;
    for (std::size_t i = 0; i < 2; ++i) log_sum[i] += g.servers * std::log(g.watts[i]);
  });
  for (std::size_t i = 0; i < 2; ++i) all.watts[i] = std::exp(log_sum[i] / weight);
  return all;
}

using Features = std::array<double, 3>;

Features features(double tdp, double threads_per_socket, bool one_socket) {
  return {std::log(tdp / threads_per_socket / kReferenceTdpPerThread), std::log(threads_per_socket / kReferenceThreads),
          one_socket ? 1.0 : 0.0};
}

double dot(const Features& a, const Features& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

/// Regression on TDP and threads within the microarchitecture, plus what its near relatives leave over.
Level regressed(const ServerFacts& server, double log_memory) {
  const std::string_view key = server.microarchitecture ? server.microarchitecture->key : "all";
  const Effects effects = effects_of(key);
  const std::array<Features, 2> slopes{
      Features{power_constant("slope_idle_0"), power_constant("slope_idle_1"), power_constant("slope_idle_2")},
      Features{power_constant("slope_full_0"), power_constant("slope_full_1"), power_constant("slope_full_2")}};
  const double width = power_constant("neighbour_width");
  const double memory_width = power_constant("memory_width");
  const double per_gb = power_constant("watts_per_gb");
  const double reference = power_constant("reference_gb_per_thread");
  const double other_sockets = power_constant("other_sockets");
  const Features x = features(server.tdp.value(), server.threads_per_socket, server.sockets == 1);

  double weight = power_constant("neighbour_prior");
  std::array<double, 2> left{};
  for_each_group([&](std::string_view, std::string_view microarchitecture, auto read) {
    if (microarchitecture != key) return;
    const Group g = read();
    const Features gx = features(g.tdp, g.threads_per_socket, g.sockets == 1);
    const auto square = [](double v) { return v * v; };
    const double d = square((x[0] - gx[0]) / width) + square((x[1] - gx[1]) / width) +
                     square((log_memory - std::log(g.gb_per_thread / reference)) / memory_width);
    const double w = std::exp(-d / 2) * (g.sockets == socket_class(server.sockets) ? 1.0 : other_sockets);
    weight += w;
    for (std::size_t i = 0; i < 2; ++i) {
      const double watts = std::max(g.watts[i] - per_gb * (g.gb_per_thread - reference), 0.4 * g.watts[i]);
      left[i] += w * (std::log(watts) - dot(slopes[i], gx) - effects.log_watts[i]);
    }
  });
  Level level{{}, effects.servers, effects.first, effects.last};
  const double extra_gb = reference * (std::exp(log_memory) - 1);
  for (std::size_t i = 0; i < 2; ++i) {
    const double watts = std::exp(dot(slopes[i], x) + effects.log_watts[i] + left[i] / weight);
    level.watts[i] = watts + std::max(per_gb * extra_gb, -0.4 * watts);
  }
  return level;
}

Shift spread(std::string_view rung, std::string_view part) {
  return {power_constant(fmt::format("spread_{}_{}_low", rung, part)),
          power_constant(fmt::format("spread_{}_{}_high", rung, part))};
}

std::string source_of(const Level& level, const ServerFacts& server, PowerModel::Rung rung) {
  constexpr std::string_view kName = "SPECpower_ssj2008";
  const auto years = level.first == level.last ? fmt::format("{}", level.last) : fmt::format("{}-{}", level.first, level.last);
  const auto count = fmt::format("{} server{}", level.servers, level.servers == 1 ? "" : "s");
  if (rung == PowerModel::Rung::cpu_model) return fmt::format("{}: {} with this CPU model, {}", kName, count, years);
  if (rung == PowerModel::Rung::all_servers) return fmt::format("{}: {} of all makes, {}", kName, count, years);
  const std::string_view label = server.microarchitecture->label;
  if (level.servers > 0) return fmt::format("{}: {} with {}, {}", kName, count, label, years);
  const Effects group = effects_of(server.microarchitecture->group);
  return fmt::format("{}: {} servers akin to {} (none measured), {}-{}", kName, group.servers, label, group.first, group.last);
}

/// Threads of one socket of this CPU, from its own measurements or its number of cores.
std::optional<double> listed_threads_per_socket(const std::string& cpu,
                                                const std::optional<Microarchitecture>& microarchitecture) {
  if (const auto row = row_of<12>(data::power_servers(), cpu)) return table_number((*row)[8]);
  const auto row = row_of<2>(data::cpu_cores(), cpu);
  if (!row) return std::nullopt;
  const bool no_smt =
      microarchitecture && (microarchitecture->group == "server-arm" || microarchitecture->key == "sierraforest");
  return table_number((*row)[1]) * (no_smt ? 1 : 2);
}

/// EPYC …P, Xeon …U and Xeon 6 whose number ends in 1 are sold for one socket only; client parts too.
bool single_socket_part(const std::string& cpu, const std::optional<Microarchitecture>& microarchitecture) {
  if (microarchitecture && microarchitecture->is_client()) return true;
  return (cpu.starts_with("epyc ") && (cpu.ends_with("p") || cpu.ends_with("pn"))) ||
         (cpu.starts_with("xeon ") && (cpu.ends_with("u") || matches_pattern("xeon 6##1?", cpu)));
}

}  // namespace

double at_load(const LoadShape& shape, double load) {
  const double x = std::clamp(load, 0.0, 1.0) * 10;
  const auto k = std::min<std::size_t>(static_cast<std::size_t>(x), 9);
  return shape[k] + (x - static_cast<double>(k)) * (shape[k + 1] - shape[k]);
}

double power_constant(std::string_view name) {
  const auto row = row_of<2>(data::power_constants(), name);
  return row ? table_number((*row)[1]) : std::numeric_limits<double>::quiet_NaN();
}

LoadShape busy_core_shape(BusyCores which) {
  return listed_shape("busy", which == BusyCores::mean ? "mean" : "most-concave").value_or(LoadShape{});
}

std::optional<Watts> listed_tdp(std::string_view normalised_name) {
  const auto row = row_of<2>(data::cpu_tdp(), normalised_name);
  return row ? std::optional(Watts(table_number((*row)[1]))) : std::nullopt;
}

std::optional<std::string> similar_cpu(std::string_view name) {
  const std::string wanted = normalise_cpu_name(name);
  std::optional<std::string> best;
  std::size_t least = std::min<std::size_t>(3, wanted.size() / 3 + 1);  // a typing slip or two, not another name
  find_row<1>(data::cpu_tdp(), [&](const auto& row) {
    const std::size_t distance = edit_distance(wanted, row[0]);
    if (distance < least) {
      least = distance;
      best = row[0];
    }
    return false;
  });
  return best;
}

ServerFacts server_facts(const CpuIdentity& cpu, int sockets, int threads) {
  ServerFacts f;
  f.cpu = normalise_cpu_name(cpu.name);
  f.microarchitecture = find_microarchitecture(cpu);
  const auto own_threads = listed_threads_per_socket(f.cpu, f.microarchitecture);
  if (sockets > 0) {
    f.sockets = sockets;
  } else if (threads > 0 && own_threads) {
    f.sockets = std::max(1, static_cast<int>(std::lround(threads / *own_threads)));
  } else {
    f.sockets = single_socket_part(f.cpu, f.microarchitecture) ? 1 : 2;
  }
  const auto tdp = listed_tdp(f.cpu);
  const Effects typical = effects_of(f.microarchitecture ? f.microarchitecture->key : "all");
  f.cpu_known = f.microarchitecture && tdp && (threads > 0 || own_threads);
  f.tdp = f.cpu_known ? *tdp : Watts(typical.tdp);
  if (threads > 0) {
    f.threads_per_socket = static_cast<double>(threads) / f.sockets;
  } else {
    f.threads_per_socket = own_threads.value_or(typical.threads_per_socket);
  }
  if (threads > 0 && cpu.memory_gb > 0) f.gb_per_thread = cpu.memory_gb / threads;
  return f;
}

ThreadCurve thread_curve(const ServerFacts& server) {
  const double log_memory =
      server.gb_per_thread > 0 ? std::log(server.gb_per_thread / power_constant("reference_gb_per_thread")) : 0.0;
  ThreadCurve curve;
  std::string_view rung = "cpu_model";
  auto level = measured(server, log_memory);
  if (level) {
    curve.rung = PowerModel::Rung::cpu_model;
  } else {
    // Without the CPU's own TDP the typical server of the microarchitecture stands in, thread for thread.
    ServerFacts s = server;
    if (!s.cpu_known) {
      s.threads_per_socket = effects_of(s.microarchitecture ? s.microarchitecture->key : "all").threads_per_socket;
    }
    curve.rung = s.microarchitecture ? PowerModel::Rung::microarchitecture : PowerModel::Rung::all_servers;
    rung = !s.microarchitecture ? "all_servers" : s.cpu_known ? "microarchitecture" : "microarchitecture_only";
    level = regressed(s, s.cpu_known ? log_memory : 0.0);
  }
  curve.idle = Watts(level->watts[0]);
  curve.full = Watts(std::max(level->watts[1], 1.05 * level->watts[0]));
  curve.shape = shape_of(server, curve.rung == PowerModel::Rung::cpu_model);
  curve.idle_spread = spread(rung, "idle");
  curve.active_spread = spread(rung, "active");
  curve.source = source_of(*level, server, curve.rung);
  return curve;
}

}  // namespace gramwatt::sense
