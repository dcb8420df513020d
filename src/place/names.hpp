#pragma once
// Countries and US states by their names and codes (data/countries.csv, us_states.csv), and the zones that they hold.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gramwatt::place {

struct Country {
  std::string code;  ///< ISO 3166-1 alpha-2 ("DE"), or the zone of a part that has a name of its own ("GB-NIR")
  std::string name;
};
/// By two or three letters, English name or another common one; case and spaces around do not matter.
[[nodiscard]] std::optional<Country> find_country(std::string_view text);

/// The zones with a built-in intensity that lie in a country, sorted; the country's own key, where there is one, is left out.
[[nodiscard]] std::vector<std::string> parts_of_country(std::string_view code);

struct State {
  std::string code, name;
  struct Share {
    std::string zone;
    int zips = 0;
  };
  std::vector<Share> zones;  ///< most ZIP codes first; never empty
  /// Do most ZIP codes with these first three digits lie in this state?
  [[nodiscard]] bool has_prefix(std::uint32_t three_digits) const;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> prefixes;
};
/// By two letters or name, as find_country.
[[nodiscard]] std::optional<State> find_state(std::string_view text);

/// Every name and code that the two understand, for "did you mean".
[[nodiscard]] std::vector<std::string> known_names();

/// The zone of a postal code by the longest prefix that the table (data/postal_prefixes.csv) knows of this country.
struct PostalZone {
  enum class Kind { no_table, unknown, found };
  Kind kind = Kind::no_table;
  std::string zone, prefix;
};
[[nodiscard]] PostalZone find_postal(std::string_view country, std::string_view code);

/// As postal codes are compared: capitals and digits only, and without the country's letters before a dash ("D-10115").
[[nodiscard]] std::string plain_postal(std::string_view code);

}  // namespace gramwatt::place
