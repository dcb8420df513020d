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

std::string NvmlLibrary::describe(NvmlReturn code) const {
  const char* text = error_string != nullptr ? error_string(code) : nullptr;
  return text != nullptr ? text : "NVML error " + std::to_string(code);
}

}  // namespace gramwatt::sense
