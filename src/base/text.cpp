#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

namespace gramwatt {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

struct UnitFactor {
  std::string_view name;
  double factor;
};

constexpr std::array<UnitFactor, 12> kTimeUnits{{{"ns", 1},
                                                 {"us", 1e3},
                                                 {"ms", 1e6},
                                                 {"s", 1e9},
                                                 {"sec", 1e9},
                                                 {"m", 6e10},
                                                 {"min", 6e10},
                                                 {"h", 3.6e12},
                                                 {"hour", 3.6e12},
                                                 {"hours", 3.6e12},
                                                 {"d", 8.64e13},
                                                 {"w", 6.048e14}}};
constexpr std::array<UnitFactor, 8> kEnergyUnits{
    {{"J", 1}, {"kJ", 1e3}, {"MJ", 1e6}, {"mWh", 3.6}, {"Wh", 3600}, {"kWh", 3.6e6}, {"MWh", 3.6e9}, {"GWh", 3.6e12}}};

/// Takes "12.5unit" off the front of `text`.
template <std::size_t N>
std::optional<double> take_quantity(std::string_view& text, const std::array<UnitFactor, N>& units) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  const auto letters = static_cast<std::size_t>(
      std::find_if(text.begin(), text.end(), [](unsigned char c) { return std::isalpha(c) == 0; }) - text.begin());
  const std::string_view unit = text.substr(0, letters);
  const auto* it = std::find_if(units.begin(), units.end(), [&](const UnitFactor& u) { return u.name == unit; });
  if (it == units.end()) return std::nullopt;
  text.remove_prefix(letters);
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return number * it->factor;
}

}  // namespace

std::string_view trim(std::string_view s) {
  while (!s.empty() && is_space(s.front())) s.remove_prefix(1);
  while (!s.empty() && is_space(s.back())) s.remove_suffix(1);
  return s;
}

std::vector<std::string_view> split(std::string_view s, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto cut = s.find(separator);
    parts.push_back(s.substr(0, cut));
    if (cut == std::string_view::npos) return parts;
    s.remove_prefix(cut + 1);
  }
}

std::string lower(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool contains(std::string_view haystack, std::string_view needle) { return haystack.find(needle) != std::string_view::npos; }

bool contains_ignoring_case(std::string_view haystack, std::string_view needle) {
  return std::search(haystack.begin(), haystack.end(), needle.begin(), needle.end(),
                     [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); }) != haystack.end() ||
         needle.empty();
}

std::vector<std::string> csv_fields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c != '"') fields.back() += c;
      else if (i + 1 < line.size() && line[i + 1] == '"') fields.back() += line[++i];
      else quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

std::optional<std::string_view> next_line(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const auto cut = text.find('\n');
  std::string_view line = text.substr(0, cut);
  text.remove_prefix(cut == std::string_view::npos ? text.size() : cut + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

Result<Nanoseconds> parse_duration(std::string_view text) {
  const std::string whole(text);
  text = trim(text);
  double ns = 0;
  const auto wrong = [&] {
    return fail("not a duration: \"" + whole + "\"", {}, "write it like 90s, 10min, 1h30m, 2d", Error::Kind::usage);
  };
  if (text.empty()) return wrong();
  while (!text.empty()) {
    const auto part = take_quantity(text, kTimeUnits);
    if (!part) return wrong();
    ns += *part;
  }
  if (ns > 9.2e18) return wrong();
  return Nanoseconds(std::llround(ns));
}

Result<Joules> parse_energy(std::string_view text) {
  const std::string whole(text);
  text = trim(text);
  const auto e = text.empty() ? std::nullopt : take_quantity(text, kEnergyUnits);
  if (!e || !text.empty()) {
    return fail("not an energy: \"" + whole + "\"", {}, "write it like 500J, 1.5Wh, 37.3kWh, 2MWh", Error::Kind::usage);
  }
  return Joules(*e);
}

std::string human_duration(Seconds t) {
  const double s = t.value();
  if (s < 0.0995) return fmt::format("{:.0f} ms", s * 1e3);
  if (s < 9.995) return fmt::format("{:.2f} s", s);
  if (s < 59.95) return fmt::format("{:.1f} s", s);
  const auto whole = static_cast<std::int64_t>(std::llround(s));
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
  return fmt::format("{} d {} h", whole / 86400, whole % 86400 / 3600);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

std::optional<std::string> did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::size_t allowed = word.size() < 4 ? 1 : 2;
  std::optional<std::string> best;
  std::size_t best_distance = allowed + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(lower(word), lower(candidate));
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string csv_quote(std::string_view s) {
  if (s.find_first_of(",\"\n\r") == std::string_view::npos) return std::string(s);
  std::string out = "\"";
  for (const char c : s) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace gramwatt
