#include "sense/checked_counter.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sense/counter.hpp"
#include "sense/power_integral.hpp"

namespace gramwatt::sense {
namespace {

constexpr double kLeastRatio = 0.1, kMostRatio = 10;
/// What a window that is not judged yet may show of its energy, in units of power × time. A moving average lags when load sets
/// in, hence more than one.
constexpr double kProvisional = 2;
/// A window has at least so many readings of power: two of them say little about what flowed between them.
constexpr int kFewestSamples = 8;
constexpr Nanoseconds kLongestWindow = std::chrono::seconds(10);
/// Below this, readings of power are too coarse (whole watts) to judge by.
constexpr Joules kTooLittle{0.5};
/// A moving average of unknown window, integrated (driver_gpu.cpp).
constexpr double kPowerError = 0.10;
/// Counter and power that differ by more than this in the sum are worth a word, and an interval that spans both.
constexpr double kWorthAWord = 0.10;

class CheckedCounter final : public Decoder {
 public:
  explicit CheckedCounter(const DecoderSpec& s)
      : counter_(static_cast<std::uint64_t>(s.number("range", 0)), Watts(s.number("power_limit_w", 0)),
                 s.number("microjoules_per_count", 1)),
        limit_(s.number("power_limit_w", 0)),
        window_length_(std::llround(s.number("check_s", 1) * 1e9)) {}

  [[nodiscard]] Result<Reading> decode(const RawSample& sample) override;
  [[nodiscard]] Settled settled() const override;

 private:
  /// Energy since the previous sample, as each of the two tells it; nothing: it does not tell.
  struct Step {
    std::optional<Joules> counter, power;
  };
  struct Window {
    Joules counter, power;
    Joules bridged;  ///< of steps in which the counter was lost; in neither of the two
    int samples = 0;
    std::optional<Instant> start;
  };

  Step step_of(const RawSample& sample);
  bool take(const Step& step, const Instant& at);
  void judge(const Instant& at);
  void begin_window(const Instant& at);
  [[nodiscard]] Joules provisional() const;

  WideCounter counter_;
  PowerIntegral power_;
  Watts limit_;
  Nanoseconds window_length_;
  bool counting_ = false;  ///< a count has been seen
  bool powered_ = false;   ///< the previous sample had power
  bool trusted_ = false;   ///< a window has been found good
  bool first_ = true;
  Microjoules counted_, integrated_;  ///< totals of both sources
  Joules settled_;                    ///< energy of all that is judged
  Joules since_it_moved_;             ///< power × time since the counter last moved
  Window window_;
  Microjoules shown_;
  // for people, in the end
  std::string lost_why_;
  Joules after_loss_;
  Joules judged_counter_, judged_power_;
  int bridged_ = 0;
};

Result<Reading> CheckedCounter::decode(const RawSample& sample) {
  const bool has_count = sample.has(0);
  const bool has_power = sample.has(1) && Watts(static_cast<double>(sample.values[1]) * 1e-3) <= limit_;
  if (!has_count && !has_power) return fail("no value");
  const Step step = step_of(sample);
  if (std::exchange(first_, false)) {
    begin_window(sample.at);
    return Reading{{}, sample.at};
  }
  const bool known = take(step, sample.at);
  shown_ = std::max(shown_, Microjoules(settled_ + provisional()));
  return Reading{shown_, sample.at, !known};
}

CheckedCounter::Step CheckedCounter::step_of(const RawSample& sample) {
  Step step;
  if (sample.has(0)) {
    const auto read = counter_.update(sample.values[0], sample.at.monotonic);
    if (counting_ && !read.resumed) step.counter = (read.total - counted_).joules();
    counted_ = read.total;
    counting_ = true;
  }
  const Watts power(static_cast<double>(sample.has(1) ? sample.values[1] : 0) * 1e-3);
  if (!sample.has(1) || power > limit_) {
    powered_ = false;
    return step;
  }
  if (!powered_) power_ = PowerIntegral();  // what flowed since the last reading is not known
  const Microjoules before = powered_ ? integrated_ : Microjoules{};
  if (power_.add(power, sample.at) && powered_) step.power = (power_.energy() - before).joules();
  integrated_ = power_.energy();
  powered_ = true;
  return step;
}

/// Adds a step. False: nobody knows what flowed in it.
bool CheckedCounter::take(const Step& step, const Instant& at) {
  if (!lost_why_.empty() || !counting_) {
    const Joules energy = step.power.value_or(Joules{});
    settled_ += energy;
    if (!lost_why_.empty()) after_loss_ += energy;
    return step.power.has_value();
  }
  if (!step.power) {  // without a witness the counter is taken as it is
    settled_ += window_.counter + window_.bridged + step.counter.value_or(Joules{});
    begin_window(at);
    return step.counter.has_value();
  }
  ++window_.samples;
  if (!step.counter) {
    ++bridged_;
    window_.bridged += *step.power;
  } else {
    window_.counter += *step.counter;
    window_.power += *step.power;
    since_it_moved_ = step.counter->value() == 0 ? since_it_moved_ + *step.power : Joules{};
  }
  const Nanoseconds length = elapsed(*window_.start, at);
  if (length >= window_length_ && (window_.samples >= kFewestSamples || length >= kLongestWindow)) judge(at);
  return true;
}

void CheckedCounter::judge(const Instant& at) {
  const Joules yardstick = std::max(window_.power, kTooLittle);
  const double ratio = window_.counter / yardstick;
  settled_ += window_.bridged;
  const bool too_low = window_.power > kTooLittle && ratio < kLeastRatio;
  if (!too_low && ratio <= kMostRatio) {
    trusted_ = true;
    settled_ += window_.counter;
    judged_counter_ += window_.counter;
    judged_power_ += window_.power;
  } else {
    const double mean = window_.power / Joules(seconds(elapsed(*window_.start, at)).value());
    lost_why_ = window_.counter.value() == 0
                    ? fmt::format("the energy counter stood still while {:.0f} W flowed", mean)
                    : fmt::format("the energy counter gained {:.2g} times what power readings of {:.0f} W say", ratio, mean);
    // One that has not moved in this window stopped in an earlier one, which did not notice.
    const Joules energy = window_.counter.value() == 0 ? since_it_moved_ : window_.power;
    settled_ += energy;
    after_loss_ += energy;
  }
  begin_window(at);
}

void CheckedCounter::begin_window(const Instant& at) {
  window_ = {};
  window_.start = at;
}

Joules CheckedCounter::provisional() const {
  // A run may be over before its first window is: a counter that has not moved by then is no reason to show nothing.
  if (!trusted_ && window_.counter.value() == 0) return window_.power + window_.bridged;
  return std::min(window_.counter, window_.power * kProvisional) + window_.bridged;
}

Settled CheckedCounter::settled() const {
  Settled s;
  const double all = std::max(shown_.joules().value(), 1e-9);
  if (!lost_why_.empty()) {
    s.notes.push_back(lost_why_ + "; from there on its power readings are integrated instead");
    s.terms["gpu-counter-lost"] = Shift::symmetric(kPowerError * std::min(1.0, after_loss_.value() / all));
  }
  if (bridged_ > 0)
    s.notes.push_back(fmt::format("the energy counter jumped or was reset {} time{}: power × time was taken for that step",
                                  bridged_, bridged_ == 1 ? "" : "s"));
  if (judged_power_.value() > 100 && judged_counter_.value() > 0) {
    const double other = judged_power_ / judged_counter_ - 1;
    if (std::abs(other) > kWorthAWord) {
      s.notes.push_back(
          fmt::format("energy counter and power readings differ by {:.0f} %; the interval spans both", 100 * std::abs(other)));
      s.terms["gpu-counter-against-power"] = {std::min(0.0, other), std::max(0.0, other)};
    }
  }
  return s;
}

}  // namespace

DecoderSpec checked_counter_spec(double microjoules_per_count, std::uint64_t range, Watts power_limit) {
  DecoderSpec spec = counter_spec(microjoules_per_count, range, power_limit);
  spec.kind = "checked-counter";
  spec.numbers["check_s"] = 1;
  return spec;
}

std::unique_ptr<Decoder> make_checked_counter(const DecoderSpec& spec) { return std::make_unique<CheckedCounter>(spec); }

}  // namespace gramwatt::sense
