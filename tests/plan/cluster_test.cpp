// Laws of a cluster's year, each held against the slow and obvious way of doing the same.

#include "plan/cluster.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <list>
#include <map>
#include <numeric>

#include "plan/cluster_job.hpp"

namespace gramwatt::plan {
namespace {

using enum ClusterPolicy;
constexpr std::array kPolicies{run_now,     flexible_start,  flexible_start_mean, pause_resume,
                               exact_pause, threshold_start, threshold_pause};

IntensityRing ring_of(std::vector<MilligramsPerKwh> values, std::int64_t slot = 60) {
  return *IntensityRing::make({Nanoseconds{0}, std::chrono::seconds(slot), std::move(values)});
}

/// A short year of a few distinct values (so that ties are common), jobs that arrive all over it, and limits.
struct World {
  IntensityRing ring = ring_of({1});
  std::vector<TracedJob> jobs;
  ClusterSettings settings;
};

World world() {
  World w;
  w.ring = ring_of(*rc::gen::nonEmpty(rc::gen::container<std::vector<MilligramsPerKwh>>(rc::gen::inRange(0, 7))),
                   *rc::gen::inRange(1, 9));
  const Second period = w.ring.period();
  const int n = *rc::gen::inRange(1, 30);
  for (int i = 0; i < n; ++i)
    w.jobs.push_back({*rc::gen::inRange<Second>(0, period), *rc::gen::inRange<Second>(1, 40), *rc::gen::inRange(1, 6)});
  std::stable_sort(w.jobs.begin(), w.jobs.end(), [](const auto& a, const auto& b) { return a.arrival < b.arrival; });
  w.settings.limits = {{10, *rc::gen::inRange<Second>(0, 60)}, {kNoEnd, *rc::gen::inRange<Second>(0, 90)}};
  w.settings.restart = *rc::gen::inRange<Second>(0, 30);
  w.settings.percentile = *rc::gen::inRange(1, 100);
  w.settings.cpus = *rc::gen::inRange(5, 12);
  return w;
}

Second limit(const World& w, const TracedJob& j) { return w.settings.limits[class_of(j.length, w.settings.limits)].wait; }

RC_GTEST_PROP(Cluster, WorkIsDoneOnceWithinTheLimitWithoutAQueue, ()) {
  const World w = world();
  const ClusterPolicy policy = *rc::gen::elementOf(kPolicies);
  const Timetable t = timetable(w.jobs, w.ring, policy, w.settings);
  RC_ASSERT(t.jobs() == w.jobs.size());
  for (std::size_t j = 0; j < w.jobs.size(); ++j) {
    const auto runs = t.of(j);
    Second sum = 0;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      RC_ASSERT(runs[i].begin < runs[i].end);
      if (i > 0) RC_ASSERT(runs[i - 1].end < runs[i].begin);
      sum += runs[i].end - runs[i].begin;
    }
    RC_ASSERT(sum == w.jobs[j].length);
    RC_ASSERT(runs.front().begin >= w.jobs[j].arrival);
    RC_ASSERT(runs.back().end <= w.jobs[j].arrival + limit(w, w.jobs[j]) + w.jobs[j].length);
    if (!pauses(policy)) RC_ASSERT(runs.size() == 1U);
  }
  const ClusterAccount a = weigh(w.jobs, t, w.ring, w.settings, w.settings.restart);
  RC_ASSERT(a.beyond_limit == 0);
  RC_ASSERT(a.longest_wait <= std::max(w.settings.limits[0].wait, w.settings.limits[1].wait));
}

RC_GTEST_PROP(Cluster, WithoutAWaitEveryPolicyRunsNow, ()) {
  World w = world();
  for (WaitingLimit& l : w.settings.limits) l.wait = 0;
  const Timetable now = timetable(w.jobs, w.ring, run_now, w.settings);
  for (const ClusterPolicy policy : kPolicies) RC_ASSERT(timetable(w.jobs, w.ring, policy, w.settings).runs == now.runs);
}

RC_GTEST_PROP(Cluster, UnderOneIntensityForesightRunsNow, ()) {
  World w = world();
  w.ring = ring_of(std::vector<MilligramsPerKwh>(w.ring.slots(), 5), w.ring.slot());
  const Timetable now = timetable(w.jobs, w.ring, run_now, w.settings);
  for (const ClusterPolicy policy : kPolicies) RC_ASSERT(timetable(w.jobs, w.ring, policy, w.settings).runs == now.runs);
}

RC_GTEST_PROP(Cluster, FlexibleStartIsTheBestOfAllSeconds, ()) {
  const World w = world();
  for (const TracedJob& j : w.jobs) {
    const Second wait = limit(w, j);
    const Second start = cleanest_start(w.ring, j.arrival, wait, j.length);
    Second best = j.arrival;
    for (Second s = j.arrival; s <= j.arrival + wait; ++s) {
      if (w.ring.between(s, s + j.length) < w.ring.between(best, best + j.length)) best = s;
    }
    RC_ASSERT(start == best);
  }
}

RC_GTEST_PROP(Cluster, FreePausesTakeTheCleanestSeconds, ()) {
  const World w = world();
  Pauser pauser(w.ring);
  for (const TracedJob& j : w.jobs) {
    std::vector<std::int64_t> seconds;
    for (Second s = j.arrival; s < j.arrival + limit(w, j) + j.length; ++s) seconds.push_back(w.ring.at(s));
    std::sort(seconds.begin(), seconds.end());
    const CpuCost least = std::accumulate(seconds.begin(), seconds.begin() + j.length, std::int64_t{0});
    RC_ASSERT(cost_of(w.ring, pauser.cleanest(j.arrival, limit(w, j), j.length), 0) == least);
    RC_ASSERT(cost_of(w.ring, pauser.charged(j.arrival, limit(w, j), j.length, 0), 0) == least);
  }
}

RC_GTEST_PROP(Cluster, ChargedPausesAreNeverWorseThanFreeOnesOrNone, ()) {
  const World w = world();
  Pauser pauser(w.ring);
  for (const TracedJob& j : w.jobs) {
    const Second wait = limit(w, j), restart = w.settings.restart, start = cleanest_start(w.ring, j.arrival, wait, j.length);
    const CpuCost free = cost_of(w.ring, pauser.cleanest(j.arrival, wait, j.length), restart);
    const CpuCost charged = cost_of(w.ring, pauser.charged(j.arrival, wait, j.length, restart), restart);
    RC_ASSERT(charged <= free);
    RC_ASSERT(charged <= w.ring.between(start, start + j.length));
    RC_ASSERT(start >= j.arrival);
  }
}

/// Every choice of pieces of `step` seconds of the window.
CpuCost exact_cost(const IntensityRing& ring, Second from, Second step, int pieces, int length, Second restart) {
  CpuCost least = INT64_MAX;
  for (unsigned mask = 0; mask < 1U << static_cast<unsigned>(pieces); ++mask) {
    if (std::popcount(mask) != length) continue;
    std::vector<Stretch> runs;
    for (int i = 0; i < pieces; ++i) {
      if ((mask >> static_cast<unsigned>(i) & 1U) == 0) continue;
      const Second begin = from + i * step;
      if (!runs.empty() && runs.back().end == begin) runs.back().end += step;
      else runs.push_back({begin, begin + step});
    }
    least = std::min(least, cost_of(ring, runs, restart));
  }
  return least;
}

RC_GTEST_PROP(Cluster, ChargedPausesAreTheBestOfAllInWholeSlots, ()) {
  const auto values = *rc::gen::container<std::vector<MilligramsPerKwh>>(12, rc::gen::inRange(0, 100));
  const Second slot = *rc::gen::inRange<Second>(1, 20), restart = *rc::gen::inRange<Second>(0, 3 * slot);
  const int length = *rc::gen::inRange(1, 12);
  const IntensityRing ring = ring_of(values, slot);
  Pauser pauser(ring);
  const CpuCost ours = cost_of(ring, pauser.charged(0, (12 - length) * slot, length * slot, restart), restart);
  const CpuCost best = exact_cost(ring, 0, slot, 12, length, restart);
  RC_ASSERT(ours <= best);  // a start inside of a slot may weigh less still
  if (slot == 1) RC_ASSERT(ours == best);
}

TEST(Cluster, MendingStopsWhereARestartWouldBecomeDearer) {
  // Leaving the 50 for the 45 behind the end saves 5 a second, and lets the restart fall into the 60.
  const IntensityRing ring = ring_of({1, 1, 500, 50, 60, 10, 45}, 10);
  Pauser pauser(ring);
  EXPECT_EQ(pauser.charged(0, 20, 50, 20), (std::vector<Stretch>{{0, 20}, {30, 60}}));
}

TEST(Cluster, ChargedPausesAreNearTheBestOfAllToTheSecond) {
  std::uint32_t seed = 7;
  const auto next = [&](std::uint32_t below) { return (seed = seed * 1664525U + 1013904223U) / 65536U * below / 65536U; };
  CpuCost charged = 0, best = 0, free = 0;
  for (int i = 0; i < 400; ++i) {
    std::vector<MilligramsPerKwh> values;
    for (int s = 0; s < 5; ++s) values.push_back(static_cast<MilligramsPerKwh>(100 + next(500)));
    const IntensityRing ring = ring_of(values, 3);
    const Second from = next(15);
    const int length = 2 + static_cast<int>(next(8));
    const Second restart = next(4);
    Pauser pauser(ring);
    best += exact_cost(ring, from, 1, 14, length, restart);
    charged += cost_of(ring, pauser.charged(from, 14 - length, length, restart), restart);
    free += cost_of(ring, pauser.cleanest(from, 14 - length, length), restart);
  }
  EXPECT_GE(charged, best);
  EXPECT_LT(charged - best, best / 100) << "charged " << charged << ", free " << free << ", best " << best;
  EXPECT_GT(free - best, best / 50);
}

/// Second by second.
Second threshold_start_of(const World& w, const TracedJob& j) {
  const auto n = static_cast<std::int64_t>(w.ring.slots());
  const auto past = std::clamp<std::int64_t>(14 * 86400 / w.ring.slot(), 1, n);
  for (Second t = j.arrival; t < j.arrival + limit(w, j); ++t) {
    std::vector<MilligramsPerKwh> before;
    for (std::int64_t i = 1; i <= past; ++i) before.push_back(w.ring.of_slot(t / w.ring.slot() + 2 * n - i));
    std::sort(before.begin(), before.end());
    const auto rank = static_cast<std::size_t>(std::max<std::int64_t>(1, (past * w.settings.percentile + 99) / 100));
    if (w.ring.at(t) <= before[rank - 1]) return t;
  }
  return j.arrival + limit(w, j);
}

RC_GTEST_PROP(Cluster, TheThresholdKnowsThePastOnly, ()) {
  const World w = world();
  const Timetable starts = timetable(w.jobs, w.ring, threshold_start, w.settings);
  const Timetable pausing = timetable(w.jobs, w.ring, threshold_pause, w.settings);
  for (std::size_t j = 0; j < w.jobs.size(); ++j) {
    const Second start = threshold_start_of(w, w.jobs[j]);
    RC_ASSERT(starts.of(j).front().begin == start);
    RC_ASSERT(pausing.of(j).front().begin == start);
  }
}

/// The same queue with lists, walked whole.
Timetable slow_queue(const std::vector<TracedJob>& jobs, const Timetable& planned, std::int64_t free) {
  std::vector<std::vector<Stretch>> done(jobs.size());
  std::vector<std::size_t> piece(jobs.size());
  std::multimap<Second, std::size_t> comes;
  std::map<std::size_t, Second> runs_until;
  std::list<std::size_t> line;
  for (std::size_t j = 0; j < jobs.size(); ++j) comes.emplace(planned.of(j).front().begin, j);
  const auto end_from = [&](std::size_t j, Second t, std::size_t& i) {
    for (i = piece[j]; i < planned.of(j).size() && (i == piece[j] || planned.of(j)[i].begin <= t); ++i)
      t += planned.of(j)[i].end - planned.of(j)[i].begin;
    return t;
  };
  const auto start = [&](std::size_t j, Second t) {
    std::size_t next = 0;
    const Second end = end_from(j, t, next);
    done[j].push_back({t, end});
    piece[j] = next;
    runs_until[j] = end;
    free -= jobs[j].cpus;
  };
  for (Second t = 0; !comes.empty() || !line.empty() || !runs_until.empty(); ++t) {
    for (std::size_t j = 0; j < jobs.size(); ++j) {
      if (!runs_until.contains(j) || runs_until[j] != t) continue;
      runs_until.erase(j);
      free += jobs[j].cpus;
      if (piece[j] < planned.of(j).size()) comes.emplace(planned.of(j)[piece[j]].begin, j);
    }
    // First pieces come before those that go on, each in order of the job's number.
    std::vector<std::pair<bool, std::size_t>> now;
    for (auto [it, end] = comes.equal_range(t); it != end; ++it) now.emplace_back(piece[it->second] > 0, it->second);
    comes.erase(t);
    std::sort(now.begin(), now.end());
    for (const auto& [again, j] : now) line.push_back(j);
    while (!line.empty() && jobs[line.front()].cpus <= free) {
      start(line.front(), t);
      line.pop_front();
    }
    if (line.empty()) continue;
    for (auto it = std::next(line.begin()); it != line.end();) {
      // When would the first start: now, and with this one ahead of it?
      const auto first_start = [&](std::int64_t room, std::multimap<Second, std::int64_t> ends) {
        for (const auto& [at, cpus] : ends) {
          if ((room += cpus) >= jobs[line.front()].cpus) return at;
        }
        return kNoEnd;
      };
      std::multimap<Second, std::int64_t> ends;
      for (const auto& [j, end] : runs_until) ends.emplace(end, jobs[j].cpus);
      const Second before = first_start(free, ends);
      std::size_t next = 0;
      ends.emplace(end_from(*it, t, next), jobs[*it].cpus);
      if (jobs[*it].cpus <= free && first_start(free - jobs[*it].cpus, ends) <= before) {
        start(*it, t);
        it = line.erase(it);
      } else {
        ++it;
      }
    }
  }
  Timetable out;
  for (const auto& d : done) {
    out.runs.insert(out.runs.end(), d.begin(), d.end());
    out.first.push_back(out.runs.size());
  }
  return out;
}

RC_GTEST_PROP(Cluster, TheQueueIsTheSlowQueue, ()) {
  const World w = world();
  const Timetable planned = timetable(w.jobs, w.ring, *rc::gen::elementOf(kPolicies), w.settings);
  const Timetable fast = queue(w.jobs, planned, *w.settings.cpus);
  const Timetable slow = slow_queue(w.jobs, planned, *w.settings.cpus);
  RC_ASSERT(fast.first == slow.first);
  RC_ASSERT(fast.runs == slow.runs);
}

RC_GTEST_PROP(Cluster, TheQueueDoesTheWorkAndHasNoMoreCpusThanThereAre, ()) {
  const World w = world();
  const Timetable planned = timetable(w.jobs, w.ring, *rc::gen::elementOf(kPolicies), w.settings);
  const Timetable done = queue(w.jobs, planned, *w.settings.cpus);
  std::map<Second, std::int64_t> use;
  for (std::size_t j = 0; j < w.jobs.size(); ++j) {
    Second sum = 0;
    RC_ASSERT(done.of(j).front().begin >= planned.of(j).front().begin);
    RC_ASSERT(done.of(j).size() <= planned.of(j).size());
    for (const Stretch& s : done.of(j)) {
      sum += s.end - s.begin;
      use[s.begin] += w.jobs[j].cpus;
      use[s.end] -= w.jobs[j].cpus;
    }
    RC_ASSERT(sum == w.jobs[j].length);
  }
  std::int64_t now = 0, most = 0;
  for (const auto& [t, change] : use) most = std::max(most, now += change);
  RC_ASSERT(most <= *w.settings.cpus);
  RC_ASSERT(weigh(w.jobs, done, w.ring, w.settings, 0).most_cpus == most);
}

RC_GTEST_PROP(Cluster, WithCpusForAllNobodyQueues, ()) {
  const World w = world();
  const Timetable planned = timetable(w.jobs, w.ring, *rc::gen::elementOf(kPolicies), w.settings);
  RC_ASSERT(queue(w.jobs, planned, 1000).runs == planned.runs);
}

RC_GTEST_PROP(Cluster, AStudyIsConsistent, ()) {
  const World w = world();
  const auto study = study_cluster(w.jobs, w.ring, w.settings);
  RC_ASSERT(study.has_value());
  RC_ASSERT(study->elastic.front().policy == run_now);
  std::int64_t work = 0;
  for (const TracedJob& j : w.jobs) work += j.cpus * j.length;
  for (const auto* accounts : {&study->elastic, &study->fixed}) {
    for (const ClusterAccount& a : *accounts) {
      RC_ASSERT(a.work_seconds == work);
      RC_ASSERT(a.median_wait <= a.p95_wait);
      RC_ASSERT(a.p95_wait <= a.longest_wait);
      RC_ASSERT(a.mean_wait <= a.longest_wait);
      RC_ASSERT(a.end <= study->end);
      if (!pauses(a.policy)) RC_ASSERT(a.restarts == 0);
    }
  }
  for (const ClusterAccount& a : study->elastic) {
    RC_ASSERT(a.idle == 0);
    // With foresight no worse than running now, and pausing for free no worse than that.
    if (a.policy == flexible_start || a.policy == exact_pause) RC_ASSERT(a.carbon() <= study->elastic.front().carbon());
  }
}

TEST(Cluster, IdleCpusDrawTheirShare) {
  const IntensityRing ring = ring_of({1000, 3000}, 3600);
  ClusterSettings s;
  s.limits = {{kNoEnd, 0}};
  s.cpus = 3;
  s.idle_thousandths = 250;
  const auto study = study_cluster(std::vector<TracedJob>{{0, 7200, 2}}, ring, s);
  ASSERT_TRUE(study) << study.error().message();
  const ClusterAccount& a = study->fixed.front();
  EXPECT_EQ(a.work, 2 * 3600 * 4000);
  EXPECT_EQ(a.idle, 3600 * 4000 / 4);
  EXPECT_EQ(a.idle_seconds, 7200 / 4);
}

TEST(Cluster, RestartsAreChargedWhereTheyHappen) {
  const IntensityRing ring = ring_of({1, 9, 2, 9}, 100);
  const std::vector<TracedJob> jobs{{0, 200, 3}};
  ClusterSettings s;
  s.limits = {{kNoEnd, 200}};
  const Timetable t = timetable(jobs, ring, pause_resume, s);
  EXPECT_EQ(t.runs, (std::vector<Stretch>{{0, 100}, {200, 300}}));
  const ClusterAccount a = weigh(jobs, t, ring, s, 10);
  EXPECT_EQ(a.restarts, 1);
  EXPECT_EQ(a.work, 3 * (100 * 1 + 100 * 2));
  EXPECT_EQ(a.restarting, 3 * 10 * 2);
  EXPECT_EQ(a.restart_seconds, 30);
  EXPECT_EQ(a.mean_wait, 100);
}

TEST(Cluster, ALimitOfWaitsIsRead) {
  const auto limits = parse_waiting_limits("2h:6h, 24h:1d,inf:48h");
  ASSERT_TRUE(limits) << limits.error().message();
  EXPECT_EQ(*limits, ClusterSettings{}.limits);
  EXPECT_EQ(class_of(7200, *limits), 0U);
  EXPECT_EQ(class_of(7201, *limits), 1U);
  EXPECT_EQ(class_of(1'000'000, *limits), 2U);
  EXPECT_EQ(parse_waiting_limits("inf:0")->front().wait, 0);
  for (const char* wrong : {"", "2h", "2h:6h", "2h:6h,1h:3h,inf:1h", "inf:1h,2h:1h", "inf:-1h", "inf:1h:1h", "inf:10000d"})
    EXPECT_FALSE(parse_waiting_limits(wrong)) << wrong;
}

TEST(Cluster, AClusterSmallerThanAJobIsRefused) {
  ClusterSettings s;
  s.cpus = 3;
  const auto study = study_cluster(std::vector<TracedJob>{{0, 1, 4}}, ring_of({1}), s);
  ASSERT_FALSE(study);
  EXPECT_THAT(study.error().message(), ::testing::HasSubstr("3 CPUs, but a job has 4"));
  EXPECT_EQ(default_cpus(std::vector<TracedJob>{{0, 1, 4}}), 6);  // 70 % of six are busy
  EXPECT_EQ(default_cpus(std::vector<TracedJob>{{0, 1, 4}, {99, 1, 1}}), 4);
}

}  // namespace
}  // namespace gramwatt::plan
