// A trace-year of jobs under every policy, on one core: each step timed, with the obvious way of doing the same beside it on a
// part of the jobs (and the same answer demanded of it), and how the plans with restarts charged, exact in whole slots, compare
// with free and with unbroken ones. usage: plan_jobs [TRACE SERIES]   (without: 100,000 made-up jobs on a made-up year of
// five-minute slots)

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/text.hpp"
#include "plan/cluster.hpp"
#include "plan/cluster_job.hpp"

namespace {

using namespace gramwatt;
using namespace gramwatt::plan;
using Timer = std::chrono::steady_clock;

double since(Timer::time_point start) { return std::chrono::duration<double>(Timer::now() - start).count(); }

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::printf("%s\n", result.error().message().c_str());
  std::exit(1);
}

Slots slots_of(const char* file) {
  if (file != nullptr) {
    const auto source = must(grid::open_text(file));
    grid::Lines lines(*source);
    std::vector<Nanoseconds> times;
    Slots slots;
    for (std::string_view line; lines.next(line);) {
      const auto fields = csv_fields(line);
      const auto time = parse_iso8601(fields.front());
      const auto value = parse_number<double>(fields.back());
      if (!time || !value) continue;  // the heading
      times.push_back(*time);
      slots.intensity.push_back(quantise(GramsPerKwh(*value)));
    }
    if (times.size() < 2) std::exit(1);
    slots.start = times[0];
    slots.length = times[1] - times[0];
    return slots;
  }
  Slots s{Nanoseconds{0}, std::chrono::minutes(5), {}};
  std::uint32_t noise = 1;
  for (int i = 0; i < 105'408; ++i) {
    noise = noise * 1664525U + 1013904223U;
    s.intensity.push_back(
        static_cast<MilligramsPerKwh>(300'000 - 150'000 * std::cos(i % 288 / 288.0 * 6.2832) + (noise >> 24U) * 300));
  }
  return s;
}

std::vector<TracedJob> jobs_of(const char* file) {
  if (file != nullptr) return must(read_trace(*must(grid::open_text(file)), file));
  std::vector<TracedJob> jobs;
  std::uint32_t noise = 1;
  const auto next = [&] { return noise = noise * 1664525U + 1013904223U; };
  for (Second i = 0; i < 100'000; ++i) {
    const double exponent = (next() >> 8U) / 16'777'216.0;  // a minute to three days
    jobs.push_back({i * 315, static_cast<Second>(60 * std::pow(4320, exponent * exponent)),
                    static_cast<std::int32_t>(1 + (next() >> 28U) % 4)});
  }
  return jobs;
}

/// Slot by slot, second by second at the borders.
CpuCost summed(const IntensityRing& ring, Second from, Second to) {
  CpuCost sum = 0;
  for (Second t = from; t < to;) {
    const Second next = std::min(to, (t / ring.slot() + 1) * ring.slot());
    sum += (next - t) * ring.at(t);
    t = next;
  }
  return sum;
}

Second naive_start(const IntensityRing& ring, Second from, Second wait, Second length) {
  Second best = from;
  CpuCost least = summed(ring, from, from + length);
  for (Second start = from; start < from + wait;) {
    const Second end = start + length;
    start = std::min({from + wait, (start / ring.slot() + 1) * ring.slot(), (end / ring.slot() + 1) * ring.slot() - length});
    if (const CpuCost cost = summed(ring, start, start + length); cost < least) least = cost, best = start;
  }
  return best;
}

CpuCost naive_pauses(const IntensityRing& ring, Second from, Second wait, Second length) {
  std::vector<std::pair<MilligramsPerKwh, Second>> pieces;
  for (Second t = from; t < from + wait + length;) {
    const Second next = std::min(from + wait + length, (t / ring.slot() + 1) * ring.slot());
    pieces.emplace_back(ring.at(t), next - t);
    t = next;
  }
  std::sort(pieces.begin(), pieces.end());
  CpuCost sum = 0;
  for (const auto& [c, seconds] : pieces) {
    const Second used = std::min(seconds, length);
    sum += used * c;
    length -= used;
  }
  return sum;
}

Second limit(const TracedJob& j, const ClusterSettings& s) { return s.limits[class_of(j.length, s.limits)].wait; }

void compare_naive(const std::vector<TracedJob>& jobs, const IntensityRing& ring, const ClusterSettings& settings) {
  const std::size_t step = std::max<std::size_t>(1, jobs.size() / 1000);
  std::vector<TracedJob> some;
  for (std::size_t i = 0; i < jobs.size(); i += step) some.push_back(jobs[i]);
  Pauser pauser(ring);
  std::size_t same = 0;
  auto start = Timer::now();
  std::vector<Second> starts;
  for (const TracedJob& j : some) starts.push_back(cleanest_start(ring, j.arrival, limit(j, settings), j.length));
  const double ours = since(start);
  start = Timer::now();
  for (std::size_t i = 0; i < some.size(); ++i)
    same += naive_start(ring, some[i].arrival, limit(some[i], settings), some[i].length) == starts[i] ? 1 : 0;
  const double theirs = since(start);
  std::printf("flexible start, %zu jobs: %.1f us a job; summing again %.1f us (x%.0f); %zu the same\n", some.size(),
              1e6 * ours / some.size(), 1e6 * theirs / some.size(), theirs / ours, same);
  same = 0;
  start = Timer::now();
  std::vector<CpuCost> costs;
  for (const TracedJob& j : some) costs.push_back(cost_of(ring, pauser.cleanest(j.arrival, limit(j, settings), j.length), 0));
  const double ours_paused = since(start);
  start = Timer::now();
  for (std::size_t i = 0; i < some.size(); ++i)
    same += naive_pauses(ring, some[i].arrival, limit(some[i], settings), some[i].length) == costs[i] ? 1 : 0;
  const double theirs_paused = since(start);
  std::printf("pause and resume, %zu jobs: %.1f us a job; sorting the window %.1f us (x%.1f); %zu the same\n", some.size(),
              1e6 * ours_paused / some.size(), 1e6 * theirs_paused / some.size(), theirs_paused / ours_paused, same);
}

/// What the exact plan is worth where restarts are charged, and what it costs to find.
void compare_charged(const std::vector<TracedJob>& jobs, const IntensityRing& ring, const ClusterSettings& settings) {
  const std::size_t step = std::max<std::size_t>(1, jobs.size() / 1000);
  Pauser pauser(ring);
  double took = 0;
  CpuCost charged = 0, free = 0, unbroken = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < jobs.size(); i += step, ++count) {
    const TracedJob& j = jobs[i];
    const Second wait = limit(j, settings), start = cleanest_start(ring, j.arrival, wait, j.length);
    const auto begin = Timer::now();
    const auto& runs = pauser.charged(j.arrival, wait, j.length, settings.restart);
    took += since(begin);
    charged += j.cpus * cost_of(ring, runs, settings.restart);
    free += j.cpus * cost_of(ring, pauser.cleanest(j.arrival, wait, j.length), settings.restart);
    unbroken += j.cpus * ring.between(start, start + j.length);
  }
  const auto above = [&](CpuCost c) { return 100 * static_cast<double>(c - charged) / static_cast<double>(charged); };
  std::printf(
      "restarts charged, %zu jobs: exact plan %.1f us a job; free pauses emit %.1f %% more, the cleanest start %.1f %%\n",
      count, 1e6 * took / static_cast<double>(count), above(free), above(unbroken));
}

}  // namespace

int main(int argc, char** argv) {
  const auto jobs = jobs_of(argc > 2 ? argv[1] : nullptr);
  const Slots slots = slots_of(argc > 2 ? argv[2] : nullptr);
  const auto ring = must(IntensityRing::make(slots));
  const ClusterSettings settings;
  const std::int32_t cpus = default_cpus(jobs);
  std::printf("%zu jobs, %zu slots of %lld s, fixed cluster of %d CPUs\n", jobs.size(), ring.slots(),
              static_cast<long long>(ring.slot()), cpus);
  using enum ClusterPolicy;
  for (const ClusterPolicy policy :
       {run_now, flexible_start, flexible_start_mean, pause_resume, exact_pause, threshold_start, threshold_pause}) {
    auto start = Timer::now();
    const Timetable planned = timetable(jobs, ring, policy, settings);
    const double plan = since(start);
    start = Timer::now();
    const Timetable done = queue(jobs, planned, cpus);
    const double queued = since(start);
    start = Timer::now();
    const auto account = weigh(jobs, done, ring, settings, settings.restart);
    std::printf("%-22s plan %.3f s, queue %.3f s, weigh %.3f s; %zu runs, p95 wait %.1f h\n",
                std::string(to_string(policy)).c_str(), plan, queued, since(start), done.runs.size(),
                static_cast<double>(account.p95_wait) / 3600);
  }
  const auto start = Timer::now();
  (void)must(study_cluster(jobs, ring, settings));
  std::printf("the whole study: %.2f s (bar 60 s)\n", since(start));
  compare_naive(jobs, ring, settings);
  compare_charged(jobs, ring, settings);
}
