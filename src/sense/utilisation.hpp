#pragma once
// Decoder kind "utilisation": for a device that tells how busy it is, in percent, and no power.

#include <memory>

#include "sense/gpu_model.hpp"
#include "sense/raw.hpp"

namespace gramwatt::sense {

/// Power = idle + (full − idle) × percent / 100, integrated over time.
[[nodiscard]] DecoderSpec utilisation_spec(Watts idle, Watts full);
/// The same for a GPU that the tables know or at least a power limit is known of: makes `d` say that it is modelled, from what,
/// and how surely.
[[nodiscard]] DecoderSpec by_utilisation(const GpuModel& model, Description& d);
[[nodiscard]] Result<std::unique_ptr<Decoder>> make_utilisation_decoder(const DecoderSpec& spec);

}  // namespace gramwatt::sense
