#pragma once
// Which GPUs, and which parts of them, will a CUDA program see? Pure.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gramwatt::sense {

/// What NVML calls a GPU, as CUDA_VISIBLE_DEVICES may name it.
struct GpuName {
  std::string uuid;              ///< "GPU-5f…"
  std::string pci;               ///< "00000000:3B:00.0"
  std::string model;             ///< "NVIDIA H100 80GB HBM3"
  std::vector<std::string> mig;  ///< UUIDs of its MIG instances: "MIG-…"; empty: not partitioned
};

struct CudaView {
  struct Gpu {
    bool visible = false;
    std::vector<std::size_t> mig;  ///< which of its instances; all of the board's when it is not partitioned
  };
  std::vector<Gpu> gpus;
  /// An index was given, and which board CUDA means by it cannot be known: what was assumed. Empty when all is clear.
  std::string doubt;
};

/// `visible`: CUDA_VISIBLE_DEVICES, nothing when unset; `order`: CUDA_DEVICE_ORDER. CUDA's rules: unset = all; a list of
/// indices, UUID prefixes or MIG UUIDs (both forms: "MIG-<uuid>" and "MIG-GPU-<board>/<gi>/<ci>"); the first entry that names
/// nothing ends the list, so that "" and "-1" mean none. PCI bus ids are taken too, as some schedulers write them. Of a
/// partitioned board that is named as a whole, CUDA takes one instance: the first. Indices count boards in PCI order when
/// `order` is PCI_BUS_ID; by default the fastest comes first, which is PCI order among boards of one model, and unknown to us
/// among different ones.
[[nodiscard]] CudaView cuda_view(const std::vector<GpuName>& gpus, const std::optional<std::string>& visible,
                                 std::string_view order = {});

}  // namespace gramwatt::sense
