#pragma once
// How clean will the power be? Forecasts from a series' own past, and how wrong they have been.
//
// Errors of neighbouring hours are correlated: a cloudy day is cloudy all day. So uncertainty is kept as whole residual
// *paths*, the errors that this very model made on earlier days, from which bands and the risk of a plan are drawn alike.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "grid/intensity.hpp"

namespace gramwatt::grid {

enum class Model {
  ridge,           ///< one ridge regression a horizon hour on lags and calendar (paper-grade, needs six weeks of history)
  seasonal_naive,  ///< the value 24 hours before
  climatology,     ///< hour-of-day mean of the last seven days, with the present level error decaying over twelve hours
};
[[nodiscard]] std::string_view to_string(Model model);
[[nodiscard]] std::optional<Model> parse_model(std::string_view text);

struct Forecast {
  Series series;  ///< hourly, points of kind forecast, each with the 90 % band of its horizon
  Model model = Model::ridge;
  /// Possible futures beside `series`: paths[k][h] is relative, the truth may be series.points[h] × (1 + paths[k][h]).
  std::vector<std::vector<double>> paths;
  std::string note;  ///< how it was made: days of training, what fell back to what
};

/// `history`: hourly or finer, up to `origin` at most (later points are not looked at). Kind unavailable where the history is
/// too short or too full of holes even for climatology; a model that needs more than there is falls back and says so in `note`.
[[nodiscard]] Result<Forecast> make_forecast(const Series& history, Nanoseconds origin, std::chrono::hours length, Model model);

struct BacktestDay {
  Ratio mape;              ///< mean absolute percentage error
  Ratio rank_correlation;  ///< mean over origins of Spearman's, within the day
  Ratio covered;           ///< share of true values inside the 90 % band
};
struct Backtest {
  Model model = Model::ridge;
  int origins = 0;
  std::vector<BacktestDay> days;  ///< by horizon day
};
/// A forecast at each midnight UTC of `window`, judged by what came, each made from what was known then.
[[nodiscard]] Result<Backtest> backtest(const Series& truth, Window window, std::chrono::hours length, Model model);

}  // namespace gramwatt::grid
