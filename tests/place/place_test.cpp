#include "place/place.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "base/text.hpp"
#include "data/tables.hpp"
#include "fakes/http_server.hpp"
#include "fakes/temp_tree.hpp"
#include "place/find.hpp"
#include "place/metadata.hpp"

namespace gramwatt::place {
namespace {

using testing::HttpServer;

class Locate : public ::testing::Test {
 protected:
  Locate() {
    query_.roots = {tree_ / "sys", tree_ / "proc"};
    query_.cache_directory = tree_ / "cache";
    tree_.write("proc/sys/kernel/random/boot_id", "boot-1\n");
  }
  void firmware(const std::string& vendor, const std::string& product = "", const std::string& asset_tag = "") const {
    tree_.write("sys/class/dmi/id/sys_vendor", vendor + "\n");
    tree_.write("sys/class/dmi/id/product_name", product + "\n");
    tree_.write("sys/class/dmi/id/chassis_asset_tag", asset_tag + "\n");
  }
  Place locate_now() {
    auto place = locate(query_);
    EXPECT_TRUE(place) << (place ? "" : place.error().message());
    return place.value_or(Place{});
  }
  testing::TempTree tree_;
  Query query_;
};

std::string aws(const std::string& head) {
  if (head.starts_with("PUT /latest/api/token ")) return HttpServer::ok("TOKEN");
  if (head.starts_with("GET /latest/dynamic/instance-identity/document ") &&
      head.find("X-aws-ec2-metadata-token: TOKEN") != std::string::npos) {
    return HttpServer::ok(R"({"accountId":"1","instanceType":"m7a.large","region":"eu-central-1"})");
  }
  return HttpServer::not_found();
}

TEST_F(Locate, WhatTheUserSaysComesFirstInThisOrder) {
  query_.config.zone = "PL";
  EXPECT_EQ(locate_now().how, How::config);
  query_.environment.zone = "fr";
  EXPECT_EQ(locate_now().zone, "FR");
  query_.option.zone = "US-CAL-CISO";
  EXPECT_EQ(locate_now().zone, "US-CAL-CISO");
  EXPECT_EQ(locate_now().how, How::option);
}

TEST_F(Locate, AnUnknownZoneIsAnErrorWithTheNearest) {
  query_.option.zone = "US-CAL-CIS";
  const auto place = locate(query_);
  ASSERT_FALSE(place);
  EXPECT_EQ(place.error().kind, Error::Kind::missing);
  EXPECT_NE(place.error().remedy.find("US-CAL-CISO"), std::string::npos);
  query_.option.zone = "";
  EXPECT_FALSE(locate(query_));
}

TEST_F(Locate, WithoutAnyHintThePlaceIsUnknown) {
  const Place place = locate_now();
  EXPECT_EQ(place.zone, std::nullopt);
  EXPECT_EQ(place.how, How::unknown);
  EXPECT_FALSE(place.chain.empty());
}

TEST_F(Locate, AwsIsAskedWithATokenAndOnlyForItsIdentity) {
  std::string asked;
  const HttpServer server([&](const std::string& head) {
    asked += head;
    return aws(head);
  });
  query_.metadata_url = server.url();
  const Place place = locate_now();
  EXPECT_EQ(place.zone, "DE");
  EXPECT_EQ(place.how, How::cloud);
  EXPECT_EQ(place.cloud->instance, "m7a.large");
  EXPECT_EQ(asked.find("credentials"), std::string::npos);
  EXPECT_EQ(asked.find("user-data"), std::string::npos);
}

TEST_F(Locate, AzureAndGoogleAreUnderstood) {
  {
    const HttpServer server([](const std::string& head) {
      return head.starts_with("GET /metadata/instance/compute?") && head.find("Metadata: true") != std::string::npos
                 ? HttpServer::ok(R"({"location":"westeurope","vmSize":"Standard_D2s_v5"})")
                 : HttpServer::not_found();
    });
    query_.metadata_url = server.url();
    firmware("Microsoft Corporation", "Virtual Machine", "7783-7084-3265-9085-8269-3286-77");
    EXPECT_EQ(locate_now().zone, "NL");
  }
  const HttpServer server([](const std::string& head) {
    if (head.find("Metadata-Flavor: Google") == std::string::npos) return HttpServer::not_found();
    if (head.starts_with("GET /computeMetadata/v1/instance/zone")) return HttpServer::ok("projects/12/zones/europe-west1-b");
    return HttpServer::ok("projects/12/machineTypes/n2-standard-2");
  });
  query_.metadata_url = server.url();
  firmware("Google", "Google Compute Engine");
  const Place place = locate_now();
  EXPECT_EQ(place.zone, "BE");
  EXPECT_EQ(place.cloud->instance, "n2-standard-2");
}

TEST_F(Locate, HyperVAtHomeIsNotAzure) {
  firmware("Microsoft Corporation", "Virtual Machine", "0000");
  EXPECT_EQ(locate_now().cloud, std::nullopt);
}

TEST_F(Locate, NobodyIsAskedWithoutNetworkOrWithoutACloudsFirmware) {
  int asked = 0;
  const HttpServer server([&](const std::string&) {
    ++asked;
    return HttpServer::not_found();
  });
  query_.metadata_url = server.url();
  query_.network = false;
  firmware("Amazon EC2", "m7a.large");
  const Place place = locate_now();
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(place.zone, std::nullopt);
  EXPECT_EQ(place.cloud->provider, "aws");  // the firmware said so, and the PUE may use it
}

TEST_F(Locate, TheAnswerOfThisBootIsKeptAndThatOfAnotherIsNot) {
  firmware("Amazon EC2", "m7a.large");
  tree_.write("cache/cloud", "boot-1 aws m7a.large eu-west-3\n");
  EXPECT_EQ(locate_now().zone, "FR");
  query_.network = false;
  tree_.write("proc/sys/kernel/random/boot_id", "boot-2\n");
  EXPECT_EQ(locate_now().zone, std::nullopt);
}

TEST_F(Locate, ARegionThatTheTableLacksKeepsTheCloudButNoZone) {
  firmware("Amazon EC2");
  tree_.write("cache/cloud", "boot-1 aws x mars-north-1\n");
  const Place place = locate_now();
  EXPECT_EQ(place.zone, std::nullopt);
  EXPECT_NE(place.name.find("mars-north-1"), std::string::npos);
}

TEST_F(Locate, AHostileServiceCannotPutControlCharactersOnTheScreen) {
  EXPECT_FALSE(parse_aws_document(R"({"region":"eu\u001b[2J","instanceType":"x"})"));
  EXPECT_FALSE(parse_gcp("x", "zones/a b-c"));
  EXPECT_FALSE(parse_azure_compute("[]"));
  EXPECT_FALSE(parse_azure_compute("{"));
}

RC_GTEST_PROP(Metadata, NoTextCrashesAParser, (const std::string& text)) {
  (void)parse_aws_document(text);
  (void)parse_azure_compute(text);
  (void)parse_gcp(text, text);
}

TEST(Pue, IsPublishedElseTheProvidersMeanElseTheIndustrys) {
  const auto published = pue(Cloud{"aws", "", "af-south-1"}, Building::data_centre);
  EXPECT_DOUBLE_EQ(published.value.value(), 1.24);
  EXPECT_EQ(published.method, Method::measured);
  const auto provider = pue(Cloud{"gcp", "", "nowhere1"}, Building::data_centre);
  EXPECT_EQ(provider.method, Method::assumed);
  EXPECT_NEAR(provider.high().value(), 1.16, 1e-9);
  const auto own = pue(std::nullopt, Building::data_centre);
  EXPECT_NEAR(own.low().value(), 1.1, 1e-9);
  EXPECT_NEAR(own.high().value(), 2.0, 1e-9);
  EXPECT_DOUBLE_EQ(pue(std::nullopt, Building::home_or_office).high().value(), 1);
}

TEST_F(Locate, AZoneWinsOverAPointAPointOverWordsAndAnOptionOverAll) {
  query_.config.place = "Germany";
  EXPECT_EQ(locate_now().zone, "DE");
  EXPECT_EQ(locate_now().how, How::country);
  query_.config.latitude = "48.86";
  query_.config.longitude = "2.35";
  EXPECT_EQ(locate_now().zone, "FR");
  query_.config.zone = "BE";
  const Place config = locate_now();
  EXPECT_EQ(config.zone, "BE");
  EXPECT_EQ(config.how, How::config);
  EXPECT_NEAR(config.point->latitude, 48.86, 1e-9);  // still where the machine is
  query_.environment.place = "60601, US";
  EXPECT_EQ(locate_now().zone, "US-MIDA-PJM");
  query_.option.latitude = "59.33";
  query_.option.longitude = "18.07";
  const Place option = locate_now();
  EXPECT_EQ(option.zone, "SE-SE3");
  EXPECT_NE(option.chain.front().find("--lat, --lon"), std::string::npos);
}

TEST_F(Locate, AZoneNamedBesideAPostalCodeWinsAndKeepsThePostcode) {
  query_.config.zone = "US-NW-BPAT";
  query_.config.place = "98837, US";  // the outlines say US-NW-GCPD
  const Place place = locate_now();
  EXPECT_EQ(place.zone, "US-NW-BPAT");
  EXPECT_EQ(place.postcode, "98837");
  EXPECT_EQ(place.point_from, "ZIP code");
}

TEST_F(Locate, HalfAPointOrABadOneIsAUsageErrorThatNamesItsSource) {
  query_.option.latitude = "52.5";
  ASSERT_FALSE(locate(query_));
  EXPECT_EQ(locate(query_).error().kind, Error::Kind::usage);
  query_.option.longitude = "east";
  EXPECT_EQ(locate(query_).error().where, "--lat, --lon");
  query_.option = {};
  query_.environment.longitude = "5";
  EXPECT_EQ(locate(query_).error().where, "GRAMWATT_LAT, GRAMWATT_LON");
}

TEST_F(Locate, ACloudsTableWinsOverItsPoint) {
  firmware("Microsoft Corporation", "Virtual Machine", "7783-7084-3265-9085-8269-3286-77");
  tree_.write("cache/cloud", "boot-1 azure Standard_D2s_v5 westus2\n");
  const Place place = locate_now();
  EXPECT_EQ(place.zone, "US-NW-BPAT");  // as published; the point lies in US-NW-GCPD
  EXPECT_EQ(place.point_from, "cloud region");
  EXPECT_NEAR(place.point->longitude, -119.85, 0.1);
}

/// Regions whose published grid is not the one that their place lies in: operators' areas interleave in the Northwest and in
/// Arizona, and the providers' places are towns near by.
const std::set<std::string> kInterleaved{"azure/westus2", "azure/westus3", "aws/us-gov-west-1"};

TEST(Regions, EveryOneOfThemLeadsToAKnownZoneAndLiesInIt) {
  const auto zones = known_zones();
  std::string_view table = data::cloud_regions();
  (void)next_line(table);
  int regions = 0;
  while (const auto line = next_line(table)) {
    const auto f = split(*line, ',');
    const auto found = find_region(f[0], f[1]);
    ASSERT_TRUE(found) << *line;
    EXPECT_TRUE(std::binary_search(zones.begin(), zones.end(), found->zone)) << found->zone;
    const auto point = point_of_region(f[0], f[1]);
    ASSERT_TRUE(point) << *line;
    const std::string name = std::string(f[0]) + "/" + std::string(f[1]);
    const auto there = find_by_point(*point, name);
    ASSERT_TRUE(there) << *line;
    EXPECT_EQ(there->zone != found->zone, kInterleaved.count(name) == 1) << *line << ": " << *there->zone;
    ++regions;
  }
  EXPECT_EQ(regions, 142);
}

TEST(Zones, PartsOfCountriesHaveNames) {
  std::string california, tasmania;
  for (const auto& [zone, name] : named_zones()) {
    if (zone == "US-CAL-CISO") california = name;
    if (zone == "AU-TAS") tasmania = name;
    EXPECT_FALSE(name.starts_with(zone + ",")) << zone << " has no name: data/zone_names.csv";
  }
  EXPECT_TRUE(california.starts_with("California ISO, United States")) << california;
  EXPECT_EQ(tasmania, "Tasmania, Australia");
}

}  // namespace
}  // namespace gramwatt::place
