#pragma once
// What one machine draws, learned once from a reference. See calibration.cpp for the essay.

#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/estimate.hpp"
#include "sense/power_model.hpp"

namespace gramwatt::sense {

/// One level of load, held for a while.
struct CalibrationLevel {
  LoadKind kind = LoadKind::even;
  double load = 0;  ///< as asked for: duty of every thread, or the part of the threads that is wholly busy
  Ratio capacity;   ///< core capacity that was used (core_capacity_used), everything on the machine counted
  Watts reference;  ///< mean over the level
  Seconds length;
  std::vector<std::pair<std::string, Watts>> chips;  ///< mean of each chip sensor (Description::id) in the same time

  friend bool operator==(const CalibrationLevel&, const CalibrationLevel&) = default;
};

/// Everything that was seen: what a calibration is made from, and can be made from again.
struct CalibrationTrace {
  std::string cpu;        ///< CpuIdentity::name
  int threads = 0;        ///< CpuIdentity::threads
  std::string host;       ///< hash of the host's name: the same model of machine is not the same machine
  Nanoseconds utc{};      ///< when it began
  std::string reference;  ///< "meter", "node", "rapl"
  std::string source;     ///< for people: "a plug meter", "RAPL (powercap)"
  Boundary boundary = Boundary::node;
  double accuracy = 0;  ///< of the reference: 90 % of its readings are within ± this, relative
  std::vector<CalibrationLevel> levels;

  friend bool operator==(const CalibrationTrace&, const CalibrationTrace&) = default;
};

/// Power by capacity used: never falling.
struct CalibratedCurve {
  Watts idle;
  std::array<Watts, 11> active{};  ///< above idle at 0, 10, … 100 %
  Watts error;                     ///< 90 % of levels left out were predicted within ± this
};

/// What lies between the chips and the plug: plug = base + (1 + loss) × chips.
struct CalibratedPlatform {
  double loss = 0;
  Watts base;
  Shift loss_shift, base_shift;
};

struct Calibration {
  CalibratedCurve curve;                                       ///< of the reference, at its boundary
  std::vector<std::pair<std::string, CalibratedCurve>> chips;  ///< of each chip sensor that was read beside it
  std::optional<CalibratedPlatform> platform;                  ///< where chips were read beside a reference at the plug
};

/// Pure and deterministic. Fails with fewer than three levels, or without one at rest.
[[nodiscard]] Result<Calibration> fit(const CalibrationTrace& trace);

/// The curve alone, from (capacity used, watts). At least two points.
[[nodiscard]] CalibratedCurve fit_curve(std::span<const std::pair<double, double>> points);

/// "a plug meter, 2026-11-25": for sources.
[[nodiscard]] std::string calibrated_on(const CalibrationTrace& trace);

/// The model of this machine, rung `calibrated`, at the boundary of the reference.
[[nodiscard]] PowerModel calibrated_model(const CalibrationTrace& trace, const Calibration& calibration);

}  // namespace gramwatt::sense
