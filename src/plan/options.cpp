#include "plan/options.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "plan/exact.hpp"
#include "plan/policies.hpp"

namespace gramwatt::plan {
namespace {

constexpr std::array<std::string_view, 4> kPolicies{"now", "flexible-start", "pause-resume", "exact"};
constexpr Nanoseconds kHour = std::chrono::hours(1);

Ratio saving(Cost carbon, Cost base) {
  return Ratio(base == 0 ? 0 : 1 - static_cast<double>(carbon) / static_cast<double>(base));
}

/// 5 % and 95 % of sorted values, relative to `value`.
Shift spread(std::vector<double>& values, double value) {
  if (values.empty() || value == 0) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(std::lround(share * static_cast<double>(values.size() - 1)))];
  };
  return {std::min(0.0, at(0.05) / value - 1), std::max(0.0, at(0.95) / value - 1)};
}

/// What a schedule weighs under any intensity.
struct Weight {
  Weight(const Problem& p, const Schedule& schedule) : drawn(draws(p, schedule)), kept(kept_carbon(p, schedule)) {}
  [[nodiscard]] Cost under(std::span<const MilligramsPerKwh> intensity) const { return weigh(drawn, intensity) + kept; }

  std::vector<Quanta> drawn;
  Cost kept;
};

Option judge(const Problem& p, Policy policy, Schedule schedule, const Weight& now, const Futures& futures) {
  Option o;
  o.policy = policy;
  const Weight weight(p, schedule);
  const Cost carbon = weight.under(p.intensity), base = now.under(p.intensity);
  o.carbon = grams(carbon, p);
  o.kept = grams(weight.kept, p);
  o.saving = saving(carbon, base);
  o.energy = energy(p, schedule);
  std::vector<double> carbons;
  double savings = 0;
  int worse = 0;
  for (const auto& future : futures) {
    const Cost then = weight.under(future), base_then = now.under(future);
    carbons.push_back(static_cast<double>(then));
    o.in_futures.push_back(then);
    savings += saving(then, base_then).value();
    worse += then > base_then ? 1 : 0;
  }
  o.spread = spread(carbons, static_cast<double>(carbon));
  if (!futures.empty()) {
    const auto n = static_cast<double>(futures.size());
    o.mean_saving = Ratio(savings / n);
    o.p_worse = Ratio(worse / n);
  }
  o.schedule = std::move(schedule);
  return o;
}

}  // namespace

std::string_view to_string(Policy policy) { return kPolicies[static_cast<std::size_t>(policy)]; }

Futures make_futures(const Slots& slots, const std::vector<std::vector<double>>& errors, Nanoseconds first_hour) {
  Futures futures;
  futures.reserve(errors.size());
  for (const std::vector<double>& path : errors) {
    std::vector<MilligramsPerKwh> future = slots.intensity;
    for (std::size_t i = 0; i < future.size(); ++i) {
      const Nanoseconds since = slots.time(i) + slots.length / 2 - first_hour;
      const auto hour = since < Nanoseconds{0} ? path.size() : static_cast<std::size_t>(since / kHour);
      if (hour < path.size()) future[i] = static_cast<MilligramsPerKwh>(std::lround(future[i] * std::max(0.0, 1 + path[hour])));
    }
    futures.push_back(std::move(future));
  }
  return futures;
}

Result<Options> weigh_options(const Problem& problem, const Futures& futures) {
  const bool pauses = problem.may_exit || problem.hold.has_value();
  auto now = run_now(problem);
  Options all;
  const auto add = [&](Policy policy, Result<Schedule> schedule) {
    if (schedule) all.options.push_back(judge(problem, policy, std::move(*schedule), Weight(problem, *now), futures));
    else all.notes.push_back(fmt::format("{}: {}", to_string(policy), schedule.error().message()));
  };
  Result<Schedule> best = pauses ? exact(problem) : flexible_start(problem);
  if (!best) return tl::unexpected(best.error());
  if (!now) {  // blocked slots leave no room to run through: the best plan is what savings are told against
    all.notes.push_back("running at once is not possible: " + now.error().message());
    now = *best;
    add(Policy::exact, std::move(best));
    return all;
  }
  add(Policy::now, *now);
  add(Policy::flexible_start, flexible_start(problem));
  if (pauses) {
    add(Policy::pause_resume, pause_resume(problem));
    add(Policy::exact, std::move(best));
  }
  const auto keeps_rules = [&](const Option& o) { return objection(problem, o.schedule).empty(); };
  for (std::size_t i = 1; i < all.options.size(); ++i) {
    if (all.options[i].carbon < all.options[all.chosen].carbon && keeps_rules(all.options[i])) all.chosen = i;
  }
  return all;
}

}  // namespace gramwatt::plan
