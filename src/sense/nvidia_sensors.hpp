#pragma once
// How the power sensors of NVIDIA boards see, by generation. See nvidia_sensors.cpp for the table and its source.

#include <string>
#include <string_view>

#include "sense/nvidia_decoder.hpp"

namespace gramwatt::sense {

/// What is known of a board's sensors before anything is read.
struct NvidiaGeneration {
  std::string_view name;               ///< "Hopper"
  PowerSensorShape instant;            ///< of NVML_FI_DEV_POWER_INSTANT
  bool power_usage_is_average = true;  ///< nvmlDeviceGetPowerUsage is a one-second average here
  bool was_measured = true;            ///< false: nobody published it, and a cautious shape is taken
  std::string_view note;               ///< what a reader should know; may be empty
};

/// `architecture`: of nvmlDeviceGetArchitecture (0: not known, the name decides); `name`: of nvmlDeviceGetName.
[[nodiscard]] NvidiaGeneration nvidia_generation(unsigned architecture, std::string_view name);

}  // namespace gramwatt::sense
