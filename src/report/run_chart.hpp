#pragma once
// Power of a run over time, above the carbon intensity that it met.

#include <string>
#include <vector>

#include "base/account.hpp"
#include "grid/grid.hpp"
#include "report/format.hpp"

namespace gramwatt::report {

/// Empty for runs of fewer than five intervals: two bars are no picture.
[[nodiscard]] std::string run_chart(const std::vector<Interval>& intervals, const grid::Ladder& average, const Style& style,
                                    std::size_t width);

}  // namespace gramwatt::report
