#pragma once
// Where a plan may run: the places that are named, the regions of clouds, and how clean the power is in each.

#include <functional>
#include <memory>

#include "cli/grid_ahead.hpp"
#include "cli/plan_request.hpp"

namespace gramwatt::cli {

/// A place to plan for.
struct Candidate {
  std::string zone, name;
  std::shared_ptr<const Ahead> ahead;  ///< one for all regions of a zone
  Estimate<Ratio> pue;
  std::optional<place::Cloud> cloud;
  bool listed = false;  ///< a region of --clouds: what is known of home (its PUE) does not hold there
};

struct Candidates {
  std::vector<Candidate> places;   ///< home first
  std::vector<std::string> notes;  ///< what was left out, and why
};

/// Calls `work` with 0 … count−1, each once, on as many threads as there are processors. It must be thread-safe and not throw.
void in_parallel(std::size_t count, const std::function<void(std::size_t)>& work);

/// By --series, or --zone and --clouds, or where this machine is. Each zone is looked up once.
[[nodiscard]] Result<Candidates> plan_candidates(const Invocation& invocation, const Settings& settings, grid::Window window,
                                                 Nanoseconds now);

/// What moving data from home once costs, by --data-gb and --transfer-energy.
struct Transfer {
  Estimate<Joules> energy;
};
[[nodiscard]] Result<std::optional<Transfer>> transfer_request(const Invocation& invocation);

/// That energy, at the mean of both places' intensity over the window.
[[nodiscard]] Estimate<Grams> transfer_carbon(const Transfer& transfer, const report::PlannedPlace& home,
                                              const report::PlannedPlace& there);

}  // namespace gramwatt::cli
