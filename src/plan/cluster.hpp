#pragma once
// A cluster's year of jobs under one policy after the other: what a policy would save, and what its users would wait for it.
//
// One job that waits for clean power is a plan; a hundred thousand are a policy, and its price is not in any one plan: who may
// wait how long, how much of a saving a queue takes back, what idle CPUs draw meanwhile, how many CPUs a cluster needs at once
// when everybody starts in the same clean hour. So each policy is tried on the same jobs twice:
//   elastic    as many CPUs as are asked for; a CPU draws power only while it is used (a cloud, seen from its user);
//   fixed      N CPUs; those that are idle draw a share of full power, all the time (an own cluster).
//
// Steps, each a pure function: `timetable` (when would each job run if it were alone?), `queue` (what becomes of it on N CPUs),
// `weigh` (carbon, waiting, restarts). Everything in whole seconds and whole mg/kWh.
//
// Waiting limits go by class: a job belongs to the first class that its length fits in, as users choose a queue by the longest
// time that it allows (the way of GAIA: Hanafy et al., ASPLOS 2024). Waiting = finish − arrival − length, so pauses count. On
// the elastic cluster no job waits longer than its limit; on the fixed one the queue may add to it, and how often is told.
//
// The year is a circle: a job that reaches beyond the end of the series meets its beginning; so does what lies before its
// start, for the threshold's past.
//
// Thread safety: pure functions.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/ring.hpp"
#include "plan/trace.hpp"

namespace gramwatt::plan {

enum class ClusterPolicy {
  run_now,
  flexible_start,       ///< the lowest-carbon start for the job's own length, foreseen exactly
  flexible_start_mean,  ///< the same for the mean length of the job's class, as nobody knows its own (GAIA)
  pause_resume,         ///< in the cleanest seconds of arrival … arrival + limit + length (the published pause-and-resume)
  exact_pause,          ///< the least with each restart charged, planned in whole slots and mended to the second
  threshold_start,  ///< without forecast: start once intensity is below a quantile of the last 14 days, at latest at the limit
  threshold_pause,  ///< the same, pausing whenever it is above, until the pauses have used up the limit
};
[[nodiscard]] std::string_view to_string(ClusterPolicy policy);
/// May a job under it run in several pieces?
[[nodiscard]] bool pauses(ClusterPolicy policy);

/// Jobs of at most `up_to` may wait for `wait`.
struct WaitingLimit {
  Second up_to = 0, wait = 0;
  friend bool operator==(const WaitingLimit&, const WaitingLimit&) = default;
};
/// "2h:6h,24h:24h,inf:48h": jobs of up to 2 h may wait 6 h, those of up to 24 h 24 h, all longer ones 48 h. Ascending; the last
/// class must be inf.
[[nodiscard]] Result<std::vector<WaitingLimit>> parse_waiting_limits(std::string_view text);
inline constexpr Second kNoEnd = INT64_MAX;

struct ClusterSettings {
  std::vector<WaitingLimit> limits{{7200, 21600}, {86400, 86400}, {kNoEnd, 172800}};
  Second restart = 600;              ///< a restart costs as much energy as this time at full power
  int percentile = 30;               ///< of the threshold, 1 to 99 (Ecovisor's, ASPLOS 2023, is the 30th)
  std::optional<std::int32_t> cpus;  ///< of the fixed cluster; nothing: `default_cpus`
  int idle_thousandths = 300;        ///< what an idle CPU of the fixed cluster draws, of its full power
};

/// Half-open, in seconds since the start of the trace.
struct Stretch {
  Second begin = 0, end = 0;
  friend bool operator==(const Stretch&, const Stretch&) = default;
};

/// When each job runs: job i in runs[first[i]] … runs[first[i + 1] − 1], ascending, never touching.
struct Timetable {
  std::vector<Stretch> runs;
  std::vector<std::size_t> first{0};

  [[nodiscard]] std::size_t jobs() const { return first.size() - 1; }
  [[nodiscard]] std::span<const Stretch> of(std::size_t job) const {
    return {runs.data() + first[job], first[job + 1] - first[job]};
  }
};

/// Index of the class of a length; `limits` end with kNoEnd.
[[nodiscard]] std::size_t class_of(Second length, const std::vector<WaitingLimit>& limits);

/// When each job would run with no other job in its way.
[[nodiscard]] Timetable timetable(std::span<const TracedJob> jobs, const IntensityRing& ring, ClusterPolicy policy,
                                  const ClusterSettings& settings);

/// What becomes of it on `cpus` CPUs, at least as many as the largest job has. Each piece asks for its CPUs when its time has
/// come. First come, first served, with backfilling that surprises nobody: the first in the queue has its start fixed, and
/// smaller ones behind it go ahead only where they do not move it (EASY: Lifka 1995). A job that runs late past the planned
/// start of its next piece goes on without pause.
[[nodiscard]] Timetable queue(std::span<const TracedJob> jobs, const Timetable& planned, std::int32_t cpus);

/// 70 % of these CPUs would be busy on average, run now; at least as many as the largest job has.
[[nodiscard]] std::int32_t default_cpus(std::span<const TracedJob> jobs);

/// What a timetable costs and makes wait.
struct ClusterAccount {
  ClusterPolicy policy = ClusterPolicy::run_now;
  Second restart = 0;                                                    ///< that was charged
  CpuCost work = 0, restarting = 0, idle = 0;                            ///< carbon
  std::int64_t work_seconds = 0, restart_seconds = 0, idle_seconds = 0;  ///< CPU-seconds, idle ones at full-power equivalents
  Second mean_wait = 0, median_wait = 0, p95_wait = 0, longest_wait = 0;
  std::int64_t restarts = 0, beyond_limit = 0;
  std::int64_t most_cpus = 0;  ///< in use at once
  Second end = 0;              ///< the last finish

  [[nodiscard]] CpuCost carbon() const { return work + restarting + idle; }
  [[nodiscard]] std::int64_t cpu_seconds() const { return work_seconds + restart_seconds + idle_seconds; }
};
[[nodiscard]] ClusterAccount weigh(std::span<const TracedJob> jobs, const Timetable& done, const IntensityRing& ring,
                                   const ClusterSettings& settings, Second restart);

struct ClusterStudy {
  std::vector<ClusterAccount> elastic, fixed;  ///< the same policies in the same order, run-now first
  std::int32_t cpus = 0;                       ///< of the fixed cluster
  Second begin = 0, end = 0;                   ///< first arrival; last finish under any policy: idle CPUs are charged between
  std::vector<std::int64_t> class_jobs;        ///< by class
  std::vector<Second> class_mean;              ///< mean length by class, 0 where it is empty
};
/// Every policy on both clusters. Kind usage: a cluster that is smaller than a job, sums that do not fit.
[[nodiscard]] Result<ClusterStudy> study_cluster(std::span<const TracedJob> jobs, const IntensityRing& ring,
                                                 const ClusterSettings& settings);

}  // namespace gramwatt::plan
