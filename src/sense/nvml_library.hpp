#pragma once
// The few NVML functions that gramwatt uses, declared by hand from NVIDIA's published API (NVML reference manual, driver
// branch R535), because the header is not free software and the library is there only where the driver is.

#include <memory>
#include <string>

#include "base/error.hpp"

namespace gramwatt::sense {

using NvmlReturn = int;
using NvmlDevice = struct nvmlDevice_st*;

inline constexpr NvmlReturn kNvmlSuccess = 0;
inline constexpr NvmlReturn kNvmlNotSupported = 3;
inline constexpr NvmlReturn kNvmlInsufficientSize = 7;
inline constexpr NvmlReturn kNvmlGpuIsLost = 15;

/// Function pointers; those that old drivers lack may be null.
struct NvmlLibrary {
  NvmlReturn (*init)() = nullptr;
  NvmlReturn (*shutdown)() = nullptr;
  const char* (*error_string)(NvmlReturn) = nullptr;
  NvmlReturn (*device_count)(unsigned*) = nullptr;
  NvmlReturn (*device_by_index)(unsigned, NvmlDevice*) = nullptr;
  NvmlReturn (*device_name)(NvmlDevice, char*, unsigned) = nullptr;
  NvmlReturn (*device_uuid)(NvmlDevice, char*, unsigned) = nullptr;
  NvmlReturn (*total_energy)(NvmlDevice, unsigned long long*) = nullptr;          ///< mJ since the driver was loaded; optional
  NvmlReturn (*power_usage)(NvmlDevice, unsigned*) = nullptr;                     ///< mW; optional
  NvmlReturn (*power_limit)(NvmlDevice, unsigned*) = nullptr;                     ///< mW; optional
  NvmlReturn (*compute_processes)(NvmlDevice, unsigned* count, void*) = nullptr;  ///< asked with count 0 only; optional

  /// Opens `path` (or the usual names when empty) and initialises NVML; shut down when the last owner lets go.
  [[nodiscard]] static Result<std::shared_ptr<NvmlLibrary>> open(const std::string& path);

  [[nodiscard]] std::string describe(NvmlReturn code) const;
};

}  // namespace gramwatt::sense
