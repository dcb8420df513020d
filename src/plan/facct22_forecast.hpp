#pragma once
// The study with forecasts in place of foresight.
//
// The published savings know the next eighteen days. Here every plan is made with what was known at its start: a forecast from
// the series' own past (grid/forecast.hpp), nothing else, and no weather. Every 24 hours it is made anew, from where the job
// stands, with the forecast of that moment; what comes is what is paid. Where no forecast can be made then, the older one is
// gone on with; a start that has none at all is left out, here and in the foresight that it is compared with, so that both
// stand on the same starts.
//
// Forecasts are by whole hours: the one of a moment is that of the hour that holds it, of which it knows nothing yet. They
// reach 14 days; behind that the forecast's last week comes again. A slot shorter than an hour is planned by its hour, so what
// moves within hours is saved under foresight only: that, too, is what foresight is worth.
//
// It is supposed that a value is known when its hour ends. Where values come late, forecasts are a little worse than here.
//
// Thread safety: pure functions.

#include <map>

#include "grid/forecast.hpp"
#include "plan/facct22.hpp"

namespace gramwatt::plan::facct22 {

inline constexpr Nanoseconds kReplanned = std::chrono::hours(24);

/// Forecasts of one series, each made from what came before it.
class Foretold {
 public:
  struct Made {
    grid::Model model = grid::Model::ridge;  ///< the one that was used
    Nanoseconds start{};                     ///< of its first hour
    std::vector<MilligramsPerKwh> hours;
  };
  /// `history`: as make_forecast wants it. `origins`: in any order.
  Foretold(const grid::Series& history, grid::Model model, std::span<const Nanoseconds> origins,
           const std::function<void(Ratio)>& progress = {});

  /// Made in the hour that holds `origin`, which is one of the constructor's; nothing where none could be made.
  [[nodiscard]] const Made* at(Nanoseconds origin) const;

 private:
  std::map<Nanoseconds, Made> made_;  ///< by the start of the hour
};

/// What it says of `count` slots from `from` on, which is not before its start: means over the hours that they lie in.
[[nodiscard]] std::vector<MilligramsPerKwh> expected(const Foretold::Made& made, Nanoseconds from, Nanoseconds slot,
                                                     std::size_t count);

/// One region planned by one model.
struct Forecasts {
  grid::Model model = grid::Model::ridge;
  std::size_t starts = 0;     ///< that were asked for
  std::size_t without = 0;    ///< of them, those at which no forecast could be made: in neither of the cells below
  std::size_t fell_back = 0;  ///< of them, those at which a simpler model stood in
  Cells known;                ///< the starts that have a forecast, everything known beforehand
  Cells told;                 ///< the same starts, planned by forecasts
};

/// `stretches` as for study; `history`: the series that plans are made by, with its past. `cells`: what `study` (and add_exact)
/// made of all starts. With `paid` the exact plan too, under its payments.
[[nodiscard]] Forecasts study_forecasts(const Cells& cells, std::span<const Stretch> stretches, const Asked& asked,
                                        const grid::Series& history, grid::Model model, const std::optional<Paid>& paid = {},
                                        const std::function<void(Ratio)>& progress = {});

/// Part of the saving of foresight that forecasts kept; nothing where there is none to keep.
[[nodiscard]] std::optional<Ratio> kept(const std::optional<Ratio>& told, const std::optional<Ratio>& known);

}  // namespace gramwatt::plan::facct22
