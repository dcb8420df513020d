#pragma once
// How clean is the power: a carbon-intensity signal and its values over time.
//
// A Series is the one shape in which every source of intensity reaches the rest of the program, from an annual mean (one point
// that holds for ever) to a five-minute feed: weighting energy by it is the same code, interval by interval. A series that has
// holes says so: what it does not cover is never zero and never the neighbour's value, but is left to the next rung of a
// Ladder.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/estimate.hpp"

namespace gramwatt::grid {

enum class SignalKind { average, marginal };
[[nodiscard]] std::string_view to_string(SignalKind kind);
[[nodiscard]] std::optional<SignalKind> parse_signal_kind(std::string_view text);

/// What a signal means; printed beside every figure made with it (contract: I).
struct Signal {
  SignalKind kind = SignalKind::average;
  std::string factor;        ///< "direct" | "lifecycle"
  std::string basis;         ///< "production" | "consumption"
  bool grid_loss = false;    ///< are grid losses in?
  int year = 0;              ///< of the level of the data
  std::string data_kind;     ///< "annual mean", "typical day", "observed", "forecast"
  std::string gas = "CO2e";  ///< "CO2" where the source has CO2 only
  std::string source;        ///< for people, with year
  std::string licence;
  std::vector<std::string> fit_for;  ///< "accounting", "scheduling"

  [[nodiscard]] bool is_fit_for(std::string_view purpose) const;
};

enum class PointKind : std::uint8_t { observed, estimated, forecast, profile };
[[nodiscard]] std::string_view to_string(PointKind kind);
[[nodiscard]] std::optional<PointKind> parse_point_kind(std::string_view text);

/// One value from `start` on. UTC.
struct Point {
  Nanoseconds start{};
  GramsPerKwh value;
  PointKind kind = PointKind::observed;
  Shift band{};  ///< this point's own relative 90 % interval where it has one (forecasts), beside the terms of its series

  friend bool operator==(const Point&, const Point&) = default;
};

/// Half-open: [start, end).
struct Window {
  Nanoseconds start{}, end{};

  [[nodiscard]] bool contains(Nanoseconds t) const { return start <= t && t < end; }
  [[nodiscard]] Nanoseconds length() const { return end > start ? end - start : Nanoseconds{0}; }
  friend bool operator==(const Window&, const Window&) = default;
};

struct Series {
  Signal signal;
  std::vector<Point> points;  ///< strictly ascending
  /// A point holds for this long, or until the next point if that comes sooner; what lies behind is a gap. 0: each point holds
  /// until the next one, the first also before its start and the last for ever (annual means).
  Nanoseconds resolution{};
  Terms terms;  ///< error of the values, one source for all of them
  Method method = Method::modelled;

  /// When point `i` ends to hold.
  [[nodiscard]] Nanoseconds end_of(std::size_t i) const;
  /// The point that holds at `t`.
  [[nodiscard]] std::optional<Point> at(Nanoseconds t) const;

  struct Mean {
    GramsPerKwh value;      ///< over the time that is covered; 0 where none is
    Nanoseconds covered{};  ///< of [start, end)
  };
  /// Mean over [start, end) weighted by time. end ≤ start: the value at start, nothing covered.
  [[nodiscard]] Mean mean(Nanoseconds start, Nanoseconds end) const;
  /// Does the series tell something of every instant of the window?
  [[nodiscard]] bool covers(Window window) const;
};

/// Series of one signal in order of trust: each instant takes the first that covers it. The last rung covers all time.
struct Ladder {
  std::vector<Series> rungs;       ///< never empty
  std::vector<std::string> notes;  ///< rungs that were wanted and failed, and why

  [[nodiscard]] const Series& last() const { return rungs.back(); }
};

/// One rung with one value for all time.
[[nodiscard]] Ladder one_value(GramsPerKwh value);

struct Intensities {
  Ladder average;
  std::optional<Ladder> marginal;  ///< absent = unknown: never 0 and never the average in disguise
  std::string marginal_note;       ///< why it is absent, for people
};

/// Built-in annual values for a zone; no zone: the world's mean with the range 20..900 g/kWh.
/// A US or other sub-national zone without a value of its own takes its country's, with a wider interval, and says so.
[[nodiscard]] Result<Intensities> annual(const std::optional<std::string>& zone);

/// How far the annual values of other zones, intervals included, lie from `zone`'s own: for a place of which only the country
/// or the state is known, and `zone` is what stands in. No others: no reach.
struct Reach {
  Shift average, marginal;
};
[[nodiscard]] Reach reach_over(const std::string& zone, const std::vector<std::string>& others);

/// Widens all series by a reach, as the error term "which-zone".
void widen(Intensities& known, const Reach& reach);

}  // namespace gramwatt::grid
