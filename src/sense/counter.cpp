#include "sense/counter.hpp"

namespace gramwatt::sense {

WideCounter::Step WideCounter::update(std::uint64_t raw, Nanoseconds monotonic) {
  const std::uint64_t previous = last_.value_or(raw);
  const Seconds passed = seconds(monotonic - last_time_);
  const bool first = !last_;
  last_ = raw;
  last_time_ = monotonic;
  if (first) return {total_, false};

  // The most that can have flowed; a little slack, because raw values may be a few milliseconds older than the read.
  const double possible = (power_limit_ * (passed + Seconds(0.05))).value() * 1e6;
  if (range_ > 0 && possible > static_cast<double>(range_)) return {total_, true};  // two wraps are possible
  if (raw >= previous) {
    const std::uint64_t delta = raw - previous;
    if (static_cast<double>(delta) > possible) return {total_, true};  // a jump
    total_ += Microjoules(static_cast<std::int64_t>(delta));
    return {total_, false};
  }
  if (range_ == 0 || previous > range_) return {total_, true};  // a counter that does not wrap went back
  const std::uint64_t delta = range_ - previous + raw + 1;
  if (static_cast<double>(delta) > possible) return {total_, true};  // a reset, not a wrap
  total_ += Microjoules(static_cast<std::int64_t>(delta));
  return {total_, false};
}

}  // namespace gramwatt::sense
