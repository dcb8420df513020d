#pragma once
// Where does this machine draw its power?
//
// In this order: what the user says (options, then environment, then configuration; of each a zone before a point before
// words), what the cloud says of itself (firmware first, then its link-local metadata service; instance type, region and zone
// only, never credentials; the answer is cached for this boot), and else: unknown. A country is never guessed, and nobody is
// asked where an address is.

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/estimate.hpp"
#include "base/system.hpp"
#include "place/coordinates.hpp"

namespace gramwatt::place {

struct Cloud {
  std::string provider;  ///< "aws", "azure", "gcp"
  std::string instance;  ///< "m7a.large"; may be empty
  std::string region;    ///< "eu-central-1"; may be empty
};

/// How the zone was found: named by the user (option, environment, config), by the cloud's region, or from a postal code, a
/// point, a country or a US state that the user named.
enum class How { option, environment, config, cloud, postal_code, coordinates, country, state, unknown };
[[nodiscard]] std::string_view to_string(How how);

struct Place {
  std::optional<std::string> zone;  ///< "DE", "US-CAL-CISO"
  How how = How::unknown;
  std::string name;  ///< for people: "Germany", "AWS eu-central-1 (Frankfurt), zone DE", "unknown place"
  std::optional<Cloud> cloud;
  /// For providers that ask by point: where the machine is, as near as it is known; else a point in the middle of its zone.
  std::optional<Coordinates> point;
  std::string point_from;               ///< "given", "ZIP code", "cloud region", "zone"; empty without a point
  std::optional<std::string> postcode;  ///< capitals and digits without spaces, for providers that ask by it
  std::vector<std::string> also;        ///< zones in which the machine may as well be: a figure must reach over theirs, too
  std::vector<std::string> notes;       ///< what a reader of the figures must know: what was taken for what
  std::vector<std::string> chain;       ///< what was asked and what it answered, one line each
};

/// What one source says of the place. A zone wins over a point, a point over words.
struct Said {
  std::optional<std::string> zone;
  std::optional<std::string> latitude, longitude;  ///< decimal degrees, as typed; both or none
  std::optional<std::string> place;                ///< "23917, US", "Germany", "Texas"
  [[nodiscard]] bool anything() const { return zone || latitude || longitude || place; }
};

struct Query {
  Said option, environment, config;
  bool network = true;                      ///< may the metadata service be asked at all?
  std::optional<std::string> metadata_url;  ///< GRAMWATT_METADATA_URL: asked even if the firmware is silent
  std::filesystem::path cache_directory;    ///< answers are kept here for this boot
  Roots roots;
};

/// Fails only on what the user said: a zone or place that does not exist (kind missing, with near matches as the remedy), one
/// that may mean two things or lacks a part (kind usage).
[[nodiscard]] Result<Place> locate(const Query& query);

/// One row of the region table.
struct Region {
  std::string provider, region, zone;
  double pue = 0;  ///< 0 = not published
  int pue_year = 0;
};
[[nodiscard]] std::optional<Region> find_region(std::string_view provider, std::string_view region);

/// All regions of "aws", "azure" or "gcp"; none of what is no such cloud.
[[nodiscard]] std::vector<Region> regions_of(std::string_view provider);

/// Where a region is, to some tenths of a degree (data/cloud_places.csv). Its zone is what the region table says, not the one
/// that holds this point: grid operators' areas interleave.
[[nodiscard]] std::optional<Coordinates> point_of_region(std::string_view provider, std::string_view region);

/// Has this zone key a built-in average intensity? Capitals count.
[[nodiscard]] bool is_known_zone(std::string_view zone);

/// Every zone key that has a built-in average intensity, sorted.
[[nodiscard]] std::vector<std::string> known_zones();

/// The same with their names: {"DE", "Germany"}.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> named_zones();

/// Power usage effectiveness of the building: published for the region, else the provider's mean with its range; an own server
/// 1.1..2.0; desktops and laptops 1.0. Each marked assumed unless published for that place.
enum class Building { data_centre, home_or_office };
[[nodiscard]] Estimate<Ratio> pue(const std::optional<Cloud>& cloud, Building building);

}  // namespace gramwatt::place
