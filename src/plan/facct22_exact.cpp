// Beside the published policies: the best plan there is when pauses are paid for, start by start.

#include <algorithm>
#include <cmath>

#include "plan/exact.hpp"
#include "plan/facct22_problem.hpp"

namespace gramwatt::plan::facct22 {
namespace {

/// Energy of a slot at full power in quanta: as fine as sums below 2^51 allow (problem.hpp), 10,000 at most.
Quanta full_power(std::span<const MilligramsPerKwh> intensity) {
  constexpr double kMost = 1e15;
  double sum = 1;
  for (const MilligramsPerKwh c : intensity) sum += std::abs(static_cast<double>(c));
  return static_cast<Quanta>(std::clamp(kMost / (4 * sum), 1.0, 10'000.0));
}

Quanta part_of(Quanta full, double part) { return static_cast<Quanta>(std::lround(full * part)); }

/// Starts are counted from the first slot of the time that was asked for; `first` is the stretch's own.
void add_stretch(Cell& cell, const Stretch& stretch, std::span<const std::size_t> starts, std::int64_t first,
                 const Paid& paid) {
  const auto window = static_cast<std::size_t>(cell.shape.window);
  const std::span planned = stretch.slots.intensity;
  const std::span judges = stretch.judges.empty() ? planned : std::span(stretch.judges);
  for (const std::size_t start : starts) {
    const auto at = static_cast<std::int64_t>(start) - first;
    if (at < 0 || static_cast<std::size_t>(at) + window > planned.size()) continue;
    const auto slots = planned.subspan(static_cast<std::size_t>(at), window);
    const auto weighed = judges.subspan(static_cast<std::size_t>(at), window);
    double now = 0;
    for (const MilligramsPerKwh c : weighed.first(static_cast<std::size_t>(cell.shape.length))) now += c;
    for (const Payment p : paid.payments) {
      const Problem asked = exact_problem(slots, cell, p, charges_of(p, paid.restart, paid.idle));
      if (const auto schedule = exact(asked)) add_exact_plan(cell, p, asked, *schedule, weighed, now);
    }
  }
}

}  // namespace

void add_exact_plan(Cell& cell, Payment payment, const Problem& p, const Schedule& schedule,
                    std::span<const MilligramsPerKwh> judges, double now) {
  Exact& out = *cell.exact[static_cast<std::size_t>(payment)];
  const double carbon = static_cast<double>(weigh(p, schedule, judges)) / p.steps.front();
  out.total += carbon;
  if (now > 0) out.shares += carbon / now;
  out.pauses += runs(schedule).size() - 1;
}

Problem exact_problem(std::span<const MilligramsPerKwh> window, const Cell& cell, Payment payment, const Charges& charges) {
  Problem p;
  p.intensity.assign(window.begin(), window.end());
  const Quanta full = full_power(window);
  p.steps.assign(static_cast<std::size_t>(cell.shape.length), full);
  p.quantum = Joules(1);
  p.may_exit = payment != Payment::held;
  p.restart_energy = part_of(full, static_cast<double>(charges.restart.count()) / static_cast<double>(cell.slot.count()));
  if (payment != Payment::restarts) p.hold = part_of(full, charges.pause.value());
  p.wait = part_of(full, charges.waiting.value());
  return p;
}

void add_exact(Cells& cells, std::span<const Stretch> stretches, const Asked& asked, Nanoseconds restart, Ratio idle,
               const std::function<void(Ratio)>& progress) {
  add_exact_at(start_slots(asked), cells, stretches, asked, {restart, idle, kAllPayments}, progress);
}

void add_exact_at(std::span<const std::size_t> starts, Cells& cells, std::span<const Stretch> stretches, const Asked& asked,
                  const Paid& paid, const std::function<void(Ratio)>& progress) {
  double done = 0;
  for (auto& row : cells) {
    for (std::size_t j = 0; j < kJobs; ++j) {
      Cell& cell = row[j];
      done += 1.0 / (kSlacks * kJobs);
      if (first_alike(j) != j) {
        cell.exact = row[first_alike(j)].exact;
        continue;
      }
      for (const Payment p : paid.payments) cell.exact[static_cast<std::size_t>(p)].emplace();
      for (const Stretch& s : stretches) add_stretch(cell, s, starts, (s.slots.start - asked.time.start) / asked.slot, paid);
      if (progress) progress(Ratio(std::min(1.0, done)));
    }
  }
}

}  // namespace gramwatt::plan::facct22
