#include "place/find.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "base/text.hpp"
#include "place/names.hpp"
#include "place/outlines.hpp"
#include "place/zip.hpp"

namespace gramwatt::place {
namespace {

// Simplified coasts cut off capes and islands; beyond this a point is at sea.
constexpr double kCoastKm = 50;
constexpr std::size_t kLongestPlace = 200;

bool has_digit(std::string_view s) { return s.find_first_of("0123456789") != std::string_view::npos; }

/// The postal code in "10115 Berlin", "Belfast, BT1 1AA", "K1P 1J1": of the last part with a digit, the words from the first
/// with a digit to the last. Empty without digits.
std::string_view postal_in(std::string_view text) {
  for (auto comma = text.rfind(','); comma != std::string_view::npos; comma = text.rfind(',')) {
    const auto last = text.substr(comma + 1);
    if (has_digit(last)) {
      text = last;
      break;
    }
    text = text.substr(0, comma);
  }
  text = trim(text);
  const auto first_word = [&] { return text.substr(0, text.find(' ')); };
  const auto last_word = [&] { return text.substr(text.rfind(' ') + 1); };
  while (!text.empty() && !has_digit(first_word())) text = trim(text.substr(first_word().size()));
  while (!text.empty() && !has_digit(last_word())) text = trim(text.substr(0, text.size() - last_word().size()));
  return text;
}

/// "a, b, c", and how many more where they are many
std::string listed(const std::vector<std::string>& zones) {
  constexpr std::size_t kMost = 16;
  if (zones.size() <= kMost + 1) return fmt::format("{}", fmt::join(zones, ", "));
  return fmt::format("{} and {} more", fmt::join(zones.begin(), zones.begin() + kMost, ", "), zones.size() - kMost);
}

/// One look at some words: the place under way, and what its errors say of where.
class Search {
 public:
  Search(std::string_view words, std::string origin) : words_(trim(words)), origin_(std::move(origin)) {}
  Result<Place> run();

 private:
  [[nodiscard]] tl::unexpected<Error> wrong(std::string what, std::string remedy,
                                            Error::Kind kind = Error::Kind::missing) const {
    return fail(std::move(what), origin_, std::move(remedy), kind);
  }
  Result<Place> one_part();
  Result<Place> within(std::string_view rest, std::string_view last);
  Result<Place> in_country(const Country& country, std::string_view rest);
  Result<Place> in_parted_country(const Country& country, std::string_view rest);
  Result<Place> whole_country(const Country& country, How how);
  Result<Place> in_united_states(std::string_view rest);
  Result<Place> in_state(const State& state, std::string_view rest);
  Result<Place> by_zip(std::string_view code);
  Result<Place> unknown_word(std::string_view word) const;
  Result<Place> finish(std::string zone, How how, std::string name);
  void step(std::string line) { place_.chain.push_back(std::move(line)); }

  std::string words_;
  std::string origin_;
  Place place_;
};

Result<Place> Search::finish(std::string zone, How how, std::string name) {
  if (!is_known_zone(zone)) {
    return wrong(fmt::format("\"{}\" lies in zone {}, of which no intensity is built in", words_, zone),
                 "name the zone whose power it takes with --zone");
  }
  place_.zone = std::move(zone);
  place_.how = how;
  place_.name = std::move(name);
  if (!place_.point) {
    place_.point = point_in_zone(*place_.zone);
    if (place_.point) place_.point_from = "zone";
  }
  return place_;
}

Result<Place> Search::unknown_word(std::string_view word) const {
  constexpr std::size_t kLongestName = 50;  // nothing that long is near a name
  std::vector<std::string> known;
  if (word.size() <= kLongestName) {
    known = known_names();
    for (std::string& zone : known_zones()) known.push_back(std::move(zone));
  }
  const auto near = did_you_mean(word, known);
  return wrong(
      fmt::format("unknown place \"{}\"", word),
      near ? fmt::format("did you mean {}?", *near)
           : "a place is a postal code with its country (\"23917, US\"), a country, or a US state; towns are not known");
}

Result<Place> Search::run() {
  if (words_.empty()) return wrong("no place is named", "such as \"23917, US\" or \"Germany\"", Error::Kind::usage);
  if (words_.size() > kLongestPlace) return wrong("too long for a place", "", Error::Kind::usage);
  if (std::any_of(words_.begin(), words_.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }))
    return wrong("control characters in a place", "", Error::Kind::usage);
  step(fmt::format("{}: \"{}\"", origin_, words_));
  const auto comma = words_.rfind(',');
  const std::string_view words = words_;
  if (comma == std::string::npos) return one_part();
  const auto rest = trim(words.substr(0, comma));
  const auto last = trim(words.substr(comma + 1));
  if (last.empty()) return wrong("nothing after the comma", "such as \"23917, US\"", Error::Kind::usage);
  return within(rest, last);
}

/// Without a comma: a country, a state, a zone, or a postal code with its country after a space.
Result<Place> Search::one_part() {
  const std::string_view words = words_;
  if (find_country(words) || find_state(words)) return within({}, words);
  std::string zone = words_;
  std::transform(zone.begin(), zone.end(), zone.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (is_known_zone(zone)) {
    step(fmt::format("a zone's own key: {}", zone));
    return finish(zone, How::country, zone);
  }
  for (auto space = words.find(' '); space != std::string_view::npos; space = words.find(' ', space + 1)) {
    const auto rest = words.substr(0, space);
    const auto last = trim(words.substr(space + 1));
    if (has_digit(rest) && (find_country(last) || find_state(last))) return within(rest, last);
  }
  if (has_digit(words) && words.size() <= 12) {
    return wrong(fmt::format("postal code \"{}\" of which country?", words), fmt::format("such as \"{}, US\"", words),
                 Error::Kind::usage);
  }
  return unknown_word(words);
}

/// `last` is a country or a state; DE, IL, Georgia and others may be both.
Result<Place> Search::within(std::string_view rest, std::string_view last) {
  const auto country = find_country(last);
  const auto state = find_state(last);
  if (!country && !state) {
    // "Chicago, IL 60601"
    const auto space = last.rfind(' ');
    if (space != std::string_view::npos && parse_zip(last.substr(space + 1)) && find_state(last.substr(0, space)))
      return by_zip(last.substr(space + 1));
    return unknown_word(last);
  }
  if (country && state) {
    const auto zip = parse_zip(postal_in(rest));
    const bool may_be_state = rest.empty() ? last.size() > 2 : !has_digit(rest) || (zip && state->has_prefix(*zip / 100));
    if (may_be_state) {
      const std::string before = rest.empty() ? "" : std::string(rest) + ", ";
      return wrong(fmt::format("\"{}\" may be {} (the country) or {} (the US state)", words_, country->name, state->name),
                   fmt::format("write \"{}{}\" or \"{}\"", before, last.size() > 2 ? country->code : country->name,
                               zip ? before + "US" : state->name + ", US"),
                   Error::Kind::usage);
    }
    place_.notes.push_back(fmt::format("place: {} is taken for {}, not for {} (that is \"{}, US\")", last, country->name,
                                       state->name, state->name));
    step(fmt::format("{}: the country {}, not the US state {}", last, country->name, state->name));
  }
  return country ? in_country(*country, rest) : in_state(*state, rest);
}

Result<Place> Search::in_country(const Country& country, std::string_view rest) {
  if (country.code == "US") return in_united_states(rest);
  if (has_digit(rest)) place_.postcode = plain_postal(postal_in(rest));
  const How how = place_.postcode ? How::postal_code : How::country;
  if (!parts_of_country(country.code).empty()) return in_parted_country(country, rest);
  if (!rest.empty()) step(fmt::format("\"{}\" is not looked up: all of {} is one zone", rest, country.name));
  step(fmt::format("country: {}, zone {}", country.name, country.code));
  return finish(country.code, how, country.name);
}

Result<Place> Search::in_parted_country(const Country& country, std::string_view rest) {
  if (rest.empty()) return whole_country(country, How::country);
  const std::string zones = listed(parts_of_country(country.code));
  if (!place_.postcode) {
    return wrong(fmt::format("where in {} is \"{}\"? towns are not known", country.name, rest),
                 fmt::format("give its postal code, --lat and --lon, or --zone: {}", zones));
  }
  const PostalZone found = find_postal(country.code, *place_.postcode);
  switch (found.kind) {
    case PostalZone::Kind::no_table:
      step(fmt::format("postal codes of {} are not in the table", country.name));
      return whole_country(country, How::postal_code);
    case PostalZone::Kind::unknown:
      return wrong(fmt::format("no zone is known for postal code \"{}\" in {}", rest, country.name),
                   fmt::format("give --lat and --lon, or --zone: {}", zones));
    case PostalZone::Kind::found: break;
  }
  step(found.prefix.empty() ? fmt::format("postal code {}: zone {}", rest, found.zone)
                            : fmt::format("postal codes {}... of {}: zone {}", found.prefix, country.name, found.zone));
  return finish(found.zone, How::postal_code, fmt::format("{}, {}", country.name, rest));
}

Result<Place> Search::whole_country(const Country& country, How how) {
  const auto parts = parts_of_country(country.code);
  if (point_in_zone(country.code)) {  // Spain, France: the mainland has the country's key
    step(fmt::format("country: {}, zone {} (its mainland; islands and parts apart: {})", country.name, country.code,
                     listed(parts)));
  } else {
    step(fmt::format("country: {}, which holds {} zones; its own figure stands in: {}", country.name, parts.size(),
                     listed(parts)));
    place_.notes.push_back(fmt::format(
        "place: {} holds {} grid zones, and which of them is unknown; name it with --zone, --lat and --lon, or a postal code",
        country.name, parts.size()));
    place_.also = parts;
  }
  return finish(country.code, how, country.name);
}

Result<Place> Search::in_united_states(std::string_view rest) {
  if (rest.empty()) return whole_country({"US", "United States"}, How::country);
  const auto comma = rest.rfind(',');
  const auto last = comma == std::string_view::npos ? rest : trim(rest.substr(comma + 1));
  const auto before = comma == std::string_view::npos ? std::string_view{} : trim(rest.substr(0, comma));
  if (const auto state = find_state(last)) return in_state(*state, before);
  if (const auto zip = postal_in(last); parse_zip(zip)) return by_zip(zip);
  if (has_digit(rest))
    return wrong(fmt::format("\"{}\" is no ZIP code", rest), "five digits, such as 23917", Error::Kind::usage);
  return wrong(fmt::format("where in the United States is \"{}\"? towns are not known", rest),
               "give its ZIP code, --lat and --lon, or its state");
}

Result<Place> Search::in_state(const State& state, std::string_view rest) {
  if (const auto zip = postal_in(rest); parse_zip(zip)) return by_zip(zip);
  const auto& zones = state.zones;
  const int all = std::accumulate(zones.begin(), zones.end(), 0, [](int sum, const State::Share& z) { return sum + z.zips; });
  const auto percent = [&](const State::Share& z) { return 100 * z.zips / all; };
  if (zones.size() == 1) {
    step(fmt::format("US state: {}, zone {}", state.name, zones.front().zone));
    return finish(zones.front().zone, How::state, state.name);
  }
  std::vector<std::string> shares;
  for (const State::Share& z : zones)
    shares.push_back(fmt::format("{} {} %", z.zone, z.zips * 100 < all ? "< 1" : std::to_string(percent(z))));
  if (!rest.empty()) {
    return wrong(fmt::format("where in {} is \"{}\"? towns are not known", state.name, rest),
                 fmt::format("give its ZIP code (\"12345, US\"), or --zone: {}", listed(shares)));
  }
  step(fmt::format("US state: {}; zones by ZIP codes: {}", state.name, fmt::join(shares, ", ")));
  for (auto z = zones.begin() + 1; z != zones.end(); ++z) place_.also.push_back(z->zone);
  place_.notes.push_back(
      fmt::format("place: {} % of the ZIP codes of {} are in zone {}; the others: {}; a ZIP code tells which",
                  percent(zones.front()), state.name, zones.front().zone, listed(place_.also)));
  return finish(zones.front().zone, How::state, state.name);
}

Result<Place> Search::by_zip(std::string_view code) {
  const auto number = parse_zip(code);
  const auto zip = number ? find_zip(*number) : std::nullopt;
  if (!zip)
    return wrong(fmt::format("no US ZIP code begins with {}", code.substr(0, 3)), "for another country: \"CODE, COUNTRY\"");
  if (!zip->zone) {
    const auto state = find_state(zip->state);
    if (!state) {
      return wrong(fmt::format("ZIP code {} belongs to {}, of which no grid zone is known", code,
                               zip->state.starts_with("A") ? "military post (" + zip->state + ")" : zip->state),
                   "name the zone with --zone, or the country with --place");
    }
    std::vector<std::string> zones;
    for (const auto& z : state->zones) zones.push_back(z.zone);
    return wrong(fmt::format("no grid zone is known for ZIP code {} ({})", code, state->name),
                 fmt::format("--zone: {}", listed(zones)));
  }
  place_.postcode = std::string(code.substr(0, 5));
  place_.point = zip->point;
  place_.point_from = "ZIP code";
  step(fmt::format("ZIP code {}: near {}, zone {}", code, to_string(zip->point), *zip->zone));
  return finish(*zip->zone, How::postal_code, fmt::format("US {}", code));
}

}  // namespace

Result<Place> find_by_words(std::string_view words, const std::string& origin) { return Search(words, origin).run(); }

Result<Place> find_by_point(const Coordinates& point, const std::string& origin) {
  const Outlines& outlines = Outlines::built_in();
  Place place;
  place.chain.push_back(fmt::format("{}: {}", origin, to_string(point)));
  std::string zone;
  if (const auto inside = outlines.zone_at(point)) {
    zone = *inside;
    place.chain.push_back(fmt::format("outlines of grid zones: inside {}", zone));
  } else if (const auto near = outlines.nearest(point, kCoastKm)) {
    zone = near->zone;
    place.chain.push_back(fmt::format("outlines of grid zones: outside all, {:.0f} km from {}", near->kilometres, zone));
  } else {
    const auto nearest = outlines.nearest_anywhere(point);
    return fail(fmt::format("no grid zone within {:.0f} km of {}", kCoastKm, to_string(point)), origin,
                fmt::format("the nearest is {}, {:.0f} km away; name a zone with --zone", nearest.zone, nearest.kilometres),
                Error::Kind::missing);
  }
  if (!is_known_zone(zone)) {
    return fail(fmt::format("{} lies in zone {}, of which no intensity is built in", to_string(point), zone), origin,
                "name the zone whose power it takes with --zone", Error::Kind::missing);
  }
  place.zone = zone;
  place.how = How::coordinates;
  place.name = fmt::format("{}, zone {}", to_string(point), zone);
  place.point = point;
  place.point_from = "given";
  return place;
}

}  // namespace gramwatt::place
