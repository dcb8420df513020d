#include "place/names.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "data/tables.hpp"
#include "place/place.hpp"

namespace gramwatt::place {
namespace {

/// Calls f(fields) for each row below the header until it says true.
template <class F>
void each_row(std::string_view table, F f) {
  (void)next_line(table);
  while (const auto line = next_line(table)) {
    if (f(split(*line, ','))) return;
  }
}

State state_of(const std::vector<std::string_view>& row) {
  State s{std::string(row[0]), std::string(row[1]), {}, {}};
  for (const auto share : split(row[2], '|')) {
    const auto colon = share.find(':');
    s.zones.push_back({std::string(share.substr(0, colon)), parse_number<int>(share.substr(colon + 1)).value_or(0)});
  }
  for (const auto range : split(row[3], '|')) {
    const auto from = parse_number<std::uint32_t>(range.substr(0, 3));
    const auto to = parse_number<std::uint32_t>(range.substr(range.size() < 4 ? 0 : 4));
    if (from && to) s.prefixes.emplace_back(*from, *to);
  }
  return s;
}

/// Is `name`, in whatever letters, `wanted`, which is lower case and not empty?
bool same(std::string_view name, std::string_view wanted) { return name.size() == wanted.size() && lower(name) == wanted; }

bool is_one_of(std::string_view wanted, std::string_view names) {
  if (names.size() < wanted.size()) return false;
  const auto all = split(names, '|');
  return std::any_of(all.begin(), all.end(), [&](std::string_view n) { return same(n, wanted); });
}

}  // namespace

std::optional<Country> find_country(std::string_view text) {
  const std::string wanted = lower(trim(text));
  std::optional<Country> found;
  if (wanted.empty()) return found;
  each_row(data::countries(), [&](const std::vector<std::string_view>& row) {
    const bool it = same(row[0], wanted) || same(row[1], wanted) || same(row[2], wanted) || is_one_of(wanted, row[3]);
    if (it) found = Country{std::string(row[0]), std::string(row[2])};
    return it;
  });
  return found;
}

std::vector<std::string> parts_of_country(std::string_view code) {
  const std::string prefix = std::string(code) + "-";
  std::vector<std::string> parts = known_zones();
  std::erase_if(parts, [&](const std::string& z) { return !z.starts_with(prefix); });
  return parts;
}

bool State::has_prefix(std::uint32_t three_digits) const {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const auto& range) { return range.first <= three_digits && three_digits <= range.second; });
}

std::optional<State> find_state(std::string_view text) {
  const std::string wanted = lower(trim(text));
  std::optional<State> found;
  each_row(data::us_states(), [&](const std::vector<std::string_view>& row) {
    const bool it = same(row[0], wanted) || same(row[1], wanted);
    if (it) found = state_of(row);
    return it;
  });
  return found;
}

std::vector<std::string> known_names() {
  std::vector<std::string> names;
  const auto add = [&](std::string_view name) {
    if (!name.empty()) names.emplace_back(name);
  };
  each_row(data::countries(), [&](const std::vector<std::string_view>& row) {
    add(row[2]);
    for (const auto also : split(row[3], '|')) add(also);
    return false;
  });
  each_row(data::us_states(), [&](const std::vector<std::string_view>& row) {
    add(row[1]);
    return false;
  });
  return names;
}

PostalZone find_postal(std::string_view country, std::string_view code) {
  PostalZone best;
  bool found = false;
  each_row(data::postal_prefixes(), [&](const std::vector<std::string_view>& row) {
    if (row[0] != country) return best.kind != PostalZone::Kind::no_table;  // rows are sorted by country
    best.kind = PostalZone::Kind::unknown;
    if (code.starts_with(row[1]) && (!found || row[1].size() >= best.prefix.size())) {
      found = true;
      best.zone = row[2];
      best.prefix = row[1];
    }
    return false;
  });
  if (found && !best.zone.empty()) best.kind = PostalZone::Kind::found;
  return best;
}

std::string plain_postal(std::string_view code) {
  code = trim(code);
  const auto dash = code.find('-');
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  if (dash != std::string_view::npos && dash >= 1 && dash <= 3 &&
      std::all_of(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(dash), is_letter))
    code.remove_prefix(dash + 1);
  std::string plain;
  for (const char c : code) {
    if (is_letter(c)) plain += static_cast<char>(c & ~0x20);
    else if (c >= '0' && c <= '9') plain += c;
  }
  return plain;
}

}  // namespace gramwatt::place
