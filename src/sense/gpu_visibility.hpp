#pragma once
// Which GPUs of AMD and Intel a program will see, by the variables that its runtime reads.
//
// AMD (rocm.docs.amd.com, "GPU isolation techniques"): ROCR_VISIBLE_DEVICES takes indices in the order of ROCm's runtime or
// UUIDs ("GPU-" and the unique id); of what is left, HIP_VISIBLE_DEVICES, CUDA_VISIBLE_DEVICES where that is not set, takes
// indices. GPU_DEVICE_ORDINAL is OpenCL's.
// Intel (Level Zero core programming guide, "Affinity Mask"): ZE_AFFINITY_MASK takes a list of devices "D" or parts of them
// "D.S". Since 2023 tiles count as devices (ZE_FLAT_DEVICE_HIERARCHY=FLAT), so that on cards of several tiles an index names
// a tile; which, cannot be told from here, and then all cards count as visible.
//
// What a program sets for itself later cannot be known.

#include <optional>
#include <string>
#include <vector>

namespace gramwatt::sense {

struct GpuVariables {
  std::optional<std::string> rocr;      ///< ROCR_VISIBLE_DEVICES
  std::optional<std::string> hip;       ///< HIP_VISIBLE_DEVICES, else CUDA_VISIBLE_DEVICES
  std::optional<std::string> affinity;  ///< ZE_AFFINITY_MASK
  static GpuVariables from_environment();
};

/// `unique_ids`: of the GPUs in the order of ROCm's runtime. An entry that names nothing ends a list, as with CUDA.
[[nodiscard]] std::vector<bool> visible_to_rocm(const std::vector<std::string>& unique_ids, const GpuVariables& variables);

/// `count`: cards, each of one tile, in the order of the runtime (discrete ones first, then by PCI address).
[[nodiscard]] std::vector<bool> visible_to_level_zero(std::size_t count, const std::optional<std::string>& mask);

}  // namespace gramwatt::sense
