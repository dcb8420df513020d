#pragma once
// Carbon intensity for people and for programs: what `gramwatt grid …` prints.

#include <string>
#include <vector>

#include "grid/forecast.hpp"
#include "grid/grid.hpp"
#include "report/format.hpp"

namespace gramwatt::report {

/// One signal of a zone over a window.
struct GridView {
  std::string zone, place;  ///< "DE", "Germany"
  grid::Ladder ladder;
  grid::Window window;
  Nanoseconds step{};
};

/// The object of the contract: zone, signal, unit, source, licence, factor, basis, fit_for, points.
[[nodiscard]] std::string grid_json(const GridView& view);
/// A chart over time with its sources below. `now`: marked where it lies in the window.
[[nodiscard]] std::string grid_chart(const GridView& view, const Style& style, std::size_t width);
/// The same as CSV: utc_start,g_per_kwh,low,high,kind,source.
[[nodiscard]] std::string grid_csv(const GridView& view);

/// What holds at this moment, both signals, and the day around it.
[[nodiscard]] std::string grid_now(const GridView& average, const std::optional<GridView>& marginal,
                                   const std::string& marginal_note, Nanoseconds now, const Style& style, std::size_t width);

/// MAPE, rank correlation and coverage by horizon day, a line a model.
[[nodiscard]] std::string backtest_table(const std::vector<grid::Backtest>& tests, const std::string& zone, const Style& style);
[[nodiscard]] std::string backtest_json(const std::vector<grid::Backtest>& tests, const std::string& zone);

/// One line of `grid zones`.
struct ZoneLine {
  std::string zone, name;
  GramsPerKwh annual;        ///< average, annual mean
  std::string average_kind;  ///< "typical day", "annual mean", "observed"
  std::optional<GramsPerKwh> marginal;
  std::string marginal_kind;
  std::vector<std::string> held;  ///< series in the local store
};
[[nodiscard]] std::string zones_table(const std::vector<ZoneLine>& lines, const Style& style, std::size_t width);
[[nodiscard]] std::string zones_json(const std::vector<ZoneLine>& lines);

/// What the local store holds.
[[nodiscard]] std::string held_json(const std::vector<grid::Held>& held);

/// How a place was found.
[[nodiscard]] std::string where_json(const std::optional<std::string>& zone, const std::string& how, const std::string& name,
                                     const std::vector<std::string>& chain);

/// "gCO2e/kWh", or "gCO2/kWh" where the source has CO2 only.
[[nodiscard]] std::string unit_of(const grid::Signal& signal);
/// "average, life-cycle, production based, without grid losses".
[[nodiscard]] std::string describe(const grid::Signal& signal);

}  // namespace gramwatt::report
