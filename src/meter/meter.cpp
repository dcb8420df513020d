// The meter.
//
// Counters accumulate, so a run needs two good readings and the law of conservation; everything between is there to split the
// energy fairly and to weigh it with the carbon of its own time. The sampling tick (100 ms with sensors) reads the fast
// sources, whose counters wrap. Once a second an interval closes: only then are CPU times read and energy split, because the
// machine's CPU time is known to a clock tick (10 ms), and shares of it would be noise at the sampling rate.
//
// How the energy of an interval is split: split.cpp.

#include "meter/meter.hpp"

#include <algorithm>
#include <cmath>

#include "meter/energy_arithmetic.hpp"

namespace gramwatt::meter {
namespace {

// A read slower than this is made once a second, not at every tick: ten of them would cost more than 0.1 % of a core.
constexpr Nanoseconds kSlowRead = std::chrono::microseconds(80);

// What is less than a twentieth of the program's energy cannot blur its course.
constexpr std::int64_t kMatters = 20;

}  // namespace

Meter::Meter(Setup setup) : setup_(std::move(setup)), machine_cpu_reader_(setup_.roots, setup_.cpu, setup_.machine_cpu) {
  bool has_cpu_sensors = false;
  for (auto& sensor : setup_.sensors) {
    has_cpu_sensors = has_cpu_sensors || sensor->describe().component == Component::cpu;
    Source s;
    s.sensor = std::move(sensor);
    sources_.push_back(std::move(s));
  }
  setup_.sensors.clear();
  build_channels(has_cpu_sensors);
}

void Meter::build_channels(bool has_cpu_sensors) {
  if (setup_.work_by_cpu) machine_cpu_reader_.want_each_cpu();
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const sense::Description& d = sources_[i].sensor->describe();
    if (d.component == Component::cpu || d.component == Component::memory) sources_[i].package = package_number(d.device);
    if (d.boundary == Boundary::node && !node_source_) node_source_ = i;
    sources_[i].channel = channels_.size();
    channels_.push_back({d.component, d.device, d.boundary, d.method, d.source, d.terms, d.terms});
  }
  if (node_source_) {  // it stands for all that no other sensor sees: nothing is modelled
    totals_.resize(channels_.size());
    tick_.job_by_channel.resize(channels_.size());
    return;
  }
  const double host_threads = std::max(1, setup_.model.host_threads);
  const Ratio host_share(setup_.model.host_threads > 0 ? std::min(1.0, setup_.cpu.threads / host_threads) : 1);
  lift_ = platform_lift(setup_.cpu.machine_class, setup_.cpu.packages, host_share, has_cpu_sensors);
  if (has_cpu_sensors && setup_.platform) lift_ = *setup_.platform;
  if (!has_cpu_sensors) {
    model_channel_ = channels_.size();
    channels_.push_back({Component::platform, setup_.model.description, Boundary::node, Method::modelled, setup_.model.source,
                         setup_.model.active_terms, setup_.model.fixed.terms});
  }
  if (!sources_.empty()) {
    platform_channel_ = channels_.size();
    Channel c{Component::platform,
              has_cpu_sensors ? "power supply, fans, board" : "power supply and fans for the GPUs",
              Boundary::node,
              Method::modelled,
              lift_.source,
              {},
              {}};
    c.active_terms["platform-loss"] = lift_.loss_shift;
    c.idle_terms["platform-loss"] = lift_.loss_shift;
    channels_.push_back(std::move(c));
  }
  totals_.resize(channels_.size());
  tick_.job_by_channel.resize(channels_.size());
}

void Meter::start(Nanoseconds tree_cpu) {
  for (Source& s : sources_) {
    const Instant before = setup_.clock->now();
    if (const auto r = s.sensor->read(*setup_.clock)) {
      s.last = *r;
    } else {
      s.last.at = before;
      s.failure = r.error().message();
    }
    s.slow = elapsed(before, setup_.clock->now()) > kSlowRead;
    s.at_start = s.closed_at = s.last.energy;
    s.closed_instant = s.last.at;
  }
  started_at_ = setup_.clock->now();
  (void)machine_cpu_reader_.read(started_at_);
  last_close_ = started_at_;
  open_.start = open_.now = started_at_;
  tick_.at = started_at_;
  last_tree_cpu_ = tree_cpu;
  previous_provisional_.resize(channels_.size());
  tell_journal(TickFacts::Kind::start, 1, tree_cpu);
}

void Meter::tell_journal(TickFacts::Kind kind, int sharers, std::optional<Nanoseconds> tree_cpu) {
  if (setup_.journal == nullptr) return;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].share) shares_.emplace_back(i, *sources_[i].share);
  }
  setup_.journal->tick(
      {kind, open_.now, sharers, tree_cpu, tree_cpu ? machine_cpu_reader_.last_stat() : nullptr, shares_, children_unseen_});
  shares_.clear();
}

void Meter::sample(const std::function<Nanoseconds()>& tree_cpu, int sharers) {
  take_tick(TickFacts::Kind::tick, tree_cpu, sharers);
}

void Meter::turn(const std::function<Nanoseconds()>& tree_cpu, int sharers) {
  take_tick(TickFacts::Kind::turn, tree_cpu, sharers);
}

void Meter::take_tick(TickFacts::Kind kind, const std::function<Nanoseconds()>& tree_cpu, int sharers) {
  const Instant now = setup_.clock->now();
  const Instant before = open_.now;
  // Half a tick of slack, so that a 100 ms tick that comes 1 ms early still closes its second.
  const bool closing =
      kind == TickFacts::Kind::turn || elapsed(open_.start, now) + elapsed(before, now) / 2 >= setup_.close_every;
  open_.now = now;
  open_.idle_share_time += static_cast<double>(elapsed(before, now).count()) / std::max(1, sharers);
  read_sources(closing ? Reads::all : Reads::fast);
  if (!closing && !setup_.detailed_ticks) return tell_journal(kind, sharers, std::nullopt);
  const Nanoseconds tree = tree_cpu();
  take_cpu(tree);
  if (closing) {
    take_work_by_cpu();
    ask_who_was_active();
  }
  tell_journal(kind, sharers, tree);
  update_tick();
  if (closing) close();
}

void Meter::finish(Nanoseconds tree_cpu, int sharers) {
  const Instant before = open_.now;
  open_.now = setup_.clock->now();
  open_.idle_share_time += static_cast<double>(elapsed(before, open_.now).count()) / std::max(1, sharers);
  read_sources(Reads::last);
  take_cpu(tree_cpu);
  take_work_by_cpu();
  ask_who_was_active();
  tell_journal(TickFacts::Kind::last, sharers, tree_cpu);
  for (Source& s : sources_) {
    if (!s.failure.empty()) lose(s, s.last.at, open_.now, s.failure);
  }
  close();
  finished_ = true;
  for (const Source& s : sources_) {
    if (s.lost <= Nanoseconds{0}) continue;
    const auto& c = channels_[s.channel];
    gaps_.push_back({std::string(to_string(c.component)), seconds(s.lost),
                     c.device + ": " + s.lost_why + "; filled from the rest of this run"});
  }
  if (const Nanoseconds asleep = suspended(started_at_, open_.now); asleep > std::chrono::seconds(1)) {
    gaps_.push_back({"all", seconds(asleep), "the machine was suspended; that time is not counted"});
  }
  settle_terms();
}

/// Who used the devices that several programs share, in the interval that closes.
void Meter::ask_who_was_active() {
  if (!setup_.is_job) return;
  for (Source& s : sources_) {
    if (!s.sensor->describe().usable_by_job) continue;
    if (const auto share = s.sensor->activity_share(setup_.is_job)) s.share = std::clamp(share->value(), 0.0, 1.0);
  }
}

/// The same for CPU packages and their memory, by the work on their cores.
void Meter::take_work_by_cpu() {
  std::span<const CpuWork> work;
  if (!setup_.work_by_cpu || !setup_.work_by_cpu->read(machine_cpu_reader_.busy_by_cpu(), work)) return;
  for (Source& s : sources_) {
    const Component c = s.sensor->describe().component;
    if (c == Component::cpu || c == Component::memory) s.share = package_share(work, setup_.cpu, s.package);
  }
}

void Meter::read_sources(Reads which) {
  for (Source& s : sources_) {
    s.tick_energy = {};
    if (s.slow && which == Reads::fast) continue;
    const auto r = which == Reads::last ? s.sensor->read_now(*setup_.clock) : s.sensor->read(*setup_.clock);
    if (!r) {
      if (s.failure.empty()) s.failure = r.error().message();
      continue;  // counters accumulate: the next good read closes this by itself
    }
    s.tick_energy = r->energy - s.last.energy;
    if (r->resumed)
      lose(s, s.last.at, r->at, s.failure.empty() ? "the counter was reset or wrapped more than once" : s.failure);
    s.last = *r;
    s.failure.clear();
  }
}

/// Energy that a source would have counted in `length`: its mean power in this run so far, else its idle power (the node's: the
/// model's).
Microjoules Meter::expected(const Source& s, Nanoseconds length) const {
  const Nanoseconds measured = elapsed(started_at_, s.last.at) - s.lost;
  if (measured <= Nanoseconds{0}) {
    const bool is_node = node_source_ && &s == &sources_[*node_source_];
    return Microjoules((is_node ? setup_.model.fixed.value : s.sensor->describe().idle_power) * seconds(length));
  }
  return scaled(s.last.energy - s.at_start, static_cast<double>(length.count()) / static_cast<double>(measured.count()));
}

void Meter::lose(Source& s, const Instant& from, const Instant& to, const std::string& why) {
  const Nanoseconds length = elapsed(from, to);
  const Microjoules fill = expected(s, length);
  s.pending_fill += fill;
  s.filled += fill;
  s.lost += length;
  s.lost_why = why;
}

void Meter::take_cpu(Nanoseconds tree_cpu) {
  open_.job_cpu += std::max(Nanoseconds{0}, tree_cpu - last_tree_cpu_);
  last_tree_cpu_ = std::max(last_tree_cpu_, tree_cpu);
  if (const auto use = machine_cpu_reader_.read(open_.now)) {
    open_.machine_cpu += use->busy;
    open_.steal += use->steal;
    open_.capacity_time += static_cast<double>(use->busy.count()) * use->capacity;
  } else {
    open_.machine_cpu = open_.job_cpu;
    open_.capacity_time = static_cast<double>(open_.job_cpu.count());
  }
}

void Meter::close() {
  Interval i;
  i.start = open_.start;
  i.end = open_.now;
  split(i.flows);
  i.job_cpu = open_.job_cpu;
  i.machine_cpu = std::max(open_.machine_cpu, open_.job_cpu);
  i.steal = open_.steal;
  for (std::size_t c = 0; c < totals_.size(); ++c) totals_[c] += i.flows[c];
  total_job_cpu_ += i.job_cpu;
  total_machine_cpu_ += i.machine_cpu;
  if (node_source_) {
    const Source& node = sources_[*node_source_];
    Flow all;
    for (const Flow& f : i.flows) all += f;
    node_debt_ += all.machine - (node.last.energy - node.closed_at + node.pending_fill);
  }
  for (Source& s : sources_) {
    const Flow& f = i.flows[s.channel];
    if (s.share) s.shared_away += static_cast<double>((f.machine - f.machine_idle - f.job_active).count());
    s.was_told = s.was_told || s.share.has_value();
    s.share.reset();
    s.closed_at = s.last.energy;
    s.closed_instant = s.last.at;
    s.pending_fill = {};
  }
  last_close_ = open_.now;
  idle_share_time_ += open_.idle_share_time;
  open_ = {};
  open_.start = open_.now = i.end;
  std::fill(previous_provisional_.begin(), previous_provisional_.end(), Flow{});
  closed_.push_back(std::move(i));
}

double Meter::mean_machine_share() const {
  const auto length = static_cast<double>(elapsed(started_at_, open_.now).count());
  return length <= 0 ? 1 : std::clamp((idle_share_time_ + open_.idle_share_time) / length, 0.0, 1.0);
}

Nanoseconds Meter::resolution() const {
  Microjoules active;
  for (const Flow& f : totals_) active += f.job_active;
  Nanoseconds longest = machine_cpu_reader_.tick();
  for (const Source& s : sources_) {
    if (totals_[s.channel].job_active.count() * kMatters < active.count()) continue;
    longest = std::max({longest, s.sensor->describe().resolution, s.slow ? setup_.close_every : Nanoseconds{0}});
  }
  return longest;
}

std::vector<Flow> Meter::totals() const {
  std::vector<Flow> sums = totals_;
  if (finished_) return sums;
  std::vector<Flow> open;
  split(open);
  for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += open[c];
  return sums;
}

/// Powers of the last tick, from the change of the provisional split: sums over the ticks of a run equal its totals.
void Meter::update_tick() {
  tick_.passed = elapsed(tick_.at, open_.now);
  tick_.at = open_.now;
  const Seconds dt = seconds(tick_.passed);
  if (dt.value() <= 0) return;
  tick_.machine = tick_.job_active = tick_.job_idle = Watts{};
  std::vector<Flow>& now = provisional_;
  split(now);
  for (std::size_t c = 0; c < now.size(); ++c) {
    const Flow& was = previous_provisional_[c];
    tick_.machine += (now[c].machine - was.machine).joules() / dt;
    tick_.job_active += (now[c].job_active - was.job_active).joules() / dt;
    tick_.job_idle += (now[c].job_idle - was.job_idle).joules() / dt;
    tick_.job_by_channel[c] = (now[c].job() - was.job()).joules() / dt;
  }
  std::swap(previous_provisional_, now);
  tick_.job_cores = seconds(job_cpu() - tick_job_cpu_) / dt;
  tick_job_cpu_ = job_cpu();
}

}  // namespace gramwatt::meter
