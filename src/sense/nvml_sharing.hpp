#pragma once
// Whose work did a shared board do? See nvml_sharing.cpp.

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "sense/nvml_library.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::sense {

/// NVML names processes as the host's root sees them; a container sees other numbers.
class HostPids {
 public:
  explicit HostPids(std::filesystem::path procfs);
  /// False: this process lives in a namespace of its own and the host's numbers cannot be seen.
  [[nodiscard]] bool known() const { return depth_ > 0; }
  /// The number that `host` has here; nothing when it has none.
  [[nodiscard]] std::optional<pid_t> here(pid_t host) const;

 private:
  std::filesystem::path procfs_;
  std::size_t depth_ = 0;  ///< which entry of NSpid is this process's namespace, from 1; 0: not known
};

/// The process ids of the NSpid line of /proc/PID/status, from the outermost namespace that this /proc shows inwards.
[[nodiscard]] std::vector<pid_t> parse_nspid(std::string_view status);

/// The instances of a partitioned board that the job may use.
struct MigSlices {
  struct Instance {
    unsigned id = 0;      ///< of the GPU instance
    unsigned slices = 0;  ///< of the board's compute
    bool usable_by_job = false;
  };
  std::vector<Instance> instances;
  unsigned of = 7;  ///< slices that the board has
};

class GpuSharing {
 public:
  GpuSharing(std::shared_ptr<NvmlLibrary> library, NvmlDevice board, std::filesystem::path procfs,
             std::optional<MigSlices> mig);

  /// Can the board tell whose work it does? False: all of it is the job's, or nobody knows.
  [[nodiscard]] bool can_tell() const;
  /// As Sensor::activity_share.
  [[nodiscard]] std::optional<Ratio> share(const std::function<bool(pid_t)>& is_job, const Clock& clock);
  [[nodiscard]] Settled settled() const;

 private:
  enum class Whose { job, other, unknown };
  [[nodiscard]] Whose whose(unsigned pid, const std::function<bool(pid_t)>& is_job) const;
  [[nodiscard]] bool list_processes();
  [[nodiscard]] std::optional<double> by_use(const std::function<bool(pid_t)>& is_job);
  [[nodiscard]] std::optional<double> by_processes(const std::function<bool(pid_t)>& is_job);
  [[nodiscard]] std::optional<double> by_slices() const;

  std::shared_ptr<NvmlLibrary> library_;
  NvmlDevice board_;
  HostPids pids_;
  std::optional<MigSlices> mig_;
  std::vector<NvmlProcess> processes_;
  std::size_t process_count_ = 0;
  std::vector<NvmlProcessUse> uses_;
  unsigned long long newest_use_ = 0;  ///< µs
  Nanoseconds next_look_{};
  std::optional<double> last_;
  double slice_sum_ = 0;
  int slice_looks_ = 0, blind_looks_ = 0;
};

}  // namespace gramwatt::sense
