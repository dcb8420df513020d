#include "job/account.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace gramwatt::job {
namespace {

Estimate<Joules> part(Microjoules energy, const Channel& c, const Terms& terms) {
  return {energy.joules(), c.method, c.source, c.boundary, terms};
}

// Inherited counters lose up to 4 % where processes leave zombies behind; the reaper loses nothing that it would not name
// (measured: docs/validation.md).
constexpr Shift kTaskClockError{0, 0.04};

/// active + idle of one channel. `boundary` is kept, because both have it.
Estimate<Joules> both(Microjoules active, Microjoules idle, const Channel& c) {
  return part(active, c, c.active_terms) + part(idle, c, c.idle_terms);
}

/// Chip lines and platform lines together are the node.
Estimate<Joules> at_node(Estimate<Joules> e) {
  e.boundary = Boundary::node;
  return e;
}

ledger::ComponentEnergy component(const Channel& c, const Flow& f) {
  return {c.component,
          c.device,
          both(f.job_active, f.job_idle, c),
          part(f.job_active, c, c.active_terms),
          part(f.job_idle, c, c.idle_terms),
          both(f.machine - f.machine_idle, f.machine_idle, c)};
}

ledger::Energy energy_of(const Measured& m, IdleOwner owner, const Estimate<Ratio>& pue) {
  ledger::Energy e;
  e.idle_owner = owner;
  e.pue = pue;
  for (std::size_t i = 0; i < m.channels.size(); ++i) {
    const Channel& c = m.channels[i];
    const Flow& f = m.totals[i];
    e.components.push_back(component(c, f));
    e.active = e.active + e.components.back().active;
    e.idle = e.idle + e.components.back().idle;
    e.machine = e.machine + e.components.back().machine;
    e.unattributed = e.unattributed + both(f.machine - f.machine_idle - f.job_active, f.machine_idle - f.job_idle, c);
  }
  e.active = at_node(e.active);
  e.idle = at_node(e.idle);
  e.total = at_node(e.active + e.idle);
  e.machine = at_node(e.machine);
  e.unattributed = at_node(e.unattributed);
  e.facility = e.total * pue;
  e.facility.boundary = Boundary::facility;
  return e;
}

/// Weighs with one signal; says with what.
Estimate<Grams> weigh(const ledger::RunRecord& r, std::span<const footprint::Slice> slices, const grid::Ladder& ladder,
                      std::optional<ledger::IntensityFacts>& facts) {
  const auto intensity = footprint::mean_intensity(slices, ladder);
  facts = {intensity.value, intensity.signal};
  return footprint::weigh(r.energy.facility, intensity);
}

grid::Ladder constant(const ledger::IntensityFacts& facts) {
  grid::Series s;
  s.signal = facts.signal;
  s.points = {{Nanoseconds{0}, facts.value.value}};
  s.terms = facts.value.terms;
  s.method = facts.value.method;
  return {{std::move(s)}, {}};
}

std::string number(double v) { return fmt::format("{:.6g}", v); }

void derive(const Measured& m, const Weights& w, ledger::RunRecord& r) {
  const auto add = [&](std::string figure, std::string formula, std::string inputs, std::string source) {
    r.derivations.push_back({std::move(figure), std::move(formula), std::move(inputs), std::move(source)});
  };
  r.derivations.clear();
  for (const auto& c : r.energy.components) {
    add(fmt::format("energy.{} ({})", to_string(c.component), c.device),
        fmt::format("active {} J + idle {} J = {} J", number(c.active.value.value()), number(c.idle.value.value()),
                    number(c.energy.value.value())),
        fmt::format("the whole machine used {} J here in {} s", number(c.machine.value.value()), number(m.duration.value())),
        c.energy.source);
  }
  add("carbon.embodied",
      fmt::format("{} g/h × {} h × {} of the machine = {} g", number(w.embodied_per_hour.value.value()),
                  number(m.duration.value() / 3600), number(m.machine_share.value()), number(r.carbon.embodied.value.value())),
      "mass of the parts ÷ (life × utilisation), for the time reserved", w.embodied_per_hour.source);
}

}  // namespace

void SliceCollector::add(const Interval& interval) {
  constexpr Nanoseconds kStep = std::chrono::minutes(5);
  Microjoules energy;
  for (const Flow& f : interval.flows) energy += f.job();
  const auto bucket = [&](Nanoseconds t) { return t.count() / kStep.count(); };
  // A step of the wall clock backwards starts a new slice; nothing is lost, and time that was lived twice counts twice.
  if (!std::exchange(cut_, false) && !slices_.empty() && bucket(slices_.back().start) == bucket(interval.start.utc) &&
      slices_.back().end <= interval.start.utc + Nanoseconds(1)) {
    slices_.back().end = std::max(slices_.back().end, interval.end.utc);
    slices_.back().energy += energy;
    return;
  }
  slices_.push_back({interval.start.utc, std::max(interval.end.utc, interval.start.utc), energy});
}

std::vector<Channel> with_tree_error(std::vector<Channel> channels, const std::string& mechanism) {
  if (mechanism.starts_with("inherited")) {
    for (Channel& c : channels) {
      if (c.component != Component::gpu) c.active_terms["tree-cpu"] = kTaskClockError;
    }
  }
  return channels;
}

Ratio machine_share(const meter::Meter& meter, IdleOwner owner, const sense::CpuIdentity& cpu, Seconds length) {
  const double threads_time = length.value() * std::max(1, cpu.threads);
  if (owner == IdleOwner::job || threads_time <= 0) return Ratio(meter.mean_machine_share());
  return Ratio(std::min(1.0, seconds(meter.job_cpu()).value() / threads_time));
}

void fill_account(const Measured& m, const Weights& w, ledger::RunRecord& r) {
  r.energy = energy_of(m, r.energy.idle_owner, w.pue);
  r.embodied_per_hour = w.embodied_per_hour;
  r.carbon.embodied = w.embodied_per_hour * (m.duration.value() / 3600 * m.machine_share.value());
  weigh_carbon(m.slices, w.average, w.marginal, r);
  derive(m, w, r);
}

void weigh_carbon(std::span<const footprint::Slice> slices, const grid::Ladder& average,
                  const std::optional<grid::Ladder>& marginal, ledger::RunRecord& r) {
  r.carbon.average = weigh(r, slices, average, r.average_intensity);
  r.carbon.marginal.reset();
  r.marginal_intensity.reset();
  if (marginal) r.carbon.marginal = weigh(r, slices, *marginal, r.marginal_intensity);
  r.carbon.total = r.carbon.average + r.carbon.embodied;
}

Weights weights_of(const ledger::RunRecord& r) {
  Weights w;
  w.pue = r.energy.pue;
  if (r.average_intensity) w.average = constant(*r.average_intensity);
  if (r.marginal_intensity) w.marginal = constant(*r.marginal_intensity);
  w.embodied_per_hour = r.embodied_per_hour;
  return w;
}

void set_weights(const Weights& w, ledger::RunRecord& r) {
  r.energy.pue = w.pue;
  r.embodied_per_hour = w.embodied_per_hour;
  const std::vector<footprint::Slice> begun{{r.start_utc, r.start_utc, {}}};
  const auto now = [&](const grid::Ladder& ladder) {
    const auto intensity = footprint::mean_intensity(begun, ladder);
    return ledger::IntensityFacts{intensity.value, intensity.signal};
  };
  r.average_intensity = now(w.average);
  if (w.marginal) r.marginal_intensity = now(*w.marginal);
}

}  // namespace gramwatt::job
