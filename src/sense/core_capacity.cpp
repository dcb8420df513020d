// From busy threads to used core capacity.
//
// A core with two hardware threads does not do twice the work of one: with both busy it does about 1.28 times as much (16..28 %
// more in Marr et al., Intel Technology Journal 6(1), 2002; 25..35 % on later cores). One busy sibling is therefore 1 / 1.28 =
// 0.78 of the core's capacity, and its power follows: half of the threads busy, one on each core, is not half of the load.
//
// Over an interval a core's threads were busy for fractions a and b of the time. With the least overlap, both were busy for
// max(0, a + b - 1) and one alone for min(1, a + b) less that. Least overlap is what a kernel that spreads over cores first
// tends to, and it is exact where it matters: for threads wholly busy or wholly idle.

#include <algorithm>
#include <cmath>

#include "sense/power_model.hpp"

namespace gramwatt::sense {
namespace {

constexpr double kLoneSibling =
    0.78;  // as LONE_SIBLING in tools/build_power_tables.py, which fits the busy-core shapes with it

// A core's entry of scratch holds both its number of threads and their busy sum: kCount * threads + sum, since sum <= threads <
// kCount.
constexpr double kCount = 64;

double capacity_of_core(double threads, double busy_sum) {
  const double any = std::min(busy_sum, 1.0);
  if (threads <= 1) return any;
  return kLoneSibling * any + (1 - kLoneSibling) * std::clamp((busy_sum - 1) / (threads - 1), 0.0, 1.0);
}

}  // namespace

double core_capacity_used(std::span<const double> busy_fraction, std::span<const int> core_of_thread,
                          std::span<double> scratch) {
  std::fill(scratch.begin(), scratch.end(), 0.0);
  const std::size_t threads = std::min(busy_fraction.size(), core_of_thread.size());
  for (std::size_t n = 0; n < threads; ++n) {
    const auto core = static_cast<std::size_t>(core_of_thread[n]);  // -1 becomes huge: offline
    if (core < scratch.size()) scratch[core] += kCount + std::clamp(busy_fraction[n], 0.0, 1.0);
  }
  double used = 0;
  int cores = 0;
  for (const double entry : scratch) {
    const double siblings = std::floor(entry / kCount);
    if (siblings < 1) continue;
    used += capacity_of_core(siblings, entry - kCount * siblings);
    ++cores;
  }
  return cores == 0 ? 0 : used / cores;
}

}  // namespace gramwatt::sense
