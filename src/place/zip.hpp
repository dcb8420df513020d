#pragma once
// US ZIP codes: zone and place (data/zip_zones.bin).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "place/coordinates.hpp"

namespace gramwatt::place {

/// What the table says of a ZIP code. Codes that the post has not given out, within a prefix that it has, are taken for their
/// neighbours'.
struct Zip {
  std::optional<std::string> zone;  ///< nothing: the code exists, and no zone of it is known (the Florida Keys, military post)
  std::string state;                ///< set only where `zone` is not: "FL"; "AE", "AP", "AA" are military
  Coordinates point;                ///< of a ZIP nearby in the same zone, within the same three-digit prefix
};

/// "23917" or "23917-0001" as a number; nothing when it is no ZIP code by its form.
[[nodiscard]] std::optional<std::uint32_t> parse_zip(std::string_view text);

/// Nothing where no ZIP code has these first three digits.
[[nodiscard]] std::optional<Zip> find_zip(std::uint32_t zip);

}  // namespace gramwatt::place
