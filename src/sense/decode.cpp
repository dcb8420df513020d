// The decoders that several families share. See raw.hpp.
//
//   counter     {count}               energy counters of any unit and width (RAPL, Intel and AMD GPUs, …)
//   power       {count}               power readings, integrated over the time between them
//   power_sum         {count, …}      the same of what several meters say together: the power supplies of a server
//   power_difference  {whole, part…}  … of what the parts leave of a whole; never below nothing
//   power_product     {volts, amperes}
//   freshness   {count, freshness}    a counter beside a number that changes with every publication (Cray): one that stands
//                                     still means a controller that has stopped, which must not look like a node without power
//
// Parameters that come from a recording may be anything; what makes no sense is refused here.

#include <algorithm>
#include <cmath>
#include <optional>

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
                 s.number("microjoules_per_count", 1), Seconds(s.number("stale_s", WideCounter::kUsuallyStale.value()))) {}
  [[gnu::hot]] [[nodiscard]] Result<Reading> decode(const RawSample& sample) override {
    if (!sample.has(0)) return fail("no value");
    const auto step = counter_.update(sample.values[0], sample.at.monotonic);
    return Reading{step.total, sample.at, step.resumed};
  }

 private:
  WideCounter counter_;
};

/// What the values of one sample are together, in counts; nothing where one that is needed is absent.
using Combine = std::optional<double> (*)(const RawSample&);

std::optional<double> first_value(const RawSample& s) {
  return s.has(0) ? std::optional(static_cast<double>(s.values[0])) : std::nullopt;
}

std::optional<double> sum_of_values(const RawSample& s) {
  double sum = 0;
  for (std::size_t i = 0; i < s.count; ++i) {
    if (!s.has(i)) return std::nullopt;
    sum += static_cast<double>(s.values[i]);
  }
  return s.count > 0 ? std::optional(sum) : std::nullopt;
}

std::optional<double> first_without_the_others(const RawSample& s) {
  const auto all = sum_of_values(s);
  return all ? std::optional(std::max(0.0, 2 * static_cast<double>(s.values[0]) - *all)) : std::nullopt;
}

std::optional<double> product_of_values(const RawSample& s) {
  if (!s.has(0) || !s.has(1)) return std::nullopt;
  return static_cast<double>(s.values[0]) * static_cast<double>(s.values[1]);
}

class PowerDecoder final : public Decoder {
 public:
  PowerDecoder(const DecoderSpec& s, Combine combine)
      : combine_(combine), watts_per_count_(s.number("watts_per_count", 1)), limit_(s.number("power_limit_w", 0)) {}
  [[nodiscard]] Result<Reading> decode(const RawSample& sample) override {
    const auto counts = combine_(sample);
    if (!counts) return fail("no value");
    const Watts power(*counts * watts_per_count_);
    if (power > limit_) return fail(fmt::format("{:.4g} W is more than this can draw", power.value()));
    const bool joined = integral_.add(power, sample.at);
    return Reading{integral_.energy(), sample.at, !joined};
  }

 private:
  Combine combine_;
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
                    is_between(s.number("frozen_after_s", 1), 0, 1e6) && is_between(s.number("stale_s", 0), 0, 60) &&
                    is_between(s.number("check_s", 1), 1e-3, 1e3);
  if (!sane) return fail("constants that make no sense", s.kind);
  if (s.kind == "counter") return std::make_unique<CounterDecoder>(s);
  if (s.kind == "power") return std::make_unique<PowerDecoder>(s, first_value);
  if (s.kind == "power_sum") return std::make_unique<PowerDecoder>(s, sum_of_values);
  if (s.kind == "power_difference") return std::make_unique<PowerDecoder>(s, first_without_the_others);
  if (s.kind == "power_product") return std::make_unique<PowerDecoder>(s, product_of_values);
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
