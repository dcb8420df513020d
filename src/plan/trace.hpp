#pragma once
// A trace of real jobs: when each arrived, how long it ran, on how many CPUs.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "grid/text_source.hpp"
#include "plan/ring.hpp"

namespace gramwatt::plan {

struct TracedJob {
  Second arrival = 0;     ///< ≥ 0
  Second length = 1;      ///< of running, ≥ 1
  std::int32_t cpus = 1;  ///< ≥ 1
  friend bool operator==(const TracedJob&, const TracedJob&) = default;
};

/// CSV with a heading that names `arrival_time` and `length`, both in hours, and `cpus`, in any order; other columns are left
/// aside. Times are rounded to whole seconds, a length to at least one. In order of arrival (equal ones in the file's order).
/// A row that cannot be read is an Error that names its line, what is wrong and what to do. `name`: of the file, for errors.
[[nodiscard]] Result<std::vector<TracedJob>> read_trace(grid::ByteSource& text, const std::string& name);

/// The longest arrival or length that is taken: 100 years. Beyond it, a column is in seconds, not hours.
inline constexpr double kMostTraceHours = 100 * 8766.0;
inline constexpr std::int32_t kMostTraceCpus = 1'000'000;

}  // namespace gramwatt::plan
