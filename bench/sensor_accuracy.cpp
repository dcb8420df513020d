// How wrong is a naive reading of an NVIDIA board, and how wrong are we? Boards of known truth
// (tests/fakes/sensor_simulator.hpp) under square waves with periods from half to four thirds of the sensor's own, five seconds
// each; prints the markdown table of docs/validation.md. Deterministic. usage: sensor_accuracy [cases]

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "fakes/sensor_simulator.hpp"
#include "sense/nvidia_sensors.hpp"

namespace {

using namespace gramwatt;
using gramwatt::testing::SimulatedBoard;
using gramwatt::testing::SimulatedRun;

struct Kind {
  std::string name;
  unsigned architecture;
  std::string board;
  bool counter = false, average = false;
  std::chrono::microseconds counter_cost{0};
};

const std::vector<Kind> kKinds{
    {"Kepler, Maxwell: power only", 3, "Tesla M40", false, false, {}},
    {"Pascal: power only", 4, "Tesla P100", false, false, {}},
    {"Volta: counter", 5, "Tesla V100", true, false, {}},
    {"Turing: counter", 6, "Tesla T4", true, false, {}},
    {"Turing: power only", 6, "Tesla T4", false, false, {}},
    {"Ampere (GA10x): counter", 7, "NVIDIA GeForce RTX 3090", true, true, {}},
    {"Ampere (GA10x): one-second average only", 7, "NVIDIA GeForce RTX 3090", false, true, {}},
    {"A100: counter", 7, "NVIDIA A100", true, false, {}},
    {"A100: power only", 7, "NVIDIA A100", false, false, {}},
    {"Hopper: counter", 9, "NVIDIA H100", true, true, {}},
    {"Hopper: counter of 2.4 ms a call", 9, "NVIDIA H100", true, true, std::chrono::microseconds(2400)},
    {"Hopper: counter of 10 ms a call", 9, "NVIDIA H100", true, true, std::chrono::microseconds(10'000)},
    {"Hopper: instantaneous power only", 9, "NVIDIA H100", false, false, {}},
    {"GH200: instantaneous power only", 9, "NVIDIA GH200", false, false, {}},
};

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : rng_(seed) {}
  double any(double low, double high) { return std::uniform_real_distribution<>(low, high)(rng_); }

  SimulatedBoard board(const Kind& kind) {
    const auto generation = sense::nvidia_generation(kind.architecture, kind.board);
    SimulatedBoard b;
    const double period = seconds(generation.instant.period).value();
    b.instant = {period, seconds(generation.instant.window).value(),  any(0, period), 0,
                 1,      seconds(generation.instant.response).value()};
    b.has_instant = kind.counter || !kind.average;
    if (kind.average) b.average = gramwatt::testing::SimulatedSensor{0.1, 1, any(0, 0.1)};
    if (kind.counter) {
      b.counter = gramwatt::testing::SimulatedCounter{};
      b.counter->phase = any(0, 0.1);
    }
    b.counter_cost = kind.counter_cost;
    b.truth.period = period * any(0.5, 4.0 / 3);
    b.truth.phase = any(0, 1);
    b.truth.low = b.truth.rest = any(30, 150);
    b.truth.high = b.truth.low + any(50, 500);
    b.shapes = gramwatt::testing::shapes_of(b);
    return b;
  }

  SimulatedRun run(SimulatedBoard b, double start) {
    b.truth.start = start;
    b.truth.end = start + 5;
    return gramwatt::testing::simulate(b, start, start + 5);
  }

 private:
  std::mt19937_64 rng_;
};

double at(std::vector<double>& v, double quantile) {
  std::sort(v.begin(), v.end());
  return v[std::min(v.size() - 1, static_cast<std::size_t>(quantile * static_cast<double>(v.size())))];
}

double mean(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x;
  return sum / static_cast<double>(v.size());
}

/// As `gramwatt run --repeat 32` does: starts spread over eight phases of the sensor.
double repeated(Maker& make, const SimulatedBoard& b) {
  const double period = b.instant.period;
  double measured = 0, truth = 0;
  for (int r = 0; r < 32; ++r) {
    const auto run = make.run(b, 10 + period * std::floor(make.any(0, 20)) + period / 8 * (r % 8));
    measured += run.measured.value();
    truth += run.truth.value();
  }
  return std::abs(measured / truth - 1);
}

void print(const Kind& kind, int cases) {
  Maker make(20'231);
  std::vector<double> ours, naive, again;
  int held = 0;
  double width = 0;
  for (int i = 0; i < cases; ++i) {
    const SimulatedBoard b = make.board(kind);
    const SimulatedRun run = make.run(b, 10);
    ours.push_back(std::abs(run.error()));
    naive.push_back(std::abs(run.naive_error()));
    const Shift s = total_shift(run.settled.terms);
    const double ends = seconds(sense::end_slack(b.counter.has_value(), b.counter_cost)).value() / 5;
    const double low = std::hypot(s.minus, ends), high = std::hypot(s.plus, ends);
    const double truth = run.truth / run.measured - 1;
    if (truth >= -low && truth <= high) ++held;
    width += (low + high) / 2 / cases;
    if (i < std::max(4, cases / 25)) again.push_back(repeated(make, b));
  }
  fmt::print("| {} | {:.1f} / {:.0f} % | {:.2f} / {:.2f} / {:.1f} % | ±{:.1f} % | {:.0f} % | {:.1f} % |\n", kind.name,
             100 * mean(naive), 100 * at(naive, 1), 100 * mean(ours), 100 * at(ours, 0.9), 100 * at(ours, 1), 100 * width,
             100.0 * held / cases, 100 * at(again, 1));
}

}  // namespace

int main(int argc, char** argv) {
  const int cases = argc > 1 ? std::atoi(argv[1]) : 1000;
  if (cases < 1) return 2;
  fmt::print("| board | naive: mean / worst | ours: mean / 90 % / worst | interval | holds | --repeat 32: worst |\n");
  fmt::print("|---|---|---|---|---|---|\n");
  for (const Kind& kind : kKinds) print(kind, cases);
}
