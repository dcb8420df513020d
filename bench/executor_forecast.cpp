// What the executor keeps of a perfect forecast's saving: jobs of 24 hours that may end 24 hours later, with a restart of ten
// minutes at full power, in the hourly intensity of 2021 in eight US zones. The very code that steers real processes
// (job/executor.hpp) is driven under a virtual clock, learns a forecast made from what came before whenever it plans, and is
// judged by what came. Prints the markdown table of docs/validation.md. usage: executor_forecast SHARED_DATA_FOLDER [WEEKS]

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "fakes/simulated_job.hpp"
#include "grid/forecast.hpp"
#include "public_series.hpp"

namespace {

using namespace gramwatt;
using namespace gramwatt::bench;

constexpr int kJob = 24, kSlack = 24;
constexpr Watts kPower(1000);

using Made = std::map<Nanoseconds, std::shared_ptr<const Forecast>>;

/// The forecast of a whole hour, made once: jobs that overlap share it.
class Forecasts {
 public:
  explicit Forecasts(const Series& truth) : forecaster_(truth, hours(kJob + kSlack + 1), Model::ridge) {}
  std::shared_ptr<const Forecast> at(Nanoseconds origin) {
    auto& kept = made_[origin];
    if (!kept) {
      auto f = forecaster_.at(origin);
      if (f) kept = std::make_shared<const Forecast>(std::move(*f));
    }
    return kept;
  }

 private:
  Forecaster forecaster_;
  Made made_;
};

job::Assignment task(Nanoseconds created) {
  job::Assignment t;
  t.slot = hours(1);
  t.job.steps.assign(kJob, kPower * Seconds(3600));
  t.job.may_exit = true;
  t.job.restart_energy = kPower * Seconds(600);
  t.duration = t.duration_p90 = hours(kJob);
  t.created = created;
  t.allowance = hours(kSlack);
  return t;
}

struct Row {
  double now = 0, oracle = 0, lived = 0, restarts = 0, decisions = 0;
  int n = 0, late = 0;
  [[nodiscard]] double saving(double x) const { return 100 * (1 - x / now); }
};

void live(const Series& truth, Forecasts& forecasts, Nanoseconds start, Nanoseconds every, Row& row) {
  const auto run = [&](job::Assignment t, auto learn) {
    job::Executor executor(std::move(t));
    return testing::SimulatedJob{truth, hours(kJob), kPower, learn}.live(executor);
  };
  const grid::Ladder known{{truth}, {}};
  bool missing = !truth.covers({start, start + hours(kJob + kSlack)});
  if (missing || !forecasts.at(start)) return;
  auto t = task(start);
  t.replan_every = every;
  const auto lived = run(t, [&](Nanoseconds now, job::Executor& e) {
    const auto f = forecasts.at(now / hours(1) * hours(1));
    if (f) e.learn({{{f->series}, {}}, f->paths, f->series.points.front().start, "average"});
  });
  t.min_saving = Ratio(0);
  const auto oracle = run(t, [&](Nanoseconds, job::Executor& e) {
    if (!e.outlook()) e.learn({known, {}, {}, "average"});
  });
  row.now += (kPower * Seconds(3600.0 * kJob) * truth.mean(start, start + hours(kJob)).value).value();
  row.oracle += oracle.carbon.value();
  row.lived += lived.carbon.value();
  row.restarts += lived.restarts;
  row.decisions += lived.decisions;
  row.late += lived.finish > start + hours(kJob + kSlack) ? 1 : 0;
  ++row.n;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: executor_forecast SHARED_DATA_FOLDER [REPLAN_HOURS]\n"), 2;
  const Nanoseconds every = hours(argc > 2 ? std::stoi(argv[2]) : 1);
  const Nanoseconds year = *parse_iso8601("2021-01-01");
  std::vector<std::filesystem::path> files;
  for (const auto& e : std::filesystem::directory_iterator(std::filesystem::path(argv[1]) / "us-eia930-fuelmix"))
    if (e.path().extension() == ".gz") files.push_back(e.path());
  std::sort(files.begin(), files.end());
  fmt::print(
      "| zone | jobs | perfect forecast | ridge, replanned every {} h (kept) | restarts a job | late "
      "|\n|---|---|---|---|---|---|\n",
      every / hours(1));
  double kept = 0, oracle = 0, saved = 0;
  for (const auto& file : files) {
    const Series truth = from_mix(file);
    Forecasts forecasts(truth);
    Row row;
    // Thirty weeks, spread over the year; in each, a job every six hours.
    for (int week = 0; week < 30; ++week) {
      const Nanoseconds monday = year + hours(24 * (week * 363 / 30));
      for (int h = 0; h < 7 * 24; h += 6) live(truth, forecasts, monday + hours(h), every, row);
    }
    const double share = 100 * row.saving(row.lived) / row.saving(row.oracle);
    fmt::print("| {} | {} | {:.1f} % | {:.1f} % ({:.0f} %) | {:.1f} | {} |\n",
               file.filename().string().substr(0, file.filename().string().find('.')), row.n, row.saving(row.oracle),
               row.saving(row.lived), share, row.restarts / row.n, row.late);
    std::fflush(stdout);
    const auto n = static_cast<double>(files.size());
    kept += share / n;
    oracle += row.saving(row.oracle) / n;
    saved += row.saving(row.lived) / n;
  }
  fmt::print("| mean | | {:.1f} % | {:.1f} % ({:.0f} %) | | |\n", oracle, saved, kept);
}
