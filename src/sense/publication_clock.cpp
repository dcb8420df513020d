#include "sense/publication_clock.hpp"

#include <algorithm>
#include <cmath>

namespace gramwatt::sense {
namespace {

constexpr double kNominalTolerance = 0.3;
constexpr double kJitter = 0.2e6;  // ns by which a single edge may stray: interrupts, the read itself
constexpr double kMost = 1e15;

double ns(Nanoseconds t) { return static_cast<double>(t.count()); }
Nanoseconds back(double t) { return Nanoseconds(std::llround(std::clamp(t, -kMost, kMost))); }

}  // namespace

PublicationClock::PublicationClock(Nanoseconds nominal, bool always_changes)
    : period_{ns(nominal) * (1 - kNominalTolerance), ns(nominal) * (1 + kNominalTolerance)}, always_changes_(always_changes) {}

Nanoseconds PublicationClock::period() const { return back(period_.middle()); }
Nanoseconds PublicationClock::period_slack() const { return back(period_.half()); }

std::optional<PublicationClock::Span> PublicationClock::both(const Span& a, const Span& b) {
  const Span s{std::max(a.low, b.low), std::min(a.high, b.high)};
  if (s.low > s.high) return std::nullopt;
  return s;
}

std::optional<PublicationClock::Edge> PublicationClock::look(Nanoseconds at, bool changed) {
  const double now = ns(at);
  const double previous = last_look_.value_or(now);
  const bool first = !last_look_;
  last_look_ = now;
  if (first) return std::nullopt;
  widest_look_ = std::max(widest_look_, now - previous);
  if (!changed) {
    if (always_changes_) not_before_ = now;
    return std::nullopt;
  }
  // Of several edges since the previous look the last one counts, and that is no more than a period old.
  const Span bracket{std::max(previous, now - period_.high), now};
  const Span shown = edge_ ? place(bracket) : bracket;
  if (!edge_) edge_ = anchor_ = bracket;
  const Nanoseconds middle = back(shown.middle());
  const int steps = last_ ? static_cast<int>(std::clamp(std::round(ns(middle - last_->at) / period_.middle()), 1.0, 1e6)) : 1;
  last_ = Edge{middle, back(shown.half()), steps};
  not_before_.reset();
  widest_look_ = now - previous;  // the edge lies in this look
  return last_;
}

/// The edge that a bracket shows, by all that is known; where two would fit, the span of both.
PublicationClock::Span PublicationClock::place(const Span& bracket) {
  learn_distance(bracket);
  const auto expected = [&](double steps) {
    return Span{edge_->low + steps * period_.low - kJitter, edge_->high + steps * period_.high + kJitter};
  };
  // Steps that may have come since the last edge: the latest whose edge can lie before now, the earliest that is recent enough.
  const double most = std::max(1.0, std::floor((bracket.high - edge_->low + kJitter) / period_.low));
  double latest = most;
  while (latest > 1 && expected(latest).low > bracket.high) --latest;
  double earliest = latest;
  while (earliest > 1 && expected(earliest - 1).high >= bracket.low) --earliest;
  if (earliest < latest) {
    // The phase is not in doubt, only which of its edges was seen: nothing is learnt, and the next look tells.
    const Span hull{std::max(bracket.low, expected(earliest).low), std::min(bracket.high, expected(latest).high)};
    anchor_steps_ += earliest;
    edge_ = expected(earliest);
    return hull;
  }
  if (const auto agreed = both(bracket, expected(latest))) {
    anchor_steps_ += latest;
    learn_period(*agreed, anchor_steps_);
    edge_ = agreed;
    return *agreed;
  }
  edge_ = anchor_ = bracket;  // out of step: the period is less sure than was thought
  anchor_steps_ = 0;
  const double wider = std::max(period_.half() * 2, period_.middle() * 0.005);
  period_ = {period_.middle() - wider, period_.middle() + wider};
  return bracket;
}

/// Looks that were dense show the distance of two edges by themselves, whatever the paper says.
void PublicationClock::learn_distance(const Span& bracket) {
  const double distance = bracket.middle() - edge_->middle();
  if (widest_look_ >= distance / 3 || distance <= 0) return;
  const double slack = bracket.half() + edge_->half() + kJitter;
  const Span seen{distance - slack, distance + slack};
  if (const auto agreed = both(period_, seen)) period_ = *agreed;
  else if (always_changes_ || seen.high < period_.low) period_ = seen;  // a reading that came twice looks like a longer period
}

void PublicationClock::learn_period(const Span& edge, double steps) {
  const Span seen{(edge.low - anchor_.high - kJitter) / steps, (edge.high - anchor_.low + kJitter) / steps};
  // The number of steps between must be beyond doubt.
  if ((edge.half() + anchor_.half()) / steps > period_.middle() / 2) return;
  if (const auto agreed = both(period_, seen)) {
    period_ = *agreed;
    if (period_.half() < 1e3) {  // no oscillator keeps its pace to better than this
      const double middle = period_.middle();
      period_ = {middle - 1e3, middle + 1e3};
    }
  } else {
    anchor_ = edge;
    anchor_steps_ = 0;
  }
  if (edge.half() < anchor_.half() / 2 && anchor_steps_ < 4) {
    anchor_ = edge;
    anchor_steps_ = 0;
  }
}

std::optional<PublicationClock::Edge> PublicationClock::next_after(Nanoseconds at) const {
  if (!edge_) return std::nullopt;
  const double now = ns(at);
  const double steps = std::max(1.0, std::ceil((now - edge_->middle()) / period_.middle()));
  Span s{edge_->low + steps * period_.low - kJitter, edge_->high + steps * period_.high + kJitter};
  if (not_before_ && steps == 1) s.low = std::min(std::max(s.low, *not_before_), s.high);
  return Edge{back(s.middle()), back(s.half()), static_cast<int>(std::min(steps, 1e6))};
}

}  // namespace gramwatt::sense
