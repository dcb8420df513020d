// Decoder kind "nvidia": up to three values a sample, of which a board may lack any: its energy counter, its power, and its
// power averaged over about a second.
//
// The counter is the truth where there is one (aligned_counter.hpp), and the power readings fill its last step, bridge it when
// it fails, and are compared with it. Without a counter the readings are all there is (published_power.hpp): the instantaneous
// one where its window covers its period, else the one-second average where the board has it, because that sees all of the
// time.

#include "sense/nvidia_decoder.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "sense/aligned_counter.hpp"
#include "sense/published_power.hpp"

namespace gramwatt::sense {
namespace {

constexpr Nanoseconds kLongestSilence = std::chrono::seconds(10);  // a reading so old says nothing of the time since

constexpr std::int64_t kMostTime = 1'000'000'000'000'000'000;  // a damaged recording may say anything
constexpr Joules kMostEnergy{1e12};

Microjoules whole(Joules e) { return Microjoules(std::min(e, kMostEnergy)); }

Nanoseconds time_of(const DecoderSpec& s, std::string_view key, double otherwise) {
  return Nanoseconds(std::llround(s.number(key, otherwise) * 1e9));
}

PowerSensorShape shape_of(const DecoderSpec& s, const std::string& prefix, double window) {
  PowerSensorShape shape;
  shape.period = time_of(s, prefix + "_period_s", 0.1);
  shape.window = time_of(s, prefix + "_window_s", window);
  shape.lag = time_of(s, prefix + "_lag_s", 0);
  shape.response = time_of(s, prefix + "_response_s", 0);
  return shape;
}

class NvidiaDecoder final : public Decoder {
 public:
  explicit NvidiaDecoder(const DecoderSpec& s)
      : instant_(shape_of(s, "instant", 0.1)), average_(shape_of(s, "average", 1)), limit_(s.number("power_limit_w", 3000)) {
    if (s.number("counter", 1) > 0) counter_.emplace(time_of(s, "counter_step_s", 0.1), limit_);
  }

  [[nodiscard]] Result<Reading> decode(const RawSample& sample) override {
    if (std::abs(sample.at.monotonic.count()) > kMostTime) return fail("no such time");
    const auto instant = power(sample, kNvidiaInstant);
    const auto average = power(sample, kNvidiaAverage);
    for (const auto& p : {instant, average}) {
      if (p && *p > limit_) return fail(fmt::format("{:.4g} W is more than this can draw", p->value()));
    }
    return counter_ ? count(sample, instant) : integrate(sample, instant, average);
  }

  [[nodiscard]] Settled settled() const override {
    if (counter_) return counter_->settled(Ratio(instant_.coverage()));
    return power_ ? power_->settled() : Settled{};
  }

 private:
  static std::optional<Watts> power(const RawSample& s, std::size_t i) {
    if (!s.has(i)) return std::nullopt;
    return Watts(static_cast<double>(s.values[i]) * 1e-3);
  }

  Result<Reading> count(const RawSample& sample, std::optional<Watts> instant) {
    if (!sample.has(kNvidiaEnergy) && !instant) return fail("no value");
    const auto step = counter_->look(
        sample.at.monotonic, sample.has(kNvidiaEnergy) ? std::optional(sample.values[kNvidiaEnergy]) : std::nullopt, instant);
    if (!step) return tl::unexpected(step.error());
    return Reading{whole(step->total), sample.at, step->resumed};
  }

  Result<Reading> integrate(const RawSample& sample, std::optional<Watts> instant, std::optional<Watts> average) {
    if (!uses_average_) uses_average_ = average && (!instant || instant_.coverage() < 1);
    const auto reading = *uses_average_ ? average : instant;
    if (!reading) return fail("no value");
    bool resumed = false;
    if (last_at_ && sample.at.monotonic - *last_at_ > kLongestSilence) {
      before_ = energy_;
      power_.reset();
      resumed = true;
    }
    if (!power_) power_.emplace(*uses_average_ ? average_ : instant_);
    last_at_ = sample.at.monotonic;
    energy_ = before_ + power_->look(sample.at.monotonic, *reading);
    return Reading{whole(energy_), sample.at, resumed};
  }

  PowerSensorShape instant_, average_;
  Watts limit_;
  std::optional<AlignedCounter> counter_;
  std::optional<PublishedPower> power_;
  std::optional<bool> uses_average_;
  std::optional<Nanoseconds> last_at_;
  Joules before_, energy_;
};

}  // namespace

Result<std::unique_ptr<Decoder>> make_nvidia_decoder(const DecoderSpec& s) {
  const auto sane = [&](std::string_view key, double least, double most) {
    const double value = s.number(key, least);
    return std::isfinite(value) && value >= least && value <= most;
  };
  for (const std::string prefix : {"instant", "average"}) {
    if (!sane(prefix + "_period_s", 1e-3, 10) || !sane(prefix + "_window_s", 1e-4, 60) || !sane(prefix + "_lag_s", 0, 10) ||
        !sane(prefix + "_response_s", 0, 10))
      return fail("constants that make no sense", s.kind);
  }
  if (!sane("counter_step_s", 1e-3, 10) || !sane("counter", 0, 1) || !sane("power_limit_w", 1, 1e6))
    return fail("constants that make no sense", s.kind);
  return std::make_unique<NvidiaDecoder>(s);
}

DecoderSpec nvidia_spec(const NvidiaShapes& shapes) {
  DecoderSpec s{"nvidia", {}};
  const auto put = [&](const std::string& prefix, const PowerSensorShape& shape) {
    s.numbers[prefix + "_period_s"] = seconds(shape.period).value();
    s.numbers[prefix + "_window_s"] = seconds(shape.window).value();
    s.numbers[prefix + "_lag_s"] = seconds(shape.lag).value();
    s.numbers[prefix + "_response_s"] = seconds(shape.response).value();
  };
  put("instant", shapes.instant);
  put("average", shapes.average);
  s.numbers["counter"] = shapes.has_counter ? 1 : 0;
  s.numbers["counter_step_s"] = seconds(shapes.counter_step).value();
  s.numbers["power_limit_w"] = shapes.power_limit.value();
  return s;
}

}  // namespace gramwatt::sense
