// The decoders that several families share. See raw.hpp.
//
//   counter     {count}               energy counters of any unit and width (RAPL, Intel and AMD GPUs, …)
//   power       {count}               power readings, integrated over the time between them
//   freshness   {count, freshness}    a counter beside a number that changes with every publication (Cray): one that stands
//                                     still means a controller that has stopped, which must not look like a node without power
//
// Parameters that come from a recording may be anything; what makes no sense is refused here.

#include <cmath>

#include <fmt/format.h>

#include "sense/checked_counter.hpp"
#include "sense/counter.hpp"
#include "sense/nvidia_decoder.hpp"
#include "sense/power_integral.hpp"
#include "sense/raw.hpp"
#include "sense/utilisation.hpp"

namespace gramwatt::sense {
namespace {

constexpr double kMostCounts = 9.0e15;  // below 2^53, so that a double holds a range exactly

class CounterDecoder final : public Decoder {
 public:
  explicit CounterDecoder(const DecoderSpec& s)
      : counter_(static_cast<std::uint64_t>(s.number("range", 0)), Watts(s.number("power_limit_w", 0)),
                 s.number("microjoules_per_count", 1)) {}
  [[nodiscard]] Result<Reading> decode(const RawSample& sample) override {
    if (!sample.has(0)) return fail("no value");
    const auto step = counter_.update(sample.values[0], sample.at.monotonic);
    return Reading{step.total, sample.at, step.resumed};
  }

 private:
  WideCounter counter_;
};

class PowerDecoder final : public Decoder {
 public:
  explicit PowerDecoder(const DecoderSpec& s)
      : watts_per_count_(s.number("watts_per_count", 1)), limit_(s.number("power_limit_w", 0)) {}
  [[nodiscard]] Result<Reading> decode(const RawSample& sample) override {
    if (!sample.has(0)) return fail("no value");
    const Watts power(static_cast<double>(sample.values[0]) * watts_per_count_);
    if (power > limit_) return fail(fmt::format("{:.4g} W is more than this can draw", power.value()));
    const bool joined = integral_.add(power, sample.at);
    return Reading{integral_.energy(), sample.at, !joined};
  }

 private:
  double watts_per_count_;
  Watts limit_;
  PowerIntegral integral_;
};

class FreshnessDecoder final : public Decoder {
 public:
  explicit FreshnessDecoder(const DecoderSpec& s)
      : counter_(s), frozen_after_(std::llround(s.number("frozen_after_s", 1) * 1e9)) {}
  [[nodiscard]] Result<Reading> decode(const RawSample& sample) override {
    if (!sample.has(1)) return fail("no value");
    if (!changed_ || sample.values[1] != freshness_) {
      freshness_ = sample.values[1];
      changed_ = sample.at.monotonic;
    } else if (sample.at.monotonic - *changed_ > frozen_after_) {
      return fail("the controller has stopped publishing");
    }
    return counter_.decode(sample);
  }

 private:
  CounterDecoder counter_;
  Nanoseconds frozen_after_;
  std::uint64_t freshness_ = 0;
  std::optional<Nanoseconds> changed_;
};

bool is_between(double value, double least, double most) { return std::isfinite(value) && value >= least && value <= most; }

}  // namespace

Result<std::unique_ptr<Decoder>> make_decoder(const DecoderSpec& s) {
  const bool sane = is_between(s.number("range", 0), 0, kMostCounts) && is_between(s.number("power_limit_w", 1), 1e-3, 1e5) &&
                    is_between(s.number("microjoules_per_count", 1), 1e-9, 1e9) &&
                    is_between(s.number("watts_per_count", 1), 1e-9, 1e6) &&
                    is_between(s.number("frozen_after_s", 1), 0, 1e6) && is_between(s.number("check_s", 1), 1e-3, 1e3);
  if (!sane) return fail("constants that make no sense", s.kind);
  if (s.kind == "counter") return std::make_unique<CounterDecoder>(s);
  if (s.kind == "power") return std::make_unique<PowerDecoder>(s);
  if (s.kind == "nvidia") return make_nvidia_decoder(s);
  if (s.kind == "checked-counter") return make_checked_counter(s);
  if (s.kind == "utilisation") return make_utilisation_decoder(s);
  if (s.kind == "freshness") return std::make_unique<FreshnessDecoder>(s);
  return fail("no decoder of this kind", s.kind, "a newer gramwatt may know it");
}

DecoderSpec counter_spec(double microjoules_per_count, std::uint64_t range, Watts power_limit) {
  return {"counter",
          {{"microjoules_per_count", microjoules_per_count},
           {"range", static_cast<double>(range)},
           {"power_limit_w", power_limit.value()}}};
}

DecoderSpec power_spec(double watts_per_count, Watts power_limit) {
  return {"power", {{"watts_per_count", watts_per_count}, {"power_limit_w", power_limit.value()}}};
}

}  // namespace gramwatt::sense
