#include "job/machine_watch.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

namespace gramwatt::job {
namespace {

constexpr Nanoseconds kFastTick = std::chrono::milliseconds(100);
constexpr Nanoseconds kSlowTick = std::chrono::seconds(1);

Estimate<Watts> power(Microjoules energy, Seconds length, const Channel& c, const Terms& terms) {
  return {energy.joules() / length, c.method, c.source, Boundary::node, terms};
}

}  // namespace

Result<std::unique_ptr<MachineWatch>> MachineWatch::begin(const Roots& roots, Machine machine, const Clock& clock) {
  auto share = meter::ProcessShare::open();
  if (!share) return tl::unexpected(share.error());
  meter::Setup setup;
  setup.clock = &clock;
  setup.roots = roots;
  setup.cpu = machine.cpu;
  setup.model = machine.model;
  setup.platform = machine.platform;
  const Nanoseconds interval = machine.findings.sensors.empty() ? kSlowTick : kFastTick;
  setup.sensors = std::move(machine.findings.sensors);
  setup.idle_owner = IdleOwner::host;
  setup.detailed_ticks = false;
  return std::unique_ptr<MachineWatch>(new MachineWatch(std::move(setup), std::move(*share), interval));
}

MachineWatch::MachineWatch(meter::Setup setup, meter::ProcessShare share, Nanoseconds interval)
    : meter_(std::move(setup)), share_(std::move(share)), flows_(meter_.channels().size()) {
  timer_ = Fd(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  itimerspec spec{};
  const auto s = std::chrono::floor<std::chrono::seconds>(interval);
  spec.it_interval = spec.it_value = {static_cast<time_t>(s.count()), static_cast<long>((interval - s).count())};
  if (timer_) ::timerfd_settime(timer_.get(), 0, &spec, nullptr);
  meter_.start({});
  end_ = meter_.started_at();
}

void MachineWatch::tick() {
  std::uint64_t missed = 0;
  (void)!::read(timer_.get(), &missed, sizeof missed);
  meter_.sample([] { return Nanoseconds{0}; }, 1);
  for (const Interval& i : meter_.take_closed()) {
    for (std::size_t c = 0; c < flows_.size(); ++c) flows_[c] += i.flows[c];
    machine_cpu_ += i.machine_cpu;
    length_ += elapsed(i.start, i.end);
    end_ = i.end;
  }
}

MachineLook MachineWatch::look() {
  MachineLook look;
  look.at = end_;
  look.length = seconds(length_);
  look.elapsed = seconds(elapsed(meter_.started_at(), end_));
  const std::vector<Channel>& channels = meter_.channels();
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    const Channel& c = channels[i];
    const Microjoules active = flows_[i].machine - flows_[i].machine_idle;
    look.active = look.active + power(active, look.length, c, c.active_terms);
    look.idle = look.idle + power(flows_[i].machine_idle, look.length, c, c.idle_terms);
    look.devices.push_back({&c, active.joules() / look.length, flows_[i].machine_idle.joules() / look.length});
    (c.component == Component::gpu ? look.gpu : look.split) += active;
    total_ += flows_[i].machine;
    total_idle_ += flows_[i].machine_idle;
  }
  look.power = look.active + look.idle;
  total_gpu_ += look.gpu;
  look.unattributed = share_.take(look.split, machine_cpu_).unattributed;
  look.total = total_;
  look.total_idle = total_idle_;
  look.total_gpu = total_gpu_;
  flows_.assign(flows_.size(), Flow{});
  length_ = machine_cpu_ = {};
  return look;
}

}  // namespace gramwatt::job
