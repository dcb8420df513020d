#pragma once
// Scanning the built-in tables: views into the binary, nothing allocated, no quotes (our tools write none into these tables).

#include <array>
#include <optional>
#include <string_view>

#include "base/text.hpp"

namespace gramwatt::sense {

/// The first N fields of a line; those that are missing stay empty.
template <std::size_t N>
[[nodiscard]] std::array<std::string_view, N> fields(std::string_view line) {
  std::array<std::string_view, N> out{};
  for (std::size_t i = 0; i < N; ++i) {
    const auto comma = line.find(',');
    out[i] = line.substr(0, comma);
    if (comma == std::string_view::npos) break;
    line.remove_prefix(comma + 1);
  }
  return out;
}

/// Calls visit(fields) for every row below the header until it returns true; whether it did.
template <std::size_t N, class Visit>
bool find_row(std::string_view table, Visit visit) {
  (void)next_line(table);
  while (const auto line = next_line(table)) {
    if (visit(fields<N>(*line))) return true;
  }
  return false;
}

/// The fields of the row that begins with `key`.
template <std::size_t N>
[[nodiscard]] std::optional<std::array<std::string_view, N>> row_of(std::string_view table, std::string_view key) {
  if (key.empty()) return std::nullopt;
  for (std::size_t at = table.find(key); at != std::string_view::npos; at = table.find(key, at + 1)) {
    const std::size_t end = at + key.size();
    if (at == 0 || table[at - 1] != '\n' || end >= table.size() || table[end] != ',') continue;
    table.remove_prefix(at);
    return fields<N>(*next_line(table));
  }
  return std::nullopt;
}

/// A number of a table of ours: a missing one is 0.
template <class T = double>
[[nodiscard]] T table_number(std::string_view text) {
  return parse_number<T>(text).value_or(T{});
}

}  // namespace gramwatt::sense
