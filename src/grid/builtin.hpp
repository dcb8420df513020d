#pragma once
// What is known without a network: tables in the binary, derived by tools/build_grid_tables.py.

#include <optional>
#include <string>
#include <string_view>

#include "grid/intensity.hpp"

namespace gramwatt::grid {

/// Rungs for a zone over a window, best first: typical day by month and hour (shape of 2019..21, level of the newest annual
/// value), then the annual mean. Never fails for a zone that `annual` knows, unless `factor` ("lifecycle" | "direct", of the
/// average signal; the marginal one is direct) is "direct" and its fuel mix is not built in (kind missing).
/// A part of a country takes the country's typical day, with a wider interval, and says so.
[[nodiscard]] Result<Intensities> builtin(const std::optional<std::string>& zone, Window window,
                                          std::string_view factor = "lifecycle");

/// The hourly series of 2020 and 2021 (Norway, Sweden, Switzerland: 2019) that is built in for zones whose fuel mix is public
/// (life-cycle, production based, not rescaled); nothing for other zones. Hours that are missing are gaps.
[[nodiscard]] std::optional<Series> builtin_hourly(const std::string& zone);

}  // namespace gramwatt::grid
