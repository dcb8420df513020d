#include "place/coordinates.hpp"

#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "base/text.hpp"

namespace gramwatt::place {
namespace {

constexpr double kEarthRadiusKm = 6371.0;

double radians(double degrees) { return degrees * std::numbers::pi / 180; }

}  // namespace

Result<Coordinates> parse_coordinates(const std::string& latitude, const std::string& longitude) {
  const auto lat = parse_number<double>(latitude);
  if (!lat || std::isnan(*lat) || std::abs(*lat) > 90) {
    return fail(fmt::format("\"{}\" is no latitude", latitude), "latitude",
                "decimal degrees from -90 (south) to 90, such as 52.52", Error::Kind::usage);
  }
  auto lon = parse_number<double>(longitude);
  if (!lon || std::isnan(*lon) || *lon < -180 || *lon > 360) {
    return fail(fmt::format("\"{}\" is no longitude", longitude), "longitude",
                "decimal degrees from -180 (west) to 180, such as 13.40", Error::Kind::usage);
  }
  if (*lon > 180) *lon -= 360;
  return Coordinates{*lat, *lon};
}

std::string to_string(const Coordinates& p) {
  return fmt::format("{:.2f} {}, {:.2f} {}", std::abs(p.latitude), p.latitude < 0 ? 'S' : 'N', std::abs(p.longitude),
                     p.longitude < 0 ? 'W' : 'E');
}

double kilometres_between(const Coordinates& a, const Coordinates& b) {
  const double up = std::sin(radians(b.latitude - a.latitude) / 2);
  const double across = std::sin(radians(b.longitude - a.longitude) / 2);
  const double h = up * up + std::cos(radians(a.latitude)) * std::cos(radians(b.latitude)) * across * across;
  return 2 * kEarthRadiusKm * std::asin(std::sqrt(std::min(1.0, h)));
}

}  // namespace gramwatt::place
