#pragma once
// What the answers of each service say. Pure: text in, figures out, no clock and no network, so that tests, replays and the
// fuzzer drive exactly what a live answer meets. An Error's `what` says what is odd about the text; null values are gaps.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "grid/fuel_mix.hpp"
#include "grid/intensity.hpp"

namespace gramwatt::grid {

struct Answer {
  std::vector<Point> points;        ///< in the order of the answer
  Nanoseconds resolution{};         ///< 0: not told
  std::string name;                 ///< the zone or model that the service named; may be empty
  std::string factor;               ///< "direct" | "lifecycle" where the answer says; else empty
  std::optional<Nanoseconds> made;  ///< when a forecast was made
  std::vector<std::string> warnings;
};

/// WattTime v3 /historical and /forecast: lb/MWh become g/kWh.
[[nodiscard]] Result<Answer> parse_watttime(std::string_view body, PointKind kind);
[[nodiscard]] Result<std::string> parse_watttime_token(std::string_view body);
/// /region-from-loc
[[nodiscard]] Result<std::string> parse_watttime_region(std::string_view body);

/// Electricity Maps v3/v4: /history, /past-range (list `history` or `data`) and /forecast (list `forecast`).
[[nodiscard]] Result<Answer> parse_electricitymaps(std::string_view body, PointKind kind);

/// GB Carbon Intensity: national and regional lists, in an array or an object. Nationally, `actual` is observed, and where it
/// is null the forecast stands; with `forecast_only` (and regionally always) the forecast is taken.
[[nodiscard]] Result<Answer> parse_gb(std::string_view body, bool forecast_only);

/// Energy-Charts /co2eq: observed values, or its forecast.
[[nodiscard]] Result<Answer> parse_energycharts(std::string_view body, PointKind kind);

/// Carbon Aware SDK: /emissions/bylocation and /emissions/forecasts/current.
[[nodiscard]] Result<Answer> parse_sdk_emissions(std::string_view body);
[[nodiscard]] Result<Answer> parse_sdk_forecast(std::string_view body);

/// ENTSO-E actual generation per type (A75). An acknowledgement that there is no data is an empty mix.
[[nodiscard]] Result<FuelMix> parse_entsoe(std::string_view body);

/// One page of EIA v2 fuel-type-data, added to `mix`.
struct EiaPage {
  std::size_t rows = 0;   ///< on this page, null values included
  std::size_t total = 0;  ///< that the query has in all
};
/// `respondent` decides what an hour's label means (see provider_eia.cpp).
[[nodiscard]] Result<EiaPage> parse_eia(std::string_view body, std::string_view respondent, FuelMix& mix);

}  // namespace gramwatt::grid
