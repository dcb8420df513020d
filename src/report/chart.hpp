#pragma once
// Small pictures for terminals: a line of blocks, and a plot of braille dots (two by four a character).

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "report/format.hpp"

namespace gramwatt::report {

/// Values, one a step; nothing where there is a gap.
using Trace = std::vector<std::optional<double>>;

/// One line of `width` columns or fewer (a column a value where they fit, else means of neighbours); gaps are blank. Without
/// Unicode: digits 0 to 9.
[[nodiscard]] std::string sparkline(const Trace& values, std::size_t width, const Style& style);

struct Plot {
  Trace line;                       ///< drawn as a line
  Trace low, high;                  ///< a band around it, drawn dotted; may be empty
  std::vector<std::string> labels;  ///< below, spread evenly from left to right
  std::string unit;
};

/// Lines of text, `width` columns wide and `height` rows high, with an axis at the left. Gaps stay open.
[[nodiscard]] std::vector<std::string> braille(const Plot& plot, std::size_t width, std::size_t height, const Style& style);

}  // namespace gramwatt::report
