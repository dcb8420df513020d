#pragma once
// Intel GPUs by Level Zero's Sysman, where the kernel's hwmon shows nothing.

#include <optional>
#include <string>

#include "base/system.hpp"
#include "sense/gpu_visibility.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::sense {

struct LevelZeroOptions {
  std::optional<std::string> library;  ///< GRAMWATT_LEVELZERO: this library and no other
  static LevelZeroOptions from_environment();
};

/// Adds sensors to `found` for cards of Intel that have none there. The library is opened only where an option names it, or
/// where a driver of Intel runs a card of its own (not the graphics of a processor) that has no counter in `found`.
void add_level_zero(const LevelZeroOptions& options, const Roots& roots, const Clock& clock, const GpuVariables& variables,
                    Findings& found);

}  // namespace gramwatt::sense
