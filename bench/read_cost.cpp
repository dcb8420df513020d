// CPU time of reading every sensor of the tree SYSFS once, in microseconds: the median of 200 batches of 100.
// usage: read_cost SYSFS
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

#include "sense/powercap.hpp"

int main(int argc, char** argv) {
  using namespace gramwatt;
  if (argc < 2) return 2;
  const SystemClock clock;
  const auto found = sense::probe_powercap({argv[1], "/proc"}, clock, {});
  if (found.sensors.empty()) return 1;
  const auto cpu = [] {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) * 1e-3;
  };
  std::vector<double> batches;
  for (int batch = 0; batch < 200; ++batch) {
    const double before = cpu();
    for (int i = 0; i < 100; ++i) {
      for (const auto& sensor : found.sensors) {
        if (!sensor->read(clock)) return 1;
      }
    }
    batches.push_back((cpu() - before) / 100);
  }
  std::nth_element(batches.begin(), batches.begin() + 100, batches.end());
  std::printf("%.3f\n", batches[100]);
  return 0;
}
