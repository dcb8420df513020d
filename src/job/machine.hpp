#pragma once
// What this machine offers to measure with.

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/system.hpp"
#include "meter/platform.hpp"
#include "sense/bmc.hpp"
#include "sense/calibration.hpp"
#include "sense/cpu_identity.hpp"
#include "sense/power_model.hpp"
#include "sense/rapl.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::job {

/// What this machine offers to measure with; probed once, before the program starts.
struct Machine {
  sense::CpuIdentity cpu;
  sense::PowerModel model;
  sense::Findings findings;
  std::optional<meter::PlatformLift> platform{};         ///< measured by a calibration; else modelled
  std::optional<sense::CalibrationTrace> calibration{};  ///< that the model comes from
  std::string calibration_note{};                        ///< why a calibration that is there is not used
  std::vector<std::string> gpus{};                       ///< "NVIDIA H100 (GPU-5f…)"; stays when a session takes the sensors
};

/// What the user may say about where to look.
struct MachineOptions {
  sense::BmcOptions bmc;
  sense::RaplOptions rapl;
};

/// The processor and its model alone: nothing is opened. For estimates.
[[nodiscard]] Result<Machine> known_machine(const Roots& roots);

/// Looks for sensors and picks the model: this machine's calibration where there is one.
[[nodiscard]] Machine probe_machine(const Roots& roots, const Clock& clock, const MachineOptions& options = {});

}  // namespace gramwatt::job
