#pragma once
// NVIDIA GPUs through NVML, opened at run time when a driver is there.

#include <optional>
#include <string>
#include <vector>

#include "sense/sensor.hpp"

namespace gramwatt::sense {

struct NvmlOptions {
  std::optional<std::string> library;          ///< GRAMWATT_NVML: this library and no other
  std::optional<std::string> visible_devices;  ///< CUDA_VISIBLE_DEVICES as the program will see it
  static NvmlOptions from_environment();
};

/// One sensor a GPU. Without a driver: nothing, at the cost of one failed stat.
[[nodiscard]] Findings probe_nvml(const NvmlOptions& options, const Clock& clock);

/// What NVML calls a GPU, as CUDA_VISIBLE_DEVICES may name it.
struct GpuName {
  std::string uuid;  ///< "GPU-5f…"
};

/// Which of `gpus` (in NVML's order) a CUDA program sees. CUDA's rules: unset = all; a list of indices or UUID prefixes; the
/// first entry that names nothing ends the list, so that "" and "-1" mean none. A MIG instance counts as its board when its
/// UUID names it ("MIG-GPU-<board>/…").
[[nodiscard]] std::vector<bool> visible_to_cuda(const std::vector<GpuName>& gpus,
                                                const std::optional<std::string>& visible_devices);

}  // namespace gramwatt::sense
