#pragma once
// Whose work a CPU package did: by cycles where perf allows, by socket and core in any case. See package_share.cpp.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/quantity.hpp"
#include "sense/cpu_identity.hpp"

namespace gramwatt::meter {

/// What the job and what everything did on one hardware thread in the same time, in the same unit: cycles, or ns of CPU time.
struct CpuWork {
  double job = 0, all = 0;
};

/// The job's part (0..1) of the energy that the active cores of `package` used. Vectors go by CPU number; `package` < 0: all.
/// Nothing where nobody did anything.
[[nodiscard]] std::optional<double> package_share(std::span<const CpuWork> work, const sense::CpuIdentity& cpu, int package);

/// The socket in "package-1", "dram of package-1-die-0"; -1 where none is named.
[[nodiscard]] int package_number(std::string_view device);

/// Opens a counter on one CPU, of everything (`cgroup` < 0) or of the processes in a cgroup (descriptor of its folder); the
/// function that it gives reads the count. Tests have their own.
using CpuCounter = std::function<Result<double>()>;
enum class CpuUnit { cycles, cpu_time };
using CpuCounterOpener = std::function<Result<CpuCounter>(CpuUnit unit, int cpu, int cgroup)>;
[[nodiscard]] CpuCounterOpener system_cpu_counter_opener();

/// Counts a cgroup's work on every CPU. Single-threaded.
class WorkByCpu {
 public:
  /// `cgroup`: descriptor of the folder, open while this lives. An Error where perf does not allow it (rights, no PMU and only
  /// one socket, which CPU time tells as well).
  [[nodiscard]] static Result<std::unique_ptr<WorkByCpu>> open(const sense::CpuIdentity& cpu, int cgroup,
                                                               const CpuCounterOpener& opener = system_cpu_counter_opener());

  /// Work since the last call. `busy`: CPU time of everything by CPU, for when cycles cannot be counted. False: a counter could
  /// not be read.
  [[nodiscard]] bool read(std::span<const Nanoseconds> busy, std::span<const CpuWork>& out);

  [[nodiscard]] bool counts_cycles() const { return unit_ == CpuUnit::cycles; }

 private:
  struct Cpu {
    CpuCounter job, all;
    double last_job = 0, last_all = 0;
  };
  CpuUnit unit_ = CpuUnit::cycles;
  std::vector<Cpu> cpus_;  ///< by CPU number; without counters where offline
  std::vector<CpuWork> work_;
};

}  // namespace gramwatt::meter
