#pragma once
// A recording, measured again: the same samples through the decoders, the meter and the account of this version.

#include <filesystem>
#include <functional>
#include <istream>
#include <string>

#include "job/run.hpp"

namespace gramwatt::job {

struct Replay {
  ledger::RunRecord record;                   ///< the account made now
  std::optional<ledger::RunRecord> recorded;  ///< the account that was made then; nothing where the recording was cut off
  std::size_t ticks = 0;
  std::string recorded_by;  ///< version
};

struct ReplayOptions {
  /// What to weigh with, and where it was: asked only where the recording does not tell, because it was cut off.
  std::function<Context(const sense::CpuIdentity&, const sense::PowerModel&)> context;
  /// Take other weights than those of the recording (--zone, --pue).
  bool weigh_anew = false;
  /// Take the model that this version's tables give for the recorded CPU, not the model that was recorded.
  bool model_anew = false;
};

/// Errors name the line. A last line that was cut off is no error.
[[nodiscard]] Result<Replay> replay(std::istream& in, const ReplayOptions& options);

}  // namespace gramwatt::job
