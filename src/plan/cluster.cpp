#include "plan/cluster.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.hpp"

namespace gramwatt::plan {
namespace {

using enum ClusterPolicy;

/// A busy share at which a queue is short but idle CPUs are few: what shared clusters are run at.
constexpr std::int64_t kUsualBusyPercent = 70;

tl::unexpected<Error> bad_limits(std::string what) {
  return fail(std::move(what), "--limits", "LENGTH:WAIT, ascending, the last inf:WAIT, such as 2h:6h,24h:24h,inf:48h",
              Error::Kind::usage);
}

std::optional<Second> whole_seconds(std::string_view text) {
  const auto d = trim(text) == "0" ? Result<Nanoseconds>(Nanoseconds{0}) : parse_duration(text);
  if (!d || *d < Nanoseconds{0} || *d > std::chrono::hours(24 * 366)) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(*d).count();
}

/// In use at once: begins and ends apart, both in order.
std::int64_t most_at_once(std::span<const TracedJob> jobs, const Timetable& done) {
  using Change = std::pair<Second, std::int64_t>;
  std::vector<Change> changes;
  changes.reserve(2 * done.runs.size());
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    for (const Stretch& s : done.of(j)) {
      changes.emplace_back(s.begin, jobs[j].cpus);
      changes.emplace_back(s.end, -jobs[j].cpus);
    }
  }
  std::sort(changes.begin(), changes.end());  // ends come before begins of the same second
  std::int64_t now = 0, most = 0;
  for (const Change& c : changes) most = std::max(most, now += c.second);
  return most;
}

/// Nearest rank.
Second percentile(std::vector<Second>& values, std::size_t percent) {
  const auto at = static_cast<std::ptrdiff_t>((values.size() * percent + 99) / 100) - 1;
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

struct Row {
  ClusterPolicy policy;
  bool charged;  ///< with restarts
};
constexpr std::array kRows{Row{run_now, false},         Row{flexible_start, false}, Row{flexible_start_mean, false},
                           Row{pause_resume, false},    Row{pause_resume, true},    Row{exact_pause, true},
                           Row{threshold_start, false}, Row{threshold_pause, true}};

void charge_idle(ClusterAccount& a, const ClusterStudy& study, const IntensityRing& ring, const ClusterSettings& settings) {
  const std::int64_t share = settings.idle_thousandths;
  a.idle = (study.cpus * ring.between(study.begin, study.end) - a.work) / 1000 * share;
  a.idle_seconds = (study.cpus * (study.end - study.begin) - a.work_seconds) * share / 1000;
}

/// Kind usage where a sum could reach 2^62: with room for idle CPUs and restarts of a piece a slot.
Result<void> check(std::span<const TracedJob> jobs, const IntensityRing& ring, const ClusterSettings& settings) {
  if (jobs.empty()) return fail("there is no job", {}, "give a trace", Error::Kind::usage);
  long double seconds = 0;
  std::int32_t widest = 0;
  for (const TracedJob& j : jobs) {
    const Second most_runs = j.length / ring.slot() + 3;
    seconds += static_cast<long double>(j.cpus) * static_cast<long double>(j.length + most_runs * settings.restart);
    widest = std::max(widest, j.cpus);
  }
  const std::int64_t cpus = settings.cpus.value_or(default_cpus(jobs));
  const long double span =
      static_cast<long double>(jobs.back().arrival) + 2 * 366 * 86400 + seconds / static_cast<long double>(cpus);
  if ((seconds + static_cast<long double>(cpus) * span) * ring.greatest() > 0x1p62L)
    return fail("the trace is too large to be weighed in whole numbers", {}, "take fewer jobs", Error::Kind::usage);
  if (cpus < widest)
    return fail(fmt::format("{} CPUs, but a job has {}", cpus, widest), "--cpus", fmt::format("{} or more", widest),
                Error::Kind::usage);
  return {};
}

}  // namespace

std::string_view to_string(ClusterPolicy policy) {
  switch (policy) {
    case run_now: return "now";
    case flexible_start: return "flexible-start";
    case flexible_start_mean: return "flexible-start-mean";
    case pause_resume: return "pause-resume";
    case exact_pause: return "exact";
    case threshold_start: return "threshold-start";
    case threshold_pause: return "threshold-pause";
  }
  return "now";
}

bool pauses(ClusterPolicy policy) { return policy == pause_resume || policy == exact_pause || policy == threshold_pause; }

Result<std::vector<WaitingLimit>> parse_waiting_limits(std::string_view text) {
  std::vector<WaitingLimit> limits;
  for (const std::string_view part : split(text, ',')) {
    const std::vector<std::string_view> pair = split(part, ':');
    if (pair.size() != 2) return bad_limits(fmt::format("\"{}\" is no class with its limit", part));
    const auto up_to = trim(pair[0]) == "inf" ? std::optional(kNoEnd) : whole_seconds(pair[0]);
    const auto wait = whole_seconds(pair[1]);
    if (!up_to || !wait) return bad_limits(fmt::format("\"{}\" is no class with its limit", part));
    if (!limits.empty() && *up_to <= limits.back().up_to) return bad_limits(fmt::format("\"{}\" does not ascend", part));
    limits.push_back({*up_to, *wait});
  }
  if (limits.empty() || limits.back().up_to != kNoEnd) return bad_limits("the longest jobs have no limit");
  return limits;
}

std::size_t class_of(Second length, const std::vector<WaitingLimit>& limits) {
  std::size_t i = 0;
  while (i + 1 < limits.size() && length > limits[i].up_to) ++i;
  return i;
}

std::int32_t default_cpus(std::span<const TracedJob> jobs) {
  if (jobs.empty()) return 1;
  std::int64_t work = 0;
  std::int32_t widest = 1;
  Second end = 0, begin = jobs.front().arrival;
  for (const TracedJob& j : jobs) {
    work += j.cpus * j.length;
    widest = std::max(widest, j.cpus);
    begin = std::min(begin, j.arrival);
    end = std::max(end, j.arrival + j.length);
  }
  const std::int64_t needed = (work * 100 + kUsualBusyPercent * (end - begin) - 1) / (kUsualBusyPercent * (end - begin));
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(needed, widest, INT32_MAX));
}

ClusterAccount weigh(std::span<const TracedJob> jobs, const Timetable& done, const IntensityRing& ring,
                     const ClusterSettings& settings, Second restart) {
  ClusterAccount a;
  a.restart = restart;
  std::vector<Second> waits;
  waits.reserve(jobs.size());
  Second sum = 0;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    const TracedJob& job = jobs[j];
    const auto runs = done.of(j);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      a.work += job.cpus * ring.between(runs[i].begin, runs[i].end);
      if (i > 0) a.restarting += job.cpus * restart * ring.at(runs[i].begin);
    }
    const auto again = static_cast<std::int64_t>(runs.size()) - 1;
    a.restarts += again;
    a.work_seconds += job.cpus * job.length;
    a.restart_seconds += job.cpus * restart * again;
    waits.push_back(runs.back().end - job.arrival - job.length);
    sum += waits.back();
    if (waits.back() > settings.limits[class_of(job.length, settings.limits)].wait) ++a.beyond_limit;
    a.end = std::max(a.end, runs.back().end);
  }
  if (waits.empty()) return a;
  a.mean_wait = sum / std::ssize(waits);
  a.median_wait = percentile(waits, 50);
  a.p95_wait = percentile(waits, 95);
  a.longest_wait = *std::max_element(waits.begin(), waits.end());
  a.most_cpus = most_at_once(jobs, done);
  return a;
}

Result<ClusterStudy> study_cluster(std::span<const TracedJob> jobs, const IntensityRing& ring,
                                   const ClusterSettings& settings) {
  if (const auto fine = check(jobs, ring, settings); !fine) return tl::unexpected(fine.error());
  ClusterStudy study;
  study.cpus = settings.cpus.value_or(default_cpus(jobs));
  study.begin = jobs.front().arrival;
  std::optional<ClusterPolicy> last;
  Timetable planned, done;
  for (const Row& row : kRows) {
    if (row.policy != last) {
      planned = timetable(jobs, ring, row.policy, settings);
      done = queue(jobs, planned, study.cpus);
      last = row.policy;
    }
    const Second restart = row.charged ? settings.restart : 0;
    study.elastic.push_back(weigh(jobs, planned, ring, settings, restart));
    study.fixed.push_back(weigh(jobs, done, ring, settings, restart));
    study.elastic.back().policy = study.fixed.back().policy = row.policy;
    study.end = std::max({study.end, study.elastic.back().end, study.fixed.back().end});
  }
  for (ClusterAccount& a : study.fixed) charge_idle(a, study, ring, settings);
  study.class_jobs.resize(settings.limits.size());
  study.class_mean.resize(settings.limits.size());
  for (const TracedJob& j : jobs) {
    const std::size_t c = class_of(j.length, settings.limits);
    ++study.class_jobs[c];
    study.class_mean[c] += j.length;
  }
  for (std::size_t c = 0; c < study.class_mean.size(); ++c) {
    if (study.class_jobs[c] > 0) study.class_mean[c] /= study.class_jobs[c];
  }
  return study;
}

}  // namespace gramwatt::plan
