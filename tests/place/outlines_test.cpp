// Points to zones: known places, the ends of the map, and the index against plain point-in-polygon over the whole geometry.

#include "place/outlines.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <filesystem>
#include <random>

#include <nlohmann/json.hpp>

#include "fakes/shared_data.hpp"
#include "place/find.hpp"
#include "place/packed.hpp"
#include "place/place.hpp"

namespace gramwatt::place {
namespace {

std::string zone_at(double latitude, double longitude) {
  return std::string(Outlines::built_in().zone_at({latitude, longitude}).value_or(""));
}

TEST(Outlines, KnownPlacesLieInTheirZones) {
  EXPECT_EQ(zone_at(52.52, 13.40), "DE");             // Berlin
  EXPECT_EQ(zone_at(36.67, -78.39), "US-MIDA-PJM");   // Boydton, Azure East US 2
  EXPECT_EQ(zone_at(47.23, -119.85), "US-NW-GCPD");   // Quincy, Azure West US 2
  EXPECT_EQ(zone_at(41.85, -87.70), "US-MIDA-PJM");   // Chicago
  EXPECT_EQ(zone_at(41.59, -93.62), "US-MIDW-MISO");  // Des Moines
  EXPECT_EQ(zone_at(29.42, -98.50), "US-TEX-ERCO");   // San Antonio
  EXPECT_EQ(zone_at(37.76, -122.44), "US-CAL-CISO");  // San Francisco
  EXPECT_EQ(zone_at(41.14, -104.82), "US-NW-WACM");   // Cheyenne
  EXPECT_EQ(zone_at(33.45, -112.07), "US-SW-SRP");    // Phoenix
  EXPECT_EQ(zone_at(-33.90, 150.90), "AU-NSW");
  EXPECT_EQ(zone_at(-23.55, -46.63), "BR-CS");
  EXPECT_EQ(zone_at(64.13, -21.50), "IS");
}

TEST(Outlines, AZoneWithinAnotherWins) {
  EXPECT_EQ(zone_at(-29.5, 28.2), "LS");  // Lesotho, wholly inside South Africa's ring
  EXPECT_EQ(zone_at(-28.5, 26.2), "ZA");
}

TEST(Outlines, AtSeaAndAtTheEndsOfTheMapThereIsNoZone) {
  for (const auto& [latitude, longitude] : {std::pair{0.0, -30.0},
                                            {90.0, 0.0},
                                            {-90.0, 0.0},
                                            {90.0, 180.0},
                                            {-90.0, -180.0},
                                            {-75.0, 100.0},
                                            {0.0, 180.0},
                                            {0.0, -180.0}}) {
    EXPECT_EQ(zone_at(latitude, longitude), "") << latitude << ' ' << longitude;
    EXPECT_FALSE(Outlines::built_in().nearest({latitude, longitude}, 50)) << latitude << ' ' << longitude;
  }
}

TEST(Outlines, WhatIsNoPointHasNoZone) {
  const double nan = std::nan("");
  for (const Coordinates bad : {Coordinates{nan, 0}, {0, nan}, {91, 0}, {0, 181}, {1e300, -1e300}}) {
    EXPECT_FALSE(Outlines::built_in().zone_at(bad));
    EXPECT_FALSE(Outlines::built_in().nearest(bad, 50));
  }
}

TEST(Outlines, NearACoastTheNearestZoneIsFoundAcrossTheAntimeridian) {
  const auto near = Outlines::built_in().nearest({-16.8, -179.95}, 50);  // Taveuni lies on both sides of 180 degrees
  ASSERT_TRUE(near);
  EXPECT_EQ(near->zone, "FJ");
  const auto from_west = Outlines::built_in().nearest({65.5, 179.99}, 300);
  const auto from_east = Outlines::built_in().nearest({65.5, -179.99}, 300);
  ASSERT_TRUE(from_west && from_east);
  EXPECT_EQ(from_west->zone, from_east->zone);
  EXPECT_NEAR(from_west->kilometres, from_east->kilometres, 1.5);
}

TEST(Outlines, EveryZonesOwnPointLiesInIt) {
  const auto& zones = Outlines::built_in().zones();
  EXPECT_TRUE(std::is_sorted(zones.begin(), zones.end()));
  EXPECT_EQ(zones.size(), 364U);
  for (const std::string_view zone : zones) {
    const auto point = point_in_zone(zone);
    ASSERT_TRUE(point) << zone;
    if (zone == "MC") continue;  // a sliver, a hundredth of a degree wide
    // Vertices are whole hundredths, and so is the point: a step aside tells the same as the point itself.
    EXPECT_EQ(Outlines::built_in().zone_at({point->latitude + 0.001, point->longitude + 0.001}), zone);
  }
  EXPECT_FALSE(point_in_zone("XY-NOWHERE"));
}

TEST(Packed, ReadsWhatTheTableToolWrites) {
  Packed in(
      std::string_view("\x05\xac\x02\x01\x02\x03"
                       "abc",
                       9));
  EXPECT_EQ(in.number(), 5U);
  EXPECT_EQ(in.number(), 300U);
  EXPECT_EQ(in.difference(), -1);
  EXPECT_EQ(in.difference(), 1);
  EXPECT_EQ(in.name(), "abc");
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(in.number(), 0U);
}

/// The plain way: every ring of the shared geometry is asked, and the smallest that holds the point is meant.
class Plain {
 public:
  explicit Plain(const nlohmann::json& geometry) {
    for (const auto& zone : geometry.at("zones")) {
      for (const auto& ring : zone.at("rings")) {
        Ring r{zone.at("zone"), {}, 0};
        for (const auto& p : ring) r.points.emplace_back(p.at(0).get<double>(), p.at(1).get<double>());
        double twice = 0;
        for (std::size_t i = 0; i + 1 < r.points.size(); ++i)
          twice += r.points[i].first * r.points[i + 1].second - r.points[i + 1].first * r.points[i].second;
        r.area = std::abs(twice);
        rings_.push_back(std::move(r));
      }
    }
    std::sort(rings_.begin(), rings_.end(), [](const Ring& a, const Ring& b) { return a.area < b.area; });
  }
  [[nodiscard]] std::string zone_at(double latitude, double longitude) const {
    for (const Ring& r : rings_) {
      bool odd = false;
      for (std::size_t i = 0; i + 1 < r.points.size(); ++i) {
        const auto& [x0, y0] = r.points[i];
        const auto& [x1, y1] = r.points[i + 1];
        if ((y0 > latitude) != (y1 > latitude) && longitude < x0 + (x1 - x0) * (latitude - y0) / (y1 - y0)) odd = !odd;
      }
      if (odd) return r.zone;
    }
    return "";
  }

 private:
  struct Ring {
    std::string zone;
    std::vector<std::pair<double, double>> points;
    double area;
  };
  std::vector<Ring> rings_;
};

TEST(Outlines, AgreeWithPlainPointInPolygonOverTheSharedGeometry) {
  const auto text = testing::shared_gzip("grid-zone-geometry/zones_simplified.json.gz");
  if (!text) GTEST_SKIP() << "the shared geometry is not here";
  const Plain plain(nlohmann::json::parse(*text));
  std::mt19937 random(20261125);
  std::uniform_real_distribution<double> longitude(-180, 180);
  std::uniform_real_distribution<double> latitude(-56, 84);  // where there are zones
  int differ = 0;
  int inside = 0;
  constexpr int kPoints = 20000;
  for (int i = 0; i < kPoints; ++i) {
    const double y = latitude(random);
    const double x = longitude(random);
    const std::string expected = plain.zone_at(y, x);
    inside += expected.empty() ? 0 : 1;
    if (zone_at(y, x) != expected) ++differ;
  }
  EXPECT_GT(inside, kPoints / 4);
  EXPECT_EQ(differ, 0);  // the table holds the geometry whole
}

/// A ring may be anything: the index answers as the plain rule does, also for rings that cross themselves.
RC_GTEST_PROP(Outlines, AnyRingIsJudgedAsByItsOwnCrossings, ()) {
  const auto within = [](int reach) { return rc::gen::resize(rc::kNominalSize, rc::gen::inRange(-reach, reach)); };
  const auto vertex = rc::gen::pair(within(400), within(400));
  const auto ring = *rc::gen::resize(12, rc::gen::nonEmpty(rc::gen::container<std::vector<std::pair<int, int>>>(vertex)));
  std::string table;
  const auto number = [&](unsigned n) {
    for (; n >= 0x80; n >>= 7) table += static_cast<char>(n & 0x7F) | static_cast<char>(0x80);
    table += static_cast<char>(n);
  };
  const auto difference = [&](int d) { number(d >= 0 ? static_cast<unsigned>(d) << 1 : (static_cast<unsigned>(-d) << 1) - 1); };
  number(1);
  number(1);
  table += 'Z';
  difference(0);
  difference(0);
  number(1);
  number(0);
  number(static_cast<unsigned>(ring.size()));
  std::pair<int, int> before{0, 0};
  for (const auto& p : ring) {
    difference(p.first - before.first);
    difference(p.second - before.second);
    before = p;
  }
  const Outlines outlines(table);
  for (int i = 0; i < 50; ++i) {
    // Halves of a hundredth and a bit, so that no point lies on an edge.
    const double x = *within(450) + 0.5123;
    const double y = *within(450) + 0.5377;
    bool odd = false;
    for (std::size_t k = 0; k < ring.size(); ++k) {
      const auto [x0, y0] = ring[k];
      const auto [x1, y1] = ring[(k + 1) % ring.size()];
      if ((y0 > y) != (y1 > y) && x < x0 + (x1 - x0) * (y - y0) / (y1 - y0)) odd = !odd;
    }
    RC_ASSERT(outlines.zone_at({y / 100, x / 100}).has_value() == odd);
  }
}

TEST(Coordinates, AreReadStrictly) {
  EXPECT_TRUE(parse_coordinates("52.52", " 13.40 "));
  EXPECT_NEAR(parse_coordinates("-33.9", "359")->longitude, -1, 1e-12);
  for (const char* bad : {"", " ", "91", "-90.1", "nan", "inf", "52,5", "52.5N", "0x10", "1e9"}) {
    const auto point = parse_coordinates(bad, "0");
    ASSERT_FALSE(point) << bad;
    EXPECT_EQ(point.error().kind, Error::Kind::usage);
  }
  for (const char* bad : {"-180.5", "361", "nan", "-inf", "x"}) EXPECT_FALSE(parse_coordinates("0", bad)) << bad;
}

TEST(Coordinates, DistancesAreTheEarths) {
  EXPECT_NEAR(kilometres_between({52.52, 13.40}, {48.86, 2.35}), 878, 5);  // Berlin to Paris
  EXPECT_NEAR(kilometres_between({0, 179.5}, {0, -179.5}), 111.2, 0.2);
  EXPECT_NEAR(kilometres_between({90, 0}, {-90, 123}), 20015, 20);
}

TEST(FindByPoint, TellsHowItFoundTheZoneOrWhatIsNearest) {
  const auto berlin = find_by_point({52.52, 13.40}, "--lat, --lon");
  ASSERT_TRUE(berlin);
  EXPECT_EQ(berlin->zone, "DE");
  EXPECT_EQ(berlin->how, How::coordinates);
  EXPECT_EQ(berlin->point_from, "given");
  EXPECT_EQ(berlin->chain.size(), 2U);
  const auto coast = find_by_point({-16.8, -179.95}, "--lat, --lon");
  ASSERT_TRUE(coast);
  EXPECT_NE(coast->chain.back().find("outside all, 26 km from FJ"), std::string::npos) << coast->chain.back();
  const auto sea = find_by_point({0, -30}, "--lat, --lon");
  ASSERT_FALSE(sea);
  EXPECT_EQ(sea.error().kind, Error::Kind::missing);
  EXPECT_NE(sea.error().remedy.find("BR-NE, 8"), std::string::npos) << sea.error().remedy;
  const auto andorra = find_by_point({42.55, 1.6}, "--lat, --lon");  // an outline, and no published intensity
  ASSERT_FALSE(andorra);
  EXPECT_NE(andorra.error().what.find("zone AD"), std::string::npos);
}

}  // namespace
}  // namespace gramwatt::place
