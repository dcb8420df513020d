#pragma once
// Points of a series packed small: the blobs of the store. See point_block.cpp.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "grid/intensity.hpp"

namespace gramwatt::grid {

/// Values are kept in whole thousandths of a g/kWh, bands in whole millionths: a tenth of a gram is the best that any published
/// intensity resolves. Times are kept to the nanosecond.
inline constexpr double kThousandths = 1000;
inline constexpr double kMillionths = 1e6;

/// The point as a block gives it back. A value that was written with up to three decimals is the same double again.
[[nodiscard]] Point rounded(Point point);

/// Strictly ascending points as bytes. Kind usage for points out of order, and for values or bands that are no numbers or
/// beyond any grid (10^12 g/kWh).
[[nodiscard]] Result<std::string> pack(std::span<const Point> points);

/// Appends the points to `out`; damaged bytes are an Error and leave `out` as it was.
[[nodiscard]] Result<void> unpack(std::string_view block, std::vector<Point>& out);

/// Equally spaced starts: first, first + step, …
struct StartRun {
  Nanoseconds first{}, step{};
  std::size_t count = 0;

  [[nodiscard]] Nanoseconds last() const { return first + step * static_cast<std::int64_t>(count - 1); }
};
/// The starts of a block's points without unpacking the values: gaps are found in a run or two a month.
[[nodiscard]] Result<std::vector<StartRun>> start_runs(std::string_view block);

}  // namespace gramwatt::grid
