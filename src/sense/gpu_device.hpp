#pragma once
// Which GPUs of AMD and Intel the kernel shows, and under which names: PCI address, hwmon, KFD node.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/system.hpp"

namespace gramwatt::sense {

struct GpuDevice {
  std::string driver;                        ///< "amdgpu", "i915", "xe"
  std::string address;                       ///< PCI: "0000:03:00.0"; the name of hwmon or card where it is no PCI device
  std::filesystem::path device;              ///< its folder in sysfs; empty when there is only an hwmon
  std::filesystem::path hwmon;               ///< empty when it has none
  std::vector<std::filesystem::path> tiles;  ///< hwmons "i915_gtN" beside it
  std::string name;                          ///< marketing name where the driver tells it
  std::string unique_id;                     ///< AMD: 16 hexadecimal digits; may be empty
  std::uint32_t device_id = 0;               ///< PCI
  std::uint64_t kfd_gpu = 0;                 ///< AMD: what KFD calls it; 0: KFD does not know it
  int kfd_node = -1;                         ///< AMD: its place in the topology, which is the order of ROCm's runtime
  bool shares_socket_with_cpu = false;       ///< AMD: an APU by KFD's topology or its PCI id

  [[nodiscard]] bool is_amd() const { return driver == "amdgpu"; }
};

/// Sorted by address. Reads /sys/class/hwmon, /sys/class/drm and /sys/class/kfd.
[[nodiscard]] std::vector<GpuDevice> find_gpu_devices(const Roots& roots);

/// "0000:c1:00.0" from KFD's `domain` and `location_id` (bus, device and function in its low 16 bits; above them a partition).
[[nodiscard]] std::string pci_address(std::uint64_t domain, std::uint64_t location);

}  // namespace gramwatt::sense
