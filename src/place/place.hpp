#pragma once
// Where does this machine draw its power?
//
// In this order: what the user says (--zone, GRAMWATT_ZONE, config), what the cloud says of itself (firmware first, then its
// link-local metadata service; instance type, region and zone only, never credentials; the answer is cached for this boot), and
// else: unknown. A country is never guessed.

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/estimate.hpp"
#include "base/system.hpp"

namespace gramwatt::place {

struct Cloud {
  std::string provider;  ///< "aws", "azure", "gcp"
  std::string instance;  ///< "m7a.large"; may be empty
  std::string region;    ///< "eu-central-1"; may be empty
};

enum class How { option, environment, config, cloud, unknown };
[[nodiscard]] std::string_view to_string(How how);

struct Place {
  std::optional<std::string> zone;  ///< "DE", "US-CAL-CISO"
  How how = How::unknown;
  std::string name;  ///< for people: "Germany", "AWS eu-central-1 (Frankfurt), zone DE", "unknown place"
  std::optional<Cloud> cloud;
  std::vector<std::string> chain;  ///< what was asked and what it answered, one line each
};

struct Query {
  std::optional<std::string> zone_option, zone_environment, zone_config;
  bool network = true;                      ///< may the metadata service be asked at all?
  std::optional<std::string> metadata_url;  ///< GRAMWATT_METADATA_URL: asked even if the firmware is silent
  std::filesystem::path cache_directory;    ///< answers are kept here for this boot
  Roots roots;
};

/// Fails only on a zone that does not exist (kind missing, with near matches as the remedy).
[[nodiscard]] Result<Place> locate(const Query& query);

/// One row of the region table.
struct Region {
  std::string provider, region, zone;
  double pue = 0;  ///< 0 = not published
  int pue_year = 0;
};
[[nodiscard]] std::optional<Region> find_region(std::string_view provider, std::string_view region);

/// Every zone key that has a built-in average intensity, sorted.
[[nodiscard]] std::vector<std::string> known_zones();

/// The same with their names: {"DE", "Germany"}.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> named_zones();

/// Power usage effectiveness of the building: published for the region, else the provider's mean with its range; an own server
/// 1.1..2.0; desktops and laptops 1.0. Each marked assumed unless published for that place.
enum class Building { data_centre, home_or_office };
[[nodiscard]] Estimate<Ratio> pue(const std::optional<Cloud>& cloud, Building building);

}  // namespace gramwatt::place
