#include "place/place.hpp"

#include <algorithm>
#include <map>

#include "base/file.hpp"
#include "base/text.hpp"
#include "data/tables.hpp"
#include "place/find.hpp"
#include "place/metadata.hpp"
#include "place/outlines.hpp"

namespace gramwatt::place {
namespace {

constexpr const char* kLinkLocal = "http://169.254.169.254";

std::optional<std::string> name_of(std::string_view zone) {
  std::string_view table = data::zone_intensity();
  while (const auto line = next_line(table)) {
    if (!line->starts_with(zone) || line->size() <= zone.size() || (*line)[zone.size()] != ',' || zone.empty()) continue;
    return csv_fields(*line).at(1);
  }
  return std::nullopt;
}

Result<Place> by_zone(const std::string& given, How how, const std::string& where) {
  std::string zone(trim(given));
  std::transform(zone.begin(), zone.end(), zone.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto name = name_of(zone);
  if (!name) {
    const auto near = did_you_mean(zone, known_zones());
    return fail("unknown zone \"" + given + "\"", where,
                near ? "did you mean " + *near + "?" : "zones are country codes (DE, FR) or grid zones (US-CAL-CISO)",
                Error::Kind::missing);
  }
  Place place;
  place.zone = zone;
  place.how = how;
  place.name = *name;
  place.chain = {where + ": " + zone};
  return place;
}

// ------------------------------------------------------------------------ what the cloud said, kept for this boot

std::string boot_id(const Roots& roots) { return read_line_or_empty(roots.procfs / "sys" / "kernel" / "random" / "boot_id"); }

/// "BOOT PROVIDER INSTANCE REGION", or "BOOT none" where nobody answered.
std::optional<std::optional<Cloud>> cached(const Query& q) {
  const std::string line = read_line_or_empty(q.cache_directory / "cloud");
  const auto word = split(line, ' ');
  if (word.size() < 2 || word[0].empty() || word[0] != boot_id(q.roots)) return std::nullopt;
  if (word[1] == "none") return std::optional<Cloud>{};
  if (word.size() != 4) return std::nullopt;
  return Cloud{std::string(word[1]), std::string(word[2] == "-" ? "" : word[2]), std::string(word[3])};
}

void keep(const Query& q, const std::optional<Cloud>& cloud) {
  const std::string boot = boot_id(q.roots);
  if (boot.empty() || q.cache_directory.empty()) return;
  const std::string line =
      boot +
      (cloud ? " " + cloud->provider + " " + (cloud->instance.empty() ? "-" : cloud->instance) + " " + cloud->region : " none");
  (void)write_file_atomically(q.cache_directory / "cloud", line + "\n", 0600);  // without a cache the next run asks again
}

std::optional<Cloud> find_cloud(const Query& q, std::vector<std::string>& chain) {
  const auto firmware = provider_by_firmware(q.roots);
  if (!firmware && !q.metadata_url) {
    chain.emplace_back("firmware: names no known cloud");
    return std::nullopt;
  }
  if (firmware) chain.push_back("firmware: " + *firmware);
  // An address given for a test or an odd machine is asked afresh: the cache is for this boot, not for this address.
  if (!q.metadata_url) {
    if (const auto known = cached(q)) {
      chain.emplace_back(*known ? "metadata service: asked earlier in this boot"
                                : "metadata service: did not answer earlier in this boot");
      return *known;
    }
  }
  if (!q.network) {
    chain.emplace_back("metadata service: not asked (no network wanted)");
    return firmware ? std::optional<Cloud>(Cloud{*firmware, "", ""}) : std::nullopt;
  }
  const std::vector<std::string> candidates =
      firmware ? std::vector{*firmware} : std::vector<std::string>{"aws", "azure", "gcp"};
  for (const std::string& provider : candidates) {
    const auto answer = ask_metadata(provider, q.metadata_url.value_or(kLinkLocal));
    if (!answer) {
      chain.push_back("metadata service (" + provider + "): " + answer.error().what);
      continue;
    }
    chain.push_back("metadata service (" + provider + "): " + answer->region);
    if (!q.metadata_url) keep(q, *answer);
    return *answer;
  }
  if (!q.metadata_url) keep(q, std::nullopt);
  return firmware ? std::optional<Cloud>(Cloud{*firmware, "", ""}) : std::nullopt;
}

/// How the sources of what the user says are called, for the chain and for errors.
struct Origin {
  How how;
  const char *zone, *point, *place;
};
constexpr Origin kOption{How::option, "--zone", "--lat, --lon", "--place"};
constexpr Origin kEnvironment{How::environment, "GRAMWATT_ZONE", "GRAMWATT_LAT, GRAMWATT_LON", "GRAMWATT_PLACE"};
constexpr Origin kConfig{How::config, "configuration: zone", "configuration: lat, lon", "configuration: place"};

Result<std::optional<Coordinates>> point_of(const Said& said, const Origin& origin) {
  if (!said.latitude && !said.longitude) return std::optional<Coordinates>{};
  if (!said.latitude || !said.longitude) {
    return fail(said.latitude ? "a latitude without a longitude" : "a longitude without a latitude", origin.point,
                "both are needed", Error::Kind::usage);
  }
  auto point = parse_coordinates(*said.latitude, *said.longitude);
  if (!point) {
    point.error().where = origin.point;
    return tl::unexpected(point.error());
  }
  return std::optional(*point);
}

Result<Place> from(const Said& said, const Origin& origin) {
  const auto point = point_of(said, origin);
  if (!point) return tl::unexpected(point.error());
  if (!said.zone) return *point ? find_by_point(**point, origin.point) : find_by_words(said.place.value_or(""), origin.place);
  auto place = by_zone(*said.zone, origin.how, origin.zone);
  if (!place) return place;
  // The zone is the user's word; a point or postal code beside it still says where, to providers that ask for it.
  if (*point) {
    place->point = **point;
    place->point_from = "given";
    place->chain.push_back(std::string(origin.point) + ": " + to_string(**point) + " (the zone named wins)");
  } else if (const auto beside = said.place ? find_by_words(*said.place, origin.place) : fail("")) {
    place->point = beside->point;
    place->point_from = beside->point_from;
    place->postcode = beside->postcode;
    place->chain.push_back(std::string(origin.place) + ": " + beside->name + " (the zone named wins)");
  } else {
    place->point = point_in_zone(*place->zone);
    if (place->point) place->point_from = "zone";
  }
  return place;
}

Result<Place> said(const Query& q) {
  if (q.option.anything()) return from(q.option, kOption);
  if (q.environment.anything()) return from(q.environment, kEnvironment);
  if (q.config.anything()) return from(q.config, kConfig);
  return Place{};
}

void by_region(const Cloud& cloud, Place& place) {
  const auto region = find_region(cloud.provider, cloud.region);
  if (!region) {
    place.name = cloud.provider + " " + cloud.region + ", zone unknown";
    place.chain.push_back("region table: " + cloud.provider + " " + cloud.region + " is not in it");
    return;
  }
  place.zone = region->zone;
  place.how = How::cloud;
  place.name = cloud.provider + " " + cloud.region + ", zone " + region->zone;
  place.chain.push_back("region table: zone " + region->zone);
  place.point = point_of_region(cloud.provider, cloud.region);
  if (place.point) place.point_from = "cloud region";
}

}  // namespace

std::string_view to_string(How how) {
  switch (how) {
    case How::option: return "option";
    case How::environment: return "environment";
    case How::config: return "config";
    case How::cloud: return "cloud";
    case How::postal_code: return "postal-code";
    case How::coordinates: return "coordinates";
    case How::country: return "country";
    case How::state: return "state";
    case How::unknown: break;
  }
  return "unknown";
}

Result<Place> locate(const Query& q) {
  std::vector<std::string> chain;
  const auto cloud = find_cloud(q, chain);
  Result<Place> place = said(q);
  if (!place) return place;
  place->cloud = cloud;
  if (place->zone) return place;

  place->chain = std::move(chain);
  place->name = "unknown place";
  if (cloud && !cloud->region.empty()) by_region(*cloud, *place);
  return place;
}

bool is_known_zone(std::string_view zone) {
  std::string_view table = data::zone_intensity();
  while (const auto line = next_line(table)) {
    if (!zone.empty() && line->starts_with(zone) && line->size() > zone.size() && (*line)[zone.size()] == ',')
      return zone != "zone";
  }
  return false;
}

std::vector<std::string> known_zones() {
  std::vector<std::string> zones;
  for (auto& [zone, name] : named_zones()) zones.push_back(std::move(zone));
  return zones;
}

namespace {

/// Names of parts of countries, by zone.
std::map<std::string, std::string, std::less<>> part_names() {
  std::map<std::string, std::string, std::less<>> names;
  std::string_view table = data::zone_names();
  (void)next_line(table);
  while (const auto line = next_line(table)) {
    auto fields = csv_fields(*line);
    if (fields.size() == 2) names.emplace(std::move(fields[0]), std::move(fields[1]));
  }
  return names;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> named_zones() {
  const auto parts = part_names();
  std::vector<std::pair<std::string, std::string>> zones;
  std::string_view table = data::zone_intensity();
  (void)next_line(table);
  while (const auto line = next_line(table)) {
    auto fields = csv_fields(*line);
    if (fields.size() < 2 || fields[0].empty()) continue;
    const auto part = parts.find(fields[0]);  // the table of intensities has the key in its place
    if (part != parts.end() && fields[1].starts_with(fields[0] + ",")) fields[1].replace(0, fields[0].size(), part->second);
    zones.emplace_back(std::move(fields[0]), std::move(fields[1]));
  }
  std::sort(zones.begin(), zones.end());
  return zones;
}

}  // namespace gramwatt::place
