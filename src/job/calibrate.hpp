#pragma once
// Calibrating this machine: a load of each level in turn, and what the reference says meanwhile.

#include <functional>
#include <optional>
#include <string>

#include "job/calibration.hpp"
#include "job/load_generator.hpp"

namespace gramwatt::job {

struct CalibrateOptions {
  std::string reference;         ///< "meter", "node", "rapl"
  double meter_accuracy = 0.02;  ///< of the plug meter, relative; sensors know their own
  Seconds settle{3};             ///< before a level counts: clocks, fans and the meter's own average
  Seconds length{10};            ///< of a level
  Roots roots;
  /// Level `index` of `count` begins; for people.
  std::function<void(std::size_t index, std::size_t count, const LoadLevel& level)> on_level;
  /// reference "meter": what the meter shows now, asked while the level runs. Nothing: leave this level out. An Error ends all.
  std::function<Result<std::optional<Watts>>()> ask;
};

/// "at rest", "50 % on all threads", "2 of 8 threads wholly busy".
[[nodiscard]] std::string describe(const LoadLevel& level, int threads);

/// Takes minutes. Levels come in random order, so that what drifts (warmth, other work) is not taken for load. Unavailable
/// where the machine lacks the reference, with what would give it.
[[nodiscard]] Result<StoredCalibration> calibrate(Machine& machine, const CalibrateOptions& options, const Clock& clock);

/// The stored trace fitted again. `same`: to the figures that were stored.
struct Refit {
  StoredCalibration refitted;
  bool same = false;
};
[[nodiscard]] Result<Refit> refit(const StoredCalibration& stored);

}  // namespace gramwatt::job
