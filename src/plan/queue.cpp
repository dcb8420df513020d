#include "plan/queue.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "plan/policies.hpp"

namespace gramwatt::plan {
namespace {

/// 5! = 120 orders.
constexpr std::size_t kTryAll = 5;
/// Exchanges of neighbours that are tried for more jobs.
constexpr int kMostExchanges = 200;

using Taken = std::vector<bool>;
using Order = std::vector<std::size_t>;

bool uses_resource(Action a) { return a == Action::run || a == Action::restart || a == Action::hold; }

/// The jobs as problems over the whole window; a job's own deadline cuts it when it is placed.
struct Queue {
  std::vector<Problem> problems;
  std::vector<Standing> standings;
  std::vector<int> deadlines;
  std::vector<bool> first;
  int window = 0;

  [[nodiscard]] std::size_t size() const { return problems.size(); }
  [[nodiscard]] int length(std::size_t i) const {
    const bool comes_back = standings[i].state == Standing::State::off;
    return problems[i].length() + (comes_back ? problems[i].restart_slots : 0);
  }
};

/// The first hole that a job fits into as a whole; -1: none.
int first_hole(const Taken& taken, int length, int from) {
  int free = 0;
  for (int i = from; i < static_cast<int>(taken.size()); ++i) {
    free = taken[static_cast<std::size_t>(i)] ? 0 : free + 1;
    if (free >= length) return i + 1 - length;
  }
  return -1;
}

void take(Taken& taken, int from, int length) { std::fill_n(taken.begin() + from, length, true); }

/// How many of `rest`, by deadline, end late when each runs through in the first hole there is.
int late_behind(const Queue& q, Taken taken, const Order& rest) {
  int late = 0;
  Order by_deadline = rest;
  std::stable_sort(by_deadline.begin(), by_deadline.end(),
                   [&](std::size_t a, std::size_t b) { return q.deadlines[a] < q.deadlines[b]; });
  for (const std::size_t i : by_deadline) {
    const int at = first_hole(taken, q.length(i), 0);
    if (at < 0 || at + q.length(i) > q.deadlines[i]) ++late;
    if (at >= 0) take(taken, at, q.length(i));
  }
  return late;
}

Taken with(Taken taken, const Schedule& schedule) {
  for (std::size_t i = 0; i < schedule.size() && i < taken.size(); ++i) taken[i] = taken[i] || uses_resource(schedule[i]);
  return taken;
}

/// One run without a pause from a slot on; before it the job stays what it is.
Schedule straight(const Queue& q, std::size_t i, int start) {
  const Problem& p = q.problems[i];
  const bool off = q.standings[i].state == Standing::State::off;
  Schedule s(static_cast<std::size_t>(start), off ? Action::off : Action::wait);
  if (off) s.insert(s.end(), static_cast<std::size_t>(p.restart_slots), Action::restart);
  s.insert(s.end(), p.steps.size(), Action::run);
  s.resize(static_cast<std::size_t>(q.window), Action::done);
  return s;
}

class Placing {
 public:
  Placing(const Queue& q, const Order& order) : q_(q), order_(order), taken_(static_cast<std::size_t>(q.window), false) {}

  /// Empty schedules where the window is too short.
  bool place_all(std::vector<Schedule>& schedules) {
    for (std::size_t n = 0; n < order_.size(); ++n) {
      const Order rest(order_.begin() + static_cast<std::ptrdiff_t>(n) + 1, order_.end());
      auto schedule = place(order_[n], rest);
      if (!schedule) return false;
      taken_ = with(std::move(taken_), *schedule);
      schedules[order_[n]] = std::move(*schedule);
    }
    return true;
  }

 private:
  std::optional<Schedule> place(std::size_t i, const Order& rest) const {
    const int at_best = late_behind(q_, taken_, rest);
    if (auto best = exactly(i); best && late_behind(q_, with(taken_, *best), rest) <= at_best) return best;
    std::optional<Schedule> chosen;
    Cost least = std::numeric_limits<Cost>::max();
    const int length = q_.length(i);
    for (int at = first_hole(taken_, length, 0); at >= 0 && at + length <= q_.deadlines[i];
         at = first_hole(taken_, length, at + 1)) {
      Schedule s = straight(q_, i, at);
      const Cost cost = weigh(q_.problems[i], s);
      if (cost >= least || late_behind(q_, with(taken_, s), rest) > at_best) continue;
      least = cost;
      chosen = std::move(s);
    }
    if (chosen) return chosen;
    const int earliest = first_hole(taken_, length, 0);
    return earliest < 0 ? std::nullopt : std::optional(straight(q_, i, earliest));
  }

  /// The best plan within its own time and what is free.
  std::optional<Schedule> exactly(std::size_t i) const {
    Problem p = q_.problems[i];
    const auto own = static_cast<std::size_t>(std::clamp(q_.deadlines[i], 0, q_.window));
    p.intensity.resize(own);
    p.blocked.assign(taken_.begin(), taken_.begin() + static_cast<std::ptrdiff_t>(own));
    // A job that is held in place would keep what others have been given: it pauses by exit, or not at all.
    if (!q_.first[i]) p.hold.reset();
    auto s = exact(p, q_.standings[i]);
    if (!s) return std::nullopt;
    s->resize(static_cast<std::size_t>(q_.window), Action::done);
    return std::move(*s);
  }

  const Queue& q_;
  const Order& order_;
  Taken taken_;
};

struct Outcome {
  std::vector<Schedule> schedules;
  int late = std::numeric_limits<int>::max();
  Cost carbon = std::numeric_limits<Cost>::max();

  [[nodiscard]] bool better_than(const Outcome& o) const { return late != o.late ? late < o.late : carbon < o.carbon; }
};

Outcome try_order(const Queue& q, const Order& order) {
  Outcome o;
  o.schedules.resize(q.size());
  if (!Placing(q, order).place_all(o.schedules)) return {};
  o.late = 0;
  o.carbon = 0;
  for (std::size_t i = 0; i < q.size(); ++i) {
    o.late += finish(o.schedules[i]) > q.deadlines[i] ? 1 : 0;
    o.carbon += weigh(q.problems[i], o.schedules[i]);
  }
  return o;
}

/// Those that have the resource first, then by deadline.
Order by_deadline(const Queue& q) {
  Order order(q.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return q.first[a] != q.first[b] ? q.first[a] : q.deadlines[a] < q.deadlines[b];
  });
  return order;
}

Outcome all_orders(const Queue& q, Order order) {
  const auto fixed = static_cast<std::ptrdiff_t>(std::count(q.first.begin(), q.first.end(), true));
  Outcome best = try_order(q, order);
  std::sort(order.begin() + fixed, order.end());
  do {
    Outcome o = try_order(q, order);
    if (o.better_than(best)) best = std::move(o);
  } while (std::next_permutation(order.begin() + fixed, order.end()));
  return best;
}

Outcome exchange_neighbours(const Queue& q, Order order) {
  const auto fixed = static_cast<std::size_t>(std::count(q.first.begin(), q.first.end(), true));
  Outcome best = try_order(q, order);
  int tried = 0;
  for (bool improved = true; improved && tried < kMostExchanges;) {
    improved = false;
    for (std::size_t i = fixed; i + 1 < order.size() && tried < kMostExchanges; ++i, ++tried) {
      std::swap(order[i], order[i + 1]);
      Outcome o = try_order(q, order);
      if (o.better_than(best)) {
        best = std::move(o);
        improved = true;
      } else {
        std::swap(order[i], order[i + 1]);
      }
    }
  }
  return best;
}

}  // namespace

Result<QueuePlan> plan_queue(const Slots& slots, const std::vector<Queued>& jobs) {
  Queue q;
  q.window = static_cast<int>(slots.intensity.size());
  Joules quantum;
  for (const Queued& j : jobs) {
    auto p = make_problem(j.job, slots);
    if (!p) return tl::unexpected(p.error());
    quantum = std::max(quantum, p->quantum);
    q.problems.push_back(std::move(*p));
    q.standings.push_back(j.standing);
    q.deadlines.push_back(std::clamp(j.deadline, 0, q.window));
    q.first.push_back(j.has_resource);
  }
  // Carbon of one job counts as much as another's: all in the coarsest quantum.
  for (std::size_t i = 0; i < q.size(); ++i) {
    Problem& p = q.problems[i];
    const double scale = p.quantum / quantum;
    const auto in = [&](Quanta e) { return static_cast<Quanta>(std::lround(e * scale)); };
    std::transform(p.steps.begin(), p.steps.end(), p.steps.begin(), in);
    p.restart_energy = in(p.restart_energy);
    p.restart_power = in(p.restart_power);
    if (p.hold) p.hold = in(*p.hold);
    p.wait = in(p.wait);
    p.kept = static_cast<Cost>(std::llround(static_cast<double>(p.kept) * scale));
    p.quantum = quantum;
  }
  const Order order = by_deadline(q);
  Outcome best = q.size() <= kTryAll ? all_orders(q, order) : exchange_neighbours(q, order);
  if (best.schedules.empty())
    return fail("the window is too short for all jobs that share the resource", {}, "allow them more time",
                Error::Kind::missing);
  return QueuePlan{std::move(best.schedules), best.carbon, quantum, best.late};
}

}  // namespace gramwatt::plan
