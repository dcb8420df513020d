#pragma once
// The study's jobs as problems for the exact planner. Internal to the study.

#include "plan/facct22.hpp"
#include "plan/problem.hpp"

namespace gramwatt::plan::facct22 {

/// Of one start: `window` is what is planned by.
[[nodiscard]] Problem exact_problem(std::span<const MilligramsPerKwh> window, const Cell& cell, Payment payment,
                                    const Charges& charges);

/// Adds what the schedule weighs to cell.exact, which must be there. `now`: what running at once weighs, mg/kWh × slots.
void add_exact_plan(Cell& cell, Payment payment, const Problem& problem, const Schedule& schedule,
                    std::span<const MilligramsPerKwh> judges, double now);

}  // namespace gramwatt::plan::facct22
