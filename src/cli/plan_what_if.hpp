#pragma once
// `plan --what-if gpu=NAME[:N]`: the job's present GPUs, and the others that it is moved to.

#include <optional>

#include "cli/plan_request.hpp"
#include "plan/what_if.hpp"

namespace gramwatt::cli {

struct WhatIfs {
  plan::Gpus present;
  plan::GpuUse use;
  std::vector<plan::Gpus> others;
};

/// Nothing where nothing is asked. The present GPUs are those of --gpu, else of the run that the job is like.
[[nodiscard]] Result<std::optional<WhatIfs>> what_ifs(const Invocation& invocation, const PlanRequest& request);

/// The same job on other GPUs, in a window of its own. Kind missing where the deadline comes before its end.
[[nodiscard]] Result<PlanRequest> moved(const PlanRequest& request, const plan::Move& move);

/// What a reader should know of the move: memory, arithmetic.
[[nodiscard]] std::vector<std::string> notes_of(const plan::Gpus& present, const plan::Gpus& other, const plan::Move& move);

}  // namespace gramwatt::cli
