// Each service by itself, before a server on loopback that answers as it does: what is asked, in which pieces, with which key.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/api_server.hpp"
#include "grid/provider_client.hpp"

namespace gramwatt::grid {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ApiServer;
using testing::Call;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::in_turn;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::reply;

// ---- WattTime

const std::map<std::string, std::string> kFreddo{{"user", "freddo"}, {"password", "the frog"}};

TEST(WattTime, LogsInFindsTheRegionAndTellsTheMargin) {
  const ApiServer server(testing::scripted(kSamples + "/watttime_script.json"));
  Client client("watttime", server.url(), "2022-07-15T00:14Z", kFreddo);
  const auto series = client.history(coordinates(37.77, -122.41), "2022-07-15T00:00Z", "2022-07-15T00:15Z");
  ASSERT_TRUE(series) << series.error().message();
  ASSERT_EQ(series->points.size(), 3U);
  EXPECT_NEAR(series->points[0].value.value(), 394.625, 0.001);
  EXPECT_EQ(series->points[1].kind, PointKind::estimated);
  EXPECT_EQ(series->points[2].value, GramsPerKwh(0));  // a true zero
  EXPECT_EQ(series->resolution, minutes(5));
  const Signal& s = series->signal;
  EXPECT_EQ(s.kind, SignalKind::marginal);
  EXPECT_EQ(s.factor, "direct");
  EXPECT_EQ(s.gas, "CO2");
  EXPECT_EQ(s.year, 2022);
  EXPECT_EQ(s.data_kind, "observed");
  EXPECT_THAT(s.source, HasSubstr("CAISO_NORTH, model 2023-03-01"));
  EXPECT_TRUE(s.is_fit_for("scheduling"));
  EXPECT_LT(total_shift(series->terms).minus, -0.2);

  const auto ahead = client.provider->forecast(coordinates(37.77, -122.41), hours(24));
  ASSERT_TRUE(ahead) << ahead.error().message();
  EXPECT_EQ(ahead->signal.data_kind, "forecast");
  EXPECT_EQ(ahead->points.at(0).kind, PointKind::forecast);
  EXPECT_GT(ahead->points.at(0).band.plus, 0);
  EXPECT_THAT(text_of(client.provider->notes()), HasSubstr("WattTime says: This is just an example"));

  std::vector<std::string> paths;
  for (const Call& call : server.calls()) paths.push_back(call.path);
  EXPECT_THAT(paths, ElementsAre("/login", "/v3/region-from-loc", "/v3/historical", "/v3/forecast"));  // one login, one look-up
  EXPECT_EQ(server.calls().back().at("horizon_hours"), "24");
}

TEST(WattTime, APlanThatDoesNotCoverTheRegionIsUnavailableInTheServicesWords) {
  const ApiServer server(testing::scripted(kSamples + "/watttime_script.json"));
  Client client("watttime", server.url(), "2022-07-15T00:14Z", kFreddo);
  const auto series = client.history(zone("PJM_NJ"), "2022-07-15T00:00Z", "2022-07-15T00:15Z");
  ASSERT_FALSE(series);
  EXPECT_EQ(series.error().kind, Error::Kind::unavailable);
  EXPECT_THAT(series.error().what, HasSubstr("You do not have sufficient access"));
  EXPECT_EQ(server.calls().size(), 2U);  // no second login for that
}

TEST(WattTime, NoCoverageAndWrongPasswordsAreSaid) {
  const ApiServer server(testing::scripted(kSamples + "/watttime_script.json"));
  Client client("watttime", server.url(), "2022-07-15T00:14Z", kFreddo);
  EXPECT_THAT(client.history(coordinates(0, 0), "2022-07-15T00:00Z", "2022-07-15T00:15Z").error().what,
              HasSubstr("No coverage available"));
  Client stranger("watttime", server.url(), "2022-07-15T00:14Z", {{"user", "freddo"}, {"password", "a toad"}});
  const auto refused = stranger.history(zone("CAISO_NORTH"), "2022-07-15T00:00Z", "2022-07-15T00:15Z");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("Invalid credentials"));
  EXPECT_THAT(refused.error().remedy, HasSubstr("GRAMWATT_WATTTIME_PASSWORD"));
}

TEST(WattTime, ATokenThatEndedEarlyIsRenewedOnceWhetherTheGatewaySays401OrAPage) {
  for (const std::string& ended :
       {reply(401, R"({"error":"Unauthorized"})"), reply(403, "<html><head><title>403 Forbidden</title></head></html>")}) {
    int logins = 0;
    const ApiServer server([&](const Call& call) {
      if (call.path == "/login") return reply(200, R"({"token":"t)" + std::to_string(++logins) + R"("})");
      return call.header("authorization") == "Bearer t2" ? reply(200, sample("watttime_historical.json")) : ended;
    });
    Client client("watttime", server.url(), "2022-07-15T00:14Z");
    const auto series = client.history(zone("CAISO_NORTH"), "2022-07-15T00:00Z", "2022-07-15T00:10Z");
    ASSERT_TRUE(series) << series.error().message();
    EXPECT_EQ(logins, 2);
  }
  const ApiServer never(
      [](const Call& call) { return call.path == "/login" ? reply(200, R"({"token":"t"})") : reply(403, "<html>"); });
  Client client("watttime", never.url(), "2022-07-15T00:14Z");
  EXPECT_FALSE(client.history(zone("CAISO_NORTH"), "2022-07-15T00:00Z", "2022-07-15T00:10Z"));
  EXPECT_EQ(never.calls().size(), 4U);  // login, refused, login, refused
}

TEST(WattTime, ATokenIsKeptForHalfAnHour) {
  Nanoseconds now = at("2022-07-15T00:10Z");
  const ApiServer server([&](const Call& call) {
    return call.path == "/login" ? reply(200, R"({"token":"t"})") : reply(200, sample("watttime_historical.json"));
  });
  Client client("watttime", server.url(), "2022-07-15T00:10Z", kFreddo,
                [&](ProviderSettings& s) { s.now = [&] { return now; }; });
  const auto logins = [&] {
    EXPECT_TRUE(client.history(zone("CAISO_NORTH"), "2022-07-15T00:00Z", "2022-07-15T00:10Z"));
    const auto calls = server.calls();
    return std::count_if(calls.begin(), calls.end(), [](const Call& c) { return c.path == "/login"; });
  };
  EXPECT_EQ(logins(), 1);
  now += minutes(28);
  EXPECT_EQ(logins(), 1);
  now += minutes(2);
  EXPECT_EQ(logins(), 2);
}

/// Five-minute values of what was asked, both ends included.
std::string watttime_values(const Call& call) {
  nlohmann::json rows = nlohmann::json::array();
  for (Nanoseconds t = at(call.at("start")); t <= at(call.at("end")); t += minutes(5))
    rows.push_back({{"point_time", iso8601(t)}, {"value", 1000}});
  return nlohmann::json{{"data", rows}, {"meta", {{"units", "lbs_co2_per_mwh"}, {"data_point_period_seconds", 300}}}}.dump();
}

TEST(WattTime, LongWindowsAreAskedForByThirtyDaysAndJoinWithoutSeam) {
  const ApiServer server([](const Call& call) {
    return call.path == "/login" ? reply(200, R"({"token":"t"})") : reply(200, watttime_values(call));
  });
  Client client("watttime", server.url(), "2022-07-15T00:00Z");
  const auto series = client.history(zone("CAISO_NORTH"), "2022-01-01T00:02Z", "2022-03-12T00:00Z");  // 70 days
  ASSERT_TRUE(series) << series.error().message();
  EXPECT_EQ(series->points.size(), 70U * 288);
  EXPECT_TRUE(series->covers({at("2022-01-01T00:02Z"), at("2022-03-12T00:00Z")}));
  const auto calls = server.calls();
  ASSERT_EQ(calls.size(), 4U);
  for (std::size_t i = 1; i < calls.size(); ++i) EXPECT_LE(at(calls[i].at("end")) - at(calls[i].at("start")), hours(30 * 24));
}

TEST(WattTime, WhatCameBeforeAFailureIsKeptAndTheRestSaid) {
  const ApiServer server([](const Call& call) {
    if (call.path == "/login") return reply(200, R"({"token":"t"})");
    return at(call.at("start")) > at("2022-01-20T00:00Z") ? reply(400, R"({"message":"too far"})")
                                                          : reply(200, watttime_values(call));
  });
  Client client("watttime", server.url(), "2022-07-15T00:00Z");
  const auto series = client.history(zone("CAISO_NORTH"), "2022-01-01T00:00Z", "2022-03-01T00:00Z");
  ASSERT_TRUE(series);
  EXPECT_EQ(series->points.size(), 30U * 288);
  EXPECT_THAT(text_of(client.provider->notes()), HasSubstr("could not be had"));
}

TEST(WattTime, WithoutCoordinatesItSaysWhatItNeeds) {
  Client client("watttime", "http://127.0.0.1:1", "2022-07-15T00:14Z");
  const auto series = client.history(zone("DE"), "2022-07-15T00:00Z", "2022-07-15T00:10Z");
  ASSERT_FALSE(series);
  EXPECT_EQ(series.error().kind, Error::Kind::usage);
  EXPECT_THAT(series.error().remedy, HasSubstr("--lat"));
}

// ---- Electricity Maps

std::string em_values(const Call& call) {
  nlohmann::json rows = nlohmann::json::array();
  for (Nanoseconds t = at(call.at("start")); t < at(call.at("end")); t += hours(1)) {
    rows.push_back({{"datetime", iso8601(t)}, {"carbonIntensity", 300}, {"emissionFactorType", call.at("emissionFactorType")}});
  }
  return nlohmann::json{{"zone", call.at("zone")}, {"data", rows}}.dump();
}

TEST(ElectricityMaps, AsksByTenDaysWithTheKeyInAHeaderAndNeverForTheCallersPlace) {
  const ApiServer server([](const Call& call) { return reply(200, em_values(call)); });
  Client client("electricitymaps", server.url() + "/v4", "2024-06-01T00:00Z");
  const auto series = client.history(zone("DE"), "2024-05-01T00:30Z", "2024-05-26T00:00Z");
  ASSERT_TRUE(series) << series.error().message();
  EXPECT_EQ(series->points.size(), 25U * 24);
  EXPECT_EQ(series->signal.basis, "consumption");
  EXPECT_EQ(series->signal.factor, "lifecycle");
  const auto calls = server.calls();
  ASSERT_EQ(calls.size(), 3U);
  for (const Call& call : calls) {
    EXPECT_EQ(call.path, "/v4/carbon-intensity/past-range");
    EXPECT_EQ(call.header("auth-token"), kSecret);
    EXPECT_EQ(call.at("disableCallerLookup"), "true");
    EXPECT_EQ(call.at("shouldUseFallbackCallerLookup"), "false");
  }
}

TEST(ElectricityMaps, WhereThePastIsNotForThisTokenTheLastDayStandsIn) {
  const ApiServer server([](const Call& call) {
    if (call.path.ends_with("past-range")) return reply(401, R"({"error":"Request unauthorized"})");
    return reply(200, sample("electricitymaps_v3_history.json"));
  });
  Client client("electricitymaps", server.url(), "2024-05-01T02:10Z");
  const auto series = client.history(zone("NL"), "2024-04-28T00:00Z", "2024-05-01T02:00Z");
  ASSERT_TRUE(series) << series.error().message();
  EXPECT_EQ(series->points.size(), 1U);
  EXPECT_THAT(text_of(client.provider->notes()), HasSubstr("last 24 hours only"));
  // Where the day does not help, the refusal stands.
  const auto older = client.history(zone("NL"), "2024-04-20T00:00Z", "2024-04-21T00:00Z");
  ASSERT_FALSE(older);
  EXPECT_THAT(older.error().remedy, HasSubstr("GRAMWATT_ELECTRICITYMAPS_TOKEN"));
}

TEST(ElectricityMaps, TheLastDayNeedsOneCallAndABareHostHasBothVersions) {
  const ApiServer server([](const Call& call) {
    return call.path.starts_with("/v4/") ? reply(200, sample("electricitymaps_v3_history.json")) : reply(404, "");
  });
  Client client("electricitymaps", server.url(), "2024-05-01T02:10Z");
  ASSERT_TRUE(client.history(zone("NL"), "2024-05-01T00:00Z", "2024-05-01T02:00Z"));
  ASSERT_TRUE(client.history(zone("NL"), "2024-05-01T00:00Z", "2024-05-01T02:00Z"));
  std::vector<std::string> paths;
  for (const Call& call : server.calls()) paths.push_back(call.path);
  EXPECT_THAT(paths,
              ElementsAre("/v3/carbon-intensity/history", "/v4/carbon-intensity/history", "/v4/carbon-intensity/history"));
}

TEST(ElectricityMaps, AnAnswerForAnotherZoneIsNone) {
  const ApiServer server(in_turn({reply(200, sample("electricitymaps_v3_history.json"))}));
  Client client("electricitymaps", server.url(), "2024-05-01T02:10Z");
  const auto series = client.history(zone("DE"), "2024-05-01T00:00Z", "2024-05-01T02:00Z");
  ASSERT_FALSE(series);
  EXPECT_THAT(series.error().what, HasSubstr("asked for DE, told of NL"));
}

TEST(ElectricityMaps, TheSignalIsWhatTheAnswerIsNotWhatWasAsked) {
  const ApiServer server(in_turn({reply(200, sample("electricitymaps_v3_history.json"))}));
  Client client("electricitymaps", server.url(), "2024-05-01T02:10Z", {{"token", "t"}},
                [](ProviderSettings& s) { s.factor = "direct"; });
  const auto series = client.history(zone("NL"), "2024-05-01T00:00Z", "2024-05-01T02:00Z");
  ASSERT_TRUE(series);
  EXPECT_EQ(server.calls().at(0).at("emissionFactorType"), "direct");
  EXPECT_EQ(series->signal.factor, "lifecycle");
  EXPECT_THAT(text_of(client.provider->notes()), HasSubstr("lifecycle"));
}

TEST(ElectricityMaps, PlacesAreZonesCoordinatesOrDataCentres) {
  const ApiServer server(in_turn({reply(200, sample("electricitymaps_forecast.json"))}));
  Client client("electricitymaps", server.url(), "2024-05-01T10:00Z");
  const auto series = client.provider->forecast(coordinates(52.5, 13.4), hours(30));
  ASSERT_TRUE(series) << series.error().message();
  EXPECT_THAT(series->signal.source, HasSubstr("DE"));
  Where cloud;
  cloud.cloud_provider = "gcp";
  cloud.cloud_region = "europe-west1";
  EXPECT_TRUE(client.provider->forecast(cloud, hours(200)));
  const auto calls = server.calls();
  EXPECT_EQ(calls.at(0).at("lat"), "52.5");
  EXPECT_EQ(calls.at(0).at("horizonHours"), "48");
  EXPECT_EQ(calls.at(1).at("dataCenterRegion"), "europe-west1");
  EXPECT_EQ(calls.at(1).at("horizonHours"), "72");
  EXPECT_EQ(client.provider->forecast(Where{}, hours(1)).error().kind, Error::Kind::usage);
}

// ---- GB

Where postcode(const std::string& code) {
  Where w;
  w.postcode = code;
  return w;
}

TEST(Gb, ARegionIsFoundByWhateverPartOfThePostcodePeopleWrite) {
  for (const std::string written : {"RG10 9NX", "rg109nx", "RG10", " rg10 "}) {
    const ApiServer server(in_turn({reply(200, sample("uk_regional_fw48h_postcode.json"))}));
    Client client("uk", server.url(), "2018-01-20T12:10Z");
    const auto series = client.provider->forecast(postcode(written), hours(48));
    ASSERT_TRUE(series) << series.error().message();
    EXPECT_EQ(server.calls().at(0).path, "/regional/intensity/2018-01-20T12:00Z/fw48h/postcode/RG10");
    EXPECT_THAT(series->signal.source, HasSubstr("South England"));
  }
  Client client("uk", "http://127.0.0.1:1", "2018-01-20T12:10Z");
  for (const std::string wrong : {"23917", "", "RG10/../..", "a very long one"}) {
    EXPECT_EQ(client.provider->forecast(postcode(wrong), hours(1)).error().kind, Error::Kind::usage) << wrong;
  }
  EXPECT_EQ(client.provider->forecast(zone("DE"), hours(1)).error().kind, Error::Kind::usage);
}

TEST(Gb, NationalValuesStandInForAPostcodeThatItDoesNotKnow) {
  const ApiServer server([](const Call& call) {
    if (call.path.starts_with("/regional"))
      return reply(400, R"({"error":{"code":"400 Bad Request","message":"No postcode match can be found."}})");
    return reply(200, kGbBody);
  });
  Client client("uk", server.url(), "2018-01-20T13:00Z");
  const auto series = client.history(postcode("W1A 1AA"), "2018-01-20T12:00Z", "2018-01-20T12:30Z");
  ASSERT_TRUE(series) << series.error().message();
  EXPECT_THAT(series->signal.source, HasSubstr("national"));
  EXPECT_THAT(text_of(client.provider->notes()), HasSubstr("W1A"));
}

TEST(Gb, AnEmptyObjectIsAFailureOfTheMoment) {
  const ApiServer server(in_turn({reply(200, "{}"), reply(200, kGbBody)}));
  Client client("uk", server.url(), "2018-01-20T13:00Z");
  EXPECT_TRUE(ask_gb(client));
  EXPECT_EQ(client.waits.size(), 1U);
}

TEST(Gb, AsksByFourteenDays) {
  const ApiServer server([](const Call& call) {
    const auto parts = split(call.path, '/');
    nlohmann::json rows = nlohmann::json::array();
    // The real one begins with the half-hour that ends at the start.
    for (Nanoseconds t = at(std::string(parts.at(2))) - minutes(30); t < at(std::string(parts.at(3))); t += minutes(30)) {
      rows.push_back({{"from", iso8601(t)}, {"to", iso8601(t + minutes(30))}, {"intensity", {{"forecast", 1}, {"actual", 2}}}});
    }
    return reply(200, nlohmann::json{{"data", rows}}.dump());
  });
  Client client("uk", server.url(), "2018-03-01T00:00Z");
  const auto series = client.history(zone("GB"), "2018-01-01T00:10Z", "2018-01-31T00:00Z");
  ASSERT_TRUE(series) << series.error().message();
  EXPECT_EQ(series->points.size(), 30U * 48);
  EXPECT_TRUE(series->signal.grid_loss);
  EXPECT_EQ(series->signal.licence, "CC BY 4.0");
  EXPECT_EQ(server.calls().size(), 3U);
}

// ---- the others

TEST(Entsoe, AsksForAQuarterAtMostAndNoDataIsAGap) {
  const std::string none =
      "<Acknowledgement_MarketDocument><Reason><code>999</code><text>No matching data found for "
      "x</text></Reason></Acknowledgement_MarketDocument>";
  const ApiServer server([&](const Call& call) {
    return call.at("periodEnd") > "202510010000" ? reply(200, sample("entsoe_a75.xml")) : reply(400, none);
  });
  Client client("entsoe", server.url(), "2025-10-22T00:00Z");
  const auto series = client.history(zone("FI"), "2025-06-01T00:00Z", "2025-10-21T14:00Z");
  ASSERT_TRUE(series) << series.error().message();
  EXPECT_EQ(series->points.size(), 8U);
  EXPECT_EQ(series->points[0].value, GramsPerKwh(490));  // gas alone
  EXPECT_EQ(series->signal.basis, "production");
  const auto calls = server.calls();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].path, "/api");
  EXPECT_EQ(calls[0].at("in_Domain"), "10YFI-1--------U");
  EXPECT_EQ(calls[0].at("documentType"), "A75");
  EXPECT_EQ(calls[0].at("periodStart"), "202506010000");
  EXPECT_EQ(calls[0].at("securityToken"), kSecret);
  EXPECT_EQ(client.history(zone("US-TEX-ERCO"), "2025-06-01T00:00Z", "2025-06-02T00:00Z").error().kind, Error::Kind::usage);
}

TEST(Eia, TurnsPagesUntilTheTotalIsReached) {
  const ApiServer server([](const Call& call) {
    // 800 hours of 8 fuels, by period and fuel; a page has 5,000 rows at most.
    constexpr int kTotal = 800 * 8;
    static constexpr std::array<const char*, 8> kFuelNames{"COL", "NG", "NUC", "OIL", "OTH", "SUN", "WAT", "WND"};
    const int offset = std::stoi(call.at("offset"));
    nlohmann::json rows = nlohmann::json::array();
    for (int i = offset; i < std::min(kTotal, offset + std::stoi(call.at("length"))); ++i) {
      rows.push_back({{"period", iso8601(at("2023-01-01T01:00Z") + hours(i / 8)).substr(0, 13)},
                      {"respondent", "ERCO"},
                      {"fueltype", kFuelNames.at(i % 8)},
                      {"value", i % 8 == 1   ? "500"
                                : i % 8 == 7 ? "500"
                                             : "0"},
                      {"value-units", "megawatthours"}});
    }
    return reply(200, nlohmann::json{{"response", {{"total", std::to_string(kTotal)}, {"data", rows}}}}.dump());
  });
  Client client("eia", server.url(), "2023-03-01T00:00Z");
  const auto series = client.history(zone("US-TEX-ERCO"), "2023-01-01T00:00Z", "2023-02-03T08:00Z");
  ASSERT_TRUE(series) << series.error().message();
  EXPECT_EQ(series->points.size(), 800U);
  EXPECT_EQ(series->points[0].start, at("2023-01-01T00:00Z"));
  EXPECT_DOUBLE_EQ(series->points[0].value.value(), (535 + 11) / 2.0);
  const auto calls = server.calls();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[1].at("offset"), "5000");
  EXPECT_EQ(calls[0].at("facets[respondent][]"), "ERCO");
  EXPECT_EQ(calls[0].at("start"), "2023-01-01T00");
  EXPECT_EQ(calls[0].at("end"), "2023-02-03T08");
}

TEST(Eia, AnEndlessListEnds) {
  const ApiServer server(in_turn({reply(200, R"({"response":{"total":"999999","data":[]}})")}));
  Client client("eia", server.url(), "2023-03-01T00:00Z");
  const auto series = client.history(zone("US-TEX-ERCO"), "2023-01-01T00:00Z", "2023-01-02T00:00Z");
  ASSERT_FALSE(series);
  EXPECT_THAT(series.error().what, HasSubstr("tells nothing"));
  EXPECT_EQ(server.calls().size(), 1U);
}

TEST(EnergyCharts, TellsWhatItSawAndWhatItForesees) {
  const ApiServer server(in_turn({reply(200, sample("energycharts_co2eq.json"))}));
  Client client("energycharts", server.url(), "2024-03-22T00:20Z");
  const auto seen = client.history(zone("DE"), "2024-03-22T00:00Z", "2024-03-22T00:30Z");
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_EQ(seen->points.size(), 2U);
  EXPECT_EQ(seen->resolution, minutes(15));
  const auto ahead = client.provider->forecast(zone("SE-SE3"), hours(24));
  ASSERT_TRUE(ahead) << ahead.error().message();
  EXPECT_EQ(ahead->points.at(0).value, GramsPerKwh(311.8));
  EXPECT_THAT(text_of(client.provider->notes()), HasSubstr("SE stands for SE-SE3"));
  EXPECT_EQ(server.calls().at(1).at("country"), "se");
}

TEST(EnergyCharts, WithoutAForecastItSaysSo) {
  const ApiServer server(in_turn({reply(200, R"({"unix_seconds":[1711065600],"co2eq":[1],"co2eq_forecast":null})")}));
  Client client("energycharts", server.url(), "2024-03-22T00:20Z");
  const auto ahead = client.provider->forecast(zone("DE"), hours(24));
  ASSERT_FALSE(ahead);
  EXPECT_EQ(ahead.error().kind, Error::Kind::unavailable);
}

TEST(CarbonAwareSdk, TellsWhatItsConfigurationSaysItTells) {
  const ApiServer server([](const Call& call) {
    return reply(200, sample(call.path == "/emissions/bylocation" ? "carbonaware_sdk_emissions_bylocation.json"
                                                                  : "carbonaware_sdk_forecasts_current.json"));
  });
  Client client("carbonawaresdk", server.url(), "2022-05-17T20:50Z", {},
                [](ProviderSettings& s) { s.signal = SignalKind::marginal; });
  Where where = zone("US-MIDA-PJM");
  where.cloud_region = "eastus";
  const auto seen = client.history(where, "2022-05-17T20:46Z", "2022-05-17T20:50Z");
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_EQ(seen->signal.kind, SignalKind::marginal);
  EXPECT_EQ(seen->points.at(0).value, GramsPerKwh(412));
  EXPECT_EQ(server.calls().at(0).at("location"), "eastus");

  Client later("carbonawaresdk", server.url(), "2022-07-19T13:40Z", {});
  const auto ahead = later.provider->forecast(zone("northeurope"), hours(24));
  ASSERT_TRUE(ahead) << ahead.error().message();
  EXPECT_EQ(ahead->signal.kind, SignalKind::average);
  EXPECT_THAT(text_of(later.provider->notes()), HasSubstr("does not say what its values are"));
}

TEST(CarbonAwareSdk, NoContentIsNoData) {
  const ApiServer server(in_turn({reply(204, "")}));
  Client client("carbonawaresdk", server.url(), "2022-05-17T20:50Z", {});
  EXPECT_THAT(client.history(zone("eastus"), "2022-05-17T20:00Z", "2022-05-17T20:50Z").error().what,
              HasSubstr("tells nothing"));
}

}  // namespace
}  // namespace gramwatt::grid
