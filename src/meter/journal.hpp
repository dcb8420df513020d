#pragma once
// What a meter saw beside its sensors, tick by tick: with the sensors' raw samples (sense/raw.hpp) all that is needed to make
// the same account again.

#include <optional>
#include <span>
#include <utility>

#include "base/clock.hpp"
#include "meter/machine_cpu.hpp"

namespace gramwatt::meter {

/// One tick, told when all its readings have been taken.
struct TickFacts {
  enum class Kind { start, tick, turn, last };  ///< turn: a tick that closes the interval, whatever its length
  Kind kind = Kind::tick;
  Instant at;
  int sharers = 1;
  std::optional<Nanoseconds> tree_cpu;                     ///< where it was asked for
  const ProcStat* machine = nullptr;                       ///< where it was read; valid during the call
  std::span<const std::pair<std::size_t, double>> shares;  ///< sensor, the job's part of what a shared device did
  bool children_unseen = false;                            ///< as Meter::children_unseen
};

/// Called from the sampling thread; must not wait for a disk.
class Journal {
 public:
  virtual ~Journal() = default;
  virtual void tick(const TickFacts& facts) = 0;
};

}  // namespace gramwatt::meter
