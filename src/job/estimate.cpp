#include "job/estimate.hpp"

#include <cmath>

#include <fmt/format.h>

namespace gramwatt::job {
namespace {

/// A load that nobody gave: half, which is what Cloud Carbon Footprint takes, between nearly idle and nearly full.
constexpr Shift kUnknownLoad = Shift::range(0.5, 0.1, 0.95);

}  // namespace

ledger::RunRecord estimate(const EstimateRequest& request, const Context& context, const Clock& clock) {
  const sense::PowerModel& model = request.model;
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

  Channel c{Component::platform, model.description,  Boundary::node,   Method::modelled,
            model.source,        model.active_terms, model.fixed.terms};
  if (!request.load_known) {
    c.active_terms["load"] = kUnknownLoad;
    r.advice.insert(r.advice.begin(), "load: 50 % is assumed; --load 0..1 says what it is");
  }
  Flow f;
  f.job_idle = f.machine_idle = Microjoules(model.fixed.value * request.length);
  f.job_active = Microjoules(model.active(request.load) * request.length);
  f.machine = f.machine_idle + f.job_active;

  Measured m;
  m.channels = {std::move(c)};
  m.totals = {f};
  m.slices = {{r.start_utc, r.end_utc, f.machine}};
  m.duration = request.length;
  fill_account(m, weights_of(r), r);
  r.derivations.push_back({"energy.platform",
                           fmt::format("({:.4g} W at rest + {:.4g} W at {:.3g} % load) × {:.6g} s", model.fixed.value.value(),
                                       model.active(request.load).value(), 100 * request.load, request.length.value()),
                           model.description, model.source});
  return r;
}

}  // namespace gramwatt::job
