#pragma once
// The amdgpu driver's table of measurements, /sys/class/drm/cardN/device/gpu_metrics.
//
// One binary table that the firmware fills, in many versions: a header of four bytes says how long it is and which layout
// follows (format and content revision). What is not measured on a board is all ones. Layouts and units: Linux,
// drivers/gpu/drm/amd/include/kgd_pp_interface.h (v1.0 to v1.8, v2.x, v3.0) and drivers/gpu/drm/amd/pm/swsmu/smu_cmn.h (v1.9,
// which describes itself: a list of encodings, each followed by its values).
//
//   v1.0 .. v1.3   boards of their own: average power; energy in 32 (v1.0) or 64 bits
//   v1.4 .. v1.9   MI300 and later: current power; energy
//   v2.x, v3.0     processors with graphics (APU): power of the whole socket, no energy
//
// Energy counts 2^-16 J = 15.2588 µJ (stated for v1.4 and later; AMD's libraries use it for all, rounded to 15.3 µJ, which is
// 0.27 % too much). Tables of v1.2 and later also carry the firmware's clock (ticks of 10 ns); it is not needed here, because
// the driver asks the firmware anew at every read that comes more than a millisecond after the last (smu_cmn.c).
// On many consumer boards the firmware fills only the low 32 bits, which then wrap, and where it has
// stopped counting (RDNA3 with newer firmware, RDNA4) the driver writes 2^32 - 1 into the 64-bit field.
// On the second die of an MI200 module energy and power are 0: the first die speaks for both (aldebaran_ppt.c).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/quantity.hpp"

namespace gramwatt::sense {

/// The whole file is at most this long (a 16-bit length); v1.8 has 3,360 bytes.
inline constexpr std::size_t kMostGpuMetrics = 65535;

/// Microjoules a count of the energy accumulator: 2^-16 J.
inline constexpr double kGpuMetricsEnergyUnit = 1e6 / 65536;

struct GpuMetrics {
  unsigned format = 0, content = 0;     ///< revision
  std::optional<std::uint64_t> energy;  ///< counts of kGpuMetricsEnergyUnit
  std::optional<Watts> power;           ///< of the socket or board: a moving average (v1.0 to v1.3, v2, v3) or current
  std::optional<Ratio> activity;        ///< of the graphics and compute engine, 0..1
  bool is_apu = false;                  ///< power is of a socket that holds the CPU too
};

/// Reads the table. An Error for one that is cut short, is longer than its header says, or has a layout that is not known
/// here. No allocation when it succeeds.
[[nodiscard]] Result<GpuMetrics> parse_gpu_metrics(std::string_view bytes);

}  // namespace gramwatt::sense
