#pragma once
// Series of intensities straight from a file, for commands that look at them once: --series FILE. What `grid import`
// understands is understood here; nothing is kept.

#include <filesystem>
#include <string>
#include <vector>

#include "grid/import.hpp"

namespace gramwatt::cli {

struct NamedSeries {
  std::string name;  ///< the zone that the file names, else the file's own name
  grid::Series series;
};

/// In the file's order. `options`: as for an import; a zone is not needed.
[[nodiscard]] Result<std::vector<NamedSeries>> read_series(const std::filesystem::path& file,
                                                           const grid::ImportOptions& options);

}  // namespace gramwatt::cli
