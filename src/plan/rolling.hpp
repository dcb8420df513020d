#pragma once
// Plans that are lived: replanned as forecasts come in, or made without any forecast; and judged by what came.
//
// A plan over days is made with a forecast that will be wrong. Replanning goes on from where the job stands: a job that runs
// has its restart behind it, one that is off has yet to pay it, so that a new forecast changes the plan only where that pays.
// Every plan, new or old, ends in time: a deadline that could be kept at the start is kept whatever the forecasts say.
//
// Without a forecast there is the threshold: run while the power is cleaner than it has been for the share of time that the job
// needs (Wiesner et al., "Let's Wait Awhile", Middleware 2021, and the quantile of Souza et al., "Ecovisor", ASPLOS 2023),
// until only running on can keep the deadline.
//
// Pure functions; what a forecast may know is the caller's part.

#include <functional>

#include "plan/exact.hpp"

namespace gramwatt::plan {

/// Intensity of slots [slot, slots of the window) as it is known or forecast at the start of `slot`; exactly so many.
using Foresight = std::function<std::vector<MilligramsPerKwh>(int slot)>;

/// `truth`: its intensity is what comes, and is not looked at. Replans every `replan_every` slots (≥ 1) from the first one on,
/// and never in the midst of a restart. Kind missing where no schedule keeps the rules; kind usage for a foresight of the wrong
/// length.
[[nodiscard]] Result<Schedule> rolling(const Problem& truth, const Foresight& foresight, int replan_every);

struct ThresholdRules {
  std::span<const MilligramsPerKwh> past;  ///< intensity of the time before the window, newest last; not empty
  int patience = 1;                        ///< slots that a run or a pause lasts at least, against flicker
};

/// Runs where the intensity of the slot is at most the quantile k / L of the past, pauses elsewhere, while the deadline can
/// still be kept. Kinds as above.
[[nodiscard]] Result<Schedule> threshold(const Problem& truth, const ThresholdRules& rules);

}  // namespace gramwatt::plan
