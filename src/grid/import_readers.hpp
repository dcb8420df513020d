#pragma once
// The readers of the formats: text in, values into a sink.

#include "grid/import.hpp"
#include "grid/text_source.hpp"

namespace gramwatt::grid {

[[nodiscard]] Result<ImportResult> import_csv(Store& store, ByteSource& source, const std::string& name,
                                              const ImportOptions& options);
[[nodiscard]] Result<ImportResult> import_json(Store& store, ByteSource& source, const std::string& name,
                                               const ImportOptions& options);

/// "01:00" (.NET's TimeSpan: hours and minutes), "00:05:00", "1.00:00:00" (days first). Nothing for what is none or zero.
[[nodiscard]] std::optional<Nanoseconds> parse_time_span(std::string_view text);

/// "", "nan", "null", "n/a", "-": a value that is not known.
[[nodiscard]] bool is_blank(std::string_view cell);

/// Calls the options' progress; an Error when it cancels.
[[nodiscard]] Result<void> report_progress(const ImportOptions& options, const ByteSource& source, std::size_t rows);

}  // namespace gramwatt::grid
