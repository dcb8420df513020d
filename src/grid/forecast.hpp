#pragma once
// How clean will the power be? Forecasts from a series' own past, and how wrong they have been.
//
// Errors of neighbouring hours are correlated: a cloudy day is cloudy all day. So uncertainty is kept as whole residual
// *paths*, the errors that this very model made on earlier days, from which bands and the risk of a plan are drawn alike.
// A path is never in-sample: the model that made it knew only what came before it.
//
// Near zero (hydro zones, curtailed sun) a relative error means nothing. No forecast is below 5 % of the mean of its history,
// and no value weighs more in a regression than one at 80 % of that mean; `note` says so where the history goes below.
//
// Thread safety: functions are pure; a Forecaster is used by one thread at a time.

#include <chrono>
#include <memory>
#include <optional>
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
[[nodiscard]] std::string_view to_string(Model model);  ///< "ridge", "seasonal-naive", "climatology"
[[nodiscard]] std::optional<Model> parse_model(std::string_view text);

struct Forecast {
  /// Hourly, points of kind forecast, each with the 90 % band of its horizon. Relative errors are what is made small, so values
  /// lie a little below the mean of their possible futures: expectations are taken over `paths`.
  Series series;
  Model model = Model::ridge;  ///< the one that was used
  /// Possible futures beside `series`: paths[k][h] is relative, the truth may be series.points[h] × (1 + paths[k][h]). The
  /// newest 365 at most, oldest first.
  std::vector<std::vector<double>> paths;
  std::string note;  ///< how it was made: days of training, what fell back to what
};

/// `history`: hourly or finer, up to `origin` at most (later points are not looked at). An hour is known when observed or
/// estimated points cover half of it and it has ended by `origin`. The forecast covers [origin, origin + length) in hours UTC;
/// where the newest values are late (up to a week) it is made from the last known hour, for so much longer.
/// Kind unavailable where the history is too short or too full of holes even for climatology; a model that needs more than
/// there is falls back and says so in `note`. Kind usage: a length outside 1..336 hours.
[[nodiscard]] Result<Forecast> make_forecast(const Series& history, Nanoseconds origin, std::chrono::hours length, Model model);

/// A provider's forecast as ours would be: by whole hours, from the first to the last that it tells without a hole at or after
/// `origin`. Providers publish no errors, so paths and bands are those that our own model made on `history` with the same
/// horizon (a provider who is better than that is served a wider band than need be; `note` says whose errors they are). Kind
/// unavailable where it tells nothing from `origin` on, or where no errors can be had.
[[nodiscard]] Result<Forecast> with_paths(const Series& provided, const Series& history, Nanoseconds origin,
                                          Model errors_of = Model::ridge);

/// The values alone, without a word about their errors: where thousands of forecasts are only planned by.
struct PointForecast {
  Model model = Model::ridge;      ///< the one that was used
  std::vector<GramsPerKwh> hours;  ///< from the hour on that holds the origin
};

/// Many forecasts of one series, each made from what was known at its origin: what make_forecast gives, without beginning anew
/// at each. Origins should ascend.
class Forecaster {
 public:
  Forecaster(const Series& truth, std::chrono::hours length, Model model);
  ~Forecaster();
  Forecaster(Forecaster&&) noexcept;
  Forecaster& operator=(Forecaster&&) noexcept;
  [[nodiscard]] Result<Forecast> at(Nanoseconds origin);
  /// The values of `at`, at a tenth of the time. It asks for less history, too: as nobody must know how wrong the model was,
  /// half a week is enough for climatology.
  [[nodiscard]] Result<PointForecast> point_at(Nanoseconds origin);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

struct BacktestDay {
  Ratio mape;              ///< mean absolute percentage error; true values below 5 % of the mean count as that much
  Ratio rank_correlation;  ///< mean over origins of Spearman's, within the day
  Ratio covered;           ///< share of true values inside the 90 % band
};
struct Backtest {
  Model model = Model::ridge;
  int origins = 0;
  std::vector<BacktestDay> days;  ///< by horizon day
  int fell_back = 0;              ///< origins, of `origins`, where a simpler model stood in
  int skipped = 0;                ///< origins without a forecast, and
  std::string skipped_because;    ///< the last reason
};
/// A forecast at each midnight UTC of `window`, judged by what came, each made from what was known then. Kind unavailable
/// where not one could be made and judged.
[[nodiscard]] Result<Backtest> backtest(const Series& truth, Window window, std::chrono::hours length, Model model);

/// A flexible job: it needs `job` hours and may end `slack` later than if it ran at once.
struct CaptureRules {
  std::chrono::hours job{6}, slack{24};
  bool pauses = false;          ///< false: one start, runs through; true: any `job` hours of the window
  std::chrono::hours every{6};  ///< jobs arrive at each multiple of this in the window
  /// The forecast that plans; nothing: the planning signal's own values, known beforehand (to judge a signal by itself).
  std::optional<Model> model = Model::ridge;
};

/// What planning saved, as shares of what running at once would have emitted; sums over all arrivals, so that clean days do not
/// weigh more than they emit. The interval is 90 %: a moving-block bootstrap over weeks of days (neighbouring days are alike).
struct Capture {
  Ratio saving, low, high;
  Ratio oracle;  ///< the saving of perfect foresight of the judge
  Ratio worse;   ///< share of arrivals that would have emitted less by running at once
  int arrivals = 0;

  /// Of the oracle's saving; 0 where that has none.
  [[nodiscard]] Ratio share() const { return Ratio(oracle.value() > 0 ? saving / oracle : 0); }
  /// May the signal be called fit for scheduling?
  [[nodiscard]] bool beats_running_at_once() const { return low.value() > 0; }
};

/// Jobs that arrive in `window` are placed by `planned_by` (its forecast at arrival, or its own values) and judged by
/// `judged_by`, hour by hour. Arrivals that either series does not cover are left out; kind unavailable with fewer than 14 days
/// of them, kind usage for rules that make no sense.
[[nodiscard]] Result<Capture> capture(const Series& planned_by, const Series& judged_by, Window window,
                                      const CaptureRules& rules = {});

}  // namespace gramwatt::grid
