#pragma once
// Where sensors are found that must be configured: the node's management controller, a folder of the host's.

#include "cli/context.hpp"
#include "job/machine.hpp"

namespace gramwatt::cli {

/// From the environment (GRAMWATT_RAPL_TREE; GRAMWATT_REDFISH_URL, _USER, _PASSWORD, _FINGERPRINT), else the configuration.
/// Nobody is asked yet, and nobody will be where the network is forbidden.
[[nodiscard]] job::MachineOptions machine_options(const Settings& settings);

}  // namespace gramwatt::cli
