#pragma once
// NVIDIA GPUs through NVML, opened at run time when a driver is there.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "sense/sensor.hpp"
#include "sense/side_poll.hpp"

namespace gramwatt::sense {

struct NvmlOptions {
  std::optional<std::string> library;          ///< GRAMWATT_NVML: this library and no other
  std::optional<std::string> visible_devices;  ///< CUDA_VISIBLE_DEVICES as the program will see it
  std::string device_order;                    ///< CUDA_DEVICE_ORDER
  std::filesystem::path procfs = "/proc";
  std::shared_ptr<SidePoll> side;  ///< empty: one with a thread of its own, shared by the boards
  static NvmlOptions from_environment();
};

/// One sensor a GPU. Without a driver: nothing, at the cost of one failed stat. `clock` outlives the sensors.
[[nodiscard]] Findings probe_nvml(const NvmlOptions& options, const Clock& clock);

}  // namespace gramwatt::sense
