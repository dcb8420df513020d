#pragma once
// The policies that an exact plan is compared with: run at once, move the start, and the published pause-and-resume.
//
// Run at once is the counterfactual of every saving. Flexible start moves the job as a whole. Pause-and-resume (Dodge et al.,
// FAccT 2022) takes the slots of the window with the lowest intensity and pauses in between as if that cost nothing; here it
// is then charged with what it does cost, which is why it can be worse than running at once.
//
// Errors: kind missing where no schedule exists; the remedy says what would be possible. Pure functions.

#include "plan/problem.hpp"

namespace gramwatt::plan {

/// From the first slot on, without a pause; where slots are blocked, from the first one at which it can run through.
[[nodiscard]] Result<Schedule> run_now(const Problem& problem);

/// The start with the least carbon, waiting included; the earliest of several.
[[nodiscard]] Result<Schedule> flexible_start(const Problem& problem);

/// The slots with the lowest intensity, as many as the job needs, the earliest of equal ones; pauses by exit where the job
/// can, else held. It knows nothing of its costs, of shortest runs and pauses or of a limit of restarts. Where restarts take
/// slots of their own, it takes that many more.
[[nodiscard]] Result<Schedule> pause_resume(const Problem& problem);

}  // namespace gramwatt::plan
