// Cloud regions, their zones and the PUE of their buildings (data/cloud_regions.csv).

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "data/tables.hpp"
#include "place/place.hpp"

namespace gramwatt::place {
namespace {

struct ProviderPue {
  std::string_view provider;
  double mean, low, high;
};

// Means and ranges of what each provider publishes by region (2022 to 2024; 22, 26 and 13 regions of data/cloud_regions.csv).
constexpr std::array kProviderPue{ProviderPue{"aws", 1.22, 1.07, 1.46}, ProviderPue{"azure", 1.17, 1.11, 1.43},
                                  ProviderPue{"gcp", 1.10, 1.07, 1.16}};

// Uptime Institute, Global Data Center Survey 2024: mean of all who answered. Computer rooms of universities and offices
// reach 2.0, new halls 1.1.
constexpr double kIndustryPue = 1.56;

}  // namespace

std::vector<Region> regions_of(std::string_view provider) {
  std::vector<Region> all;
  std::string_view table = data::cloud_regions();
  while (const auto line = next_line(table)) {
    if (!line->starts_with(provider)) continue;
    const auto field = split(*line, ',');
    if (field.size() < 5 || field[0] != provider || field[0] == "provider") continue;
    all.push_back({std::string(field[0]), std::string(field[1]), std::string(field[2]),
                   parse_number<double>(field[3]).value_or(0), parse_number<int>(field[4]).value_or(0)});
  }
  return all;
}

std::optional<Region> find_region(std::string_view provider, std::string_view region) {
  for (Region& r : regions_of(provider)) {
    if (r.region == region) return std::move(r);
  }
  return std::nullopt;
}

std::optional<Coordinates> point_of_region(std::string_view provider, std::string_view region) {
  std::string_view table = data::cloud_places();
  while (const auto line = next_line(table)) {
    const auto field = split(*line, ',');
    if (field.size() < 4 || field[0] != provider || field[1] != region) continue;
    const auto latitude = parse_number<double>(field[2]);
    const auto longitude = parse_number<double>(field[3]);
    if (latitude && longitude) return Coordinates{*latitude, *longitude};
  }
  return std::nullopt;
}

Estimate<Ratio> pue(const std::optional<Cloud>& cloud, Building building) {
  if (building == Building::home_or_office) {
    return {Ratio(1), Method::assumed, "PUE 1.0: no machine room around a desktop or laptop (assumed)", std::nullopt, {}};
  }
  if (cloud) {
    if (const auto region = find_region(cloud->provider, cloud->region); region && region->pue > 0) {
      // Annual mean of the region's halls; the season moves it by a few percent.
      return {Ratio(region->pue),
              Method::measured,
              "PUE published for " + region->provider + " " + region->region + ", " + std::to_string(region->pue_year),
              std::nullopt,
              {{"pue", Shift::symmetric(0.05)}}};
    }
    const auto* known = std::find_if(kProviderPue.begin(), kProviderPue.end(),
                                     [&](const ProviderPue& p) { return p.provider == cloud->provider; });
    if (known != kProviderPue.end()) {
      return {Ratio(known->mean),
              Method::assumed,
              "PUE: mean of what " + cloud->provider + " publishes for other regions (assumed)",
              std::nullopt,
              {{"pue", Shift::range(known->mean, known->low, known->high)}}};
    }
  }
  return {Ratio(kIndustryPue),
          Method::assumed,
          "PUE of the industry, Uptime Institute 2024 (assumed)",
          std::nullopt,
          {{"pue", Shift::range(kIndustryPue, 1.1, 2.0)}}};
}

}  // namespace gramwatt::place
