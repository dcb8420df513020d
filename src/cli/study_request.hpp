#pragma once
// What `gramwatt study facct22` is asked for: times, starts, charges, and the regions with their series.

#include <optional>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "grid/forecast.hpp"
#include "grid/intensity.hpp"
#include "plan/facct22.hpp"

namespace gramwatt::cli {

struct StudyAsked {
  std::vector<grid::Window> times;  ///< years; each is studied on its own
  Nanoseconds slot{};
  plan::facct22::Starts starts = plan::facct22::Starts::sixty;
  Nanoseconds restart{};
  Ratio idle;
  bool exact = false;
  std::vector<grid::Model> forecasts;  ///< models that plan in place of foresight, too
  grid::SignalKind signal = grid::SignalKind::average;

  /// "DE"; "DE 2020" where several years are asked for.
  [[nodiscard]] std::string name(const std::string& region, grid::Window time) const {
    return times.size() > 1 ? region + " " + iso8601(time.start).substr(0, 4) : region;
  }
};

struct AskedRegion {
  std::string name;
  grid::Series series;
  grid::Window time;
};

/// A time with the windows of its last starts.
[[nodiscard]] grid::Window with_windows(grid::Window time);
/// How much of the time the series covers.
[[nodiscard]] Ratio part_known(const grid::Series& series, grid::Window time);

[[nodiscard]] Result<StudyAsked> study_asked(const Invocation& invocation);
/// Of files, of zones, or of all zones of which enough is known; what was left out is noted. Kind missing where a region that
/// was named is not known; the message says what is.
[[nodiscard]] Result<std::vector<AskedRegion>> study_regions(const Invocation& invocation, const Settings& settings,
                                                             const StudyAsked& asked, std::vector<std::string>& notes);
/// The series that all plans are weighed with, where one is named.
[[nodiscard]] Result<std::optional<grid::Series>> study_judge(const Invocation& invocation, const StudyAsked& asked);

}  // namespace gramwatt::cli
