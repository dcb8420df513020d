#pragma once
// What a machine would use, without running anything: the model of runs without sensors, at a load and for a time.

#include "base/clock.hpp"
#include "job/run.hpp"

namespace gramwatt::job {

struct EstimateRequest {
  sense::PowerModel model;
  double load = 0.5;        ///< share of the machine's capacity, 0..1
  bool load_known = false;  ///< false: `load` is an assumption, and the interval says so
  Seconds length;
};

/// Energy, carbon and intensity of `request` from now on, as a record of a run that never was: no id, no exit code.
[[nodiscard]] ledger::RunRecord estimate(const EstimateRequest& request, const Context& context, const Clock& clock);

}  // namespace gramwatt::job
