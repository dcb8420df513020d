#pragma once
// Ridge regression, one a horizon hour: the model behind Model::ridge. Internal to grid; Eigen stays in ridge.cpp, where the
// essay is.

#include <memory>
#include <optional>
#include <vector>

#include "grid/hourly.hpp"

namespace gramwatt::grid {

/// Values for the hours [origin + gap, origin + gap + length), where everything before `origin` is known.
struct Horizon {
  Hour gap = 0;
  Hour length = 0;
};

struct Prediction {
  std::vector<double> values;
  int filled = 0;  ///< lags that were missing and taken from the same hour of an earlier day
};

/// No forecast is below this share of the mean of what came before (grid/forecast.hpp).
inline constexpr double kFloor = 0.05;

/// The value of `hour` or of the same hour of the day on the nearest of the fourteen days before it; NaN where none is known.
[[nodiscard]] double same_hour_value(const Hourly& data, Hour hour, int& filled);

/// Between the floor and twice the greatest value so far: a linear model that sees what it never saw must not run away.
[[nodiscard]] double plausible(const Hourly& data, Hour origin, double value);

/// Learns from origins at one hour of the day, in ascending order.
class Ridge {
 public:
  using Coefficients = std::vector<double>;

  /// `data` must outlive it. Origins are at `phase` (0..23), hours UTC.
  Ridge(const Hourly& data, Hour phase, Horizon horizon);
  ~Ridge();
  Ridge(Ridge&&) noexcept;
  Ridge& operator=(Ridge&&) noexcept;

  /// Adds all rows whose target lies before `now`.
  void learn(Hour now);
  /// Rows of the horizon hour that has fewest.
  [[nodiscard]] int rows() const;
  [[nodiscard]] Coefficients fit() const;
  /// Nothing where the week before `origin` is known less than half. `origin` ≤ the last `now`.
  [[nodiscard]] std::optional<Prediction> predict(Hour origin, const Coefficients& coefficients) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gramwatt::grid
