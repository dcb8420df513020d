#pragma once
// A point on the Earth.

#include <string>

#include "base/error.hpp"

namespace gramwatt::place {

/// Degrees, WGS 84: latitude -90 (south) to 90, longitude -180 (west) to 180.
struct Coordinates {
  double latitude = 0;
  double longitude = 0;
};

/// "52.52" and "13.4" as decimal degrees; longitudes of 180 to 360 count eastward, as some maps write them. Anything else is a
/// usage error that names the part which is wrong.
[[nodiscard]] Result<Coordinates> parse_coordinates(const std::string& latitude, const std::string& longitude);

/// "52.52 N, 13.40 E"
[[nodiscard]] std::string to_string(const Coordinates& point);

/// Along the great circle, by the haversine on a sphere of 6371 km (the Earth's mean radius, IUGG); right within 0.5 %.
[[nodiscard]] double kilometres_between(const Coordinates& a, const Coordinates& b);

}  // namespace gramwatt::place
