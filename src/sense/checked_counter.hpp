#pragma once
// An energy counter that is believed only as long as power readings agree with it.
//
// AMD's energy accumulators are known to stand still (ROCm/rocm_smi_lib issue 180, ROCm/amdsmi issues 22 and 38) and to jump or
// go back (ROCm/amdsmi issue 115). A counter that has stopped looks like a GPU that draws nothing; one that jumps looks like a
// power station. Beside the counter stands a power reading, too coarse to be the measure but good enough to be the witness:
// over each second or so, what the counter gained is held against power × time, and a ratio outside 0.1 to 10 (the bounds of
// zeusd's self-test, github.com/ml-energy/zeus) ends the trust for the rest of the run. From then on power is integrated, and
// the second in which it happened too, so that nothing is lost and nothing appears from nowhere.
//
// Until a second has been judged, no more than twice power × time of its energy is shown. A counter that steps back, or jumps
// by more than the board can draw, is bridged by power × time for that one step.
//
// Values: {count, milliwatts}; either may be absent: without power nothing is checked, without a count power is integrated.
// Constants: as "counter", and `check_s`, the least length of a window.

#include <memory>

#include "sense/raw.hpp"

namespace gramwatt::sense {

/// As counter_spec.
[[nodiscard]] DecoderSpec checked_counter_spec(double microjoules_per_count, std::uint64_t range, Watts power_limit);

/// For make_decoder.
[[nodiscard]] std::unique_ptr<Decoder> make_checked_counter(const DecoderSpec& spec);

}  // namespace gramwatt::sense
