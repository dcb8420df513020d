#include "plan/exact.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "plan/exact_kernel.hpp"
#include "plan/exact_table.hpp"

namespace gramwatt::plan {
namespace {

constexpr double kMostCarbon = 0x1p51;
/// Rows are kept this often at least: few enough to store, near enough to compute again what lies between.
constexpr int kLeastBlock = 96;

Result<void> check(const Problem& p, const Standing& from) {
  const auto usage = [](std::string what) { return fail(std::move(what), {}, {}, Error::Kind::usage); };
  if (p.min_run < 1 || p.min_pause < 1 || p.restart_slots < 0) return usage("runs and pauses have a slot at least");
  if (from.done < 0 || from.done > p.length()) return usage("more steps are done than there are");
  if (!p.blocked.empty() && p.blocked.size() != p.intensity.size()) return usage("blocked slots do not fill the window");
  double most = 0;
  for (const Quanta e : p.steps) most = std::max(most, std::abs(static_cast<double>(e)));
  most += std::abs(static_cast<double>(p.restart_energy)) + std::abs(static_cast<double>(p.restart_power)) +
          std::abs(static_cast<double>(p.wait)) + std::abs(static_cast<double>(p.hold.value_or(0)));
  double sum = 0;
  for (const MilligramsPerKwh c : p.intensity) sum += std::abs(static_cast<double>(c));
  if (sum * most + std::abs(static_cast<double>(p.kept)) * p.slots() >= kMostCarbon)
    return usage("the window is too long for so fine a quantum of energy");
  return {};
}

tl::unexpected<Error> impossible(const Problem& p, int left) {
  const auto blocked = std::count(p.blocked.begin(), p.blocked.end(), true);
  if (p.slots() - blocked < left)
    return fail(fmt::format("the job needs {} slots, the window has {} that are free", left, p.slots() - blocked), {},
                "allow more time (--within, --deadline), or block less of it", Error::Kind::missing);
  return fail("no plan keeps to the shortest run, the shortest pause, the limit of restarts and the blocked slots", {},
              "allow more time, or loosen one of them (--min-run, --min-pause, --max-restarts, --blackout)",
              Error::Kind::missing);
}

/// Starts after an exit, one before the window included.
int restarts_from(const Standing& standing, const Schedule& schedule) {
  const bool at_once = standing.state == Standing::State::off && !schedule.empty() && schedule.front() != Action::off;
  return restarts(schedule) + (at_once ? 1 : 0);
}

/// The table forward, with rows kept on the way, and the way back.
class Search {
 public:
  Search(const Problem& p, const Standing& from, std::optional<int> restarts)
      : costs_(p, from, restarts.has_value()), layers_(restarts ? *restarts + 1 : 1) {
    block_ = std::max(kLeastBlock, 4 * costs_.reach_back());
  }

  std::optional<Schedule> run() {
    if (!forward()) return std::nullopt;
    Schedule schedule(static_cast<std::size_t>(costs_.slots()), Action::done);
    Cell at{finish_, costs_.length(), layer_, State::running};
    Table table(costs_, layers_, block_ + costs_.reach_back() + 1);
    while (at.slot >= 0 && at.state != State::fresh) at = back(at, table, schedule);
    return schedule;
  }

 private:
  using State = Standing::State;

  /// Least carbon of each finish; false: none is reachable.
  bool forward() {
    const bool in_place = costs_.reach_back() == 1 && costs_.problem().may_exit && !costs_.limited();
    Table ring(costs_, layers_, in_place ? 1 : costs_.reach_back() + 1);
    ring.clear({0, costs_.length()});
    ring.plant();
    double least = kUnreachable / 2;
    for (int i = 0; i < costs_.slots(); ++i) {
      if (i % block_ == 0) kept_.push_back(ring.keep(i - costs_.reach_back(), i));
      ring.step(i);
      for (int r = 0; r < layers_; ++r) {
        const double carbon = ring.running(i, r, costs_.length()) + costs_.after(i);
        if (carbon >= least) continue;
        least = carbon;
        finish_ = i;
        layer_ = r;
      }
    }
    return least < kUnreachable / 2;
  }

  /// From a cell to a cell in an earlier block, writing the actions between.
  Cell back(Cell at, Table& table, Schedule& schedule) const {
    const KeptRows& kept = kept_[static_cast<std::size_t>(at.slot / block_)];
    table.clear({std::max(0, at.done - (at.slot - kept.end) - 1 - costs_.min_run()), at.done});
    table.restore(kept);
    for (int i = kept.end; i <= at.slot; ++i) table.step(i);
    while (at.slot >= kept.end && at.state != State::fresh) at = table.before(at, schedule);
    return at;
  }

  Costs costs_;
  int layers_;
  int block_ = 0;
  std::vector<KeptRows> kept_;
  int finish_ = -1, layer_ = 0;
};

}  // namespace

Result<Schedule> exact(const Problem& problem, const Standing& standing) {
  if (auto ok = check(problem, standing); !ok) return tl::unexpected(ok.error());
  if (standing.done == problem.length()) return Schedule(problem.intensity.size(), Action::done);
  auto best = Search(problem, standing, std::nullopt).run();
  if (!best) return impossible(problem, problem.length() - standing.done);
  if (!problem.max_restarts || restarts_from(standing, *best) <= *problem.max_restarts) return *best;
  best = Search(problem, standing, std::max(0, *problem.max_restarts)).run();
  if (!best) return impossible(problem, problem.length() - standing.done);
  return *best;
}

}  // namespace gramwatt::plan
