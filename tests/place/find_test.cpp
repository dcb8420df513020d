// Words to zones: postal codes, countries, states, and the errors of what may mean two things or nothing.

#include "place/find.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <sstream>

#include "base/text.hpp"
#include "data/tables.hpp"
#include "fakes/shared_data.hpp"
#include "place/names.hpp"
#include "place/outlines.hpp"
#include "place/zip.hpp"

namespace gramwatt::place {
namespace {

std::string zone_of(std::string_view words) {
  const auto place = find_by_words(words, "--place");
  return place ? place->zone.value_or("none") : "error: " + place.error().message();
}

Error error_of(std::string_view words) {
  const auto place = find_by_words(words, "--place");
  EXPECT_FALSE(place) << words << " is " << (place ? place->zone.value_or("none") : "");
  return place ? Error{} : place.error();
}

TEST(FindByWords, ZipCodesLeadToTheirBalancingAuthority) {
  EXPECT_EQ(zone_of("23917, US"), "US-MIDA-PJM");
  EXPECT_EQ(zone_of("98837, US"), "US-NW-GCPD");
  EXPECT_EQ(zone_of("60601, US"), "US-MIDA-PJM");
  EXPECT_EQ(zone_of("50309, US"), "US-MIDW-MISO");
  EXPECT_EQ(zone_of("78205, US"), "US-TEX-ERCO");
  EXPECT_EQ(zone_of("94103, US"), "US-CAL-CISO");
  EXPECT_EQ(zone_of("82001, US"), "US-NW-WACM");
  EXPECT_EQ(zone_of("85003, US"), "US-SW-SRP");
  EXPECT_EQ(zone_of("00901, US"), "PR");
}

TEST(FindByWords, ManyWaysOfWritingLeadToTheSameZone) {
  for (const char* words : {"23917, US", "23917,us", "  23917 ,  usa ", "23917 US", "23917-0001, United States",
                            "Boydton, VA 23917", "Boydton, Virginia 23917, US", "23917 Boydton, US", "23917, Virginia"}) {
    EXPECT_EQ(zone_of(words), "US-MIDA-PJM") << words;
  }
  for (const char* words : {"Germany", "germany", "  DE ", "deu", "10115, DE", "10115 Germany", "D-10115, Germany",
                            "10115 Berlin, Germany", "Berlin, Germany"}) {
    EXPECT_EQ(zone_of(words), "DE") << words;
  }
}

TEST(FindByWords, AZipCodeTellsWherePostcodeAndPoint) {
  const auto place = find_by_words("98837-1234, US", "--place");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->how, How::postal_code);
  EXPECT_EQ(place->postcode, "98837");
  ASSERT_TRUE(place->point);
  EXPECT_LT(kilometres_between(*place->point, {47.13, -119.28}), 60);  // Moses Lake
  EXPECT_EQ(place->chain.size(), 2U);
  EXPECT_TRUE(place->also.empty());
}

TEST(FindByWords, PostalCodesOfCountriesWithSeveralZones) {
  EXPECT_EQ(zone_of("SW1A 1AA, UK"), "GB");
  EXPECT_EQ(zone_of("Belfast, BT1 1AA, United Kingdom"), "GB-NIR");
  EXPECT_EQ(zone_of("KW1 4AB, GB"), "GB");
  EXPECT_EQ(zone_of("KW15 1AA, GB"), "GB-ORK");
  EXPECT_EQ(zone_of("k1p 1j1, canada"), "CA-ON");
  EXPECT_EQ(zone_of("X0A 0H0, Canada"), "CA-NU");
  EXPECT_EQ(zone_of("2600, Australia"), "AU-NSW");
  EXPECT_EQ(zone_of("DK-2100, Denmark"), "DK-DK2");
  EXPECT_EQ(zone_of("8000 Aarhus, Denmark"), "DK-DK1");
  EXPECT_EQ(zone_of("530-8001, Japan"), "JP-KN");
  EXPECT_EQ(zone_of("38001, Spain"), "ES-CN-TE");
  EXPECT_EQ(zone_of("75008 Paris, France"), "FR");
  EXPECT_EQ(zone_of("20000, France"), "FR-COR");
  EXPECT_EQ(zone_of("97400, France"), "RE");
  const auto london = find_by_words("London SW1A 1AA, UK", "--place");
  ASSERT_TRUE(london);
  EXPECT_EQ(london->postcode, "SW1A1AA");
}

TEST(FindByWords, ACountryOfSeveralZonesNamesThemAll) {
  const auto norway = find_by_words("Norway", "--place");
  ASSERT_TRUE(norway);
  EXPECT_EQ(norway->zone, "NO");
  EXPECT_EQ(norway->also, (std::vector<std::string>{"NO-NO1", "NO-NO2", "NO-NO3", "NO-NO4", "NO-NO5"}));
  EXPECT_EQ(norway->notes.size(), 1U);
  EXPECT_EQ(zone_of("0150, Norway"), "NO");              // no table of its postal codes: the country's, and it says so
  const auto spain = find_by_words("Spain", "--place");  // the mainland has the country's key
  ASSERT_TRUE(spain);
  EXPECT_TRUE(spain->also.empty());
}

TEST(FindByWords, AStateIsTheZoneOfMostOfItsZipCodesAndNamesTheOthers) {
  const auto texas = find_by_words("texas", "--place");
  ASSERT_TRUE(texas);
  EXPECT_EQ(texas->zone, "US-TEX-ERCO");
  EXPECT_EQ(texas->how, How::state);
  EXPECT_TRUE(std::count(texas->also.begin(), texas->also.end(), "US-CENT-SWPP"));
  EXPECT_EQ(texas->notes.size(), 1U);
  const auto ohio = find_by_words("OH, US", "--place");
  ASSERT_TRUE(ohio);
  EXPECT_EQ(ohio->zone, "US-MIDA-PJM");
  EXPECT_TRUE(ohio->also.empty() && ohio->notes.empty());
  EXPECT_EQ(zone_of("Portland, Maine"), "US-NE-ISNE");
}

TEST(FindByWords, WhatMayMeanTwoPlacesIsNotGuessed) {
  EXPECT_EQ(error_of("Georgia").kind, Error::Kind::usage);
  EXPECT_EQ(zone_of("GE"), "GE");
  EXPECT_EQ(zone_of("Georgia, US"), "US-SE-SOCO");
  EXPECT_NE(error_of("60601, IL").remedy.find("60601, US"), std::string::npos);
  EXPECT_NE(error_of("Chicago, IL").remedy.find("Illinois, US"), std::string::npos);
  EXPECT_NE(error_of("19901, DE").remedy.find("19901, Germany"), std::string::npos);
  // A code of both that cannot be the state's, or stands alone, is the country's, and a note says so.
  const auto canada = find_by_words("CA", "--place");
  ASSERT_TRUE(canada);
  EXPECT_EQ(canada->zone, "CA");
  EXPECT_NE(canada->notes.front().find("California"), std::string::npos);
  EXPECT_EQ(zone_of("10115, DE"), "DE");
}

TEST(FindByWords, ErrorsSayWhatToDo) {
  EXPECT_NE(error_of("Germny").remedy.find("Germany"), std::string::npos);
  EXPECT_NE(error_of("Calfornia").remedy.find("California"), std::string::npos);
  EXPECT_NE(error_of("US-CAL-CIS").remedy.find("US-CAL-CISO"), std::string::npos);
  EXPECT_NE(error_of("10115").what.find("which country"), std::string::npos);
  EXPECT_NE(error_of("Toronto, Canada").remedy.find("CA-ON"), std::string::npos);
  EXPECT_NE(error_of("Chicago, Illinois, US").remedy.find("US-MIDA-PJM"), std::string::npos);
  EXPECT_NE(error_of("33040, US").remedy.find("US-FLA-FPL"), std::string::npos);  // the Keys: no outline
  EXPECT_NE(error_of("09001, US").what.find("military"), std::string::npos);
  EXPECT_NE(error_of("00000, US").what.find("no US ZIP code"), std::string::npos);
  EXPECT_NE(error_of("9999999, Spain").what.find("postal code"), std::string::npos);
  EXPECT_NE(error_of("Liechtenstein").what.find("zone LI"), std::string::npos);
  for (const char* words : {"", " ", ",", "x,", "\x1b[2J", "1234567890123"})
    EXPECT_FALSE(find_by_words(words, "--place")) << words;
  EXPECT_FALSE(find_by_words(std::string(5000, 'a'), "--place"));
}

RC_GTEST_PROP(FindByWords, AnyTextLeadsToAKnownZoneOrToAnError, (const std::string& left, const std::string& right)) {
  const auto zones = known_zones();
  for (const std::string& words : {left, left + "," + right, left + ", US", "9" + left + ", GB"}) {
    const auto place = find_by_words(words, "--place");
    if (place) {
      RC_ASSERT(std::binary_search(zones.begin(), zones.end(), place->zone.value()));
      RC_ASSERT(!place->chain.empty());
    } else {
      RC_ASSERT(!place.error().what.empty());
    }
  }
}

TEST(Zip, IsFiveDigitsOrNine) {
  EXPECT_EQ(parse_zip("00501"), 501U);
  EXPECT_EQ(parse_zip("00501-1234"), 501U);
  for (const char* bad : {"", "501", "005011", "0050l", "00501-12", "00501 1234", "+0501", "-0501"})
    EXPECT_FALSE(parse_zip(bad)) << bad;
}

TEST(Zip, EveryCodeOfTheSharedTableIsGivenItsZone) {
  const auto text = testing::shared_gzip("us-zip-egrid/zip_latlon_zone.csv.gz");
  if (!text) GTEST_SKIP() << "the shared ZIP codes are not here";
  std::string_view rest = *text;
  (void)next_line(rest);
  int codes = 0;
  double farthest = 0;
  while (const auto line = next_line(rest)) {
    const auto f = split(*line, ',');
    if (f[4].empty()) continue;
    const auto zip = find_zip(parse_zip(f[0]).value());
    ASSERT_TRUE(zip && zip->zone) << *line;
    ASSERT_EQ(*zip->zone, f[4]) << *line;
    farthest = std::max(farthest, kilometres_between(zip->point, {*parse_number<double>(f[1]), *parse_number<double>(f[2])}));
    ++codes;
  }
  EXPECT_GT(codes, 41000);
  EXPECT_LT(farthest, 2100);  // the Aleutians share a prefix, and a zone, with western Alaska
}

TEST(Names, EveryKnownZoneBelongsToACountryWithAName) {
  for (const std::string& zone : known_zones()) EXPECT_TRUE(find_country(zone.substr(0, 2))) << zone;
  for (const std::string_view zone : Outlines::built_in().zones()) EXPECT_TRUE(find_country(zone.substr(0, 2))) << zone;
}

TEST(Names, NoNameMeansTwoCountries) {
  std::vector<std::string> all;
  std::string_view table = data::countries();
  (void)next_line(table);
  while (const auto line = next_line(table)) {
    const auto f = split(*line, ',');
    ASSERT_EQ(f.size(), 4U) << *line;
    for (const auto name : {f[0], f[1], f[2]}) {
      if (!name.empty()) all.push_back(lower(name));
    }
    for (const auto name : split(f[3], '|')) {
      if (!name.empty()) all.push_back(lower(name));
    }
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end()) << *std::adjacent_find(all.begin(), all.end());
}

/// The typed table of postal codes against the outlines: towns of every zone that it names, with their points.
TEST(PostalCodes, AgreeWithTheOutlines) {
  struct Town {
    const char *country, *code;
    double latitude, longitude;
  };
  for (const Town& t : {Town{"IT", "06121", 43.11, 12.39}, {"IT", "88100", 38.90, 16.59},     {"IT", "65121", 42.46, 14.20},
                        {"IT", "60121", 43.60, 13.50},     {"IT", "50121", 43.77, 11.25},     {"IT", "00184", 41.90, 12.50},
                        {"IT", "80133", 40.85, 14.27},     {"IT", "70121", 41.12, 16.87},     {"IT", "85100", 40.64, 15.80},
                        {"IT", "09124", 39.22, 9.12},      {"IT", "90133", 38.12, 13.36},     {"IT", "20121", 45.46, 9.19},
                        {"JP", "060-0001", 43.06, 141.35}, {"JP", "980-0014", 38.27, 140.87}, {"JP", "950-0087", 37.92, 139.04},
                        {"JP", "920-0961", 36.59, 136.63}, {"JP", "460-0001", 35.18, 136.90}, {"JP", "400-0031", 35.66, 138.57},
                        {"JP", "420-8601", 34.98, 138.38}, {"JP", "411-0801", 35.12, 138.92}, {"JP", "730-0011", 34.39, 132.46},
                        {"JP", "760-0019", 34.34, 134.04}, {"JP", "810-8620", 33.59, 130.40}, {"JP", "900-0021", 26.21, 127.68},
                        {"IN", "110001", 28.60, 77.20},    {"IN", "462001", 23.26, 77.41},    {"IN", "500001", 17.39, 78.49},
                        {"IN", "737101", 27.33, 88.61},    {"IN", "744101", 11.67, 92.74},    {"IN", "781001", 26.18, 91.75},
                        {"IN", "834001", 23.34, 85.31},    {"CA", "A1C 5M2", 47.56, -52.71},  {"CA", "B3J 3K5", 44.65, -63.57},
                        {"CA", "C1A 1A1", 46.24, -63.13},  {"CA", "E3B 1A1", 45.96, -66.64},  {"CA", "J8X 2A1", 45.48, -75.72},
                        {"CA", "P3E 3L1", 46.49, -81.00},  {"CA", "R3B 2E9", 49.89, -97.14},  {"CA", "S4P 3Y2", 50.45, -104.60},
                        {"CA", "T2P 1J9", 51.05, -114.07}, {"CA", "V6B 4Y8", 49.28, -123.12}, {"CA", "X1A 2P8", 62.45, -114.37},
                        {"CA", "X0B 0C0", 69.12, -105.06}, {"CA", "Y1A 2C6", 60.72, -135.06}, {"AU", "2600", -35.30, 149.12},
                        {"AU", "3000", -37.81, 144.96},    {"AU", "4000", -27.47, 153.03},    {"AU", "5000", -34.93, 138.60},
                        {"AU", "6000", -31.95, 115.86},    {"AU", "7000", -42.88, 147.33},    {"AU", "0800", -12.46, 130.84},
                        {"AU", "2898", -31.55, 159.08},    {"AU", "7256", -39.90, 143.90},    {"AU", "7255", -40.10, 148.00},
                        {"AU", "6161", -32.00, 115.50},    {"DK", "4900", 54.83, 11.14},      {"DK", "5000", 55.40, 10.39},
                        {"DK", "3700", 55.10, 14.70},      {"ES", "07001", 39.57, 2.65},      {"ES", "07701", 39.89, 4.26},
                        {"ES", "07800", 38.91, 1.43},      {"ES", "07860", 38.70, 1.45},      {"ES", "35001", 28.10, -15.41},
                        {"ES", "35500", 28.96, -13.55},    {"ES", "35600", 28.50, -13.86},    {"ES", "38700", 28.68, -17.77},
                        {"ES", "38800", 28.09, -17.11},    {"ES", "38900", 27.81, -17.92},    {"ES", "51001", 35.89, -5.32},
                        {"ES", "52001", 35.29, -2.94},     {"FR", "20000", 41.92, 8.74},      {"PT", "9000", 32.65, -16.91},
                        {"PT", "9500", 37.74, -25.67},     {"GB", "BT1 1AA", 54.60, -5.93},   {"GB", "ZE1 0AA", 60.15, -1.15},
                        {"GB", "KW15 1AA", 58.98, -2.96},  {"MY", "88000", 5.98, 116.07},     {"MY", "80000", 1.46, 103.76},
                        {"NZ", "8942", -43.95, -176.55}}) {
    const auto by_code = find_postal(t.country, plain_postal(t.code));
    const auto by_point = find_by_point({t.latitude, t.longitude}, "point");
    ASSERT_EQ(by_code.kind, PostalZone::Kind::found) << t.country << ' ' << t.code;
    ASSERT_TRUE(by_point) << t.country << ' ' << t.code;
    EXPECT_EQ(by_code.zone, by_point->zone) << t.country << ' ' << t.code;
  }
}

}  // namespace
}  // namespace gramwatt::place
