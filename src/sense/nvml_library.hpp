#pragma once
// The few NVML functions that gramwatt uses, declared by hand from NVIDIA's published API (NVML reference manual, driver
// branch R535), because the header is not free software and the library is there only where the driver is.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"

namespace gramwatt::sense {

using NvmlReturn = int;
using NvmlDevice = struct nvmlDevice_st*;

inline constexpr NvmlReturn kNvmlSuccess = 0;
inline constexpr NvmlReturn kNvmlNotSupported = 3;
inline constexpr NvmlReturn kNvmlInsufficientSize = 7;
inline constexpr NvmlReturn kNvmlNotFound = 6;
inline constexpr NvmlReturn kNvmlGpuIsLost = 15;

// Field ids, scopes and value types: nvml.h of driver branch R535 (NVML_FI_DEV_…, NVML_POWER_SCOPE_…, nvmlValueType_t).
inline constexpr unsigned kNvmlFieldEnergy = 83;         ///< mJ since the driver was loaded
inline constexpr unsigned kNvmlFieldAveragePower = 185;  ///< mW, over about a second
inline constexpr unsigned kNvmlFieldInstantPower = 186;  ///< mW
inline constexpr unsigned kNvmlScopeGpu = 0, kNvmlScopeModule = 1, kNvmlScopeMemory = 2;

/// nvmlFieldValue_t, 40 bytes.
struct NvmlFieldValue {
  unsigned field = 0;
  unsigned scope = 0;          ///< for power: what part of the board
  std::int64_t timestamp = 0;  ///< µs since 1970, CPU time
  std::int64_t latency = 0;    ///< µs
  int value_type = 0;
  NvmlReturn code = 0;  ///< of this field; `value` is undefined unless it is success
  union {
    double as_double;
    unsigned as_unsigned;
    unsigned long as_unsigned_long;
    unsigned long long as_unsigned_long_long;
    long long as_signed_long_long;
    int as_signed;
    unsigned short as_unsigned_short;
  } value{};

  /// The value as a whole number, by its type; nothing when it failed, is negative, or has a type that is not known.
  [[nodiscard]] std::optional<std::uint64_t> number() const;
};
static_assert(sizeof(NvmlFieldValue) == 40);

/// The common beginning of nvmlPciInfo_t in all its versions, with room for the longest.
struct NvmlPciInfo {
  char legacy_id[16] = "";
  unsigned domain = 0, bus = 0, device = 0;
  char rest[100] = "";
};

/// nvmlProcessInfo_t as the functions _v2 and _v3 fill it.
struct NvmlProcess {
  unsigned pid = 0;
  unsigned long long memory = 0;
  unsigned gpu_instance = 0, compute_instance = 0;
};
static_assert(sizeof(NvmlProcess) == 24);

/// nvmlProcessUtilizationSample_t.
struct NvmlProcessUse {
  unsigned pid = 0;
  unsigned long long timestamp = 0;                       ///< µs since 1970, CPU time
  unsigned sm = 0, memory = 0, encoder = 0, decoder = 0;  ///< percent
};
static_assert(sizeof(NvmlProcessUse) == 32);

/// nvmlDeviceAttributes_t.
struct NvmlAttributes {
  unsigned multiprocessors = 0, copy_engines = 0, decoders = 0, encoders = 0, jpegs = 0, ofas = 0;
  unsigned gpu_instance_slices = 0, compute_instance_slices = 0;
  unsigned long long memory_mb = 0;
};
static_assert(sizeof(NvmlAttributes) == 40);

struct NvmlUtilisation {
  unsigned gpu = 0, memory = 0;  ///< percent of the last sample period in which a kernel ran
};

/// Function pointers; those that old drivers lack may be null.
struct NvmlLibrary {
  NvmlReturn (*init)() = nullptr;
  NvmlReturn (*shutdown)() = nullptr;
  const char* (*error_string)(NvmlReturn) = nullptr;
  NvmlReturn (*device_count)(unsigned*) = nullptr;
  NvmlReturn (*device_by_index)(unsigned, NvmlDevice*) = nullptr;
  // All that follow are optional.
  NvmlReturn (*device_name)(NvmlDevice, char*, unsigned) = nullptr;
  NvmlReturn (*device_uuid)(NvmlDevice, char*, unsigned) = nullptr;
  NvmlReturn (*device_by_uuid)(const char*, NvmlDevice*) = nullptr;
  NvmlReturn (*pci_info)(NvmlDevice, NvmlPciInfo*) = nullptr;
  NvmlReturn (*architecture)(NvmlDevice, unsigned*) = nullptr;
  NvmlReturn (*field_values)(NvmlDevice, int, NvmlFieldValue*) = nullptr;
  NvmlReturn (*total_energy)(NvmlDevice, unsigned long long*) = nullptr;  ///< mJ since the driver was loaded
  NvmlReturn (*power_usage)(NvmlDevice, unsigned*) = nullptr;             ///< mW
  NvmlReturn (*power_limit)(NvmlDevice, unsigned*) = nullptr;             ///< mW
  NvmlReturn (*utilisation)(NvmlDevice, NvmlUtilisation*) = nullptr;
  NvmlReturn (*compute_processes)(NvmlDevice, unsigned* count, NvmlProcess*) = nullptr;
  /// Samples newer than `after` (µs since 1970).
  NvmlReturn (*process_use)(NvmlDevice, NvmlProcessUse*, unsigned* count, unsigned long long after) = nullptr;
  NvmlReturn (*mig_mode)(NvmlDevice, unsigned* current, unsigned* pending) = nullptr;
  NvmlReturn (*mig_count)(NvmlDevice, unsigned*) = nullptr;  ///< the most that there may be
  NvmlReturn (*mig_device)(NvmlDevice, unsigned, NvmlDevice*) = nullptr;
  NvmlReturn (*board_of_mig)(NvmlDevice, NvmlDevice*) = nullptr;
  NvmlReturn (*gpu_instance)(NvmlDevice, unsigned*) = nullptr;
  NvmlReturn (*attributes)(NvmlDevice, NvmlAttributes*) = nullptr;

  /// Opens `path` (or the usual names when empty) and initialises NVML; shut down when the last owner lets go.
  [[nodiscard]] static Result<std::shared_ptr<NvmlLibrary>> open(const std::string& path);

  [[nodiscard]] std::string describe(NvmlReturn code) const;
};

}  // namespace gramwatt::sense
