#pragma once
// Decoder kind "utilisation": for a device that tells how busy it is, in percent, and no power.

#include <memory>

#include "sense/raw.hpp"

namespace gramwatt::sense {

/// Power = idle + (full − idle) × percent / 100, integrated over time.
[[nodiscard]] DecoderSpec utilisation_spec(Watts idle, Watts full);
[[nodiscard]] Result<std::unique_ptr<Decoder>> make_utilisation_decoder(const DecoderSpec& spec);

}  // namespace gramwatt::sense
