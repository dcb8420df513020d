#pragma once
// Files of intensities into the store: any size, in one streaming pass, all or nothing, as often as one likes.
//
// What a file means is understood from its header and said in the result: format, unit, zone of the labels, which end of the
// interval they name, resolution. An option overrides what was understood. What cannot be understood is an Error that names the
// line, and what was assumed is a note. Blank cells are gaps and never zeros.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "grid/store.hpp"

namespace gramwatt::grid {

enum class FileFormat {
  tidy_csv,             ///< a row an instant: time, value, and maybe zone
  wide_csv,             ///< a row an instant, a column a zone
  electricitymaps_csv,  ///< the portal's export
  watttime_csv,         ///< point_time, value
  carbon_aware_json,    ///< {"Emissions": [{"Location", "Time", "Rating", "Duration"}]}
};
[[nodiscard]] std::string_view to_string(FileFormat format);

/// kg/MWh is g/kWh.
enum class IntensityUnit { g_per_kwh, kg_per_mwh, lb_per_mwh, kg_per_kwh, g_per_mwh };
[[nodiscard]] std::string_view to_string(IntensityUnit unit);
/// "g/kWh", "gCO2eq/kWh", "lbs_co2_per_mwh", "t/MWh" (= kg/kWh); also where such a unit stands in a longer text.
[[nodiscard]] std::optional<IntensityUnit> parse_intensity_unit(std::string_view text);

/// Which end of its interval a row's time names.
enum class LabelEnd { start, end };
[[nodiscard]] std::string_view to_string(LabelEnd label);

struct ImportProgress {
  std::uint64_t done = 0, total = 0;  ///< bytes of the file; total 0: unknown
  std::size_t rows = 0;
};

/// What is set wins over what the file says.
struct ImportOptions {
  std::string zone;  ///< of a file without zones; of a wide file the one column wanted; of one with a zone column its new name
  std::optional<SignalKind> kind;
  std::string factor;  ///< "direct" | "lifecycle"; chooses the column, too
  std::optional<IntensityUnit> unit;
  std::string time_zone;  ///< of labels that do not carry an offset: "+01:00", "Europe/Berlin"
  std::optional<LabelEnd> label;
  Nanoseconds resolution{};  ///< 0: the most common step
  std::string column;        ///< of the values
  std::string origin, source, licence;
  std::function<bool(const ImportProgress&)> progress;  ///< now and then; false cancels and nothing is kept
};

struct ImportedSeries {
  SeriesKey key;
  Signal signal;
  Nanoseconds resolution{};
  Window window;  ///< of the file: from the first to the end of the last point
  std::size_t rows = 0, blanks = 0;
  Store::Writer::Gaps gaps;  ///< that are left in the store between the file's first and last point
  Store::Change change;
};

struct ImportResult {
  FileFormat format = FileFormat::tidy_csv;
  std::string value_column;  ///< empty: one a zone
  IntensityUnit unit = IntensityUnit::g_per_kwh;
  bool unit_was_assumed = false;
  LabelEnd label = LabelEnd::start;
  std::string time_zone = "UTC";  ///< of labels without offset
  std::size_t lines = 0;          ///< or records
  std::size_t rows = 0;           ///< values taken, over all series
  std::size_t blanks = 0, unsorted = 0, negative = 0, doubled_hours = 0;
  std::vector<ImportedSeries> series;  ///< in the file's order
  std::vector<std::string> notes;      ///< for people: what was assumed, what was left out and why
};

[[nodiscard]] Result<ImportResult> import_file(Store& store, const std::filesystem::path& path, const ImportOptions& options);
/// The same of text in memory; `name` stands for the file's name.
[[nodiscard]] Result<ImportResult> import_text(Store& store, std::string_view text, const std::string& name,
                                               const ImportOptions& options);

}  // namespace gramwatt::grid
