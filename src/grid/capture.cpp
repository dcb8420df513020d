// What planning by a signal saves: the figure that decides whether a signal is fit for scheduling.
//
// A signal may be wrong in level and still rank hours rightly, or right on average and rank them wrongly: in California 2020 a
// regression on fossil output had plausible grams and made plans worse than no plan. So a signal is judged by what its plans
// would have emitted under another, trusted one, and called fit only where a confidence bound stays above "run at once".

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include "grid/forecast.hpp"
#include "grid/hourly.hpp"

namespace gramwatt::grid {
namespace {

constexpr Hour kDay = 24;
constexpr std::size_t kLeastDays = 14;

/// Which hours of its window a job runs in: the cheapest by `values`, the earliest of equals.
std::vector<std::size_t> placed(const std::vector<double>& values, std::size_t job, bool pauses) {
  std::vector<std::size_t> hours(job);
  if (pauses) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::copy_n(order.begin(), job, hours.begin());
    return hours;
  }
  std::size_t best = 0;
  double least = std::accumulate(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(job), 0.0);
  for (std::size_t start = 1; start + job <= values.size(); ++start) {
    const auto from = values.begin() + static_cast<std::ptrdiff_t>(start);
    const double sum = std::accumulate(from, from + static_cast<std::ptrdiff_t>(job), 0.0);
    if (sum < least) {
      least = sum;
      best = start;
    }
  }
  std::iota(hours.begin(), hours.end(), best);
  return hours;
}

double emitted(const std::vector<double>& values, const std::vector<std::size_t>& hours) {
  double sum = 0;
  for (const std::size_t h : hours) sum += values[h];
  return sum;
}

/// Empty where an hour is missing.
std::vector<double> values_of(const Hourly& series, Hour from, Hour count) {
  std::vector<double> values;
  for (Hour h = from; h < from + count; ++h) values.push_back(series.at(h));
  if (std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); })) values.clear();
  return values;
}

struct Sums {
  double at_once = 0, planned = 0, best = 0;
  Sums& operator+=(const Sums& o) {
    at_once += o.at_once;
    planned += o.planned;
    best += o.best;
    return *this;
  }
  [[nodiscard]] double saving() const { return at_once > 0 ? 1 - planned / at_once : 0; }
};

/// The 5 % and 95 % ends of the saving over days drawn anew, in blocks of a week (Künsch 1989), circular (Politis, Romano
/// 1992).
std::pair<double, double> bootstrap(const std::vector<Sums>& days) {
  constexpr std::size_t kBlock = 7;
  constexpr std::size_t kDraws = 2000;
  std::mt19937_64 random(20220517);  // fixed: the same data give the same decision
  std::vector<double> savings;
  for (std::size_t draw = 0; draw < kDraws; ++draw) {
    Sums all;
    for (std::size_t n = 0; n < days.size(); n += kBlock) {
      const std::size_t start = random() % days.size();
      for (std::size_t i = 0; i < kBlock; ++i) all += days[(start + i) % days.size()];
    }
    savings.push_back(all.saving());
  }
  std::sort(savings.begin(), savings.end());
  return {savings[kDraws / 20], savings[kDraws - 1 - kDraws / 20]};
}

class Planner {
 public:
  Planner(const Series& planned_by, const CaptureRules& rules, Hour window) : known_(planned_by), window_(window) {
    if (rules.model) forecaster_.emplace(planned_by, std::chrono::hours(window), *rules.model);
  }
  /// What the plan is made by; empty where there is nothing.
  std::vector<double> values(Hour arrival) {
    if (!forecaster_) return values_of(known_, arrival, window_);
    std::vector<double> values;
    if (const auto f = forecaster_->at(start_of(arrival))) {
      for (const Point& p : f->series.points) values.push_back(p.value.value());
    }
    return values;
  }

 private:
  Hourly known_;
  Hour window_;
  std::optional<Forecaster> forecaster_;
};

}  // namespace

Result<Capture> capture(const Series& planned_by, const Series& judged_by, Window window, const CaptureRules& rules) {
  const Hour length = (rules.job + rules.slack).count();
  if (rules.job.count() < 1 || rules.slack.count() < 0 || rules.every.count() < 1 || length > 14 * kDay) {
    return fail("a job of no length, or a plan of more than two weeks", "capture", "", Error::Kind::usage);
  }
  const auto job = static_cast<std::size_t>(rules.job.count());
  const Hourly judge(judged_by);
  Planner planner(planned_by, rules, length);
  std::vector<std::size_t> at_once(job);
  std::iota(at_once.begin(), at_once.end(), std::size_t{0});
  std::map<Hour, Sums> by_day;
  Sums all;
  Capture c;
  int worse = 0;
  const Hour step = rules.every.count();
  for (Hour arrival = hour_of(window.start + std::chrono::hours(step) - Nanoseconds(1)) / step * step;
       start_of(arrival) < window.end; arrival += step) {
    const std::vector<double> truth = values_of(judge, arrival, length);
    if (truth.empty()) continue;
    const std::vector<double> plan = planner.values(arrival);
    if (plan.empty()) continue;
    const Sums one{emitted(truth, at_once), emitted(truth, placed(plan, job, rules.pauses)),
                   emitted(truth, placed(truth, job, rules.pauses))};
    by_day[arrival / kDay] += one;
    all += one;
    ++c.arrivals;
    worse += one.planned > one.at_once ? 1 : 0;
  }
  if (by_day.size() < kLeastDays || !(all.at_once > 0)) {
    return fail("fewer than fourteen days to judge by", "capture", "", Error::Kind::unavailable);
  }
  std::vector<Sums> days;
  for (const auto& [day, sums] : by_day) days.push_back(sums);
  const auto [low, high] = bootstrap(days);
  c.saving = Ratio(all.saving());
  c.low = Ratio(low);
  c.high = Ratio(high);
  c.oracle = Ratio(1 - all.best / all.at_once);
  c.worse = Ratio(static_cast<double>(worse) / c.arrivals);
  return c;
}

}  // namespace gramwatt::grid
