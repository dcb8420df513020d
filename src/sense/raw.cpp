#include "sense/raw.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/text.hpp"

namespace gramwatt::sense {
namespace {

class NumberFile final : public RawInput {
 public:
  NumberFile(std::filesystem::path path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  [[gnu::hot]] [[nodiscard]] Result<std::span<const RawSample>> samples(const Clock& clock) override {
    const auto raw = pread_number(fd_, path_);
    if (!raw) return tl::unexpected(raw.error());
    sample_ = RawSample::of(clock.now(), {*raw});
    return std::span<const RawSample>(&sample_, 1);
  }

 private:
  std::filesystem::path path_;
  Fd fd_;
  RawSample sample_;
};

class NumberFiles final : public RawInput {
 public:
  explicit NumberFiles(std::vector<NumberFilePath> files) : files_(std::move(files)) {}
  [[nodiscard]] Result<std::span<const RawSample>> samples(const Clock& clock) override {
    sample_.count = 0;
    for (const NumberFilePath& f : files_) {
      std::array<char, 64> buffer;
      const auto text = pread_text(f.fd.get(), buffer.data(), buffer.size());
      if (!text) return fail(text.error().what, f.path.string());
      const auto number = parse_number<std::int64_t>(*text);
      if (!number) return fail("not a number: \"" + std::string(trim(*text)) + "\"", f.path.string());
      sample_.values[sample_.count++] = static_cast<std::uint64_t>(std::max<std::int64_t>(0, *number));
    }
    sample_.at = clock.now();
    return std::span<const RawSample>(&sample_, 1);
  }

 private:
  std::vector<NumberFilePath> files_;
  RawSample sample_;
};

class NumberFrom final : public RawInput {
 public:
  explicit NumberFrom(std::function<Result<std::uint64_t>()> read) : read_(std::move(read)) {}
  [[nodiscard]] Result<std::span<const RawSample>> samples(const Clock& clock) override {
    const auto raw = read_();
    if (!raw) return tl::unexpected(raw.error());
    sample_ = RawSample::of(clock.now(), {*raw});
    return std::span<const RawSample>(&sample_, 1);
  }

 private:
  std::function<Result<std::uint64_t>()> read_;
  RawSample sample_;
};

}  // namespace

double DecoderSpec::number(std::string_view key, double otherwise) const {
  const auto it = numbers.find(key);
  return it == numbers.end() ? otherwise : it->second;
}

RawSensor::RawSensor(Description description, std::unique_ptr<RawInput> input, DecoderSpec spec)
    : description_(std::move(description)), input_(std::move(input)), spec_(std::move(spec)) {
  begin_anew();
}

void RawSensor::begin_anew() {
  auto decoder = make_decoder(spec_);
  if (!decoder) std::abort();
  decoder_ = std::move(*decoder);
  last_ = {};
}

void RawSensor::record_to(RawTap* tap) {
  tap_ = tap;
  if (tap != nullptr) begin_anew();  // the decoder sees what the recording holds and nothing else, to the last microjoule
}

Result<Reading> RawSensor::read(const Clock& clock) { return take(input_->samples(clock)); }

Result<Reading> RawSensor::read_now(const Clock& clock) { return take(input_->samples_until_now(clock)); }

Result<Reading> RawSensor::take(Result<std::span<const RawSample>> samples) {
  if (!samples) {
    if (tap_ != nullptr) tap_->failed(samples.error());
    return tl::unexpected(samples.error());
  }
  Result<Reading> reading = last_;
  bool resumed = false;
  for (const RawSample& sample : *samples) {
    if (tap_ != nullptr) tap_->took(sample);
    reading = decoder_->decode(sample);
    if (!reading) {
      if (reading.error().where.empty()) reading.error().where = description_.device;
      continue;
    }
    resumed = resumed || reading->resumed;
    last_ = *reading;
    last_.resumed = false;
  }
  if (reading && resumed) reading->resumed = true;
  return reading;
}

std::unique_ptr<RawInput> number_file(std::filesystem::path path, Fd fd) {
  return std::make_unique<NumberFile>(std::move(path), std::move(fd));
}

std::unique_ptr<RawInput> number_files(std::vector<NumberFilePath> files) {
  return std::make_unique<NumberFiles>(std::move(files));
}

std::unique_ptr<RawInput> number_from(std::function<Result<std::uint64_t>()> read) {
  return std::make_unique<NumberFrom>(std::move(read));
}

}  // namespace gramwatt::sense
