#pragma once
// A typical day: what intensity does by month and hour, beside its mean.
//
// The shape of a grid's day (solar noons, winter evenings, quiet weekends) lasts for years; its level does not: typical days of
// 2020 laid against annual values of 2025 are off by a factor of 1.3 in the median and 2.5 in Finland. So the table holds shape
// only, in thousandths of its own mean, and whoever uses it says what the mean is. Each calendar year (UTC) is scaled by
// itself, because leap days and the number of weekends differ: the mean over a year is the level, exactly.
//
// Months and hours are UTC; weekends are those of the zone's standard time. Clock changes therefore blur the shape by an hour
// in March and October, as they did in the data.

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grid/intensity.hpp"

namespace gramwatt::grid {

struct TypicalDay {
  std::string key;    ///< zone, or "AVERT-CA"
  std::string years;  ///< of the shape: "2020", "2020-2021"
  std::chrono::hours utc_offset{};
  GramsPerKwh mean;  ///< of the data that the shape comes from
  Shift spread;      ///< a single hour around its typical value, 90 %, measured on weeks or years that were held out
  std::array<double, 24> weekend{};       ///< ratio to the weekday's hour, by UTC hour
  std::array<double, 12 * 24> weekday{};  ///< relative, by month and UTC hour

  /// Hourly points of kind profile: each hour that overlaps the window (an empty window: the hour that holds its start), with
  /// `level` as the mean of every calendar year. Unit errors none; thread safe. The window spans a century at most: longer
  /// ones give nothing.
  [[nodiscard]] std::vector<Point> over(Window window, GramsPerKwh level) const;
};

/// Zones that import or export much: consumption-based hours of 2022 around their production's typical day, beyond what the
/// hours of production themselves vary, 90 % ends (tools/validate_grid_tables.py, "what trade adds").
inline constexpr Shift kTrade{-0.40, 0.66};

/// A row of data/grid_profiles.csv.
struct AverageProfile {
  TypicalDay day;
  std::string apart;  ///< why its production says little about what is consumed there ("imports"); empty: it says enough
  bool fit = false;   ///< planning by it was shown to beat running at once
  bool parts_share_it = false;  ///< parts of this country may take it: they are tied by strong lines
  bool fit_for_parts = false;   ///< and plan by it
};

/// A row of data/grid_marginal_profiles.csv.
struct MarginalProfile {
  TypicalDay day;
  std::string method;        ///< "AVERT" | "regression"
  std::optional<double> r2;  ///< of the regression
  int hours = 0;             ///< that it rests on
};

/// `factor`: "lifecycle" | "direct". Exact key only.
[[nodiscard]] std::optional<AverageProfile> average_profile(std::string_view zone, std::string_view factor);
[[nodiscard]] std::optional<MarginalProfile> marginal_profile(std::string_view key);

}  // namespace gramwatt::grid
