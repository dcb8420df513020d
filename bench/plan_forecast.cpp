// What plans are worth when the future is forecast: jobs of 24 hours (or others) that may end 24 hours later, with a restart of
// ten minutes at full power, on the hourly intensity of 2021 in eight US zones; planned by forecasts that knew only what came
// before, replanned every day, and judged by what came. Prints the markdown table of docs/validation.md. usage: plan_forecast
// SHARED_DATA_FOLDER [JOB_HOURS SLACK_HOURS [60]]; 21 24 60 is ViT-B +24 h of `gramwatt study facct22 --slot 1h`, at its
// starts.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "grid/forecast.hpp"
#include "plan/facct22.hpp"
#include "plan/policies.hpp"
#include "plan/rolling.hpp"
#include "public_series.hpp"

namespace {

using namespace gramwatt;
using namespace gramwatt::bench;
using namespace gramwatt::plan;

constexpr Quanta kFull = 10'000;  // of an hour at full power

struct Asked {
  int job = 24, window = 48;  // hours
  std::vector<Nanoseconds> starts;
};

struct Zone {
  std::string name;
  std::map<Nanoseconds, MilligramsPerKwh> truth;
  std::map<Nanoseconds, std::vector<MilligramsPerKwh>> ridge, naive;  ///< forecasts by origin
};

/// Every six hours, or those of the study.
std::vector<Nanoseconds> starts_of(Window year, bool sixty) {
  std::vector<Nanoseconds> out;
  if (!sixty) {
    for (Nanoseconds start = year.start; start < year.end; start += hours(6)) out.push_back(start);
  } else {
    for (const std::size_t hour : facct22::start_slots({year, hours(1), facct22::Starts::sixty}))
      out.push_back(year.start + hours(static_cast<int>(hour)));
  }
  return out;
}

std::map<Nanoseconds, std::vector<MilligramsPerKwh>> forecasts(const Series& truth, const Asked& asked, Model model) {
  std::map<Nanoseconds, std::vector<MilligramsPerKwh>> all;
  std::set<Nanoseconds> origins;
  for (const Nanoseconds start : asked.starts) {
    for (int h = 0; h < asked.window; h += 24) origins.insert(start + hours(h));
  }
  Forecaster forecaster(truth, hours(asked.window), model);
  for (const Nanoseconds origin : origins) {
    const auto f = forecaster.at(origin);
    if (!f) continue;
    auto& values = all[origin];
    for (const Point& p : f->series.points) values.push_back(quantise(p.value));
  }
  return all;
}

struct Row {
  double now = 0, oracle = 0, start = 0, paused = 0, ridge = 0, naive = 0, threshold = 0;
  int n = 0;
  [[nodiscard]] double saving(double x) const { return 100 * (1 - x / now); }
  [[nodiscard]] double kept(double x) const { return 100 * saving(x) / saving(oracle); }
};

std::vector<MilligramsPerKwh> values(const Zone& z, Nanoseconds from, int count) {
  std::vector<MilligramsPerKwh> v;
  for (int i = 0; i < count; ++i) {
    const auto it = z.truth.find(from + hours(i));
    if (it == z.truth.end()) return {};
    v.push_back(it->second);
  }
  return v;
}

/// What a forecast said at the start of `slot`; empty where there was none.
Foresight by(const std::map<Nanoseconds, std::vector<MilligramsPerKwh>>& made, Nanoseconds start, int window) {
  return [&made, start, window](int slot) {
    const auto it = made.find(start + hours(slot));
    if (it == made.end()) return std::vector<MilligramsPerKwh>{};
    return std::vector<MilligramsPerKwh>(it->second.begin(), it->second.begin() + (window - slot));
  };
}

Row judge(const Zone& z, Window year, const Asked& asked) {
  Row row;
  for (const Nanoseconds start : asked.starts) {
    if (start + hours(asked.window) > year.end) continue;
    Problem p;
    p.intensity = values(z, start, asked.window);
    const auto past = values(z, start - hours(14 * 24), 14 * 24);
    if (p.intensity.empty() || past.empty()) continue;
    p.steps.assign(static_cast<std::size_t>(asked.job), kFull);
    p.restart_energy = kFull / 6;
    const auto ridge = rolling(p, by(z.ridge, start, asked.window), 24),
               naive = rolling(p, by(z.naive, start, asked.window), 24);
    if (!ridge || !naive) continue;
    const auto add = [&](double& sum, const Schedule& s) { sum += static_cast<double>(weigh(p, s)); };
    add(row.now, *run_now(p));
    add(row.oracle, *exact(p));
    add(row.start, *flexible_start(p));
    add(row.paused, *pause_resume(p));
    add(row.ridge, *ridge);
    add(row.naive, *naive);
    add(row.threshold, *threshold(p, {past, 2}));
    ++row.n;
  }
  return row;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4 && argc != 5)
    return std::fprintf(stderr, "usage: plan_forecast SHARED_DATA_FOLDER [JOB_HOURS SLACK_HOURS [60]]\n"), 2;
  const Window year{*parse_iso8601("2021-01-01"), *parse_iso8601("2022-01-01")};
  Asked asked;
  if (argc > 2) {
    asked.job = std::stoi(argv[2]);
    asked.window = asked.job + std::stoi(argv[3]);
  }
  asked.starts = starts_of(year, argc == 5);
  std::vector<std::filesystem::path> files;
  for (const auto& e : std::filesystem::directory_iterator(std::filesystem::path(argv[1]) / "us-eia930-fuelmix"))
    if (e.path().extension() == ".gz") files.push_back(e.path());
  std::sort(files.begin(), files.end());
  fmt::print(
      "| zone | jobs | exact, all known beforehand | flexible start, the same | the published policy, the same, charged | "
      "ridge, replanned daily (kept) | seasonal naive (kept) | threshold, no forecast (kept) |\n"
      "|---|---|---|---|---|---|---|---|\n");
  double kept_ridge = 0, kept_naive = 0, kept_threshold = 0;
  Row mean;
  for (const auto& file : files) {
    const Series truth = from_mix(file);
    Zone z;
    z.name = file.filename().string().substr(0, file.filename().string().find('.'));
    for (const Point& p : truth.points) z.truth[p.start] = quantise(p.value);
    z.ridge = forecasts(truth, asked, Model::ridge);
    z.naive = forecasts(truth, asked, Model::seasonal_naive);
    const Row r = judge(z, year, asked);
    fmt::print(
        "| {} | {} | {:.1f} % | {:.1f} % | {:.1f} % | {:.1f} % ({:.0f} %) | {:.1f} % ({:.0f} %) | {:.1f} % ({:.0f} %) |\n",
        z.name, r.n, r.saving(r.oracle), r.saving(r.start), r.saving(r.paused), r.saving(r.ridge), r.kept(r.ridge),
        r.saving(r.naive), r.kept(r.naive), r.saving(r.threshold), r.kept(r.threshold));
    std::fflush(stdout);
    const auto n = static_cast<double>(files.size());
    kept_ridge += r.kept(r.ridge) / n;
    kept_naive += r.kept(r.naive) / n;
    kept_threshold += r.kept(r.threshold) / n;
    mean.oracle += r.saving(r.oracle) / n;
    mean.ridge += r.saving(r.ridge) / n;
    mean.naive += r.saving(r.naive) / n;
    mean.threshold += r.saving(r.threshold) / n;
  }
  fmt::print("| mean | | {:.1f} % | | | {:.1f} % ({:.0f} %) | {:.1f} % ({:.0f} %) | {:.1f} % ({:.0f} %) |\n", mean.oracle,
             mean.ridge, kept_ridge, mean.naive, kept_naive, mean.threshold, kept_threshold);
}
