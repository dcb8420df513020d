// Pausing with foresight, for one job of a trace.
//
// Free pauses: take the cleanest slots until they add up to the job (the published pause-and-resume). Paid ones: the exact plan
// (plan/exact.hpp) over the slots that lie in the window whole. Jobs of a trace begin and end inside of slots, so what is left
// of slots at the ends of the window, and the job's own odd seconds, are mended afterwards: seconds move from the border of a
// run where it is dirtiest to the one where it is cleanest. The cleanest start, which is exact to the second, and the free plan
// are kept where they weigh less: on slots of an hour they often do for short jobs.

#include <algorithm>
#include <limits>

#include "plan/cluster_job.hpp"
#include "plan/exact.hpp"

namespace gramwatt::plan {
namespace {

constexpr std::int64_t kIndexBits = 20;  // of a piece in a window: 100 years of hours, 10 of five minutes

void append(std::vector<Stretch>& runs, Stretch s) {
  if (!runs.empty() && runs.back().end == s.begin) runs.back().end = s.end;
  else runs.push_back(s);
}

}  // namespace

CpuCost cost_of(const IntensityRing& ring, std::span<const Stretch> runs, Second restart) {
  CpuCost cost = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    cost += ring.between(runs[i].begin, runs[i].end);
    if (i > 0) cost += restart * ring.at(runs[i].begin);
  }
  return cost;
}

void Pauser::cut(Second from, Second end) {
  pieces_.clear();
  std::int64_t slot = from / ring_.slot();
  for (Second t = from; t < end; ++slot) {
    const Second next = std::min(end, (slot + 1) * ring_.slot());
    pieces_.push_back({t, next, ring_.of_slot(slot)});
    t = next;
  }
}

const std::vector<Stretch>& Pauser::cleanest(Second from, Second wait, Second length) {
  cut(from, from + wait + length);
  runs_.clear();
  order_.clear();
  for (std::size_t i = 0; i < pieces_.size(); ++i)
    order_.push_back((std::int64_t{pieces_[i].intensity} << kIndexBits) + static_cast<std::int64_t>(i));
  taken_.assign(pieces_.size(), 0);
  const auto piece = [&](std::int64_t key) { return static_cast<std::size_t>(key & ((1 << kIndexBits) - 1)); };
  // So many whole slots fit for sure; pieces at the ends are shorter, so that a few more may.
  const auto sure = static_cast<std::ptrdiff_t>(length / ring_.slot());
  std::nth_element(order_.begin(), order_.begin() + std::min<std::ptrdiff_t>(sure, std::ssize(order_) - 1), order_.end());
  Second left = length;
  std::size_t last = 0;
  for (auto at = order_.begin(); left > 0; ++at) {
    if (at - order_.begin() >= sure) std::iter_swap(at, std::min_element(at, order_.end()));
    last = piece(*at);
    taken_[last] = 1;
    left -= pieces_[last].end - pieces_[last].begin;
  }
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (taken_[i] == 0) continue;
    Stretch s{pieces_[i].begin, pieces_[i].end};
    // The last one is needed in part only: the part that touches a neighbour.
    const bool follows = i > 0 && taken_[i - 1] != 0, leads = i + 1 < pieces_.size() && taken_[i + 1] != 0;
    if (i == last && left < 0) (leads && !follows ? s.begin : s.end) += leads && !follows ? -left : left;
    append(runs_, s);
  }
  return runs_;
}

bool Pauser::in_whole_slots(Window window, Second length, Second restart) {
  const Second slot = ring_.slot();
  const std::int64_t first = (window.begin + slot - 1) / slot, end = window.end / slot;
  const Second rest = length % slot;
  if (length <= slot || (end - first) * slot < length) return false;
  problem_.intensity.clear();
  for (std::int64_t i = first; i < end; ++i) problem_.intensity.push_back(ring_.of_slot(i));
  problem_.steps.assign(static_cast<std::size_t>(length / slot), static_cast<Quanta>(slot));
  if (rest > 0) problem_.steps.push_back(static_cast<Quanta>(rest));
  problem_.restart_energy = static_cast<Quanta>(restart);
  const auto schedule = exact(problem_);
  if (!schedule) return false;
  runs_.clear();
  for (const Run& r : runs(*schedule)) runs_.push_back({(first + r.begin) * slot, (first + r.end) * slot});
  if (rest > 0) runs_.back().end -= slot - rest;
  return true;
}

namespace {

/// A border of a run, where seconds can be taken away or put to without another restart.
struct Border {
  std::size_t run = 0;
  bool ahead = false;          ///< the run's end, else its begin
  MilligramsPerKwh intensity;  ///< of the next second
  Second seconds = 0;          ///< that are alike
};

/// Where a run could go on in the cleanest second.
Border cleanest_border(const IntensityRing& ring, std::span<const Stretch> runs, Stretch window) {
  Border best{0, false, std::numeric_limits<MilligramsPerKwh>::max(), 0};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Second before = i > 0 ? runs[i - 1].end : window.begin, behind = i + 1 < runs.size() ? runs[i + 1].begin : window.end;
    const Second begin = runs[i].begin, end = runs[i].end;
    if (end < behind && ring.at(end) < best.intensity)
      best = {i, true, ring.at(end), std::min(behind - end, ring.slot() - end % ring.slot())};
    if (begin > before && ring.at(begin - 1) < best.intensity)
      best = {i, false, ring.at(begin - 1), std::min(begin - before, (begin - 1) % ring.slot() + 1)};
  }
  return best;
}

/// Where a run runs in the dirtiest second.
Border dirtiest_border(const IntensityRing& ring, std::span<const Stretch> runs) {
  Border worst{0, false, std::numeric_limits<MilligramsPerKwh>::min(), 0};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Second begin = runs[i].begin, end = runs[i].end;
    if (ring.at(end - 1) > worst.intensity)
      worst = {i, true, ring.at(end - 1), std::min(end - begin, (end - 1) % ring.slot() + 1)};
    if (ring.at(begin) > worst.intensity)
      worst = {i, false, ring.at(begin), std::min(end - begin, ring.slot() - begin % ring.slot())};
  }
  return worst;
}

/// Empty runs go, those that touch become one.
void tidy(std::vector<Stretch>& runs) {
  std::size_t kept = 0;
  for (const Stretch& s : runs) {
    if (s.begin == s.end) continue;
    if (kept > 0 && runs[kept - 1].end == s.begin) runs[kept - 1].end = s.end;
    else runs[kept++] = s;
  }
  runs.resize(kept);
}

}  // namespace

/// Moves seconds from the dirtiest border to the cleanest as long as that helps.
void Pauser::mend(std::vector<Stretch>& runs, Window window, Second restart) const {
  std::vector<Stretch> next;
  for (CpuCost least = cost_of(ring_, runs, restart);;) {
    const Border to = cleanest_border(ring_, runs, window), from = dirtiest_border(ring_, runs);
    if (to.intensity >= from.intensity) return;
    const Second step = std::min(to.seconds, from.seconds);
    next = runs;
    (to.ahead ? next[to.run].end : next[to.run].begin) += to.ahead ? step : -step;
    (from.ahead ? next[from.run].end : next[from.run].begin) -= from.ahead ? step : -step;
    tidy(next);
    const CpuCost cost = cost_of(ring_, next, restart);
    if (cost >= least) return;
    least = cost;
    runs.swap(next);
  }
}

const std::vector<Stretch>& Pauser::charged(Second from, Second wait, Second length, Second restart) {
  best_ = cleanest(from, wait, length);
  if (best_.size() <= 1) return best_;  // no restart: nothing weighs less
  const Window window{from, from + wait + length};
  CpuCost least = cost_of(ring_, best_, restart);
  const auto consider = [&](std::vector<Stretch>& runs) {
    mend(runs, window, restart);
    if (const CpuCost cost = cost_of(ring_, runs, restart); cost < least) least = cost, best_.swap(runs);
  };
  if (in_whole_slots(window, length, restart)) consider(runs_);
  const Second start = cleanest_start(ring_, from, wait, length);
  runs_.assign(1, {start, start + length});
  consider(runs_);
  return best_;
}

}  // namespace gramwatt::plan
