#include "sense/counter.hpp"

#include <algorithm>

namespace gramwatt::sense {

WideCounter::Step WideCounter::update(std::uint64_t raw, Nanoseconds monotonic) {
  const std::uint64_t previous = last_.value_or(raw);
  const Seconds passed = seconds(monotonic - last_time_);
  const bool first = !last_;
  last_ = raw;
  last_time_ = monotonic;
  if (first) return {total(), false};

  // The most that can have flowed.
  const double possible = (power_limit_ * (passed + stale_)).value() * 1e6 / unit_;
  if (range_ > 0 && possible > static_cast<double>(range_)) return {total(), true};  // two wraps are possible
  std::uint64_t delta = raw - previous;
  if (raw < previous) {
    if (range_ == 0 || previous > range_) return {total(), true};  // a counter that does not wrap went back
    delta = range_ - previous + raw + 1;
  }
  if (static_cast<double>(delta) > possible) return {total(), true};  // a jump, or a reset that looks like a wrap
  counts_ += delta;
  return {total(), false};
}

Microjoules WideCounter::total() const {
  // 64 bits of mantissa: exact to the microjoule for as long as any machine runs.
  constexpr long double kMost = 9.0e18L;  // more than any machine; what a damaged recording says may be anything
  return Microjoules(
      static_cast<std::int64_t>(std::min(kMost, static_cast<long double>(counts_) * static_cast<long double>(unit_))));
}

}  // namespace gramwatt::sense
