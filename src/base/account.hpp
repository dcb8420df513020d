#pragma once
// The account of a run, as it travels from the meter to the footprint and the ledger.
//
// A run has a few channels (one a sensor, or the model) and many intervals (about one a second). In every interval each channel
// says how much energy the whole machine used there and how that splits: the machine's idle part, and what of active and of
// idle is the measured program's. All are whole microjoules, so the law
//     job + unattributed = machine
// holds to the last one, at every tick. What is unattributed is never stored: it is the rest.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/estimate.hpp"
#include "base/quantity.hpp"

namespace gramwatt {

enum class Component { cpu, memory, gpu, platform, other };
[[nodiscard]] std::string_view to_string(Component c);
[[nodiscard]] std::optional<Component> parse_component(std::string_view text);

/// Who pays for what the machine draws while it does nothing.
enum class IdleOwner { job, host };
[[nodiscard]] std::string_view to_string(IdleOwner o);
[[nodiscard]] std::optional<IdleOwner> parse_idle_owner(std::string_view text);

/// What a channel is: fixed for the length of a run.
struct Channel {
  Component component = Component::other;
  std::string device;  ///< "package-0", "NVIDIA H100 (GPU-5f…)", "2 of 384 threads of an AMD EPYC server"
  Boundary boundary = Boundary::node;
  Method method = Method::assumed;
  std::string source;  ///< sensor or table, with its year
  Terms active_terms;  ///< error terms of the active part
  Terms idle_terms;    ///< error terms of the idle part
};

/// What one channel saw in one interval.
struct Flow {
  Microjoules machine;       ///< everything the whole machine used here
  Microjoules machine_idle;  ///< of that, what it would have used doing nothing
  Microjoules job_active;    ///< the program's part of (machine − machine_idle)
  Microjoules job_idle;      ///< the program's part of machine_idle, by the owner rule

  [[nodiscard]] Microjoules job() const { return job_active + job_idle; }
  [[nodiscard]] Microjoules unattributed() const { return machine - job(); }
  Flow& operator+=(const Flow& o) {
    machine += o.machine;
    machine_idle += o.machine_idle;
    job_active += o.job_active;
    job_idle += o.job_idle;
    return *this;
  }
};

/// One closed interval of a run: half-open [start, end). `flows` follows the run's channels.
struct Interval {
  Instant start, end;
  std::vector<Flow> flows;
  Nanoseconds job_cpu{};      ///< CPU time of the program's process tree
  Nanoseconds machine_cpu{};  ///< CPU time of everything on the machine, steal excluded
  Nanoseconds steal{};        ///< time a hypervisor took away; never charged
};

/// Energy or time that could not be read, and what was done about it.
struct Gap {
  std::string component;  ///< "cpu", "gpu", … or "all"
  Seconds length;
  std::string why;  ///< with what fills it: "read failed (EIO): filled from the mean power of the run"
};

}  // namespace gramwatt
