#include "plan/elastic.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>

#include <fmt/format.h>

namespace gramwatt::plan {
namespace {

constexpr Cost kUnreachable = std::numeric_limits<Cost>::max() / 2;
constexpr double kMostCarbon = 0x1p61;
__extension__ using Wide = __int128;  // products of carbon and work
constexpr std::size_t kMostWorkers = 65'535;

std::size_t widths(const ElasticProblem& p) { return p.curve.work.size(); }
Cost cost_at(const ElasticProblem& p, std::size_t slot, std::size_t m) { return Cost{p.curve.energy[m]} * p.intensity[slot]; }

tl::unexpected<Error> usage(std::string what, std::string remedy = {}) {
  return fail(std::move(what), {}, std::move(remedy), Error::Kind::usage);
}

Result<void> check(const ElasticProblem& p) {
  const ScalingCurve& c = p.curve;
  if (c.work.empty() || c.work.size() != c.energy.size() || c.work.size() > kMostWorkers + 1)
    return usage("a scaling curve has work and energy for each number of workers, from none to 65,535");
  if (c.work[0] != 0) return usage("no worker does no work");
  if (p.work < 0) return usage("there is no less work than none");
  double most = 0;
  for (std::size_t m = 0; m < c.work.size(); ++m) {
    if (c.work[m] < 0 || c.energy[m] < 0) return usage(fmt::format("{} workers do or draw less than nothing", m));
    most = std::max(most, static_cast<double>(c.energy[m]));
  }
  double sum = 0;
  for (const MilligramsPerKwh i : p.intensity) sum += std::abs(static_cast<double>(i));
  const auto slots = static_cast<double>(p.intensity.size());
  const Work fastest = *std::max_element(c.work.begin(), c.work.end());
  if (most * sum > kMostCarbon || slots * static_cast<double>(fastest) > kMostCarbon)
    return usage("the numbers are too large to be added", "take larger quanta of energy or work");
  if (const Work possible = fastest * static_cast<Work>(p.intensity.size()); possible < p.work)
    return fail(fmt::format("{} of work is asked for, {} can be done in {} slots", p.work, possible, p.intensity.size()), {},
                "allow more time or more workers", Error::Kind::missing);
  return {};
}

/// One more width on the hull of a slot: what it adds.
struct Step {
  Work work = 0;
  std::int64_t energy = 0;
  std::size_t width = 0;  ///< the number of workers that it leads to
};

/// The lower hull of (work, sign × energy), from the least of those that do no work on: what is worth buying where intensity is
/// positive (sign 1) and where it is negative (sign −1: energy is wanted).
struct Hull {
  std::size_t first = 0;  ///< the width without work
  std::vector<Step> steps;
};

Hull hull_of(const ScalingCurve& curve, std::int64_t sign) {
  std::vector<std::size_t> order(curve.work.size());
  for (std::size_t m = 0; m < order.size(); ++m) order[m] = m;
  const auto drawn = [&](std::size_t m) { return sign * curve.energy[m]; };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return curve.work[a] != curve.work[b] ? curve.work[a] < curve.work[b] : drawn(a) < drawn(b);
  });
  std::vector<std::size_t> hull;
  for (const std::size_t m : order) {
    if (!hull.empty() && curve.work[m] == curve.work[hull.back()]) continue;
    while (hull.size() >= 2) {
      const std::size_t a = hull[hull.size() - 2], b = hull.back();
      // Is b on or above the line from a to m?
      const Wide over_b = Wide{drawn(b) - drawn(a)} * (curve.work[m] - curve.work[a]);
      const Wide over_m = Wide{drawn(m) - drawn(a)} * (curve.work[b] - curve.work[a]);
      if (over_b < over_m) break;
      hull.pop_back();
    }
    hull.push_back(m);
  }
  Hull out{hull.front(), {}};
  for (std::size_t i = 1; i < hull.size(); ++i)
    out.steps.push_back({curve.work[hull[i]] - curve.work[hull[i - 1]],
                         std::int64_t{curve.energy[hull[i]]} - curve.energy[hull[i - 1]], hull[i]});
  return out;
}

/// A piece of a slot's hull: `cost` for `work`.
struct Piece {
  std::size_t slot = 0, order = 0;  ///< on the hull
  std::size_t width = 0;
  Cost cost = 0;
  Work work = 0;
};

/// Cheaper a unit of work; of equals the earlier slot, then in order on the hull (all are equal where nothing is emitted).
bool cheaper(const Piece& a, const Piece& b) {
  const Wide left = Wide{a.cost} * b.work, right = Wide{b.cost} * a.work;
  if (left != right) return left < right;
  return a.slot != b.slot ? a.slot < b.slot : a.order < b.order;
}

/// Another width in one slot.
struct Change {
  std::size_t slot = 0, width = 0;
  Cost cost = 0;
};

/// The one that costs the least, and less than `below`, of those with which the work is done.
std::optional<Change> cheapest_change(const ElasticProblem& p, const std::vector<int>& workers, Work done, Cost below) {
  std::optional<Change> best;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    const auto now = static_cast<std::size_t>(workers[i]);
    for (std::size_t m = 0; m < widths(p); ++m) {
      const Cost cost = cost_at(p, i, m) - cost_at(p, i, now);
      if (cost >= (best ? best->cost : below) || done - p.curve.work[now] + p.curve.work[m] < p.work) continue;
      best = {i, m, cost};
    }
  }
  return best;
}

/// One slot's width for another, as long as the work stays done and carbon falls: the steepest change first.
void mend(const ElasticProblem& p, std::vector<int>& workers, Work done) {
  while (const auto change = cheapest_change(p, workers, done, 0)) {
    done += p.curve.work[change->width] - p.curve.work[static_cast<std::size_t>(workers[change->slot])];
    workers[change->slot] = static_cast<int>(change->width);
  }
}

/// The one change that gets the work done for the least; false where none does.
bool complete(const ElasticProblem& p, std::vector<int>& workers, Work done) {
  const auto change = cheapest_change(p, workers, done, kUnreachable);
  if (change) workers[change->slot] = static_cast<int>(change->width);
  return change.has_value();
}

}  // namespace

Cost weigh(const ElasticProblem& problem, const std::vector<int>& workers) {
  Cost sum = 0;
  for (std::size_t i = 0; i < workers.size(); ++i) sum += cost_at(problem, i, static_cast<std::size_t>(workers[i]));
  return sum;
}

Work work_done(const ElasticProblem& problem, const std::vector<int>& workers) {
  Work sum = 0;
  for (const int m : workers) sum += problem.curve.work[static_cast<std::size_t>(m)];
  return sum;
}

Result<ElasticPlan> elastic_exact(const ElasticProblem& p) {
  if (const auto fine = check(p); !fine) return tl::unexpected(fine.error());
  const auto slots = static_cast<std::int64_t>(p.intensity.size());
  if (p.work >= kMostElasticCells || slots * (p.work + 1) > kMostElasticCells)
    return usage(fmt::format("{} slots of {} quanta of work are too many for an exact plan", slots, p.work),
                 "take larger quanta of work, or the greedy plan, which tells its gap");
  // From the last slot back: the least that `left` still costs from a slot on. The way forward is then one choice a slot.
  const auto states = static_cast<std::size_t>(p.work) + 1;
  std::vector<Cost> least(states, kUnreachable), next(states);
  std::vector<std::uint16_t> chosen(states * p.intensity.size());
  least[0] = 0;
  for (std::size_t i = p.intensity.size(); i-- > 0;) {
    std::fill(next.begin(), next.end(), kUnreachable);
    std::uint16_t* choice = chosen.data() + i * states;
    for (std::size_t m = 0; m < widths(p); ++m) {
      const Cost cost = cost_at(p, i, m);
      const auto work = static_cast<std::size_t>(std::min(p.curve.work[m], p.work));
      const auto better = [&](std::size_t left, std::size_t then) {
        if (least[then] == kUnreachable || least[then] + cost >= next[left]) return;
        next[left] = least[then] + cost;
        choice[left] = static_cast<std::uint16_t>(m);
      };
      for (std::size_t left = 0; left < work; ++left) better(left, 0);
      for (std::size_t left = work; left < states; ++left) better(left, left - work);
    }
    least.swap(next);
  }
  ElasticPlan plan;
  plan.cost = plan.bound = least.back();
  std::size_t left = states - 1;
  for (std::size_t i = 0; i < p.intensity.size(); ++i) {
    const std::uint16_t m = chosen[i * states + left];
    plan.workers.push_back(m);
    left -= std::min(left, static_cast<std::size_t>(p.curve.work[m]));
  }
  return plan;
}

Result<ElasticPlan> elastic_greedy(const ElasticProblem& p) {
  if (const auto fine = check(p); !fine) return tl::unexpected(fine.error());
  const Hull wanted = hull_of(p.curve, 1), unwanted = hull_of(p.curve, -1);
  std::vector<Piece> pieces;
  std::vector<int> workers;
  ElasticPlan plan;
  for (std::size_t i = 0; i < p.intensity.size(); ++i) {
    const Hull& hull = p.intensity[i] < 0 ? unwanted : wanted;
    workers.push_back(static_cast<int>(hull.first));
    plan.bound += cost_at(p, i, hull.first);
    for (std::size_t k = 0; k < hull.steps.size(); ++k) {
      const Step& s = hull.steps[k];
      pieces.push_back({i, k, s.width, s.energy * p.intensity[i], s.work});
    }
  }
  std::sort(pieces.begin(), pieces.end(), cheaper);
  Work done = 0;
  std::vector<int> below;  // without the last piece
  Work done_below = 0;
  for (const Piece& piece : pieces) {
    if (done >= p.work && piece.cost >= 0) break;
    if (done < p.work) below = workers, done_below = done;
    const Work needed = p.work - done;
    // Of the last piece the relaxation buys a part; carbon is whole, so the bound may be rounded up.
    const bool in_part = needed < piece.work && piece.cost > 0;
    const Wide part = Wide{piece.cost} * std::max<Work>(needed, 0);
    plan.bound += in_part ? static_cast<Cost>((part + piece.work - 1) / piece.work) : piece.cost;
    workers[piece.slot] = static_cast<int>(piece.width);
    done += piece.work;
  }
  mend(p, workers, done);
  plan.workers = workers;
  if (!below.empty() && done_below < p.work && complete(p, below, done_below)) {
    mend(p, below, work_done(p, below));
    if (weigh(p, below) < weigh(p, workers)) plan.workers = std::move(below);
  }
  plan.cost = weigh(p, plan.workers);
  return plan;
}

}  // namespace gramwatt::plan
