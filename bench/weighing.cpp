// How long it takes to weigh a run of 30 days, read once a second, with a five-minute series that has gaps over a typical day
// over an annual mean (docs/validation.md; bar: 20 ms). Prints a line of its markdown table.
//
// usage: weighing [ROUNDS]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "footprint/footprint.hpp"

int main(int argc, char** argv) {
  using namespace gramwatt;
  using namespace std::chrono_literals;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 15;
  constexpr int kSeconds = 30 * 86400;
  std::vector<footprint::Slice> slices;
  slices.reserve(kSeconds);
  for (int s = 0; s < kSeconds; ++s)
    slices.push_back({std::chrono::seconds(s), std::chrono::seconds(s + 1), Microjoules(1'000'000 + s % 977)});
  grid::Ladder ladder = grid::one_value(GramsPerKwh(400));
  grid::Series hourly, fine;
  hourly.resolution = 1h;
  for (int h = 0; h < 30 * 24; ++h) hourly.points.push_back({std::chrono::hours(h), GramsPerKwh(300.0 + h % 24)});
  fine.resolution = 5min;
  for (int p = 0; p < 30 * 288; ++p) {
    if (p % 50 != 7) fine.points.push_back({p * Nanoseconds(5min), GramsPerKwh(200.0 + p % 288)});
  }
  ladder.rungs.insert(ladder.rungs.begin(), {fine, hourly});
  double best = 1e9;
  double mean = 0;
  for (int r = 0; r < rounds; ++r) {
    const auto start = std::chrono::steady_clock::now();
    mean = footprint::mean_intensity(slices, ladder).value.value.value();
    best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::printf(
      "| weighing 30 days at 1 s (%d slices) with a 5-minute series, best of %d (mean %.4f g/kWh) | %.1f ms | ≤ 20 ms | %s |\n",
      kSeconds, rounds, mean, best, best <= 20 ? "met" : "MISSED");
  return 0;
}
