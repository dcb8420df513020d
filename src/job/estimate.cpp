#include "job/estimate.hpp"

#include <cmath>

#include <fmt/format.h>

#include "meter/platform.hpp"

namespace gramwatt::job {
namespace {

/// A load that nobody gave: half, which is what Cloud Carbon Footprint takes, between nearly idle and nearly full.
constexpr Shift kUnknownLoad = Shift::range(0.5, 0.1, 0.95);

/// Channels with what flowed in them, and where each came from.
struct Lines {
  std::vector<Channel> channels;
  std::vector<Flow> flows;
  std::vector<ledger::Derivation> derivations;

  void add(Channel channel, Watts idle, Watts active, Seconds length) {
    Flow f;
    f.job_idle = f.machine_idle = Microjoules(idle * length);
    f.job_active = Microjoules(active * length);
    f.machine = f.machine_idle + f.job_active;
    channels.push_back(std::move(channel));
    flows.push_back(f);
  }
};

Terms with_load(Terms terms, const char* id, const Load& load) {
  if (!load.known) terms[id] = kUnknownLoad;
  return terms;
}

void add_server(Lines& lines, const EstimateRequest& request) {
  const sense::PowerModel& model = request.model;
  const Watts active = model.active(request.load.value);
  lines.add({Component::platform, model.description, Boundary::node, model.fixed.method, model.source,
             with_load(model.active_terms, "load", request.load), model.fixed.terms},
            model.fixed.value, active, request.length);
  lines.derivations.push_back(
      {"energy.platform",
       fmt::format("({:.4g} W at rest + {:.4g} W at {:.3g} % load) × {:.6g} s", model.fixed.value.value(), active.value(),
                   100 * request.load.value, request.length.value()),
       model.description, model.source});
}

/// The boards themselves, and what power supply and fans lose on the way to them: as a run with GPU sensors counts it.
void add_gpus(Lines& lines, const EstimatedGpus& gpus, const EstimateRequest& request) {
  const sense::GpuModel& model = gpus.model;
  const Watts idle = model.idle_power * gpus.count;
  const Watts active = model.active(Ratio(request.gpu_load.value)).value * gpus.count;
  const std::string device = gpus.count == 1 ? model.name : fmt::format("{} × {}", gpus.count, model.name);
  Channel boards{Component::gpu,   device,       Boundary::chip,
                 Method::modelled, model.source, with_load(model.active_terms, "gpu-utilisation", request.gpu_load),
                 model.idle_terms};
  const auto lift = meter::platform_lift(request.machine_class, 1, Ratio(1), false);
  Channel supply = boards;
  supply.component = Component::platform;
  supply.device = "power supply and fans for the GPUs";
  supply.boundary = Boundary::node;
  supply.source = lift.source;
  supply.active_terms["platform-loss"] = supply.idle_terms["platform-loss"] = lift.loss_shift;
  lines.derivations.push_back(
      {"energy.gpu",
       fmt::format(
           "{} × ({:.4g} W at rest + {:.4g} W × {:.3g} % utilisation) × {:.6g} s, + {:.2g} W a watt for the way from the plug",
           gpus.count, model.idle_power.value(), model.busy_power.value(), 100 * request.gpu_load.value, request.length.value(),
           lift.loss),
       device, model.source});
  lines.add(std::move(boards), idle, active, request.length);
  lines.add(std::move(supply), idle * lift.loss, active * lift.loss, request.length);
}

}  // namespace

ledger::RunRecord estimate(const EstimateRequest& request, const Context& context, const Clock& clock) {
  ledger::RunRecord r;
  r.state = ledger::State::finished;
  r.start_utc = clock.now().utc;
  r.end_utc = r.start_utc + Nanoseconds(std::llround(request.length.value() * 1e9));
  r.duration = r.running = request.length;
  r.host = context.host;
  r.place = context.place;
  r.notes = context.notes;
  r.advice = context.advice;
  set_weights(context.weights, r);
  if (!request.gpus.empty() && !request.gpu_load.known) {
    r.advice.insert(r.advice.begin(), "GPU load: 50 % is assumed; --gpu-load 0..1 says what it is");
  }
  if (!request.load.known) {
    r.advice.insert(r.advice.begin(), "load: 50 % is assumed; --load 0..1 says what it is");
  }

  Lines lines;
  add_server(lines, request);
  for (const EstimatedGpus& gpus : request.gpus) add_gpus(lines, gpus, request);
  Microjoules machine;
  for (const Flow& f : lines.flows) machine = machine + f.machine;
  Measured m;
  m.channels = std::move(lines.channels);
  m.totals = std::move(lines.flows);
  m.slices = {{r.start_utc, r.end_utc, machine}};
  m.duration = request.length;
  fill_account(m, weights_of(r), r);
  for (auto& d : lines.derivations) r.derivations.push_back(std::move(d));
  return r;
}

}  // namespace gramwatt::job
