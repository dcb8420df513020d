#pragma once
// What the header of a file says about its columns.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "grid/import.hpp"

namespace gramwatt::grid {

struct Layout {
  FileFormat format = FileFormat::tidy_csv;
  char separator = ',';
  bool has_header = true;

  std::size_t time = 0;
  bool time_is_utc = false;  ///< the header says so
  std::optional<LabelEnd> label;

  struct ValueColumn {
    std::size_t index = 0;
    std::string name;  ///< the zone in a wide file
  };
  std::vector<ValueColumn> values;  ///< several: one a zone
  std::optional<std::size_t> zone, estimated, signal_type;

  std::optional<IntensityUnit> unit;
  std::optional<SignalKind> kind;
  std::string factor;
  std::vector<std::string> notes;

  /// Columns that a row must have.
  [[nodiscard]] std::size_t columns() const;
};

/// Kind usage where it cannot be told which columns hold what; the remedy names the option.
[[nodiscard]] Result<Layout> understand_header(std::string_view line, const ImportOptions& options);

/// The fields of a row, as they stand in it, without outer quotes; a quote that does not close makes one field of the rest.
void split_row(std::string_view line, char separator, std::vector<std::string_view>& fields);

/// "DE", "US-CAL-CISO", "IN-UP": does it look like a zone's name?
[[nodiscard]] bool looks_like_zone(std::string_view text);

}  // namespace gramwatt::grid
