#pragma once
// Small text helpers: trimming, splitting, numbers, CSV rows, and the units that people type.

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/quantity.hpp"

namespace gramwatt {

[[gnu::hot]] [[nodiscard]] std::string_view trim(std::string_view s);
[[nodiscard]] std::vector<std::string_view> split(std::string_view s, char separator);
[[nodiscard]] std::string lower(std::string_view s);
[[nodiscard]] bool contains(std::string_view haystack, std::string_view needle);
[[nodiscard]] bool contains_ignoring_case(std::string_view haystack, std::string_view needle);

/// The whole of `s`, trimmed, as a number; nothing when anything else is in it.
template <class T>
[[gnu::hot]] [[nodiscard]] std::optional<T> parse_number(std::string_view s) {
  s = trim(s);
  T value{};
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc{} || end != s.data() + s.size() || s.empty()) return std::nullopt;
  return value;
}

/// The fields of one CSV line (RFC 4180 quotes; no embedded line breaks).
[[nodiscard]] std::vector<std::string> csv_fields(std::string_view line);

/// Takes the next line off `text` (without its end of line); nothing at the end.
[[nodiscard]] std::optional<std::string_view> next_line(std::string_view& text);

/// "90s", "10min", "1h", "2d", "1h30m", "100ms".
[[nodiscard]] Result<Nanoseconds> parse_duration(std::string_view text);

/// "500J", "1.5Wh", "37.3kWh", "2MWh".
[[nodiscard]] Result<Joules> parse_energy(std::string_view text);

/// "3 s", "2 min 5 s", "1 h 4 min", "3 d 2 h": the two largest units.
[[nodiscard]] std::string human_duration(Seconds t);

/// Damerau-Levenshtein distance, for "did you mean".
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The entry of `known` that is close enough to `word` to be meant, if any.
[[nodiscard]] std::optional<std::string> did_you_mean(std::string_view word, const std::vector<std::string>& known);

/// CSV field, quoted only when needed.
[[nodiscard]] std::string csv_quote(std::string_view s);

}  // namespace gramwatt
