#pragma once
// A series of intensity from a file that is used once and not kept: tidy CSV `utc_start,g_per_kwh`.
//
// What is to be kept, or comes in any other form, goes through `grid import`, which reads what people have. A plan that is to
// be repeated elsewhere wants the file that it was made from, and nothing guessed.

#include <string>

#include "grid/intensity.hpp"
#include "grid/text_source.hpp"

namespace gramwatt::plan {

/// A heading, then rows in order of time, each as long after the one before as the second after the first: a hole is an Error
/// that names its line, because nothing else could fill it. Two columns: the start of the interval (UTC) and g/kWh. `name`: of
/// the file, for errors and as the series' source. At least two rows.
[[nodiscard]] Result<grid::Series> read_series(grid::ByteSource& text, const std::string& name);

}  // namespace gramwatt::plan
