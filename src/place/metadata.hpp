#pragma once
// What a cloud says of one of its machines, over its link-local metadata service.

#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/system.hpp"
#include "place/place.hpp"

namespace gramwatt::place {

/// The provider that the firmware (DMI) names: "aws", "azure", "gcp", or nothing.
[[nodiscard]] std::optional<std::string> provider_by_firmware(const Roots& roots);

/// Asks one provider's service at `base` ("http://169.254.169.254"): instance type and region, nothing else.
[[nodiscard]] Result<Cloud> ask_metadata(const std::string& provider, const std::string& base);

// Parsers of the answers; split off for tests and fuzzing.
[[nodiscard]] Result<Cloud> parse_aws_document(const std::string& body);
[[nodiscard]] Result<Cloud> parse_azure_compute(const std::string& body);
[[nodiscard]] Result<Cloud> parse_gcp(const std::string& machine_type, const std::string& zone);

}  // namespace gramwatt::place
