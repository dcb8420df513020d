#pragma once
// Decoder kind "nvidia": see nvidia_decoder.cpp.

#include <memory>

#include "sense/raw.hpp"

namespace gramwatt::sense {

/// How a board's power sensor sees: what the decoder needs to know of it.
struct PowerSensorShape {
  Nanoseconds period = std::chrono::milliseconds(100);  ///< a new value every so often
  Nanoseconds window = std::chrono::milliseconds(100);  ///< which is the mean of the last so much time
  Nanoseconds lag{};                                    ///< and describes a window that ended so long ago
  Nanoseconds response{};                               ///< > 0: no boxcar but a first-order response with this time constant

  /// The part of time that the sensor sees.
  [[nodiscard]] double coverage() const {
    return window >= period ? 1 : static_cast<double>(window.count()) / static_cast<double>(period.count());
  }
};

/// Values of a sample of this kind; each may be RawSample::kAbsent.
enum NvidiaValue : std::size_t {
  kNvidiaEnergy = 0,   ///< energy counter, mJ
  kNvidiaInstant = 1,  ///< power with the board's own shape, mW
  kNvidiaAverage = 2,  ///< power averaged over about a second, mW
};

struct NvidiaShapes {
  PowerSensorShape instant;
  PowerSensorShape average{std::chrono::milliseconds(100), std::chrono::seconds(1), {}, {}};
  bool has_counter = true;
  Nanoseconds counter_step = std::chrono::milliseconds(100);
  Watts power_limit{3000};  ///< more, over a step of the counter, is impossible
};

[[nodiscard]] DecoderSpec nvidia_spec(const NvidiaShapes& shapes);
[[nodiscard]] Result<std::unique_ptr<Decoder>> make_nvidia_decoder(const DecoderSpec& spec);

}  // namespace gramwatt::sense
