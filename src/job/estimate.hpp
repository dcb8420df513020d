#pragma once
// What a machine would use, without running anything: the model of runs without sensors, at a load and for a time.

#include "base/clock.hpp"
#include "job/run.hpp"
#include "sense/gpu_model.hpp"

namespace gramwatt::job {

/// A load of 0..1, or the assumption that stands for one that nobody gave: the interval says so.
struct Load {
  double value = 0.5;
  bool known = false;
};

/// Boards of one kind.
struct EstimatedGpus {
  sense::GpuModel model;
  int count = 1;
};

struct EstimateRequest {
  sense::PowerModel model;
  Load load;  ///< share of the machine's capacity
  std::vector<EstimatedGpus> gpus;
  Load gpu_load;                                                    ///< share of time in which a kernel is resident
  sense::MachineClass machine_class = sense::MachineClass::server;  ///< what lifts the GPUs to the plug
  Seconds length;
};

/// Energy, carbon and intensity of `request` from now on, as a record of a run that never was: no id, no exit code.
[[nodiscard]] ledger::RunRecord estimate(const EstimateRequest& request, const Context& context, const Clock& clock);

}  // namespace gramwatt::job
