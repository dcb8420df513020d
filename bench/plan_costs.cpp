// What pausing costs: the published policies and the exact plan on one year of intensity, everything charged. Prints the
// markdown tables of docs/validation.md. usage: plan_costs SERIES.csv (utc_start,g_per_kwh, every five minutes, a year)

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "plan/exact.hpp"
#include "plan/policies.hpp"

namespace {

using namespace gramwatt;
using namespace gramwatt::plan;

constexpr int kSlotsAnHour = 12;
constexpr Quanta kFull = 10'000;  // of a slot at full power

std::vector<MilligramsPerKwh> read(const char* path) {
  std::ifstream in(path);
  std::vector<MilligramsPerKwh> values;
  std::string line;
  while (std::getline(in, line)) {
    const auto fields = csv_fields(line);
    const auto value = fields.size() == 2 ? parse_number<double>(fields[1]) : std::nullopt;
    if (value) values.push_back(quantise(GramsPerKwh(*value)));
  }
  return values;
}

struct Job {
  const char* name;
  double hours;
  double slack;  ///< hours
};

/// Five starts a month, spread evenly over it, as the paper has them.
std::vector<std::size_t> starts(std::size_t slots) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < 60; ++i) all.push_back(i * slots / 60);
  return all;
}

/// Ratio of totals over the starts, and the mean number of runs.
struct Sum {
  double carbon = 0, runs = 0;
  void add(const Problem& p, const Schedule& s) {
    carbon += static_cast<double>(weigh(p, s));
    runs += static_cast<double>(plan::runs(s).size());
  }
};

struct Figures {
  Sum now, start, paused, best;
  int n = 0;
  [[nodiscard]] double saving(const Sum& s) const { return 100 * (1 - s.carbon / now.carbon); }
};

Figures over_starts(const std::vector<MilligramsPerKwh>& year, const Job& job, Problem costs) {
  Figures f;
  const auto length = static_cast<std::size_t>(job.hours * kSlotsAnHour + 0.999);
  const auto window = length + static_cast<std::size_t>(job.slack * kSlotsAnHour);
  costs.steps.assign(length, kFull);
  for (const std::size_t start : starts(year.size())) {
    if (start + window > year.size()) continue;
    costs.intensity.assign(year.begin() + static_cast<std::ptrdiff_t>(start),
                           year.begin() + static_cast<std::ptrdiff_t>(start + window));
    f.now.add(costs, *run_now(costs));
    f.start.add(costs, *flexible_start(costs));
    f.paused.add(costs, *pause_resume(costs));
    f.best.add(costs, *exact(costs));
    ++f.n;
  }
  return f;
}

void restarts(const std::vector<MilligramsPerKwh>& year) {
  std::printf(
      "| job | restart, min of full power | pause and resume, charged | exact plan | runs (p&r / exact) | flexible start | "
      "exact keeps of the free saving |\n"
      "|---|---|---|---|---|---|---|\n");
  const std::vector<std::pair<Job, std::vector<int>>> rows{{{"ViT-B 21 h +24 h", 21, 24}, {0, 1, 5, 10, 30}},
                                                           {{"BERT finetune 6 h +24 h", 6, 24}, {0, 10}},
                                                           {{"BERT LM 36 h +24 h", 36, 24}, {0, 10}},
                                                           {{"ViT-L 90 h +50 %", 90, 45}, {0, 10}},
                                                           {{"6B 192 h +24 h", 192, 24}, {0, 10}}};
  for (const auto& [job, minutes] : rows) {
    double free = 0;
    for (const int m : minutes) {
      Problem costs;
      costs.restart_energy = kFull * m / 5;
      const Figures f = over_starts(year, job, costs);
      if (m == 0) free = f.saving(f.best);
      std::printf("| %s | %d | %.1f %% | %.1f %% | %.1f / %.1f | %.1f %% | %.0f %% |\n", job.name, m, f.saving(f.paused),
                  f.saving(f.best), f.paused.runs / f.n, f.best.runs / f.n, f.saving(f.start), 100 * f.saving(f.best) / free);
    }
  }
}

void holding(const std::vector<MilligramsPerKwh>& year) {
  std::printf(
      "\n| ViT-B 21 h +24 h, held at a share of full power | pause and resume | exact, held only | exact, exit (10 min) or "
      "held |\n|---|---|---|---|\n");
  for (const int percent : {0, 10, 20, 30}) {
    Problem held;
    held.may_exit = false;
    held.hold = kFull * percent / 100;
    Problem both = held;
    both.may_exit = true;
    both.restart_energy = 2 * kFull;
    const Figures a = over_starts(year, {"", 21, 24}, held), b = over_starts(year, {"", 21, 24}, both);
    std::printf("| %d %% | %.1f %% | %.1f %% | %.1f %% |\n", percent, a.saving(a.paused), a.saving(a.best), b.saving(b.best));
  }
}

void waiting(const std::vector<MilligramsPerKwh>& year) {
  std::printf(
      "\n| ViT-B 21 h +24 h, restart 10 min, a rented machine waits at | flexible start, planned as if waiting were free | "
      "flexible start | pause and resume | exact plan |\n|---|---|---|---|---|\n");
  for (const int percent : {0, 5, 10, 20, 30}) {
    Problem costs;
    costs.restart_energy = 2 * kFull;
    costs.wait = kFull * percent / 100;
    const Figures f = over_starts(year, {"", 21, 24}, costs);
    Sum blind, now;  // planned without the cost, charged with it
    const std::size_t length = 21 * kSlotsAnHour, window = length + 24 * kSlotsAnHour;
    for (const std::size_t start : starts(year.size())) {
      if (start + window > year.size()) continue;
      Problem p = costs;
      p.steps.assign(length, kFull);
      p.intensity.assign(year.begin() + static_cast<std::ptrdiff_t>(start),
                         year.begin() + static_cast<std::ptrdiff_t>(start + window));
      Problem free = p;
      free.wait = 0;
      blind.add(p, *flexible_start(free));
    }
    std::printf("| %d %% | %.1f %% | %.1f %% | %.1f %% | %.1f %% |\n", percent, f.saving(blind), f.saving(f.start),
                f.saving(f.paused), f.saving(f.best));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: plan_costs SERIES.csv\n"), 2;
  const auto year = read(argv[1]);
  if (year.size() < 100'000) return std::fprintf(stderr, "a year of five-minute values is needed\n"), 1;
  restarts(year);
  holding(year);
  waiting(year);
}
