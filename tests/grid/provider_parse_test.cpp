// What each service's answers say, by their shapes in tests/grid/api.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "fakes/api_server.hpp"
#include "grid/provider_answers.hpp"
#include "grid/provider_http.hpp"
#include "grid/provider_json.hpp"
#include "grid/provider_zones.hpp"
#include "place/place.hpp"

namespace gramwatt::grid {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

std::string sample(const std::string& name) { return testing::file_text(std::string(GRAMWATT_API_SAMPLES) + "/" + name); }

Nanoseconds at(const char* time) { return *parse_iso8601(time); }

template <class T>
const T& expect(const Result<T>& result) {
  if (!result) throw std::runtime_error(result.error().message());
  return *result;
}

TEST(ParseWattTime, PoundsPerMegawattHourBecomeGramsPerKilowattHour) {
  const Answer a = expect(parse_watttime(sample("watttime_historical.json"), PointKind::observed));
  ASSERT_EQ(a.points.size(), 2U);
  EXPECT_EQ(a.points[0].start, at("2022-07-15T00:00Z"));
  EXPECT_NEAR(a.points[0].value.value(), 413.903, 0.001);  // 912.5 lb
  EXPECT_EQ(a.points[0].kind, PointKind::observed);
  EXPECT_EQ(a.points[1].kind, PointKind::estimated);  // imputed_data_used
  EXPECT_EQ(a.resolution, minutes(5));
  EXPECT_EQ(a.name, "2023-03-02");
}

TEST(ParseWattTime, AForecastSaysWhenItWasMade) {
  const Answer a = expect(parse_watttime(sample("watttime_forecast.json"), PointKind::forecast));
  EXPECT_EQ(a.made, at("2022-07-15T00:00Z"));
  EXPECT_EQ(a.points.at(1).kind, PointKind::forecast);
}

TEST(ParseWattTime, ANullIsAGapAndAnotherUnitAnError) {
  const std::string meta = R"("meta":{"units":"lbs_co2_per_mwh"})";
  const Answer a = expect(
      parse_watttime(R"({"data":[{"point_time":"2022-07-15T00:00:00Z","value":null}],)" + meta + "}", PointKind::observed));
  EXPECT_TRUE(a.points.empty());
  for (const std::string& odd :
       {std::string(R"({"data":[{"point_time":"2022-07-15T00:00:00Z","value":50}],"meta":{"units":"percentile"}})"),
        R"({"data":[{"point_time":"2022-07-15T00:00:00Z"}],)" + meta + "}",
        R"({"data":[{"point_time":"soon","value":1}],)" + meta + "}",
        R"({"data":[{"point_time":"2022-07-15T00:00:00Z","value":true}],)" + meta + "}", R"({"data":{},)" + meta + "}",
        std::string("[]"), std::string("")}) {
    EXPECT_FALSE(parse_watttime(odd, PointKind::observed)) << odd;
  }
}

TEST(ParseElectricityMaps, TakesHistoryAndDataAndLeavesNullsOut) {
  const Answer history = expect(parse_electricitymaps(sample("electricitymaps_v3_history.json"), PointKind::observed));
  EXPECT_EQ(history.name, "NL");
  EXPECT_EQ(history.factor, "lifecycle");
  ASSERT_EQ(history.points.size(), 1U);  // the second is null
  EXPECT_EQ(history.points[0].value, GramsPerKwh(287));

  const Answer past = expect(parse_electricitymaps(sample("electricitymaps_past_range.json"), PointKind::observed));
  ASSERT_EQ(past.points.size(), 2U);
  EXPECT_EQ(past.points[1].start, at("2024-05-01T01:00Z"));

  const Answer forecast = expect(parse_electricitymaps(sample("electricitymaps_forecast.json"), PointKind::forecast));
  EXPECT_EQ(forecast.made, at("2024-05-01T09:46Z"));
  EXPECT_EQ(forecast.points.at(0).value, GramsPerKwh(341));
}

TEST(ParseElectricityMaps, EstimatedValuesSayThatTheyAreAndAreLessSure) {
  const Answer a = expect(parse_electricitymaps(
      R"({"zone":"DE","data":[{"carbonIntensity":1,"datetime":"2024-05-01T00:00:00.000Z","isEstimated":true,"estimationMethod":"X"}]})",
      PointKind::observed));
  EXPECT_EQ(a.points.at(0).kind, PointKind::estimated);
  EXPECT_GT(a.points[0].band.plus, 0);
}

TEST(ParseGb, ActualIsObservedAndWhereItIsNullTheForecastStands) {
  const Answer a = expect(parse_gb(sample("uk_intensity.json"), false));
  ASSERT_EQ(a.points.size(), 1U);
  EXPECT_EQ(a.points[0].value, GramsPerKwh(236));
  EXPECT_EQ(a.points[0].kind, PointKind::observed);
  EXPECT_EQ(a.resolution, minutes(30));
  EXPECT_EQ(expect(parse_gb(sample("uk_intensity.json"), true)).points.at(0).value, GramsPerKwh(241));
  const Answer ahead = expect(parse_gb(sample("uk_intensity_fw24h.json"), false));
  ASSERT_EQ(ahead.points.size(), 2U);
  EXPECT_EQ(ahead.points[0].kind, PointKind::forecast);
  EXPECT_EQ(ahead.points[0].value, GramsPerKwh(131));
}

TEST(ParseGb, ARegionMayComeAsAListOrAsAnObject) {
  for (const char* name : {"uk_regional_postcode.json", "uk_regional_fw48h_postcode.json"}) {
    const Answer a = expect(parse_gb(sample(name), true));
    EXPECT_EQ(a.name, "South England") << name;
    ASSERT_EQ(a.points.size(), 1U) << name;
    EXPECT_EQ(a.points[0].value, GramsPerKwh(253));
  }
}

TEST(ParseGb, WithNeitherValueItIsAGapAndEmptyObjectsAreOdd) {
  EXPECT_TRUE(
      expect(
          parse_gb(
              R"({"data":[{"from":"2018-01-20T12:00Z","to":"2018-01-20T12:30Z","intensity":{"forecast":null,"actual":null}}]})",
              false))
          .points.empty());
  EXPECT_FALSE(parse_gb("{}", false));
  EXPECT_FALSE(parse_gb(R"({"data":{}})", false));
  EXPECT_FALSE(
      parse_gb(R"({"data":[{"from":"2018-01-20T12:30Z","to":"2018-01-20T12:00Z","intensity":{"forecast":1}}]})", false));
}

TEST(ParseEnergyCharts, ObservedAndForecastStandSideBySide) {
  const std::string body = sample("energycharts_co2eq.json");
  const Answer seen = expect(parse_energycharts(body, PointKind::observed));
  ASSERT_EQ(seen.points.size(), 2U);
  EXPECT_EQ(seen.points[0].start, std::chrono::seconds(1'711'065'600));
  EXPECT_EQ(seen.points[1].value, GramsPerKwh(305.5));
  const Answer ahead = expect(parse_energycharts(body, PointKind::forecast));
  ASSERT_EQ(ahead.points.size(), 1U);
  EXPECT_EQ(ahead.points[0].value, GramsPerKwh(311.8));
  EXPECT_TRUE(expect(parse_energycharts(R"({"unix_seconds":[1],"co2eq":[1],"co2eq_forecast":null})", PointKind::forecast))
                  .points.empty());
  EXPECT_FALSE(parse_energycharts(R"({"unix_seconds":[1,2],"co2eq":[1],"co2eq_forecast":null})", PointKind::observed));
  EXPECT_FALSE(parse_energycharts(R"({"unix_seconds":[1e300],"co2eq":[1],"co2eq_forecast":null})", PointKind::observed));
}

TEST(ParseSdk, EmissionsAndForecasts) {
  const Answer seen = expect(parse_sdk_emissions(sample("carbonaware_sdk_emissions_bylocation.json")));
  ASSERT_EQ(seen.points.size(), 1U);
  EXPECT_EQ(seen.points[0].value, GramsPerKwh(412));
  EXPECT_EQ(seen.resolution, minutes(5));
  const Answer ahead = expect(parse_sdk_forecast(sample("carbonaware_sdk_forecasts_current.json")));
  ASSERT_EQ(ahead.points.size(), 1U);
  EXPECT_EQ(ahead.points[0].start, at("2022-07-19T14:00Z"));
  EXPECT_EQ(ahead.resolution, minutes(10));
  EXPECT_EQ(ahead.name, "IE");
  EXPECT_FALSE(parse_sdk_forecast("[]"));
  EXPECT_FALSE(parse_sdk_emissions(R"([{"location":"x","time":"2022-05-17T20:45:11Z","rating":70,"duration":"-1"}])"));
}

// ---- generation mixes

double megawatts(const FuelMix& mix, const char* time, const std::string& source) {
  const auto slot = mix.slots.find(at(time));
  if (slot == mix.slots.end() || !slot->second.contains(source)) return -1;
  return slot->second.at(source).value() / 1e6;
}

TEST(ParseEntsoe, AMissingPositionOfACurveA03RepeatsTheLast) {
  const FuelMix mix = expect(parse_entsoe(sample("entsoe_a75.xml")));
  EXPECT_EQ(mix.resolution, minutes(15));
  ASSERT_EQ(mix.slots.size(), 8U);
  EXPECT_NEAR(megawatts(mix, "2025-10-21T12:00Z", "B04"), 640.5, 1e-9);
  EXPECT_NEAR(megawatts(mix, "2025-10-21T12:45Z", "B04"), 655.25, 1e-9);  // position 4 = position 3
  EXPECT_NEAR(megawatts(mix, "2025-10-21T13:45Z", "B04"), 671, 1e-9);     // position 8 = position 6
}

std::string entsoe_series(const std::string& type, const std::string& direction, const std::string& curve,
                          const std::string& resolution, const std::vector<std::pair<int, double>>& points) {
  std::string text =
      "<TimeSeries><" + direction + "BiddingZone_Domain.mRID>10Y</" + direction +
      "BiddingZone_Domain.mRID><quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name><curveType>" + curve +
      "</curveType><MktPSRType><psrType>" + type +
      "</psrType></MktPSRType><Period><timeInterval><start>2025-01-01T00:00Z</start><end>2025-01-01T02:00Z</end></timeInterval>"
      "<resolution>" +
      resolution + "</resolution>";
  for (const auto& [position, quantity] : points) {
    text += "<Point><position>" + std::to_string(position) + "</position><quantity>" + std::to_string(quantity) +
            "</quantity></Point>";
  }
  return text + "</Period></TimeSeries>";
}

std::string entsoe_document(const std::string& series) { return "<GL_MarketDocument>" + series + "</GL_MarketDocument>"; }

TEST(ParseEntsoe, InACurveA01AMissingPositionIsAGap) {
  const FuelMix mix = expect(parse_entsoe(entsoe_document(entsoe_series("B04", "in", "A01", "PT60M", {{2, 5}}))));
  EXPECT_EQ(megawatts(mix, "2025-01-01T00:00Z", "B04"), -1);
  EXPECT_EQ(megawatts(mix, "2025-01-01T01:00Z", "B04"), 5);
}

TEST(ParseEntsoe, ConsumptionIsSubtractedAndFinerCurvesAreAveraged) {
  const FuelMix mix = expect(
      parse_entsoe(entsoe_document(entsoe_series("B16", "in", "A01", "PT15M", {{1, 10}, {2, 20}, {3, 30}, {4, 40}, {5, 1}}) +
                                   entsoe_series("B16", "out", "A01", "PT60M", {{1, 5}}))));
  EXPECT_EQ(mix.resolution, hours(1));
  EXPECT_EQ(megawatts(mix, "2025-01-01T00:00Z", "B16"), 20);  // mean 25 − 5
  EXPECT_EQ(megawatts(mix, "2025-01-01T01:00Z", "B16"), -1);  // one quarter of four is not the hour
}

TEST(ParseEntsoe, NoDataIsNotAnErrorAndAnyOtherAcknowledgementIs) {
  const auto acknowledgement = [](const std::string& text) {
    return "<Acknowledgement_MarketDocument xmlns=\"x\"><Reason><code>999</code><text>" + text +
           "</text></Reason></Acknowledgement_MarketDocument>";
  };
  EXPECT_TRUE(expect(parse_entsoe(acknowledgement("No matching data found for Data item Actual Generation"))).slots.empty());
  const auto refused = parse_entsoe(acknowledgement("The combination is not valid"));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(contains(refused.error().what, "The combination is not valid"));
}

TEST(ParseEntsoe, OddDocumentsAreErrors) {
  const std::string whole = sample("entsoe_a75.xml");
  EXPECT_FALSE(parse_entsoe(whole.substr(0, whole.size() / 2)));
  EXPECT_FALSE(parse_entsoe(""));
  EXPECT_FALSE(parse_entsoe("<html><body>Service Unavailable</body></html>"));
  EXPECT_FALSE(parse_entsoe(entsoe_document(entsoe_series("B04", "in", "A03", "PT60M", {{3, 1}}))));  // beyond its period
  EXPECT_FALSE(parse_entsoe(entsoe_document(entsoe_series("B04", "in", "A03", "P1D", {{1, 1}}))));
  EXPECT_FALSE(parse_entsoe(entsoe_document(entsoe_series("", "in", "A03", "PT60M", {{1, 1}}))));
  EXPECT_FALSE(parse_entsoe(entsoe_document(entsoe_series("B04", "no", "A03", "PT60M", {{1, 1}}))));
}

TEST(ParseEia, ValuesAreTextNumberOrNullAndHoursAreNamedByTheirEnd) {
  FuelMix mix;
  const EiaPage page = expect(parse_eia(sample("eia_v2_fuel_type_data.json"), "CISO", mix));
  EXPECT_EQ(page.rows, 3U);
  EXPECT_EQ(page.total, 3U);
  EXPECT_EQ(megawatts(mix, "2022-10-31T10:00Z", "NG"), 9871);
  EXPECT_EQ(megawatts(mix, "2022-10-31T10:00Z", "SUN"), 0);
  EXPECT_EQ(megawatts(mix, "2022-10-31T10:00Z", "COL"), -1);  // null is not zero
}

std::string eia_row(const std::string& period, const std::string& respondent, const std::string& fuel,
                    const std::string& value) {
  return R"({"period":")" + period + R"(","respondent":")" + respondent + R"(","fueltype":")" + fuel + R"(","value":)" + value +
         R"(,"value-units":"megawatthours"})";
}
std::string eia_page(const std::string& rows, int total) {
  return R"({"response":{"total":)" + std::to_string(total) + R"(,"data":[)" + rows + "]}}";
}

TEST(ParseEia, PjmNamesHoursByTheirStartAndCisoDidUntilJune2022) {
  const auto start_of = [](const std::string& period, const std::string& respondent) {
    FuelMix mix;
    (void)expect(parse_eia(eia_page(eia_row(period, respondent, "NG", "1"), 1), respondent, mix));
    return mix.slots.begin()->first;
  };
  EXPECT_EQ(start_of("2022-10-31T11", "PJM"), at("2022-10-31T11:00Z"));
  EXPECT_EQ(start_of("2022-10-31T11", "ERCO"), at("2022-10-31T10:00Z"));
  EXPECT_EQ(start_of("2022-06-15T11", "CISO"), at("2022-06-15T11:00Z"));
  EXPECT_EQ(start_of("2022-06-17T11", "CISO"), at("2022-06-17T10:00Z"));
}

TEST(ParseEia, OddRowsAreErrors) {
  FuelMix mix;
  EXPECT_FALSE(parse_eia(eia_page(eia_row("2022-10-31T11", "MISO", "NG", "1"), 1), "CISO", mix));
  EXPECT_FALSE(parse_eia(eia_page(eia_row("2022-10-31T11", "CISO", "NG", "\"many\""), 1), "CISO", mix));
  EXPECT_FALSE(parse_eia(eia_page(eia_row("soon", "CISO", "NG", "1"), 1), "CISO", mix));
  EXPECT_FALSE(parse_eia(eia_page(eia_row("2022-10-31T11", "CISO", "", "1"), 1), "CISO", mix));
  EXPECT_FALSE(parse_eia(R"({"response":{"data":[]}})", "CISO", mix));
  EXPECT_FALSE(parse_eia(R"({"error":"API key missing"})", "CISO", mix));
}

// ---- from a mix to an intensity

TEST(FuelMix, IsTheMeanOfTheFactorsWeightedByPower) {
  FuelMix mix;
  mix.set(Nanoseconds(0), "gas", Fuel::gas, Watts(3));
  mix.set(Nanoseconds(0), "wind", Fuel::wind, Watts(1));
  EXPECT_DOUBLE_EQ(intensity_of(mix, Fleet::world, true).at(0).value.value(), (3 * 490 + 1 * 11) / 4.0);
  EXPECT_DOUBLE_EQ(intensity_of(mix, Fleet::world, false).at(0).value.value(), 3 * 370 / 4.0);
  EXPECT_DOUBLE_EQ(intensity_of(mix, Fleet::us, false).at(0).value.value(), 3 * 415 / 4.0);
}

TEST(FuelMix, StorageAndStandstillCountNeitherAsSourceNorAsZero) {
  FuelMix mix;
  mix.set(Nanoseconds(0), "gas", Fuel::gas, Watts(3));
  mix.set(Nanoseconds(0), "pumped", Fuel::storage, Watts(100));
  mix.set(Nanoseconds(0), "coal", Fuel::coal, Watts(-2));
  EXPECT_DOUBLE_EQ(intensity_of(mix, Fleet::world, true).at(0).value.value(), 490);
}

TEST(FuelMix, ASlotThatLacksAFuelThatMattersIsAGap) {
  FuelMix mix;
  for (int h = 0; h < 3; ++h) {
    mix.set(hours(h), "gas", Fuel::gas, Watts(50));
    if (h != 1) mix.set(hours(h), "coal", Fuel::coal, Watts(50));
    if (h != 2) mix.set(hours(h), "oil", Fuel::oil, Watts(0.5));
  }
  const auto points = intensity_of(mix, Fleet::world, true);
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[0].kind, PointKind::observed);
  EXPECT_EQ(points[1].start, hours(2));  // without the oil, which hardly matters
  EXPECT_EQ(points[1].kind, PointKind::estimated);
}

RC_GTEST_PROP(FuelMix, LiesBetweenTheCleanestAndTheDirtiestOfItsFuels, ()) {
  FuelMix mix;
  double low = 1e9, high = 0;
  for (const int i : *rc::gen::nonEmpty(rc::gen::unique<std::vector<int>>(rc::gen::inRange(0, static_cast<int>(kFuels))))) {
    const Fuel fuel = static_cast<Fuel>(i);
    if (fuel == Fuel::storage) continue;
    mix.set(Nanoseconds(0), std::to_string(i), fuel, Watts(*rc::gen::inRange(1, 1000)));
    const double factor = fuel_factor(fuel, Fleet::world).lifecycle.value();
    low = std::min(low, factor);
    high = std::max(high, factor);
  }
  const auto points = intensity_of(mix, Fleet::world, true);
  if (mix.slots.empty()) return;
  RC_ASSERT(points.at(0).value.value() >= low - 1e-9);
  RC_ASSERT(points.at(0).value.value() <= high + 1e-9);
}

TEST(FuelFactor, TheLifeCycleIsNeverCleanerThanTheStack) {
  for (std::size_t i = 0; i < kFuels; ++i) {
    for (const Fleet fleet : {Fleet::world, Fleet::us}) {
      const FuelFactor f = fuel_factor(static_cast<Fuel>(i), fleet);
      EXPECT_LE(f.direct, f.lifecycle);
    }
  }
}

// ---- zones, times, texts

TEST(Zones, HaveTheNamesOfEachService) {
  EXPECT_EQ(eic_of("DE"), "10Y1001A1001A83F");
  EXPECT_EQ(eic_of("SE-SE3"), "10Y1001A1001A46L");
  EXPECT_EQ(eic_of("US-TEX-ERCO"), std::nullopt);
  EXPECT_EQ(eia_respondent("US-TEX-ERCO"), "ERCO");
  EXPECT_EQ(eia_respondent("US"), "US48");
  EXPECT_EQ(eia_respondent("US-AK"), std::nullopt);
  EXPECT_EQ(eia_respondent("DE"), std::nullopt);
  EXPECT_EQ(energycharts_country("GB"), "uk");
  EXPECT_EQ(energycharts_country("SE-SE3"), "se");
  EXPECT_EQ(energycharts_country("US-TEX-ERCO"), std::nullopt);
}

TEST(Zones, EicsHaveSixteenCharactersAndAllUsZonesButTwoAnAuthority) {
  int european = 0;
  for (const std::string& zone : place::known_zones()) {
    if (const auto eic = eic_of(zone)) {
      EXPECT_EQ(eic->size(), 16U) << zone;
      ++european;
    }
    if (zone.starts_with("US-") && !zone.starts_with("US-AK") && zone != "US-HI") {
      EXPECT_TRUE(eia_respondent(zone)) << zone;
    }
  }
  EXPECT_GT(european, 50);
}

TEST(RetryAfter, IsSecondsOrADate) {
  const Nanoseconds now = at("2015-10-21T07:27:30Z");
  EXPECT_EQ(parse_retry_after("7", now), std::chrono::seconds(7));
  EXPECT_EQ(parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT", now), std::chrono::seconds(30));
  EXPECT_EQ(parse_retry_after("Wed, 21 Oct 2015 07:26:00 GMT", now), std::chrono::seconds(0));
  for (const char* odd :
       {"", "-1", "soon", "1.5", "99999999999", "Wed, 21 Foo 2015 07:28:00 GMT", "Wed, 99 Oct 2015 07:28:00 GMT"}) {
    EXPECT_EQ(parse_retry_after(odd, now), std::nullopt) << odd;
  }
}

TEST(Message, IsWhatTheServiceSaysAndNothingOfAPage) {
  EXPECT_EQ(message_in(sample("uk_error.json")), "the time is not one that this sample's server reads");
  EXPECT_EQ(message_in(R"({"error":"Invalid query parameters","message":"Invalid scope."})"), "Invalid scope.");
  EXPECT_EQ(message_in(R"({"error":"no"})"), "no");
  EXPECT_EQ(message_in("<Acknowledgement_MarketDocument><Reason><text>Nope</text></Reason></Acknowledgement_MarketDocument>"),
            "Nope");
  EXPECT_EQ(message_in("<html>403 Forbidden</html>"), "");
  EXPECT_EQ(message_in(""), "");
}

TEST(Samples, CutShortAnywhereTheyAreErrorsAndNeverCrash) {
  for (const char* name : {"watttime_historical.json", "electricitymaps_past_range.json", "uk_intensity.json",
                           "uk_regional_postcode.json", "energycharts_co2eq.json", "carbonaware_sdk_emissions_bylocation.json",
                           "carbonaware_sdk_forecasts_current.json", "eia_v2_fuel_type_data.json", "entsoe_a75.xml"}) {
    const std::string whole{trim(sample(name))};
    for (std::size_t n = 0; n < whole.size(); ++n) {
      const std::string cut = whole.substr(0, n);
      FuelMix mix;
      EXPECT_FALSE(parse_watttime(cut, PointKind::observed));
      EXPECT_FALSE(parse_electricitymaps(cut, PointKind::observed));
      EXPECT_FALSE(parse_gb(cut, false));
      EXPECT_FALSE(parse_energycharts(cut, PointKind::observed));
      EXPECT_FALSE(parse_sdk_emissions(cut));
      EXPECT_FALSE(parse_sdk_forecast(cut));
      EXPECT_FALSE(parse_entsoe(cut));
      EXPECT_FALSE(parse_eia(cut, "CISO", mix));
    }
  }
}

}  // namespace
}  // namespace gramwatt::grid
