// How long an exact plan takes, on one core: the whole published window of the largest job (2,304 slots of running in 4,608),
// the shorter jobs, and what rules cost. Prints a markdown table for docs/validation.md.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "plan/exact.hpp"
#include "plan/policies.hpp"

namespace {

using namespace gramwatt::plan;

/// A day's swing and noise, g/kWh.
Problem problem(int length, int slots) {
  std::mt19937 random(7);
  std::normal_distribution<double> noise(0, 40);
  Problem p;
  for (int i = 0; i < slots; ++i)
    p.intensity.push_back(
        quantise(gramwatt::GramsPerKwh(std::max(0.0, 300 + 150 * std::sin(i * 2 * M_PI / 288) + noise(random)))));
  p.steps.assign(static_cast<std::size_t>(length), 10'000);
  p.restart_energy = 20'000;
  p.quantum = gramwatt::Joules(1);
  return p;
}

template <class F>
double milliseconds(F&& f) {
  double best = 1e9;
  for (int i = 0; i < 7; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

void row(const char* what, const Problem& p) {
  int pauses = 0;
  const double ms = milliseconds([&] { pauses = static_cast<int>(runs(*exact(p)).size()) - 1; });
  const double start = milliseconds([&] { (void)flexible_start(p); });
  const double paused = milliseconds([&] { (void)pause_resume(p); });
  std::printf("| %s | %d of %d | %.3f ms | %d | %.3f ms | %.3f ms |\n", what, p.length(), p.slots(), ms, pauses, start, paused);
}

}  // namespace

int main() {
  std::printf(
      "| problem | slots | exact plan, with its schedule | pauses | flexible start | pause and resume "
      "|\n|---|---|---|---|---|---|\n");
  row("6 h +24 h", problem(72, 360));
  row("21 h +24 h", problem(252, 540));
  row("192 h +100 %", problem(2304, 4608));
  Problem held = problem(2304, 4608);
  held.hold = 3000;
  row("the same, may be held too", held);
  Problem rules = problem(2304, 4608);
  rules.min_run = 12;
  rules.min_pause = 6;
  rules.restart_slots = 2;
  rules.restart_power = 10'000;
  row("192 h +100 %, runs of an hour, pauses of half, restarts of ten minutes", rules);
  Problem limited = problem(2304, 4608);
  limited.max_restarts = 5;
  row("192 h +100 %, at most 5 restarts", limited);
}
