#pragma once
// A series as whole hours UTC: what the forecasting models see. Internal to grid.
//
// Values are numbers in the series' own unit: every model here is linear in them, so the unit never matters. Everything that is
// asked "before" an hour depends on earlier hours only; that is what keeps a backtest honest.

#include <cstdint>
#include <vector>

#include "grid/intensity.hpp"

namespace gramwatt::grid {

using Hour = std::int64_t;  ///< since 1970-01-01T00Z

[[nodiscard]] Hour hour_of(Nanoseconds t);  ///< the hour that holds `t`
[[nodiscard]] Nanoseconds start_of(Hour hour);

class Hourly {
 public:
  /// Means over whole hours; one that is covered less than half is missing. Forecasts and profiles in the series are no
  /// observations and count as missing. Empty where the series is coarser than an hour.
  explicit Hourly(const Series& series);
  /// The same of a forecast's points, whatever their kind.
  static Hourly of_any_kind(const Series& series);

  [[nodiscard]] Hour begin() const { return first_; }
  [[nodiscard]] Hour end() const { return first_ + static_cast<Hour>(values_.size()); }
  /// NaN where missing.
  [[nodiscard]] double at(Hour hour) const;
  [[nodiscard]] bool known(Hour hour) const;
  /// How many of [from, to) are known, and their mean (NaN of none).
  [[nodiscard]] int count(Hour from, Hour to) const;
  [[nodiscard]] double mean(Hour from, Hour to) const;
  [[nodiscard]] double mean_before(Hour hour) const { return mean(begin(), hour); }
  [[nodiscard]] double least_before(Hour hour) const;
  [[nodiscard]] double greatest_before(Hour hour) const;
  /// The end of the newest known hour before `hour`; begin() where there is none.
  [[nodiscard]] Hour known_until(Hour hour) const;

 private:
  Hourly(const Series& series, bool any_kind);
  [[nodiscard]] std::size_t index(Hour hour) const;

  Hour first_ = 0;
  std::vector<double> values_;
  std::vector<double> sum_;               ///< of the known among the first i
  std::vector<int> count_;                ///< the same
  std::vector<double> least_, greatest_;  ///< the same
};

}  // namespace gramwatt::grid
