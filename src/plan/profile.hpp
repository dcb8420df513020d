#pragma once
// Power over time as energy by slot: of a run that was measured, or as somebody typed it.
//
// Pure functions.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/account.hpp"
#include "base/error.hpp"

namespace gramwatt::plan {

/// The job's energy by slot from the start of the first interval; an interval's energy is spread over its time. Empty for none.
[[nodiscard]] std::vector<Joules> steps_of(std::span<const Interval> intervals, Nanoseconds slot);

/// CSV with the columns seconds,watts (a heading may stand above): a power holds until the next row, and the last row ends the
/// job. Kind usage for anything else, with its line. `name`: of the file, for errors. A job of more than ten million slots is
/// refused.
[[nodiscard]] Result<std::vector<Joules>> read_profile(std::string_view text, const std::string& name, Nanoseconds slot);

}  // namespace gramwatt::plan
