#pragma once

#include <optional>
#include <string>

#include "report/format.hpp"

namespace gramwatt::report {

struct LiveState {
  Seconds elapsed;
  Watts power;
  Estimate<Joules> energy;
  std::optional<Estimate<Grams>> carbon;  ///< unknown while the place is being looked up
  std::optional<Estimate<GramsPerKwh>> intensity;
};

/// One line, at most `width` columns.
[[nodiscard]] std::string live_line(const LiveState& state, std::size_t width);

}  // namespace gramwatt::report
