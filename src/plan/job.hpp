#pragma once
// A job in the units that people know, and the problem in whole numbers that planners solve.

#include <optional>
#include <string_view>
#include <vector>

#include "plan/problem.hpp"

namespace gramwatt::plan {

/// Whose machine waits while the job does not run.
enum class Machine : std::uint8_t {
  shared,  ///< others use it: waiting costs nothing
  owned,   ///< it idles before, between and after, whatever is planned: charged to every option alike, to the end of the window
  rented,  ///< it idles, and is paid, from the start of the window to the end of the job
};
[[nodiscard]] std::string_view to_string(Machine machine);
[[nodiscard]] std::optional<Machine> parse_machine(std::string_view text);

struct Job {
  /// Energy of each slot of progress, PUE included. The job occupies whole slots.
  std::vector<Joules> steps;
  bool may_exit = false;       ///< pause by exit from a checkpoint
  std::optional<Watts> hold;   ///< pause in place, at this power; nothing: cannot
  Joules restart_energy;       ///< in the first slot of each run after an exit
  Nanoseconds restart_time{};  ///< at full power without progress at each start after an exit; whole slots, rounded up
  Machine machine = Machine::shared;
  Watts wait;  ///< of the machine that waits; ignored for shared ones
  /// Making a machine, by the hour that it is kept: of a rented one to the end of the job, of an owned one to the end of the
  /// window; ignored for shared ones, which others keep.
  Grams embodied_per_hour;
  Nanoseconds min_run{}, min_pause{};  ///< whole slots, rounded up
  std::optional<int> max_restarts;

  [[nodiscard]] bool can_pause() const { return may_exit || hold.has_value(); }
};

/// Constant power: `energy` over so many whole slots as `duration` needs (rounded up).
[[nodiscard]] std::vector<Joules> constant_steps(Joules energy, Nanoseconds duration, Nanoseconds slot);

/// Whole slots that a time takes, rounded up.
[[nodiscard]] int slots_of(Nanoseconds time, Nanoseconds slot);

/// The quantum is a ten-thousandth of the largest energy of a slot, and coarser where sums would not fit. Kind usage for
/// negative energies and times, and for a job without a step or without energy.
[[nodiscard]] Result<Problem> make_problem(const Job& job, const Slots& slots, std::vector<bool> blocked = {});

}  // namespace gramwatt::plan
