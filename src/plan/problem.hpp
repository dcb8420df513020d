#pragma once
// A job that may wait and pause, and everything that waiting and pausing cost: the question that all policies answer, and the
// one place where an answer is weighed.
//
// The published study of moving jobs in time (Dodge et al., FAccT 2022) lets a job pause for free. Nothing is free: a restart
// reads its checkpoint and repeats what was lost, a job that is held in place keeps its GPU's context warm, a rented machine
// draws its idle power while it waits. All of these are charged here, to every policy alike.
//
// Everything is in whole numbers. Energy: quanta (Problem::quantum), intensity: mg/kWh, so that carbon is a whole number of
// quantum × mg/kWh, and two policies can be compared with ==. `make_problem` chooses the quantum so that no sum reaches 2^51.
//
// Thread safety: plain values, pure functions.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/quantity.hpp"
#include "plan/slots.hpp"

namespace gramwatt::plan {

/// Carbon in energy quanta × mg/kWh.
using Cost = std::int64_t;
/// Energy in quanta.
using Quanta = std::int32_t;

/// What a job does in one slot.
enum class Action : std::uint8_t {
  wait,     ///< not started yet
  run,      ///< one step of progress
  restart,  ///< comes back from exit: full power, no progress
  hold,     ///< paused in place (SIGSTOP, frozen): nothing to restart, but it draws its hold power
  off,      ///< paused by exit, from a checkpoint
  done,
};

/// One action a slot.
using Schedule = std::vector<Action>;

struct Problem {
  std::vector<MilligramsPerKwh> intensity;  ///< by slot of the window
  std::vector<Quanta> steps;                ///< energy of each step of progress; the job needs steps.size() slots of running
  std::vector<bool> blocked;                ///< slots in which the job must not run (it may be held); empty: none
  bool may_exit = true;                     ///< may it pause by exit?
  Quanta restart_energy = 0;                ///< in the first slot of each run after an exit
  int restart_slots = 0;                    ///< at each start after an exit, without progress,
  Quanta restart_power = 0;                 ///< each with this energy
  std::optional<Quanta> hold;               ///< energy of a slot held; nothing: it cannot be held
  Quanta wait = 0;                          ///< energy of a slot before the start or after an exit: a machine that is kept
  bool wait_after = false;                  ///< charged after the end too, to the end of the window: a machine that is owned
  Cost kept = 0;  ///< carbon of a slot of keeping the machine (its making): from the first slot to the finish, or,
                  ///< with wait_after, to the end of the window
  int min_run = 1, min_pause = 1;   ///< slots, ≥ 1; the last run may be shorter where the job ends
  std::optional<int> max_restarts;  ///< starts after an exit; coming back from a hold is none
  Joules quantum{};                 ///< one quantum of energy

  [[nodiscard]] int slots() const { return static_cast<int>(intensity.size()); }
  [[nodiscard]] int length() const { return static_cast<int>(steps.size()); }
  [[nodiscard]] bool is_blocked(int slot) const { return !blocked.empty() && blocked[static_cast<std::size_t>(slot)]; }
};

[[nodiscard]] Grams grams(Cost cost, const Problem& problem);
/// The nearest whole one.
[[nodiscard]] Cost cost_of(Grams carbon, Joules quantum);

/// Carbon of a schedule under `intensity` (the problem's own where none is given: the same plan under another future).
[[nodiscard]] Cost weigh(const Problem& problem, const Schedule& schedule);
[[nodiscard]] Cost weigh(const Problem& problem, const Schedule& schedule, std::span<const MilligramsPerKwh> intensity);
/// Of that, what keeping the machine weighs, whatever the intensity.
[[nodiscard]] Cost kept_carbon(const Problem& problem, const Schedule& schedule);
/// Energy of each slot of a schedule, waiting included; and what that weighs, for one schedule under many futures.
[[nodiscard]] std::vector<Quanta> draws(const Problem& problem, const Schedule& schedule);
[[nodiscard]] Cost weigh(std::span<const Quanta> draws, std::span<const MilligramsPerKwh> intensity);
/// Energy of a schedule, waiting included.
[[nodiscard]] Joules energy(const Problem& problem, const Schedule& schedule);

/// Why a schedule does not answer the problem (a rule that it breaks); empty when it does.
[[nodiscard]] std::string objection(const Problem& problem, const Schedule& schedule);

/// Half-open range of slots in which the job runs or restarts.
struct Run {
  int begin = 0, end = 0;
  friend bool operator==(const Run&, const Run&) = default;
};
[[nodiscard]] std::vector<Run> runs(const Schedule& schedule);
/// Starts after an exit.
[[nodiscard]] int restarts(const Schedule& schedule);
/// The slot behind the last one in which it runs.
[[nodiscard]] int finish(const Schedule& schedule);

}  // namespace gramwatt::plan
