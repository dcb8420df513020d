#pragma once
// A sensor in two halves: an input that looks at the hardware, and a decoder that turns what it saw into energy.
//
// Everything that can be got wrong in an energy meter (units, wraps, resets, windows, frozen counters) is arithmetic on a few
// raw numbers and the instants at which they were seen. So the arithmetic is a pure object of its own, made from a kind and a
// few parameters: a simulator with a known truth can drive it, a fuzzer can, and a recording that holds raw samples and those
// parameters can be replayed years later through better arithmetic.
//
//     RawInput  ── samples ──►  Decoder  ── Reading ──►  the meter
//                     └──► RawTap (a recording)
//
// Thread safety: as Sensor, one thread at a time.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::sense {

/// What one look at the hardware gave. What the values mean is the decoder's to know.
struct RawSample {
  static constexpr std::size_t kMostValues = 6;
  /// Stands for a value that this look did not give (a field that the device lacks).
  static constexpr std::uint64_t kAbsent = ~std::uint64_t{0};

  Instant at;
  std::array<std::uint64_t, kMostValues> values{};
  std::uint8_t count = 0;

  [[nodiscard]] static RawSample of(const Instant& at, std::initializer_list<std::uint64_t> v) {
    RawSample s;
    s.at = at;
    for (const std::uint64_t each : v) s.values[s.count++] = each;
    return s;
  }
  [[nodiscard]] bool has(std::size_t i) const { return i < count && values[i] != kAbsent; }
};

class RawInput {
 public:
  virtual ~RawInput() = default;
  /// What was seen since the last call, oldest first: one sample of now, or for an input that a side thread polls, all that
  /// have come in, possibly none. Valid until the next call. No allocation when it succeeds.
  [[nodiscard]] virtual Result<std::span<const RawSample>> samples(const Clock& clock) = 0;
  /// As `samples`, and the last one is of now: the end of a run.
  [[nodiscard]] virtual Result<std::span<const RawSample>> samples_until_now(const Clock& clock) { return samples(clock); }
};

/// Which decoder, and its constants: all that a recording needs beside the samples. Numbers are exact up to 2^53.
struct DecoderSpec {
  std::string kind;
  std::map<std::string, double, std::less<>> numbers;

  [[nodiscard]] double number(std::string_view key, double otherwise) const;
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Takes the next sample. The first one begins at zero energy. An Error where the sample shows that the sensor is not to be
  /// trusted now (frozen, absurd): a gap, and the next good one goes on from there.
  [[nodiscard]] virtual Result<Reading> decode(const RawSample& sample) = 0;
  /// As Sensor::settled.
  [[nodiscard]] virtual Settled settled() const { return {}; }
};

/// The decoder of that kind; an Error for a kind that is not known here, or parameters that make no sense.
/// Kinds: "counter", "power", "power_sum", "power_difference", "power_product", "freshness" (decode.cpp), "nvidia"
/// (nvidia_decoder.cpp), "checked-counter", "utilisation".
[[nodiscard]] Result<std::unique_ptr<Decoder>> make_decoder(const DecoderSpec& spec);

/// Energy counter. `microjoules_per_count`; `range`: the raw value runs from 0 to this and then wraps (0: never);
/// `power_limit`: more is impossible. Where a value may be older than usual when it is read: numbers["stale_s"].
[[nodiscard]] DecoderSpec counter_spec(double microjoules_per_count, std::uint64_t range, Watts power_limit);
/// Power reading, integrated by the trapezoid rule.
[[nodiscard]] DecoderSpec power_spec(double watts_per_count, Watts power_limit);

/// Sees every raw sample of one sensor, for recordings.
class RawTap {
 public:
  virtual ~RawTap() = default;
  virtual void took(const RawSample& sample) = 0;
  virtual void failed(const Error& why) = 0;
};

/// A sensor made of an input and a decoder.
class RawSensor final : public Sensor {
 public:
  /// `spec` must be one that make_decoder takes; what it does not take is a bug of the caller.
  RawSensor(Description description, std::unique_ptr<RawInput> input, DecoderSpec spec);

  [[nodiscard]] const Description& describe() const override { return description_; }
  [[gnu::hot]] [[nodiscard]] Result<Reading> read(const Clock& clock) override;
  [[nodiscard]] Result<Reading> read_now(const Clock& clock) override;
  [[nodiscard]] const DecoderSpec* decoder() const override { return &spec_; }
  void record_to(RawTap* tap) override;
  [[nodiscard]] Settled settled() const override { return decoder_->settled(); }

 private:
  void begin_anew();
  [[gnu::hot]] Result<Reading> take(Result<std::span<const RawSample>> samples);

  Description description_;
  std::unique_ptr<RawInput> input_;
  DecoderSpec spec_;
  std::unique_ptr<Decoder> decoder_;
  RawTap* tap_ = nullptr;
  Reading last_{};
};

/// One number in a small file that is kept open: most of sysfs.
[[nodiscard]] std::unique_ptr<RawInput> number_file(std::filesystem::path path, Fd fd);

/// Several of them, read one after the other: one sample. A negative number, as a current amplifier at rest gives, counts as 0.
struct NumberFilePath {
  std::filesystem::path path;
  Fd fd;
};
[[nodiscard]] std::unique_ptr<RawInput> number_files(std::vector<NumberFilePath> files);

/// A function that gives one number: perf counters, library calls.
[[nodiscard]] std::unique_ptr<RawInput> number_from(std::function<Result<std::uint64_t>()> read);

}  // namespace gramwatt::sense
