#pragma once
// How clean is the power: a carbon-intensity signal and its values over time.
//
// A Series is the one shape in which every source of intensity reaches the rest of the program, from an annual mean (one point
// that holds for ever) to a five-minute feed: weighting energy by it is the same code, interval by interval.

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/estimate.hpp"

namespace gramwatt::grid {

enum class SignalKind { average, marginal };

/// What a signal means; printed beside every figure made with it (contract: I).
struct Signal {
  SignalKind kind = SignalKind::average;
  std::string factor;        ///< "direct" | "lifecycle"
  std::string basis;         ///< "production" | "consumption"
  bool grid_loss = false;    ///< are grid losses in?
  int year = 0;              ///< of the data
  std::string data_kind;     ///< "annual mean", "typical day", "observed", "forecast"
  std::string gas = "CO2e";  ///< "CO2" where the source has CO2 only
  std::string source;        ///< with year
  std::string licence;
  std::vector<std::string> fit_for;  ///< "accounting", "scheduling"
};

/// One value, valid from `start` until the next point (the last one: for ever). UTC.
struct Point {
  Nanoseconds start{};
  GramsPerKwh value;
};

struct Series {
  Signal signal;
  std::vector<Point> points;  ///< ascending; never empty; the first also holds before its start
  Terms terms;                ///< error of the values, one source for all of them
  Method method = Method::modelled;

  /// Mean over [start, end) weighted by time. end ≤ start: the value at start.
  [[nodiscard]] GramsPerKwh mean(Nanoseconds start, Nanoseconds end) const;
};

struct Intensities {
  Series average;
  std::optional<Series> marginal;  ///< absent = unknown: never 0 and never the average in disguise
  std::string marginal_note;       ///< why it is absent, for people
};

/// Built-in annual values for a zone; no zone: the world's mean with the range 20..900 g/kWh.
/// A US or other sub-national zone without a value of its own takes its country's, with a wider interval, and says so.
[[nodiscard]] Result<Intensities> annual(const std::optional<std::string>& zone);

}  // namespace gramwatt::grid
