#pragma once
// The intensity that a plan is made with: what is known or forecast of a place over a window, and the errors that such
// forecasts have had.

#include "cli/grid_access.hpp"
#include "grid/forecast.hpp"

namespace gramwatt::cli {

struct Ahead {
  grid::SignalKind kind = grid::SignalKind::average;
  std::string why;      ///< this signal and not the other
  grid::Ladder ladder;  ///< covers all time
  /// Relative errors of earlier forecasts, whole paths by hour from `errors_from` on; empty where nothing is forecast.
  std::vector<std::vector<double>> errors;
  Nanoseconds errors_from{};
};

/// `kind`: nothing takes the marginal signal where its source is fit for scheduling, else the average. Providers that may be
/// asked are asked. `now`: what lies behind it is known, what lies ahead is forecast.
[[nodiscard]] Result<Ahead> look_ahead(const grid::GridSettings& settings, const place::Place& place,
                                       std::optional<grid::SignalKind> kind, grid::Window window, Nanoseconds now);

}  // namespace gramwatt::cli
