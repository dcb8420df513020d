// What would have been.
//
// Energy is measured; what the same work would have weighed at another time is not, and nobody can measure it. So the receipt
// takes what was measured and moves it: the energy of the stretches in which the program ran, in their order, laid without
// pauses from the moment the job was handed in, and weighed with the intensities that really came. What only the pauses cost
// (held power, saving a checkpoint, coming back from it, a machine that idles while it is off) is on the actual side alone.
//
//   metered          running      │ ckpt │  off  │ restart, running
//                    ├────────────┼──────┼───────┼───────────────┤
//   counterfactual   ├────────────┼────────┤                           (from `handed_in`, running parts only)
//
// Saving = 1 − actual ÷ counterfactual. Both sides carry the error terms of the same sensors, models, PUE and series, and terms
// of one id are the same mistake: in the ratio they cancel, and what is left is what really differs: idle power weighs more in
// a held stretch than in a running one, a restart's cost was said and not measured, waiting was modelled.
//
// What is not measured, and how it enters:
//   Coming back from an exit cannot be seen from outside. It counts as long as --restart-time says, with the energy metered in
//     that time; of --restart-energy, what saving the checkpoint did not use already. The sum is believed to ±100 %.
//   Saving counts from the request to the exit, though a program may make progress before it obeys: too little saving is
//     claimed, never too much.
//   Waiting before the first start is not metered, because gramwatt opens no sensor then. Who has the machine pays its modelled
//     idle power: on a rented one until the first start; one's own idles on both sides, so that what the counterfactual would
//     have idled behind its end stands against it; on a shared one waiting costs nothing (design: machines of plan/job.hpp).
//   Manufacturing stays out: the receipt weighs operation, which is what the plan could move.
//
// A saving is "attributed" under average intensity, which says whose power it was, not what would have been generated else;
// "avoided" under a marginal signal, which is a model of that. It is "not verifiable" where, for more than a tenth of either
// side's energy, nobody has seen the intensity: a typical day or a forecast says what is usual, and a plan by the usual always
// saves against the usual.

#include "job/receipt.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "grid/grid.hpp"

namespace gramwatt::job {
namespace {

using footprint::Slice;
using ledger::Doing;
using ledger::Receipt;
using ledger::Stretch;

/// No intensity series that is known of is finer.
constexpr Nanoseconds kStep = std::chrono::minutes(5);
/// Of either side's energy.
constexpr double kMustBeSeen = 0.9;

/// Active and idle energy apart, because their error terms are.
struct Split {
  Joules active, idle;
  Split& operator+=(const Split& o) {
    active += o.active;
    idle += o.idle;
    return *this;
  }
  [[nodiscard]] Joules both() const { return active + idle; }
};
Split operator*(const Split& s, double k) { return {s.active * k, s.idle * k}; }
Split operator-(const Split& a, const Split& b) { return {a.active - b.active, a.idle - b.idle}; }

Split of(const Stretch& s) { return {s.active, s.idle}; }

/// A part of the run's energy, with the error terms that the whole has.
Estimate<Joules> part(const Split& s, const ledger::Energy& e) {
  const auto scaled = [](const Estimate<Joules>& whole, Joules piece) {
    Estimate<Joules> out = whole;
    out.value = piece;
    return out;
  };
  if (s.active.value() == 0 && s.idle.value() == 0) return {Joules(0), e.total.method, e.total.source, Boundary::node, {}};
  Estimate<Joules> sum = scaled(e.active, s.active) + scaled(e.idle, s.idle);
  sum.boundary = Boundary::node;
  return sum;
}

double share_of(Nanoseconds inside, Nanoseconds whole) {
  return whole > Nanoseconds{0} ? static_cast<double>(inside.count()) / static_cast<double>(whole.count()) : 0;
}

Nanoseconds nanoseconds(Seconds s) { return Nanoseconds(std::llround(s.value() * 1e9)); }

/// Walks slices in the order of time, stretch after stretch.
class Shape {
 public:
  explicit Shape(std::span<const Slice> slices) : slices_(slices) {}

  /// What lies within the stretch, scaled so that it adds up to what the stretch used; evenly where nothing is told.
  [[nodiscard]] std::vector<Slice> of(const Stretch& s) {
    const Joules energy = s.active + s.idle;
    std::vector<Slice> pieces;
    double told = 0;
    while (at_ < slices_.size() && slices_[at_].end <= s.start) ++at_;
    for (std::size_t i = at_; i < slices_.size() && slices_[i].start < s.end; ++i) {
      const Slice& slice = slices_[i];
      const Nanoseconds from = std::max(slice.start, s.start), to = std::min(slice.end, s.end);
      if (to <= from) continue;
      const double inside = static_cast<double>(slice.energy.count()) * share_of(to - from, slice.end - slice.start);
      told += inside;
      pieces.push_back({from, to, Microjoules(std::llround(inside))});
    }
    const auto metered = static_cast<double>(Microjoules(energy).count());
    if (told <= 0) {
      const Nanoseconds end = std::max(s.end, s.start + Nanoseconds(1));
      return {{s.start, end, Microjoules(energy)}};
    }
    // To the microjoule the same: nothing is touched, and a run that was not moved weighs exactly what it weighed.
    if (std::abs(told - metered) > static_cast<double>(pieces.size())) {
      for (Slice& p : pieces) p.energy = Microjoules(std::llround(static_cast<double>(p.energy.count()) * metered / told));
    }
    return pieces;
  }

 private:
  std::span<const Slice> slices_;
  std::size_t at_ = 0;
};

/// Everything that the two sides are made of.
struct Sides {
  Split all, running, restarting, checkpointing, held, off;
  std::vector<Slice> actual, counterfactual;
  Nanoseconds instead_end{};  ///< UTC: when the counterfactual is done
  Nanoseconds end{};          ///< UTC: of the run
};

/// What of a stretch behind an exit is spent on coming back.
struct Comeback {
  Split cost;
  Nanoseconds time{};  ///< from the start of the stretch
  double kept = 1;     ///< of the energy behind that time
};

Comeback comeback(const Stretch& s, std::span<const Slice> pieces, Nanoseconds time, Joules more) {
  Comeback c;
  c.time = std::clamp(time, Nanoseconds{0}, std::max(Nanoseconds{0}, s.end - s.start));
  double whole = 0, early = 0;
  for (const Slice& p : pieces) {
    const auto energy = static_cast<double>(p.energy.count());
    whole += energy;
    early += energy * share_of(std::clamp(s.start + c.time - p.start, Nanoseconds{0}, p.end - p.start), p.end - p.start);
  }
  const double in_time = whole > 0 ? early / whole : 0;
  const Split behind = of(s) * (1 - in_time);
  if (behind.both().value() > 0) c.kept = 1 - std::clamp(more / behind.both(), 0.0, 1.0);
  c.cost = of(s) - behind * c.kept;
  return c;
}

/// Appends what is left of a running stretch, from `cursor` on; moves the cursor.
void lay(const Stretch& s, std::span<const Slice> pieces, const Comeback& back, Nanoseconds& cursor, std::vector<Slice>& into) {
  const Nanoseconds from = s.start + back.time;
  const Nanoseconds awake = nanoseconds(s.length);
  // A machine that slept, or whose clock was set, has lived less or more than UTC says.
  const Nanoseconds lived = std::max(s.end - s.start, Nanoseconds(1));
  const double pace = std::chrono::abs(awake - lived) > std::chrono::seconds(1) ? share_of(awake, lived) : 1;
  const auto paced = [&](Nanoseconds t) {
    return pace == 1 ? t : Nanoseconds(std::llround(static_cast<double>(t.count()) * pace));
  };
  for (const Slice& p : pieces) {
    const Nanoseconds start = std::max(p.start, from);
    if (p.end <= start) continue;
    const double share = share_of(p.end - start, p.end - p.start) * back.kept;
    const Microjoules energy = share == 1 ? p.energy : Microjoules(std::llround(static_cast<double>(p.energy.count()) * share));
    into.push_back({cursor + paced(start - from), cursor + paced(p.end - from), energy});
  }
  cursor += paced(std::max(Nanoseconds{0}, s.end - from));
}

Sides sides_of(const Receipt& receipt, std::span<const Slice> slices) {
  Sides out;
  Shape shape(slices);
  Nanoseconds cursor = receipt.handed_in;
  bool comes_back = false;
  Joules saved;  // by the last request to save and exit
  for (const Stretch& s : receipt.stretches) {
    const std::vector<Slice> pieces = shape.of(s);
    out.actual.insert(out.actual.end(), pieces.begin(), pieces.end());
    out.end = s.end;
    out.all += of(s);
    switch (s.doing) {
      case Doing::held: out.held += of(s); break;
      case Doing::off:
        out.off += of(s);
        comes_back = true;
        break;
      case Doing::checkpointing:
        out.checkpointing += of(s);
        saved = s.active + s.idle;
        break;
      case Doing::running: {
        Comeback back;
        if (std::exchange(comes_back, false)) {
          const Joules more = std::max(Joules(0), receipt.restart_energy - std::exchange(saved, Joules(0)));
          back = comeback(s, pieces, nanoseconds(receipt.restart_time), more);
        }
        out.restarting += back.cost;
        out.running += of(s) - back.cost;
        lay(s, pieces, back, cursor, out.counterfactual);
        break;
      }
    }
  }
  out.instead_end = std::min(cursor, std::max(out.end, receipt.handed_in));
  return out;
}

/// Modelled energy of a machine that idles, at the plug.
Estimate<Joules> idle_over(const Estimate<Watts>& power, Nanoseconds from, Nanoseconds to) {
  const Seconds length = seconds(std::max(Nanoseconds{0}, to - from));
  return {power.value * length, power.method, power.source, Boundary::node, power.terms};
}

Estimate<Grams> weighed(const Estimate<Joules>& energy, std::span<const Slice> slices, const Estimate<Ratio>& pue,
                        const grid::Ladder& ladder) {
  if (energy.value.value() == 0 || slices.empty()) return {};
  Estimate<Joules> facility = energy * pue;
  facility.boundary = Boundary::facility;
  return footprint::weigh(facility, footprint::mean_intensity(slices, ladder));
}

/// How much of the energy met an intensity that somebody has seen, and what the rest met.
struct Seen {
  double energy = 0, seen = 0, forecast = 0;
};

void look_at(std::span<const Slice> slices, const grid::Ladder& ladder, Seen& seen) {
  for (const Slice& s : slices) {
    const auto steps = grid::steps(ladder, {s.start, s.end}, std::min(kStep, std::max(Nanoseconds(1), s.end - s.start)));
    for (const grid::Step& step : steps) {
      const double energy = static_cast<double>(s.energy.count()) / static_cast<double>(steps.size());
      const bool is_seen = step.kind == grid::PointKind::observed || step.kind == grid::PointKind::estimated;
      seen.energy += energy;
      if (is_seen) seen.seen += energy;
      if (step.kind == grid::PointKind::forecast) seen.forecast += energy;
    }
  }
}

void name_kind(const Seen& actual, const Seen& instead, grid::SignalKind kind, ledger::SavingFacts& out) {
  const auto share = [](const Seen& s) { return s.energy > 0 ? s.seen / s.energy : 1; };
  const double least = std::min(share(actual), share(instead));
  if (least >= kMustBeSeen) {
    const bool average = kind == grid::SignalKind::average;
    out.kind = average ? "attributed" : "avoided";
    out.why = average ? "average intensity says whose power it was, not what would have been generated else"
                      : "a marginal signal models what would have been generated else";
    return;
  }
  out.kind = "not verifiable";
  const bool forecast = actual.forecast + instead.forecast > 0;
  out.why = fmt::format("only {} is known of the intensity for {:.0f} % of the energy{}",
                        forecast ? "a forecast" : "a typical day or an annual mean", 100 * (1 - least),
                        forecast ? "; gramwatt reweigh, once it has been observed" : "");
}

struct Weighing {
  const Receipt* receipt;
  const ledger::Energy* energy;
  const Sides* sides;
  Estimate<Joules> metered;  ///< of all stretches
  Estimate<Joules> instead;  ///< of the counterfactual, without idling
};

ledger::SavingFacts weigh(const Weighing& w, const grid::Ladder& ladder, grid::SignalKind kind) {
  const Receipt& r = *w.receipt;
  const Sides& s = *w.sides;
  const Estimate<Ratio>& pue = w.energy->pue;
  ledger::SavingFacts out;
  out.gas = footprint::mean_intensity(s.actual, ladder).signal.gas;
  out.actual = weighed(w.metered, s.actual, pue, ladder);
  out.counterfactual = weighed(w.instead, s.counterfactual, pue, ladder);
  Seen actual, instead;
  look_at(s.actual, ladder, actual);
  look_at(s.counterfactual, ladder, instead);
  const auto idle = [&](const Estimate<Joules>& energy, Nanoseconds from, Nanoseconds to, Estimate<Grams>& side, Seen& seen) {
    if (energy.value.value() <= 0 || to <= from) return;
    const std::vector<Slice> slices{{from, to, Microjoules(energy.value)}};
    side = side + weighed(energy, slices, pue, ladder);
    look_at(slices, ladder, seen);
  };
  const Nanoseconds start = r.stretches.empty() ? r.handed_in : r.stretches.front().start;
  idle(r.waiting, r.handed_in, start, out.actual, actual);
  idle(r.waited_instead, s.instead_end, s.end, out.counterfactual, instead);
  name_kind(actual, instead, kind, out);
  if (out.counterfactual.value.value() > 0) {
    const Difference<Ratio> q = ratio(out.actual, out.counterfactual);
    out.saving = Ratio(1) - q.value;
    out.low = Ratio(1) - q.high;
    out.high = Ratio(1) - q.low;
  }
  return out;
}

void note_what_was_assumed(const ledger::RunRecord& record, Receipt& r) {
  r.notes.clear();
  if (r.waiting.value.value() > 0)
    r.notes.push_back(fmt::format("waiting was not metered: {:.3g} W of the machine at rest are modelled ({})",
                                  r.waiting_power.value.value(), r.waiting_power.source));
  else if (r.waited.value() > 0)
    r.notes.emplace_back(record.host.machine == "shared" ? "waiting cost nothing: the machine is shared"
                                                         : "waiting cost nothing: the host pays for idle power");
  if (r.restarting.value.value() > 0)
    r.notes.emplace_back("coming back cannot be seen from outside: it counts as --restart-time and --restart-energy say");
}

}  // namespace

ledger::Receipt begin_receipt(const ReceiptTerms& terms, std::vector<ledger::Stretch> stretches) {
  Receipt r;
  r.handed_in = terms.handed_in;
  r.planned = terms.planned;
  r.stretches = std::move(stretches);
  r.restart_time = seconds(terms.restart_time);
  r.restart_energy = terms.restart_energy;
  r.waiting_power = terms.waiting_power;
  return r;
}

void settle_receipt(std::span<const Slice> slices, const grid::Ladder& average, const std::optional<grid::Ladder>& marginal,
                    ledger::RunRecord& record) {
  Receipt& r = *record.receipt;
  const Sides sides = sides_of(r, slices);
  const ledger::Energy& e = record.energy;
  r.running = part(sides.running, e);
  r.restarting = part(sides.restarting, e);
  r.checkpointing = part(sides.checkpointing, e);
  r.held = part(sides.held, e);
  r.off = part(sides.off, e);

  r.pauses = r.restarts = 0;
  r.paused = {};
  for (const Stretch& s : r.stretches) {
    if (s.doing != Doing::held && s.doing != Doing::off) continue;
    ++r.pauses;
    r.paused += s.length;
    if (s.doing == Doing::off && &s != &r.stretches.back()) ++r.restarts;
  }
  const Nanoseconds start = r.stretches.empty() ? r.handed_in : r.stretches.front().start;
  r.waited = seconds(std::max(Nanoseconds{0}, start - r.handed_in));
  r.waiting = idle_over(r.waiting_power, r.handed_in, start);
  const bool own = record.host.machine == "owned";
  r.waited_instead = own ? idle_over(r.waiting_power, sides.instead_end, sides.end) : Estimate<Joules>{};
  if (!own) r.waited_instead.boundary = Boundary::node;

  Estimate<Joules> instead = r.running;
  if (r.restarting.value.value() > 0 && instead.value.value() > 0)
    instead.terms["restart-cost"] = Shift::symmetric(std::min(1.0, r.restarting.value / instead.value));
  const Weighing w{&r, &e, &sides, part(sides.all, e), std::move(instead)};
  r.average = weigh(w, average, grid::SignalKind::average);
  r.marginal.reset();
  if (marginal) r.marginal = weigh(w, *marginal, grid::SignalKind::marginal);
  note_what_was_assumed(record, r);
}

grid::Window receipt_window(const ledger::RunRecord& record, grid::Window run) {
  if (!record.receipt) return run;
  grid::Window w{std::min(run.start, record.receipt->handed_in), run.end};
  if (!record.receipt->stretches.empty()) w.end = std::max(w.end, record.receipt->stretches.back().end);
  return w;
}

}  // namespace gramwatt::job
