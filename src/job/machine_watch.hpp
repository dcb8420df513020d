#pragma once
// The whole machine, watched: what it draws and which processes cause it, for as long as somebody looks.

#include <memory>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "job/machine.hpp"
#include "meter/meter.hpp"
#include "meter/process_share.hpp"

namespace gramwatt::job {

/// One look: powers are means over `length`, energies since watching began.
struct MachineLook {
  Instant at;
  Seconds length, elapsed;
  Estimate<Watts> power, active, idle;  ///< at the plug
  struct Device {
    const Channel* channel = nullptr;
    Watts active, idle;
  };
  std::vector<Device> devices;
  /// What of the active energy follows CPU time and was split over processes, what was left of it, and what GPUs used.
  Microjoules split, unattributed, gpu;
  Microjoules total, total_idle, total_gpu;
};

class MachineWatch {
 public:
  /// First readings and a first look at the processes. `clock` outlives it.
  [[nodiscard]] static Result<std::unique_ptr<MachineWatch>> begin(const Roots& roots, Machine machine, const Clock& clock);

  /// Readable when `tick` is due: every 100 ms where there are sensors, else once a second.
  [[nodiscard]] const Fd& timer() const { return timer_; }
  void tick();

  /// Time that has been measured since the last look, in whole closed intervals of about a second.
  [[nodiscard]] Nanoseconds waiting() const { return length_; }

  /// Looks at the processes and splits what was measured since the last look; `waiting` must not be zero.
  [[nodiscard]] MachineLook look();

  [[nodiscard]] const meter::ProcessShare& processes() const { return share_; }

 private:
  MachineWatch(meter::Setup setup, meter::ProcessShare share, Nanoseconds interval);

  meter::Meter meter_;
  meter::ProcessShare share_;
  Fd timer_;
  std::vector<Flow> flows_;  ///< by channel, since the last look
  Nanoseconds length_{}, machine_cpu_{};
  Instant end_;
  Microjoules total_, total_idle_, total_gpu_;
};

}  // namespace gramwatt::job
