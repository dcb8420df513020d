#pragma once
// The rows of the store's two tables. Every function may throw SQLite::Exception: call inside guarded().

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "grid/store.hpp"
#include "grid/store_file.hpp"

namespace gramwatt::grid {

/// Months of UTC since January 1970.
[[nodiscard]] std::int64_t month_of(Nanoseconds t);
[[nodiscard]] Nanoseconds start_of_month(std::int64_t month);

/// A row of `series`. `about` is a Series without points and resolution.
struct SeriesRow {
  std::int64_t id = 0;
  SeriesKey key;
  Nanoseconds resolution{}, changed{};
  std::string about;
};
[[nodiscard]] std::optional<SeriesRow> find_series(StoreFile& file, const SeriesKey& key);
/// A new row (id 0) or the same row with other facts; the id.
std::int64_t save_series(StoreFile& file, const SeriesRow& row);
[[nodiscard]] std::string about_json(const Series& series);
/// Damaged text is an Error.
[[nodiscard]] Result<Series> parse_about(const std::string& text);

[[nodiscard]] std::optional<std::string> read_block(StoreFile& file, std::int64_t series, std::int64_t month);
void save_block(StoreFile& file, std::int64_t series, std::int64_t month, const std::vector<Point>& points,
                const std::string& block);

}  // namespace gramwatt::grid
