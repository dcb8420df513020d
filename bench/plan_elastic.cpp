// How long it takes to plan an elastic job of up to 16 workers (Amdahl's law, 5 % serial): greedy on the hull, the published
// greedy (each step looks through all slots and widths again), and the exact table; and how far each is above the bound.
// usage: plan_elastic

#include <chrono>
#include <cmath>
#include <cstdio>

#include "plan/elastic.hpp"

namespace {

using namespace gramwatt::plan;
using Timer = std::chrono::steady_clock;

double since(Timer::time_point start) { return std::chrono::duration<double>(Timer::now() - start).count(); }

ElasticProblem problem(int slots) {
  ElasticProblem p;
  std::uint32_t noise = 1;
  for (int i = 0; i < slots; ++i) {
    noise = noise * 1664525U + 1013904223U;
    p.intensity.push_back(
        static_cast<MilligramsPerKwh>(300'000 - 150'000 * std::cos(i % 288 / 288.0 * 6.2832) + (noise >> 24U) * 300));
  }
  for (int m = 0; m <= 16; ++m) {
    p.curve.work.push_back(m == 0 ? 0 : static_cast<Work>(10 / (0.05 + 0.95 / m)));
    p.curve.energy.push_back(300 * m);
  }
  p.work = slots * 30;
  return p;
}

/// The step with the most work for its carbon, looked for in all slots each time.
Cost rescanning(const ElasticProblem& p) {
  std::vector<int> workers(p.intensity.size());
  for (Work done = 0; done < p.work;) {
    double best = -1;
    std::size_t at = 0;
    for (std::size_t i = 0; i < workers.size(); ++i) {
      const auto m = static_cast<std::size_t>(workers[i]);
      if (m + 1 == p.curve.work.size()) continue;
      const double work = static_cast<double>(p.curve.work[m + 1] - p.curve.work[m]);
      const double carbon = static_cast<double>(p.curve.energy[m + 1] - p.curve.energy[m]) * p.intensity[i];
      if (work / carbon > best) best = work / carbon, at = i;
    }
    done += p.curve.work[static_cast<std::size_t>(workers[at]) + 1] - p.curve.work[static_cast<std::size_t>(workers[at])];
    ++workers[at];
  }
  return weigh(p, workers);
}

}  // namespace

int main() {
  for (const int slots : {96, 576, 2304}) {
    const ElasticProblem p = problem(slots);
    auto start = Timer::now();
    const auto greedy = elastic_greedy(p);
    const double greedy_took = since(start);
    start = Timer::now();
    const Cost published = rescanning(p);
    const double published_took = since(start);
    const auto above = [&](Cost cost) {
      return 100 * static_cast<double>(cost - greedy->bound) / static_cast<double>(greedy->bound);
    };
    std::printf("%4d slots, %lld of work: greedy %.2f ms, %.4f %% above the bound; looking again %.2f ms, %.4f %%", slots,
                static_cast<long long>(p.work), 1e3 * greedy_took, above(greedy->cost), 1e3 * published_took, above(published));
    start = Timer::now();
    const auto exact = elastic_exact(p);
    if (exact) std::printf("; exact %.1f ms, %.4f %%\n", 1e3 * since(start), above(exact->cost));
    else std::printf("; exact: refused, %s\n", exact.error().what.c_str());
  }
}
