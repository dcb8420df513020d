#pragma once
// Which processes used a GPU of AMD or Intel, and how much.
//
// Two books are kept by the kernel, both without a library:
//
// DRM (Documentation/gpu/drm-usage-stats.rst): /proc/PID/fdinfo/FD of an open render node tells how long each engine worked for
// that client: drm-engine-NAME in nanoseconds (amdgpu, i915), or drm-cycles-NAME of drm-total-cycles-NAME (xe). The same client
// may be open in several descriptors and processes: (drm-pdev, drm-client-id) names it, and it counts once. Values may fall
// back for a while; then the largest seen stands.
//
// KFD (drivers/gpu/drm/amd/amdkfd/kfd_process.c): ROCm's compute goes past DRM's books, through queues of its own:
// /sys/class/kfd/kfd/proc/PID/queues/N/gpuid says who has queues on which GPU, and stats_GPUID/cu_occupancy how many compute
// units a process keeps busy at this moment. Every user may read it, of every process; pids are those of the host.
//
// Of DRM, only what we may look at is seen: our own processes, or all for root. So the share is an upper bound where other
// users draw on the same GPU; `sees_everybody` tells.
//
// Cost: the list of /proc once a call (a call a second), the descriptors of new processes, and of old ones eight of the job's
// and eight of others, in turn; then one small file a client. docs/validation.md has the measured cost.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "base/system.hpp"
#include "sense/gpu_device.hpp"

namespace gramwatt::sense {

/// One fdinfo file of a DRM client.
struct DrmClient {
  struct Engine {
    std::string name;             ///< "gfx", "compute", "rcs", …
    std::uint64_t busy = 0;       ///< nanoseconds, or cycles
    std::uint64_t of_cycles = 0;  ///< 0: `busy` is nanoseconds
  };
  std::string driver;
  std::string address;  ///< drm-pdev
  std::uint64_t id = 0;
  std::vector<Engine> engines;
};

/// Nothing when this is not a DRM client that can be told from others.
[[nodiscard]] std::optional<DrmClient> parse_drm_fdinfo(std::string_view text);

/// Shared by the sensors of all GPUs of a machine. One thread at a time.
class GpuClients {
 public:
  explicit GpuClients(const Roots& roots);

  /// Which part of what `gpu` did since the last call for it was done by processes that `is_job` holds for; nothing when it did
  /// nothing that can be seen, and at the first call.
  [[nodiscard]] std::optional<Ratio> share(const GpuDevice& gpu, const std::function<bool(pid_t)>& is_job);

  /// Processes that have queues on this GPU now.
  [[nodiscard]] std::size_t kfd_users(const GpuDevice& gpu) const;

  /// May we look into every process?
  [[nodiscard]] bool sees_everybody() const { return sees_everybody_; }

 private:
  struct Process {
    bool is_job = false;
    bool is_hidden = false;        ///< of another user
    unsigned seen = 0;             ///< round
    std::vector<int> descriptors;  ///< those that are DRM's
  };
  struct Client {
    std::map<std::string, DrmClient::Engine, std::less<>> engines;
    bool is_job = false;
    bool is_new = true;
    unsigned seen = 0;  ///< round
  };
  struct Work {
    double job = 0, all = 0;
  };

  void begin_round(const std::function<bool(pid_t)>& is_job);
  void list_processes(const std::function<bool(pid_t)>& is_job);
  void look_again(bool of_job, int most, pid_t& next);
  void find_descriptors(pid_t pid, Process& process) const;
  void read_clients();
  void account(const DrmClient& now, bool is_job);
  [[nodiscard]] std::optional<Ratio> kfd_share(const GpuDevice& gpu, const std::function<bool(pid_t)>& is_job,
                                               bool& has_occupancy) const;

  Roots roots_;
  bool sees_everybody_;
  bool host_pids_;  ///< our pids are the host's, as KFD's are
  unsigned round_ = 0;
  std::map<pid_t, Process> processes_;
  pid_t next_of_job_ = 0, next_other_ = 0;
  std::map<std::string, Client, std::less<>> clients_;  ///< by address and id
  std::map<std::string, Work, std::less<>> work_;       ///< of this round, by address
  std::set<std::string, std::less<>> asked_;            ///< addresses, in this round
};

}  // namespace gramwatt::sense
