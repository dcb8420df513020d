#pragma once
// GPUs whose kernel driver tells power or energy by itself, without a vendor's library.

#include <memory>

#include "base/system.hpp"
#include "sense/gpu_clients.hpp"
#include "sense/gpu_visibility.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::sense {

/// One sensor a GPU of Intel (i915, xe: energy counter) or AMD (amdgpu: energy counter checked by power, or power).
/// Ids are the driver's name and the PCI address: "amdgpu:0000:c1:00.0".
[[nodiscard]] Findings probe_driver_gpus(const Roots& roots, const Clock& clock, const GpuVariables& variables);

/// Which of `gpus` the program will see.
[[nodiscard]] std::vector<bool> visible_gpus(const std::vector<GpuDevice>& gpus, const GpuVariables& variables);

/// `sensor`, and who used its GPU. `gpus`: those that it stands for (two dies of a module).
[[nodiscard]] std::unique_ptr<Sensor> with_clients(std::unique_ptr<Sensor> sensor, std::shared_ptr<GpuClients> clients,
                                                   std::vector<GpuDevice> gpus);

}  // namespace gramwatt::sense
