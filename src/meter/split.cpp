// How the energy of an interval is split.
//
// Of each channel the machine's energy E splits so:
//   idle            what the machine would have drawn anyway: idle power × time, never more than E. It goes to its owner: to
//                   the job (shared with the other runs that are on) or to the host.
//   active          the rest. The job gets the share of the work on its package's cores where that can be counted
//                   (package_share.cpp), else the share of CPU time that its tree had of all CPU time; on a GPU what the device
//                   says of who was active, else everything on one that it may use.
//   unattributed    what remains; never stored, so that conservation cannot be broken.
// Without CPU sensors the model gives power at the plug: a fixed part by time and an active part by CPU time. For a guest that
// is a straight line, so that nobody else's load changes what the job is charged.
// With CPU sensors a platform line lifts the chips to the plug (platform.cpp).
// Where a sensor sees the whole node, nothing is modelled: what it saw beyond the chips is the platform line, and only how much
// of it is idle comes from the model.

#include <algorithm>
#include <cmath>

#include "meter/energy_arithmetic.hpp"
#include "meter/meter.hpp"

namespace gramwatt::meter {

/// The job's part of everything that ran, by CPU time.
double Meter::job_share_of_cpu() const {
  const auto job = static_cast<double>(open_.job_cpu.count());
  const auto machine = static_cast<double>(open_.machine_cpu.count());
  return job <= 0 ? 0 : job >= machine ? 1 : job / machine;
}

/// The job's part of what a sensor's device did.
double Meter::job_share(const Source& s) const {
  const sense::Description& d = s.sensor->describe();
  if (!d.usable_by_job) return 0;
  return s.share.value_or(d.component == Component::gpu ? 1 : job_share_of_cpu());
}

double Meter::idle_share() const {
  if (setup_.idle_owner == IdleOwner::host) return 0;
  const auto length = static_cast<double>(elapsed(open_.start, open_.now).count());
  return length <= 0 ? 1 : std::clamp(open_.idle_share_time / length, 0.0, 1.0);
}

void Meter::split(std::vector<Flow>& flows) const {
  flows.assign(channels_.size(), Flow{});
  if (model_channel_) split_model(flows);
  split_sensors(flows);
  if (platform_channel_) split_platform(flows);
  if (node_source_) split_node(flows);
}

void Meter::split_model(std::vector<Flow>& flows) const {
  const Nanoseconds length = elapsed(open_.start, open_.now);
  if (length <= Nanoseconds{0}) return;
  // Stolen time is not charged: where the kernel books it as the tree's own, the machine's busy time shows it. The slack is
  // what /proc/stat cannot resolve.
  Nanoseconds job = open_.job_cpu;
  const Nanoseconds slack = machine_cpu_reader_.tick() * 2;
  if (open_.steal > Nanoseconds{0} && job > open_.machine_cpu + slack) job = open_.machine_cpu + slack;
  const Nanoseconds busy = std::max(open_.machine_cpu, job);
  const double capacity =
      open_.machine_cpu > Nanoseconds{0} ? open_.capacity_time / static_cast<double>(open_.machine_cpu.count()) : 1;
  const double load =
      static_cast<double>(busy.count()) * capacity / (static_cast<double>(length.count()) * std::max(1, setup_.cpu.threads));
  Flow& f = flows[*model_channel_];
  const Microjoules active(setup_.model.active(load) * seconds(length));
  f.machine_idle = Microjoules(setup_.model.fixed.value * seconds(length));
  f.machine = f.machine_idle + active;
  f.job_active = busy > Nanoseconds{0} ? scaled(active, static_cast<double>(job.count()) / static_cast<double>(busy.count()))
                                       : Microjoules{};
  f.job_idle = scaled(f.machine_idle, idle_share());
}

void Meter::split_sensors(std::vector<Flow>& flows) const {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (node_source_ == i) continue;
    const Source& s = sources_[i];
    const sense::Description& d = s.sensor->describe();
    Flow& f = flows[s.channel];
    f.machine = s.last.energy - s.closed_at + s.pending_fill;
    f.machine_idle = min(f.machine, Microjoules(d.idle_power * seconds(elapsed(s.closed_instant, s.last.at))));
    const Microjoules active = f.machine - f.machine_idle;
    f.job_active = scaled(active, job_share(s));
    f.job_idle = d.usable_by_job ? scaled(f.machine_idle, idle_share()) : Microjoules{};
  }
}

void Meter::split_platform(std::vector<Flow>& flows) const {
  Flow chips;
  for (const Source& s : sources_) chips += flows[s.channel];
  const Microjoules base(lift_.base * seconds(elapsed(open_.start, open_.now)));
  Flow& f = flows[*platform_channel_];
  f.machine_idle = scaled(chips.machine_idle, lift_.loss) + base;
  f.job_active = scaled(chips.job_active, lift_.loss);
  f.job_idle = scaled(chips.job_idle, lift_.loss) + scaled(base, idle_share());
  // Rounding each part must not make the parts larger than the whole.
  const Microjoules others_active = scaled(chips.machine - chips.machine_idle - chips.job_active, lift_.loss);
  f.machine = f.machine_idle + f.job_active + others_active;
}

/// What the sensor of the whole node saw beyond the chips. Its clock and theirs differ by some 100 ms, so the rest of a short
/// interval may be negative: that is owed to the next one, and the sum over the run is the node's.
void Meter::split_node(std::vector<Flow>& flows) const {
  const Source& node = sources_[*node_source_];
  Flow chips;
  bool has_cpu = false;
  for (const Source& s : sources_) {
    if (&s == &node) continue;
    chips += flows[s.channel];
    has_cpu = has_cpu || s.sensor->describe().component == Component::cpu;
  }
  Flow& f = flows[node.channel];
  const Microjoules none{};
  f.machine = std::max(none, node.last.energy - node.closed_at + node.pending_fill - chips.machine - node_debt_);
  const Microjoules idle(setup_.model.fixed.value * seconds(elapsed(node.closed_instant, node.last.at)));
  f.machine_idle = min(f.machine, std::max(none, idle - chips.machine_idle));
  // Fans and power supply follow the chips, whoever uses them; without a sensor at the CPU it is the CPU that follows CPU time.
  const Microjoules chips_active = chips.machine - chips.machine_idle;
  const double share = has_cpu && chips_active > none
                           ? static_cast<double>(chips.job_active.count()) / static_cast<double>(chips_active.count())
                           : job_share_of_cpu();
  f.job_active = scaled(f.machine - f.machine_idle, share);
  f.job_idle = scaled(f.machine_idle, idle_share());
}

}  // namespace gramwatt::meter
