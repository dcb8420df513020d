#pragma once
// What a job can do, side by side: each policy's plan, what it saves, and how likely it is to be worse than running at once.
//
// A plan is made with one forecast and lived with another future. So every plan is weighed again under possible futures (the
// whole error paths of earlier forecasts, whose neighbouring hours are wrong together), against running at once under the same
// future. Saving = 1 − carbon / carbon of running at once, everything charged on both sides.

#include <optional>
#include <string_view>
#include <vector>

#include "base/estimate.hpp"
#include "plan/problem.hpp"

namespace gramwatt::plan {

enum class Policy : std::uint8_t { now, flexible_start, pause_resume, exact };
[[nodiscard]] std::string_view to_string(Policy policy);  ///< "now", "flexible-start", "pause-resume", "exact"

/// Intensities that may come, slot by slot; empty where none are known.
using Futures = std::vector<std::vector<MilligramsPerKwh>>;

/// Futures of a forecast: the slots' own values times one plus the error that each path has at its time. `errors`: relative, by
/// hour from `first_hour` on; slots before and behind are taken as certain.
[[nodiscard]] Futures make_futures(const Slots& slots, const std::vector<std::vector<double>>& errors, Nanoseconds first_hour);

struct Option {
  Policy policy = Policy::now;
  Schedule schedule;
  Grams carbon;                      ///< under the forecast itself, keeping the machine included
  Grams kept;                        ///< of that, keeping the machine
  Shift spread;                      ///< 90 % of the futures lie within, relative to `carbon`
  Ratio saving;                      ///< under the forecast itself; negative: worse than running at once
  std::optional<Ratio> mean_saving;  ///< over the futures
  std::optional<Ratio> p_worse;      ///< share of the futures in which running at once emits less
  Joules energy;                     ///< waiting and restarts included
  std::vector<Cost> in_futures;      ///< carbon in each of them
};

struct Options {
  std::vector<Option> options;     ///< run now first
  std::size_t chosen = 0;          ///< the least carbon; the earlier policy of several
  std::vector<std::string> notes;  ///< policies that could not be used, and why
};

/// Kind missing where the job cannot run through at all, not even paused.
[[nodiscard]] Result<Options> weigh_options(const Problem& problem, const Futures& futures);

}  // namespace gramwatt::plan
