#include "job/load_generator.hpp"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

namespace gramwatt::job {
namespace {

using Steady = std::chrono::steady_clock;

// Short against what a plug meter averages over, long against a wake-up.
constexpr auto kPeriod = std::chrono::milliseconds(20);

/// Some microseconds of dependent and independent multiply-adds.
double arithmetic(double x) {
  double a = x, b = x + 1, c = x + 2, d = x + 3;
  for (int i = 0; i < 1000; ++i) {
    a = a * 0.999 + 0.5;
    b = b * 0.998 + 0.25;
    c = c * 0.997 + 0.125;
    d = d * 0.996 + 0.0625;
  }
  return a + b + c + d;
}

void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  (void)sched_setaffinity(0, sizeof set, &set);  // where it is refused, the kernel spreads the threads as well
}

void work(const std::atomic<bool>& stop, int cpu, double duty, std::chrono::nanoseconds phase) {
  pin_to(cpu);
  volatile double sink = 1;
  auto period_start = Steady::now() + phase;
  while (!stop.load(std::memory_order_relaxed)) {
    const auto busy_until = period_start + std::chrono::duration_cast<std::chrono::nanoseconds>(kPeriod * duty);
    while (Steady::now() < busy_until && !stop.load(std::memory_order_relaxed)) sink = arithmetic(sink);
    period_start += kPeriod;
    if (duty < 1) std::this_thread::sleep_until(period_start);
    else period_start = Steady::now();
  }
}

}  // namespace

std::vector<int> cpus_cores_first(const sense::CpuIdentity& cpu) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  std::vector<int> first, siblings;
  std::set<int> cores;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) CPU_SET(0, &allowed);
  for (int n = 0; n < CPU_SETSIZE; ++n) {
    if (!CPU_ISSET(static_cast<std::size_t>(n), &allowed)) continue;
    const auto at = static_cast<std::size_t>(n);
    const int core = at < cpu.core_of_thread.size() ? cpu.core_of_thread[at] : -1;
    (core < 0 || cores.insert(core).second ? first : siblings).push_back(n);
  }
  first.insert(first.end(), siblings.begin(), siblings.end());
  return first;
}

LoadGenerator::LoadGenerator(const LoadLevel& level, const sense::CpuIdentity& cpu) {
  const std::vector<int> cpus = cpus_cores_first(cpu);
  const bool even = level.kind == sense::LoadKind::even;
  const double duty = even ? std::clamp(level.load, 0.0, 1.0) : 1.0;
  const auto n = even ? cpus.size() : static_cast<std::size_t>(std::lround(level.load * static_cast<double>(cpus.size())));
  if (level.load <= 0) return;
  for (std::size_t i = 0; i < std::min(n, cpus.size()); ++i) {
    // Spread over the period, so that the machine's power does not beat with it.
    const auto phase = even ? std::chrono::nanoseconds(kPeriod) * static_cast<int>(i) / static_cast<int>(cpus.size())
                            : std::chrono::nanoseconds(0);
    threads_.emplace_back([this, at = cpus[i], duty, phase] { work(stop_, at, duty, phase); });
  }
}

LoadGenerator::~LoadGenerator() {
  stop_ = true;
  for (std::thread& t : threads_) t.join();
}

std::vector<LoadLevel> calibration_levels(int threads) {
  using sense::LoadKind;
  std::vector<LoadLevel> levels{{LoadKind::even, 0},   {LoadKind::even, 0},    {LoadKind::even, 0.25},
                                {LoadKind::even, 0.5}, {LoadKind::even, 0.75}, {LoadKind::even, 1}};
  std::set<int> busy{1, threads / 4, threads / 2, 3 * threads / 4};
  for (const int n : busy) {
    if (n > 0 && n < threads) levels.push_back({LoadKind::busy_cores, static_cast<double>(n) / threads});
  }
  return levels;
}

}  // namespace gramwatt::job
