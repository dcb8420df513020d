#pragma once
// What each service calls a zone. Nothing for a zone that it does not have.

#include <optional>
#include <string>
#include <string_view>

namespace gramwatt::grid {

/// ENTSO-E: the Energy Identification Code of a country, bidding zone or control area that reports generation.
[[nodiscard]] std::optional<std::string> eic_of(std::string_view zone);
/// EIA-930: the respondent (balancing authority), or US48 for the whole country.
[[nodiscard]] std::optional<std::string> eia_respondent(std::string_view zone);
/// Energy-Charts: countries only, "uk" for GB; of a part of a country its country.
[[nodiscard]] std::optional<std::string> energycharts_country(std::string_view zone);

}  // namespace gramwatt::grid
