#pragma once
// What a server's baseboard management controller (BMC) says of the power of the whole node: by IPMI (DCMI), or by Redfish.
// See bmc.cpp.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/system.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::sense {

/// Fetches one path of a Redfish service ("/redfish/v1/Chassis"): the body of a good answer. Whoever links HTTP gives it.
using RedfishFetch = std::function<Result<std::string>(const std::string& path)>;

/// Sends one IPMI request to the BMC, and gives the data of the answer, completion code first.
using IpmiTransport = std::function<Result<std::vector<std::uint8_t>>(std::uint8_t netfn, std::uint8_t command,
                                                                      std::span<const std::uint8_t> data)>;
/// Opens the system's IPMI device; tests have their own.
using IpmiOpener = std::function<Result<IpmiTransport>()>;
[[nodiscard]] IpmiOpener system_ipmi_opener();

struct BmcOptions {
  RedfishFetch redfish;  ///< empty: not configured
  /// Where to begin: "/redfish/v1", or the resource itself ("/redfish/v1/Chassis/Self/Power").
  std::string redfish_path = "/redfish/v1";
  IpmiOpener ipmi = system_ipmi_opener();
};

/// At most one sensor, boundary `node`: Redfish where it is configured, else IPMI where the kernel shows a BMC
/// (/sys/class/ipmi). Asks once, in this thread; the sensor is then read by a side thread (polled.hpp).
[[nodiscard]] Findings probe_bmc(const Roots& roots, const Clock& clock, const BmcOptions& options);

/// The answer to DCMI "Get Power Reading", completion code first: the power now. An Error says why there is none.
[[nodiscard]] Result<Watts> parse_dcmi_power(std::span<const std::uint8_t> answer);

/// Watts in a Redfish resource of type Power, EnvironmentMetrics or Sensor; nothing where it has none.
[[nodiscard]] std::optional<Watts> parse_redfish_power(std::string_view body);

/// The "@odata.id" of each member of a collection; only paths below /redfish/v1/.
[[nodiscard]] std::vector<std::string> parse_redfish_members(std::string_view body);

/// Is this chassis the case of a computer, and no part of one?
[[nodiscard]] bool is_redfish_computer(std::string_view body);

}  // namespace gramwatt::sense
