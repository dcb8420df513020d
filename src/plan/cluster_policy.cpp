// When each job of a trace would run if it were alone.

#include <algorithm>

#include "plan/cluster_job.hpp"

namespace gramwatt::plan {
namespace {

/// Ecovisor and the field's threshold policies look back for days to weeks; two weeks hold each weekday twice.
constexpr Second kPast = Second{14} * 86'400;

/// How many of the values in a window are at most the r-th value: a tree of counts over ranks (Fenwick), so that a window may
/// slide over a year of five-minute slots in the time of one sort.
class SlidingRanks {
 public:
  explicit SlidingRanks(std::size_t ranks) : counts_(ranks + 1) {
    while (2 * top_ <= ranks) top_ *= 2;
  }
  void add(std::size_t rank, int by) {
    for (std::size_t i = rank + 1; i < counts_.size(); i += i & (~i + 1)) counts_[i] += by;
  }
  /// Rank of the n-th smallest, n from 1.
  [[nodiscard]] std::size_t nth(int n) const {
    std::size_t at = 0;
    for (std::size_t step = top_; step > 0; step /= 2) {
      if (at + step < counts_.size() && counts_[at + step] < n) {
        at += step;
        n -= counts_[at];
      }
    }
    return at;
  }

 private:
  std::vector<int> counts_;
  std::size_t top_ = 1;
};

/// Which slots are clean by what was known when they began, and how far the next clean and the next dirty one are.
class Threshold {
 public:
  Threshold(const IntensityRing& ring, int percentile) : ring_(ring) {
    const std::size_t n = ring.slots();
    const auto past = std::clamp<std::size_t>(static_cast<std::size_t>(kPast / ring.slot()), 1, n);
    const int rank = std::max(1, static_cast<int>((past * static_cast<std::size_t>(percentile) + 99) / 100));  // nearest rank
    std::vector<MilligramsPerKwh> values;
    for (std::size_t i = 0; i < n; ++i) values.push_back(ring.of_slot(static_cast<std::int64_t>(i)));
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    const auto rank_of = [&](std::size_t slot) {
      const MilligramsPerKwh c = ring.of_slot(static_cast<std::int64_t>(slot % n));
      return static_cast<std::size_t>(std::lower_bound(values.begin(), values.end(), c) - values.begin());
    };
    SlidingRanks window(values.size());
    for (std::size_t i = n - past; i < n; ++i) window.add(rank_of(i), 1);
    std::vector<bool> clean(n);
    for (std::size_t i = 0; i < n; ++i) {
      clean[i] = rank_of(i) <= window.nth(rank);
      window.add(rank_of(i + n - past), -1);
      window.add(rank_of(i), 1);
    }
    to_clean_.assign(n, -1);
    to_dirty_.assign(n, -1);
    std::int64_t to_clean = -1, to_dirty = -1;  // -1: there is none
    for (std::size_t i = 2 * n; i-- > 0;) {
      const bool is = clean[i % n];
      to_clean = is ? 0 : to_clean < 0 ? -1 : to_clean + 1;
      to_dirty = !is ? 0 : to_dirty < 0 ? -1 : to_dirty + 1;
      to_clean_[i % n] = to_clean;
      to_dirty_[i % n] = to_dirty;
    }
  }

  /// The first clean moment from t on, kNoEnd where there is none; and the first that is not.
  [[nodiscard]] Second clean_from(Second t) const { return from(t, to_clean_); }
  [[nodiscard]] Second dirty_from(Second t) const { return from(t, to_dirty_); }

 private:
  [[nodiscard]] Second from(Second t, const std::vector<std::int64_t>& distance) const {
    const std::int64_t slot = t / ring_.slot();
    const std::int64_t d = distance[static_cast<std::size_t>(slot) % distance.size()];
    return d < 0 ? kNoEnd : d == 0 ? t : (slot + d) * ring_.slot();
  }

  const IntensityRing& ring_;
  std::vector<std::int64_t> to_clean_, to_dirty_;
};

void run_below(const Threshold& threshold, Second from, Second wait, Second length, std::vector<Stretch>& runs) {
  runs.clear();
  for (Second t = from; length > 0;) {
    const Second clean = threshold.clean_from(t);
    if (clean == kNoEnd || clean - t >= wait) {  // the limit comes first
      t += wait;
      if (!runs.empty() && runs.back().end == t) runs.back().end = t + length;
      else runs.push_back({t, t + length});
      return;
    }
    wait -= clean - t;
    const Second end = std::min(clean + length, threshold.dirty_from(clean));
    runs.push_back({clean, end});
    length -= end - clean;
    t = end;
  }
}

std::vector<Second> mean_lengths(std::span<const TracedJob> jobs, const std::vector<WaitingLimit>& limits) {
  std::vector<Second> sum(limits.size()), count(limits.size());
  for (const TracedJob& j : jobs) {
    sum[class_of(j.length, limits)] += j.length;
    ++count[class_of(j.length, limits)];
  }
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = count[i] > 0 ? (sum[i] + count[i] / 2) / count[i] : 0;
  return sum;
}

}  // namespace

Second cleanest_start(const IntensityRing& ring, Second from, Second wait, Second length) {
  const Second slot = ring.slot();
  Second best = from;
  CpuCost least = ring.between(from, from + length);
  // What a start weighs falls by the intensity that it leaves behind and grows by the one that its end meets: from border to
  // border one addition each.
  Second start = from;
  CpuCost cost = least;
  std::int64_t head = from / slot, tail = (from + length) / slot;
  Second head_left = slot - from % slot, tail_left = slot - (from + length) % slot;
  for (Second left = wait; left > 0;) {
    const Second step = std::min({left, head_left, tail_left});
    cost += step * (CpuCost{ring.of_slot(tail)} - ring.of_slot(head));
    start += step;
    left -= step;
    if (head_left -= step; head_left == 0) ++head, head_left = slot;
    if (tail_left -= step; tail_left == 0) ++tail, tail_left = slot;
    if (cost < least) least = cost, best = start;
  }
  return best;
}

Timetable timetable(std::span<const TracedJob> jobs, const IntensityRing& ring, ClusterPolicy policy,
                    const ClusterSettings& settings) {
  using enum ClusterPolicy;
  Timetable out;
  out.first.reserve(jobs.size() + 1);
  out.runs.reserve(jobs.size());
  std::optional<Threshold> threshold;
  if (policy == threshold_start || policy == threshold_pause) threshold.emplace(ring, settings.percentile);
  const std::vector<Second> means = mean_lengths(jobs, settings.limits);
  Pauser pauser(ring);
  std::vector<Stretch> runs;
  const auto once = [&](Second start, Second length) { out.runs.push_back({start, start + length}); };
  for (const TracedJob& j : jobs) {
    const std::size_t c = class_of(j.length, settings.limits);
    const Second wait = settings.limits[c].wait;
    switch (policy) {
      case run_now: once(j.arrival, j.length); break;
      case flexible_start: once(cleanest_start(ring, j.arrival, wait, j.length), j.length); break;
      case flexible_start_mean: once(cleanest_start(ring, j.arrival, wait, means[c]), j.length); break;
      case threshold_start: {
        const Second clean = threshold->clean_from(j.arrival);
        once(clean == kNoEnd ? j.arrival + wait : std::min(clean, j.arrival + wait), j.length);
        break;
      }
      case pause_resume: {
        const auto& r = pauser.cleanest(j.arrival, wait, j.length);
        out.runs.insert(out.runs.end(), r.begin(), r.end());
        break;
      }
      case exact_pause: {
        const auto& r = pauser.charged(j.arrival, wait, j.length, settings.restart);
        out.runs.insert(out.runs.end(), r.begin(), r.end());
        break;
      }
      case threshold_pause:
        run_below(*threshold, j.arrival, wait, j.length, runs);
        out.runs.insert(out.runs.end(), runs.begin(), runs.end());
        break;
    }
    out.first.push_back(out.runs.size());
  }
  return out;
}

}  // namespace gramwatt::plan
