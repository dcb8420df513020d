// Pausing with foresight, for one job of a trace.
//
// Free pauses: take the cleanest slots until they add up to the job (the published pause-and-resume). Paid ones: the exact
// answer is a dynamic program over (slot, progress), which 100,000 jobs cannot afford in seconds. So the tie between slots,
// "together they must add up to the length", is given a price: each second run is paid λ, the job runs where it likes, and that
// is a walk over slots with three states (not started, running, paused) in linear time. The higher λ, the longer it runs;
// bisection finds the λ at which it passes the length. The walks just below and just above are lengthened or shortened at the
// borders of their runs, where no restart is added, until they fit. Between the two lies what a price cannot reach (the cost of
// a length is not convex once restarts cost), so the answer is no proof of the optimum; tests hold it against the exact one.

#include <algorithm>
#include <limits>

#include "plan/cluster_job.hpp"

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

/// The seconds that it runs when each is paid `price`.
Second Pauser::relaxed(std::int64_t price, Second restart, std::vector<Stretch>& runs) {
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max() / 4;
  // What was before the running, and before the pause: bits of came_.
  enum : std::uint8_t { from_start = 1, from_pause = 2, pause_from_run = 4 };
  std::int64_t running = kNever, paused = kNever;
  came_.resize(pieces_.size());
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& p = pieces_[i];
    std::int64_t best = running;
    std::uint8_t came = 0;
    if (const std::int64_t again = paused + restart * p.intensity; again < best) best = again, came = from_pause;
    if (0 < best) best = 0, came = from_start;
    const std::int64_t now = best + (p.end - p.begin) * (p.intensity - price);
    if (running < paused) paused = running, came |= pause_from_run;  // the pause begins with this piece
    running = now;
    came_[i] = came;
  }
  runs.clear();
  if (std::min(running, paused) >= 0) return 0;
  bool runs_now = running <= paused;
  Second sum = 0;
  for (std::size_t i = pieces_.size(); i-- > 0;) {
    const std::uint8_t came = came_[i];
    if (!runs_now) {
      runs_now = (came & pause_from_run) != 0;
      continue;
    }
    if (!runs.empty() && runs.back().begin == pieces_[i].end) runs.back().begin = pieces_[i].begin;
    else runs.push_back({pieces_[i].begin, pieces_[i].end});
    sum += pieces_[i].end - pieces_[i].begin;
    if ((came & from_start) != 0) break;
    if ((came & from_pause) != 0) runs_now = false;
  }
  std::reverse(runs.begin(), runs.end());
  return sum;
}

/// At the cleanest borders.
void Pauser::lengthen(std::vector<Stretch>& runs, Second by) const {
  const Second begin = pieces_.front().begin, end = pieces_.back().end;
  while (by > 0) {
    std::size_t at = 0;
    bool ahead = false;
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (const Second to = i + 1 < runs.size() ? runs[i + 1].begin : end; runs[i].end < to && ring_.at(runs[i].end) < least)
        least = ring_.at(runs[i].end), at = i, ahead = true;
      if (const Second to = i > 0 ? runs[i - 1].end : begin; runs[i].begin > to && ring_.at(runs[i].begin - 1) < least)
        least = ring_.at(runs[i].begin - 1), at = i, ahead = false;
    }
    Stretch& r = runs[at];
    if (ahead) {
      const Second to = at + 1 < runs.size() ? runs[at + 1].begin : end;
      const Second step = std::min({by, to - r.end, ring_.slot() - r.end % ring_.slot()});
      r.end += step;
      by -= step;
    } else {
      const Second to = at > 0 ? runs[at - 1].end : begin;
      const Second step = std::min({by, r.begin - to, (r.begin - 1) % ring_.slot() + 1});
      r.begin -= step;
      by -= step;
    }
    if (at + 1 < runs.size() && runs[at].end == runs[at + 1].begin) {
      runs[at].end = runs[at + 1].end;
      runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    } else if (at > 0 && runs[at - 1].end == runs[at].begin) {
      runs[at - 1].end = runs[at].end;
      runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
}

/// At the dirtiest borders; a run that is short enough to vanish saves its restart too.
void Pauser::shorten(std::vector<Stretch>& runs, Second by, Second restart) const {
  while (by > 0) {
    std::size_t at = 0;
    bool ahead = false;
    std::int64_t most = std::numeric_limits<std::int64_t>::min();
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const Second length = runs[i].end - runs[i].begin;
      const Second gone = std::min(by, length);
      // By the second, so that pieces of different length compare.
      const std::int64_t bonus = gone == length && runs.size() > 1 ? restart * ring_.at(runs[i].begin) / length : 0;
      if (const std::int64_t worth = ring_.at(runs[i].end - 1) + bonus; worth > most) most = worth, at = i, ahead = true;
      if (const std::int64_t worth = ring_.at(runs[i].begin) + bonus; worth > most) most = worth, at = i, ahead = false;
    }
    Stretch& r = runs[at];
    const Second length = r.end - r.begin;
    if (ahead) {
      const Second step = std::min({by, length, (r.end - 1) % ring_.slot() + 1});
      r.end -= step;
      by -= step;
    } else {
      const Second step = std::min({by, length, ring_.slot() - r.begin % ring_.slot()});
      r.begin += step;
      by -= step;
    }
    if (r.begin == r.end) runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

const std::vector<Stretch>& Pauser::priced(Second from, Second wait, Second length, Second restart) {
  best_ = cleanest(from, wait, length);  // cuts the window, too
  if (best_.size() <= 1) return best_;   // no restart: nothing weighs less
  CpuCost least = cost_of(ring_, best_, restart);
  const auto try_this = [&](const std::vector<Stretch>& runs) {
    if (const CpuCost cost = cost_of(ring_, runs, restart); cost < least) least = cost, best_ = runs;
  };
  const Second start = cleanest_start(ring_, from, wait, length);
  try_this({{start, start + length}});
  const auto [low, high] = std::minmax_element(pieces_.begin(), pieces_.end(),
                                               [](const Piece& a, const Piece& b) { return a.intensity < b.intensity; });
  std::int64_t under = low->intensity, over = std::int64_t{high->intensity} + 1;  // runs nowhere; runs everywhere
  Second ran_under = 0, ran_over = wait + length;
  below_.clear();
  above_.assign(1, {from, from + wait + length});
  while (over - under > 1 && ran_over != length) {
    const std::int64_t price = (under + over) / 2;
    const Second ran = relaxed(price, restart, runs_);
    if (ran < length) {
      under = price;
      ran_under = ran;
      below_.swap(runs_);
    } else {
      over = price;
      ran_over = ran;
      above_.swap(runs_);
    }
  }
  if (ran_under > 0) {
    lengthen(below_, length - ran_under);
    try_this(below_);
  }
  shorten(above_, ran_over - length, restart);
  try_this(above_);
  return best_;
}

}  // namespace gramwatt::plan
