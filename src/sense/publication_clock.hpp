#pragma once
// When does a sensor publish?
//
// A GPU's energy counter and its power readings change in steps, about every 20 to 100 ms. At a step the value is exact;
// between steps it is up to a period old, which is where tools that subtract two readings lose 26 % of half a second. So the
// instants of the steps ("edges") matter more than the values. One look tells little: an edge lies somewhere between the
// previous look and this one. But edges come regularly, so every look narrows what the others left open: a few dense looks at
// the start fix phase and period to some milliseconds, later looks near a predicted edge keep them.
//
// The clock keeps intervals, not averages: the last edge lies in at ± slack, the period in period ± slack. A new bracket that
// contradicts them (a controller that lost its rhythm, a machine that slept) replaces them.
//
// Thread safety: none.

#include <optional>

#include "base/clock.hpp"

namespace gramwatt::sense {

class PublicationClock {
 public:
  /// `nominal`: the period that data sheets or papers give; taken as ±30 % until edges have been seen.
  /// `always_changes`: an unchanged value proves that nothing was published (a counter of a device that draws power); a power
  /// reading may be published twice with the same value.
  PublicationClock(Nanoseconds nominal, bool always_changes);

  struct Edge {
    Nanoseconds at;     ///< of the last edge, the middle of what is possible
    Nanoseconds slack;  ///< it lies within at ± slack
    int steps = 1;      ///< periods since the edge before it; 1 for the first
  };

  /// A look at `now` (increasing): has the value changed since the previous look? The edge that it shows, if any.
  std::optional<Edge> look(Nanoseconds now, bool changed);

  [[nodiscard]] const std::optional<Edge>& last() const { return last_; }
  [[nodiscard]] Nanoseconds period() const;
  [[nodiscard]] Nanoseconds period_slack() const;

  /// When the first edge after `now` is expected, and how sure that is. Nothing before the first edge.
  [[nodiscard]] std::optional<Edge> next_after(Nanoseconds now) const;

 private:
  struct Span {
    double low = 0, high = 0;
    [[nodiscard]] double middle() const { return (low + high) / 2; }
    [[nodiscard]] double half() const { return (high - low) / 2; }
  };
  Span place(const Span& bracket);
  void learn_distance(const Span& bracket);
  void learn_period(const Span& edge, double steps);
  static std::optional<Span> both(const Span& a, const Span& b);

  // Nanoseconds as doubles: exact to the nanosecond for three months.
  Span period_;
  bool always_changes_;
  std::optional<double> last_look_;
  std::optional<Span> edge_;
  std::optional<Edge> last_;
  std::optional<double> not_before_;  ///< no edge after the last one up to here
  double widest_look_ = 0;            ///< longest time between looks since the one before the last edge
  Span anchor_;                       ///< an edge long ago: the longer ago, the better the period is known
  double anchor_steps_ = 0;
};

}  // namespace gramwatt::sense
