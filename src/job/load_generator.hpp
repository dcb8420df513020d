#pragma once
// A load of known shape, for calibration: threads pinned to CPUs, wholly busy or for a part of the time.

#include <atomic>
#include <thread>
#include <vector>

#include "sense/cpu_identity.hpp"
#include "sense/power_model.hpp"

namespace gramwatt::job {

/// What to run. even: every thread busy for `load` of the time. busy_cores: `load` of the threads wholly busy, spread over
/// cores first. Load 0: nothing.
struct LoadLevel {
  sense::LoadKind kind = sense::LoadKind::even;
  double load = 0;
};

/// Runs from construction to destruction. Arithmetic in registers: no memory traffic, no system calls while busy.
class LoadGenerator {
 public:
  LoadGenerator(const LoadLevel& level, const sense::CpuIdentity& cpu);
  LoadGenerator(const LoadGenerator&) = delete;
  LoadGenerator& operator=(const LoadGenerator&) = delete;
  ~LoadGenerator();

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

/// The CPUs that this process may use, one thread of each core first.
[[nodiscard]] std::vector<int> cpus_cores_first(const sense::CpuIdentity& cpu);

/// The levels of a calibration: rest twice, 25 to 100 % evenly, and some threads wholly busy.
[[nodiscard]] std::vector<LoadLevel> calibration_levels(int threads);

}  // namespace gramwatt::job
