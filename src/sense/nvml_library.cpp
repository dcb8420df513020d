#include "sense/nvml_library.hpp"

#include <dlfcn.h>

#include <initializer_list>

namespace gramwatt::sense {
namespace {

template <class Function>
void resolve(void* handle, Function& slot, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (void* symbol = dlsym(handle, name); symbol != nullptr) {
      slot = reinterpret_cast<Function>(symbol);
      return;
    }
  }
}

void* open_first(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (void* handle = dlopen(name, RTLD_NOW | RTLD_LOCAL); handle != nullptr) return handle;
  }
  return nullptr;
}

}  // namespace

Result<std::shared_ptr<NvmlLibrary>> NvmlLibrary::open(const std::string& path) {
  // The last name is where Windows puts the library into a WSL guest.
  void* handle = path.empty() ? open_first({"libnvidia-ml.so.1", "libnvidia-ml.so", "/usr/lib/wsl/lib/libnvidia-ml.so.1"})
                              : dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  const std::string where = path.empty() ? "libnvidia-ml.so.1" : path;
  if (handle == nullptr) {
    const char* why = dlerror();
    return fail(why != nullptr ? why : "cannot be opened", where, "install the NVIDIA driver's user-space libraries",
                Error::Kind::unavailable);
  }

  auto lib = std::make_unique<NvmlLibrary>();
  // Newest name first; the plain one is what drivers before the versioned names export.
  resolve(handle, lib->init, {"nvmlInit_v2", "nvmlInit"});
  resolve(handle, lib->shutdown, {"nvmlShutdown"});
  resolve(handle, lib->error_string, {"nvmlErrorString"});
  resolve(handle, lib->device_count, {"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"});
  resolve(handle, lib->device_by_index, {"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"});
  resolve(handle, lib->device_name, {"nvmlDeviceGetName"});
  resolve(handle, lib->device_uuid, {"nvmlDeviceGetUUID"});
  resolve(handle, lib->device_by_uuid, {"nvmlDeviceGetHandleByUUID"});
  resolve(handle, lib->pci_info, {"nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2"});
  resolve(handle, lib->architecture, {"nvmlDeviceGetArchitecture"});
  resolve(handle, lib->field_values, {"nvmlDeviceGetFieldValues"});
  resolve(handle, lib->utilisation, {"nvmlDeviceGetUtilizationRates"});
  resolve(handle, lib->process_use, {"nvmlDeviceGetProcessUtilization"});
  resolve(handle, lib->mig_mode, {"nvmlDeviceGetMigMode"});
  resolve(handle, lib->mig_count, {"nvmlDeviceGetMaxMigDeviceCount"});
  resolve(handle, lib->mig_device, {"nvmlDeviceGetMigDeviceHandleByIndex"});
  resolve(handle, lib->board_of_mig, {"nvmlDeviceGetDeviceHandleFromMigDeviceHandle"});
  resolve(handle, lib->gpu_instance, {"nvmlDeviceGetGpuInstanceId"});
  resolve(handle, lib->attributes, {"nvmlDeviceGetAttributes_v2"});
  resolve(handle, lib->total_energy, {"nvmlDeviceGetTotalEnergyConsumption"});
  resolve(handle, lib->power_usage, {"nvmlDeviceGetPowerUsage"});
  resolve(handle, lib->power_limit, {"nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetPowerManagementLimit"});
  resolve(handle, lib->compute_processes,
          {"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"});

  if (lib->init == nullptr || lib->shutdown == nullptr || lib->device_count == nullptr || lib->device_by_index == nullptr) {
    dlclose(handle);
    return fail("lacks the functions of an NVML library", where, {}, Error::Kind::unavailable);
  }
  if (const NvmlReturn code = lib->init(); code != kNvmlSuccess) {
    std::string what = "NVML does not start: " + lib->describe(code);
    dlclose(handle);
    return fail(std::move(what), where, "check `nvidia-smi`", Error::Kind::unavailable);
  }
  return std::shared_ptr<NvmlLibrary>(lib.release(), [handle](NvmlLibrary* l) {
    l->shutdown();
    delete l;
    dlclose(handle);
  });
}

std::optional<std::uint64_t> NvmlFieldValue::number() const {
  if (code != kNvmlSuccess) return std::nullopt;
  constexpr double kMost = 9.0e15;
  switch (value_type) {
    case 0: {
      const bool fits = value.as_double >= 0 && value.as_double < kMost;  // false for NaN
      return fits ? std::optional(static_cast<std::uint64_t>(value.as_double)) : std::nullopt;
    }
    case 1: return value.as_unsigned;
    case 2: return value.as_unsigned_long;
    case 3: return value.as_unsigned_long_long;
    case 4: return value.as_signed_long_long < 0 ? std::nullopt : std::optional<std::uint64_t>(value.as_signed_long_long);
    case 5: return value.as_signed < 0 ? std::nullopt : std::optional<std::uint64_t>(value.as_signed);
    case 6: return value.as_unsigned_short;
    default: return std::nullopt;
  }
}

std::string NvmlLibrary::describe(NvmlReturn code) const {
  const char* text = error_string != nullptr ? error_string(code) : nullptr;
  return text != nullptr ? text : "NVML error " + std::to_string(code);
}

}  // namespace gramwatt::sense
