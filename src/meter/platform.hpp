#pragma once
// From the chip to the plug: what the rest of the server draws when sensors see the chips only.

#include "base/estimate.hpp"
#include "sense/cpu_identity.hpp"

namespace gramwatt::meter {

/// The modelled `platform` line beside chip sensors, boundary node: loss × chips + base.
struct PlatformLift {
  double loss = 0;  ///< power supply, voltage regulators and the fans that follow the load, per watt at the chips
  Shift loss_shift;
  Watts base;  ///< board, fans at rest, disks, NIC, BMC
  Shift base_shift;
  std::string source;
};

/// `host_share`: of a guest, its part of its host. `has_cpu_sensors` false: only GPUs are lifted, because the model that stands
/// for the rest is wall power already.
[[nodiscard]] PlatformLift platform_lift(sense::MachineClass machine_class, int packages, Ratio host_share,
                                         bool has_cpu_sensors);

}  // namespace gramwatt::meter
