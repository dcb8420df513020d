#include "sense/published_power.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace gramwatt::sense {
namespace {

constexpr Nanoseconds kBlock = std::chrono::seconds(5);
constexpr Nanoseconds kPeriodIsKnown = std::chrono::seconds(2);
// How far the truth of a block lies from its mean towards its lowest and highest reading, beyond what the number of beats
// explains: set on simulated square waves (bench/sensor_accuracy.cpp), where the interval then holds in more than 90 %.
constexpr double kLeastSpread = 0.15;
constexpr double kAlmostAll = 0.8;      // a late look now and then misses a publication; that much does no harm
constexpr double kAlwaysUnseen = 0.02;  // of a load that looks constant

}  // namespace

void AliasingBound::add(Watts reading, Nanoseconds length) {
  block_[size_++] = static_cast<float>(reading.value());
  length_ += length;
  if (size_ < kMost && length_ < kBlock) return;
  const Bound b = of_block();
  closed_.below += b.below;
  closed_.above += b.above;
  size_ = 0;
  length_ = {};
}

AliasingBound::Bound AliasingBound::of_block() const {
  if (size_ == 0) return {};
  float low = block_[0], high = block_[0];
  double sum = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    low = std::min(low, block_[i]);
    high = std::max(high, block_[i]);
    sum += block_[i];
  }
  const double mean = sum / static_cast<double>(size_);
  // Beats: how often the readings go from the low to the high third and back.
  int turns = 0;
  int side = 0;
  const float third = (high - low) / 3;
  for (std::size_t i = 0; i < size_; ++i) {
    const int now = block_[i] > high - third ? 1 : block_[i] < low + third ? -1 : 0;
    if (now != 0 && side != 0 && now != side) ++turns;
    if (now != 0) side = now;
  }
  const double part = turns < 2 ? 1 : std::min(1.0, kLeastSpread + 1.0 / turns);
  const Seconds length = seconds(length_);
  return {Watts((mean - low) * part) * length, Watts((high - mean) * part) * length};
}

AliasingBound::Bound AliasingBound::bound() const {
  const Bound open = of_block();
  return {closed_.below + open.below, closed_.above + open.above};
}

/// From the first look to the end of the first window that differs.
Joules PublishedPower::first_part() const {
  if (settled_first_part_) return *settled_first_part_;
  const Seconds window = seconds(clock_.period());
  return before_ * (seconds(first_->at - *start_) - window) + first_->reading * window;
}

/// W > T: the energy at an earlier instant, between the ends of windows that were seen.
Joules PublishedPower::long_average_until(Nanoseconds at) const {
  const Point* later = nullptr;
  for (std::size_t age = 0; age < history_size_; ++age) {
    const Point& p = history_[(history_next_ + kMost - 1 - age) % kMost];
    if (p.at <= at) {
      if (later == nullptr) return p.sum;
      return p.sum + (later->sum - p.sum) * (seconds(at - p.at) / seconds(later->at - p.at));
    }
    later = &p;
  }
  return before_ * seconds(at - *start_);
}

/// A reading whose window ended at `end`; it stands for `length`.
void PublishedPower::add_window(Nanoseconds end, Nanoseconds length, Watts reading) {
  if (is_long_average()) {
    const Joules sum = reading * seconds(shape_.window) + long_average_until(end - shape_.window);
    history_[history_next_] = {end, sum};
    history_next_ = (history_next_ + 1) % kMost;
    history_size_ = std::min(history_size_ + 1, kMost);
  } else if (first_) {
    since_first_edge_ += reading * seconds(length);
  }
  aliasing_.add(reading, length);
  edge_ = end;
}

/// Publications that were due and looked at, and that brought the same value again.
void PublishedPower::add_silent(Nanoseconds now) {
  const Nanoseconds period = clock_.period();
  while (first_ && now - shape_.lag - edge_ > period + period / 2) {
    add_window(edge_ + period, period, reading_);
    ++silent_;
  }
}

void PublishedPower::publish(const PublicationClock::Edge& edge, Watts reading) {
  const Nanoseconds end = edge.at - shape_.lag;
  const Nanoseconds period = clock_.period();
  if (!first_) {
    add_window(end, period, reading);
    first_ = First{end, reading};
    return;
  }
  // Publications since the last change that nobody looked at: somewhere between the old value and the new one.
  const int unseen = edge.steps - 1 - silent_;
  if (unseen > 0) {
    const Nanoseconds middle = (end - edge_) * unseen / (unseen + 1);
    missed_ += middle;
    add_window(edge_ + middle, middle, (reading_ + reading) * 0.5);
  }
  add_window(end, std::max(end - edge_, Nanoseconds{1}), reading);
  silent_ = 0;
}

/// What the board draws since the end of the last window.
Watts PublishedPower::tail_power() const {
  if (!is_long_average() || history_size_ < 4) return reading_;
  const Point& last = history_[(history_next_ + kMost - 1) % kMost];
  const Point& earlier = history_[(history_next_ + kMost - 4) % kMost];
  return std::max(Watts(0), (last.sum - earlier.sum) / seconds(last.at - earlier.at));
}

Joules PublishedPower::look(Nanoseconds at, Watts reading) {
  if (!start_) {
    start_ = at;
    before_ = reading_ = reading;
    (void)clock_.look(at, false);
    return {};
  }
  const bool changed = reading != reading_;
  if (const auto edge = clock_.look(at, changed)) {
    publish(*edge, reading);
  } else if (!changed) {
    add_silent(at);
  }
  reading_ = reading;
  looked_ = at - *start_;
  Joules total;
  if (!first_) {
    total = before_ * seconds(at - *start_);
  } else if (is_long_average()) {
    total = history_[(history_next_ + kMost - 1) % kMost].sum + tail_power() * seconds(at - edge_);
  } else {
    if (!settled_first_part_ && looked_ > kPeriodIsKnown) settled_first_part_ = first_part();
    total = first_part() + since_first_edge_ + reading_ * seconds(at - edge_);
    // A first-order response: P = reading + τ d(reading)/dt.
    total += (reading_ - before_) * seconds(shape_.response);
  }
  reported_ = std::max(reported_, total);
  return reported_;
}

Settled PublishedPower::settled() const {
  Settled out;
  const double seen =
      looked_ > Nanoseconds{0} ? 1 - static_cast<double>(missed_.count()) / static_cast<double>(looked_.count()) : 1;
  const double coverage = shape_.coverage() * std::clamp(seen, 0.0, 1.0);
  if (coverage > kAlmostAll || reported_.value() <= 0) return out;
  AliasingBound::Bound b = aliasing_.bound();
  // A short run has seen few phases.
  const Joules unseen = reported_ * (kAlwaysUnseen * std::max(1.0, seconds(kBlock) / seconds(looked_)));
  b.below += unseen;
  b.above += unseen;
  const Shift shift{-std::min(1.0, b.below / reported_), b.above / reported_};
  out.terms["gpu-aliasing"] = shift;
  out.advice.push_back(fmt::format(
      "the power sensor sees {:.3g} of every {:.3g} ms; a load with a period near {:.3g} ms may be misread (interval "
      "{:+.0f}..{:+.0f} %): gramwatt run --repeat 32 averages over the sensor's phases",
      coverage * seconds(clock_.period()).value() * 1e3, seconds(clock_.period()).value() * 1e3,
      seconds(clock_.period()).value() * 1e3, 100 * shift.minus, 100 * shift.plus));
  return out;
}

}  // namespace gramwatt::sense
