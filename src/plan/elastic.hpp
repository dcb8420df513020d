#pragma once
// A job that may be wide or narrow: how many workers in each slot, when more of them do more work at a worse rate.
//
// A job of 1..M workers need not pause to avoid dirty hours: it runs wide where power is clean and narrow, or not at all, where
// it is not (CarbonScaler: Hanafy et al., SIGMETRICS 2024). What a width is worth is its scaling curve: work done in a slot and
// energy drawn in it. The job must have done W by its deadline, which is the window's end; how it is spread is free.
//
// Exact: a dynamic program over (slot, work done), O(L·W·M), for work of few quanta. Greedy: a slot's widths as points (work,
// carbon); what lies above the lower hull of these points is left aside, and the hull's pieces of all slots are bought in order
// of carbon a unit of work until the work is done, O(L·M·log(L·M)). The pieces of one slot come in order by themselves, because
// a hull is convex. Bought to the last fraction, that is the optimum of the linear relaxation, so a bound below every plan: the
// gap to it is known without knowing the optimum. The last piece overshoots; single slots are then changed while that helps.
//
// Nothing is charged for changing the width. Whole numbers; pure functions.

#include <cstdint>
#include <vector>

#include "plan/problem.hpp"

namespace gramwatt::plan {

/// Work in quanta of the caller's choice (steps, samples, thousandths of a single worker's slot).
using Work = std::int64_t;

/// By number of workers: [0] is none, and does no work.
struct ScalingCurve {
  std::vector<Work> work;      ///< done in a slot, ≥ 0
  std::vector<Quanta> energy;  ///< drawn in it, ≥ 0; [0]: what waiting draws
};

struct ElasticProblem {
  std::vector<MilligramsPerKwh> intensity;  ///< by slot of the window
  ScalingCurve curve;
  Work work = 0;  ///< to be done, at least
};

struct ElasticPlan {
  std::vector<int> workers;  ///< by slot
  Cost cost = 0;
  Cost bound = 0;  ///< no plan costs less
  [[nodiscard]] Cost gap() const { return cost - bound; }
};

[[nodiscard]] Cost weigh(const ElasticProblem& problem, const std::vector<int>& workers);
[[nodiscard]] Work work_done(const ElasticProblem& problem, const std::vector<int>& workers);

/// Slots × work beyond which the exact table is refused: 2^26 cells, 128 MB.
inline constexpr std::int64_t kMostElasticCells = std::int64_t{1} << 26;

/// The least carbon of all; of several, the one with fewer workers in the first slot that differs. Kind missing where the work
/// cannot be done in the window (the remedy tells what can), kind usage for a curve that is none or a table that is too large.
[[nodiscard]] Result<ElasticPlan> elastic_exact(const ElasticProblem& problem);
/// Near it, with the gap known. The same errors but for the table.
[[nodiscard]] Result<ElasticPlan> elastic_greedy(const ElasticProblem& problem);

}  // namespace gramwatt::plan
