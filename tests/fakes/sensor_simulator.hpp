#pragma once
// A board with a known truth: an analytic power signal, seen through a sensor that publishes every T the mean of a window W of
// it, late by a lag and off by a gain, and a counter that steps, wraps, freezes and jumps. Deterministic: same parameters, same
// readings at the same instants.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "sense/board_input.hpp"
#include "sense/raw.hpp"

namespace gramwatt::testing {

/// Power over time: `rest` outside [start, end), a square wave (or a constant, with low == high) inside.
struct SquareWave {
  double rest = 60, low = 60, high = 300;  // W
  double period = 0.1;                     // s
  double duty = 0.5;
  double start = 0, end = 1e9;  // s
  double phase = 0;             // of the wave at `start`, in periods

  /// Energy from `start` to t (negative before it), J.
  [[nodiscard]] double energy(double t) const {
    if (t < start) return rest * (t - start);
    if (t > end) return energy(end) + rest * (t - end);
    return wave(t - start + phase * period) - wave(phase * period);
  }

 private:
  [[nodiscard]] double wave(double t) const {
    const double whole = std::floor(t / period);
    const double rest_of = t - whole * period;
    const double up = duty * period;
    return whole * (high * up + low * (period - up)) + high * std::min(rest_of, up) + low * std::max(0.0, rest_of - up);
  }
};

struct SimulatedSensor {
  double period = 0.1, window = 0.025, phase = 0, lag = 0, gain = 1, response = 0;

  /// What it shows at t, W.
  [[nodiscard]] double reading(const SquareWave& truth, double t) const {
    const double published = phase + std::floor((t - phase) / period) * period - lag;
    if (response > 0) return gain * smoothed(truth, published);
    return gain * (truth.energy(published) - truth.energy(published - window)) / window;
  }

 private:
  /// First-order response, by exact steps of a fine grid.
  [[nodiscard]] double smoothed(const SquareWave& truth, double t) const {
    constexpr double kStep = 0.001;
    double sum = 0, weight = 1;
    const double fade = std::exp(-kStep / response);
    for (double at = t; weight > 1e-9; at -= kStep, weight *= fade)
      sum += weight * (1 - fade) * (truth.energy(at) - truth.energy(at - kStep)) / kStep;
    return sum;
  }
};

struct SimulatedCounter {
  double step = 0.1, phase = 0, gain = 1;
  double offset_mj = 5e9;
  double jitter = 0;                          // s, of each step, by its number
  double frozen_from = 1e9, frozen_to = 1e9;  // s; it goes on from where it stood
  double jump_at = 1e9, jump_mj = 0;

  [[nodiscard]] double edge_before(double t) const {
    double k = std::floor((t - phase) / step);
    const auto at = [&](double n) { return phase + n * step + jitter * std::sin(12.9898 * n); };
    while (at(k) > t) --k;
    while (at(k + 1) <= t) ++k;
    return at(k);
  }
  [[nodiscard]] std::uint64_t value(const SquareWave& truth, double t) const {
    const double edge = edge_before(t);
    double joules = truth.energy(std::min(edge, frozen_from));
    if (edge > frozen_to) joules += truth.energy(edge) - truth.energy(frozen_to);
    const double mj = offset_mj + gain * joules * 1e3 + (edge >= jump_at ? jump_mj : 0);
    return static_cast<std::uint64_t>(std::max(0.0, mj));
  }
};

/// A board, its clock, and the input and decoder that read it.
struct SimulatedBoard {
  SquareWave truth;
  SimulatedSensor instant;
  std::optional<SimulatedSensor> average;
  std::optional<SimulatedCounter> counter;
  bool has_instant = true;
  Nanoseconds counter_cost{}, power_cost{};
  sense::NvidiaShapes shapes;
};

/// Shapes as the table would give them for this sensor.
inline sense::NvidiaShapes shapes_of(const SimulatedBoard& b) {
  const auto ns = [](double s) { return Nanoseconds(std::llround(s * 1e9)); };
  sense::NvidiaShapes s;
  s.instant = {ns(b.instant.period), ns(b.instant.window), ns(b.instant.lag), ns(b.instant.response)};
  if (b.average) s.average = {ns(b.average->period), ns(b.average->window), ns(b.average->lag), {}};
  s.has_counter = b.counter.has_value();
  s.power_limit = Watts(2000);
  return s;
}

struct SimulatedRun {
  Joules measured, truth;
  Joules naive;  ///< counter: difference of two raw values; else power × 100 ms at the ticks
  sense::Settled settled;
  int side_polls = 0, reads_failed = 0;
  std::vector<Joules> at_ticks;

  [[nodiscard]] double error() const { return measured / truth - 1; }
  [[nodiscard]] double naive_error() const { return naive / truth - 1; }
  [[nodiscard]] bool covers() const {
    const Shift s = total_shift(settled.terms);
    return measured.value() * (1 + s.minus) <= truth.value() && truth.value() <= measured.value() * (1 + s.plus);
  }
};

/// Reads the board from `from` to `to` seconds as a run does: a tick every 100 ms, side polls when they are due, a fresh look
/// at the end. On virtual time: calls take what the board's costs say.
inline SimulatedRun simulate(const SimulatedBoard& board, double from, double to, double tick = 0.1) {
  VirtualClock clock{std::chrono::seconds(1'700'000'000)};
  const auto ns = [](double s) { return Nanoseconds(std::llround(s * 1e9)); };
  clock.advance(ns(from));
  const auto now = [&] { return seconds(clock.now().monotonic).value(); };
  const auto mw = [](double w) { return static_cast<std::uint64_t>(std::llround(std::max(0.0, w) * 1e3)); };

  sense::BoardReader reader;
  reader.counter_cost = board.counter_cost;
  reader.power_cost = board.power_cost;
  if (board.counter) {
    reader.counter = [&](sense::RawSample& s) -> Result<void> {
      clock.advance(board.counter_cost / 2);
      s.values[sense::kNvidiaEnergy] = board.counter->value(board.truth, now());
      clock.advance(board.counter_cost / 2);
      return {};
    };
  }
  if (board.has_instant || board.average) {
    reader.power = [&](sense::RawSample& s) -> Result<void> {
      clock.advance(board.power_cost / 2);
      if (board.has_instant) s.values[sense::kNvidiaInstant] = mw(board.instant.reading(board.truth, now()));
      if (board.average) s.values[sense::kNvidiaAverage] = mw(board.average->reading(board.truth, now()));
      clock.advance(board.power_cost / 2);
      return {};
    };
  }
  auto side = std::make_shared<sense::SidePoll>(clock, sense::SidePoll::Mode::by_hand);
  auto input = std::make_unique<sense::BoardInput>(reader, board.shapes, side);
  sense::RawSensor sensor({}, std::move(input), sense::nvidia_spec(board.shapes));

  SimulatedRun out;
  const double begun = now();
  const double counter_before = board.counter ? static_cast<double>(board.counter->value(board.truth, begun)) : 0;
  auto reading = sensor.read(clock);
  Nanoseconds next_tick = clock.now().monotonic + ns(tick);
  Nanoseconds due{};
  while (true) {
    due = side->run_due();
    const Nanoseconds next = std::min({next_tick, due, ns(to)});
    if (next > clock.now().monotonic) clock.advance(next - clock.now().monotonic);
    if (clock.now().monotonic >= ns(to)) break;
    if (clock.now().monotonic >= next_tick) {
      if (auto r = sensor.read(clock)) reading = std::move(r);
      else ++out.reads_failed;
      if (!board.counter) {
        const double shown =
            board.has_instant ? board.instant.reading(board.truth, now()) : board.average->reading(board.truth, now());
        out.naive += Watts(shown) * Seconds(tick);
      }
      out.at_ticks.push_back(reading ? reading->energy.joules() : Joules());
      next_tick += ns(tick);
    } else {
      ++out.side_polls;
    }
  }
  const double ended = now();
  if (auto r = sensor.read_now(clock)) reading = std::move(r);
  else ++out.reads_failed;
  out.measured = reading ? reading->energy.joules() : Joules();
  out.truth = Joules(board.truth.energy(ended) - board.truth.energy(begun));
  if (board.counter)
    out.naive = Joules((static_cast<double>(board.counter->value(board.truth, ended)) - counter_before) * 1e-3);
  out.settled = sensor.settled();
  return out;
}

}  // namespace gramwatt::testing
