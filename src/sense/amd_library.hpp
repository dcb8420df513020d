#pragma once
// AMD GPUs by AMD's own libraries, where the kernel's table cannot be read here.

#include <optional>
#include <string>

#include "base/system.hpp"
#include "sense/gpu_visibility.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::sense {

struct AmdLibraryOptions {
  std::optional<std::string> amdsmi;    ///< GRAMWATT_AMDSMI: this library and no other
  std::optional<std::string> rocm_smi;  ///< GRAMWATT_ROCMSMI, as second choice
  bool has_kfd = false;                 ///< /dev/kfd is there
  static AmdLibraryOptions from_environment();
};

/// Replaces or adds sensors in `found` for boards whose energy counter the driver's table does not give. A library is opened
/// only where an option names it, or where KFD is there and the table has a version that is not known here.
void add_amd_library(const AmdLibraryOptions& options, const Roots& roots, const Clock& clock, const GpuVariables& variables,
                     Findings& found);

}  // namespace gramwatt::sense
