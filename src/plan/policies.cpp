#include "plan/policies.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace gramwatt::plan {
namespace {

Schedule block(const Problem& p, int start) {
  Schedule s(p.intensity.size(), Action::done);
  std::fill(s.begin(), s.begin() + start, Action::wait);
  std::fill_n(s.begin() + start, p.length(), Action::run);
  return s;
}

/// Slots at which it can start and run through, ascending.
std::vector<int> starts(const Problem& p) {
  std::vector<int> all;
  int free = 0;  // slots that are free, up to and including i
  for (int i = 0; i < p.slots(); ++i) {
    free = p.is_blocked(i) ? 0 : free + 1;
    if (free >= p.length()) all.push_back(i - p.length() + 1);
  }
  return all;
}

tl::unexpected<Error> impossible(const Problem& p) {
  const auto blocked = std::count(p.blocked.begin(), p.blocked.end(), true);
  if (p.slots() < p.length())
    return fail(fmt::format("the window has {} slots, the job needs {}", p.slots(), p.length()), {},
                "allow more time (--within, --deadline), or start earlier", Error::Kind::missing);
  if (p.slots() - blocked < p.length())
    return fail(fmt::format("{} slots of the window are free, the job needs {}", p.slots() - blocked, p.length()), {},
                "allow more time, or block less of it", Error::Kind::missing);
  return fail(fmt::format("no {} slots in a row are free", p.length()), {}, "let the job pause (--pausable), or block less",
              Error::Kind::missing);
}

/// Pauses between the chosen slots, with the last slots of each given to the restart. `chosen` holds slots of running and of
/// restarting; false: a pause is too short for its restart, or the job would do less than its work.
Schedule fill(const Problem& p, const std::vector<bool>& chosen, Action pause) {
  Schedule s(chosen.size(), Action::done);
  int left = p.length();
  int to_restart = 0;
  bool started = false;
  for (std::size_t i = 0; i < chosen.size() && left > 0; ++i) {
    const bool resumes = started && chosen[i] && !chosen[i - 1];
    if (resumes && pause == Action::off) to_restart = p.restart_slots;
    if (!chosen[i]) s[i] = started ? pause : Action::wait;
    else s[i] = to_restart-- > 0 ? Action::restart : Action::run;
    started = started || chosen[i];
    left -= s[i] == Action::run ? 1 : 0;
  }
  return s;
}

}  // namespace

Result<Schedule> run_now(const Problem& problem) {
  const std::vector<int> all = starts(problem);
  if (all.empty()) return impossible(problem);
  return block(problem, all.front());
}

Result<Schedule> flexible_start(const Problem& problem) {
  const std::vector<int> all = starts(problem);
  if (all.empty()) return impossible(problem);
  const auto& c = problem.intensity;
  const auto k = static_cast<std::size_t>(problem.length());
  const bool uniform =
      std::adjacent_find(problem.steps.begin(), problem.steps.end(), std::not_equal_to<>()) == problem.steps.end();
  std::vector<Cost> sums(c.size() + 1);  // of intensity, up to a slot
  std::partial_sum(c.begin(), c.end(), sums.begin() + 1, [](Cost sum, Cost next) { return sum + next; });
  Cost least = 0;
  int best = -1;
  for (const int start : all) {
    const auto s = static_cast<std::size_t>(start);
    Cost cost = problem.wait * (sums[s] + (problem.wait_after ? sums.back() - sums[s + k] : 0));
    if (!problem.wait_after) cost += problem.kept * static_cast<Cost>(s + k);
    if (uniform) cost += k > 0 ? problem.steps.front() * (sums[s + k] - sums[s]) : 0;
    else
      cost = std::inner_product(problem.steps.begin(), problem.steps.end(), c.begin() + start, cost, std::plus<>(),
                                [](Cost e, Cost i) { return e * i; });
    if (best >= 0 && cost >= least) continue;
    least = cost;
    best = start;
  }
  return block(problem, best);
}

Result<Schedule> pause_resume(const Problem& problem) {
  if (!problem.may_exit && !problem.hold)
    return fail("the job cannot pause", {}, "say --pausable if it can be stopped and resumed", Error::Kind::usage);
  const Action pause = problem.may_exit ? Action::off : Action::hold;
  std::vector<int> order;
  for (int i = 0; i < problem.slots(); ++i) {
    if (!problem.is_blocked(i)) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return problem.intensity[static_cast<std::size_t>(a)] < problem.intensity[static_cast<std::size_t>(b)];
  });
  // Restarts that take time need slots too, which changes the runs: take one more until the work fits.
  std::vector<bool> chosen(problem.intensity.size());
  std::size_t taken = 0;
  for (; taken < order.size(); ++taken) {
    if (static_cast<int>(taken) >= problem.length()) {
      Schedule s = fill(problem, chosen, pause);
      if (std::count(s.begin(), s.end(), Action::run) == problem.length()) return s;
    }
    chosen[static_cast<std::size_t>(order[taken])] = true;
  }
  Schedule s = fill(problem, chosen, pause);
  if (std::count(s.begin(), s.end(), Action::run) == problem.length()) return s;
  return impossible(problem);
}

}  // namespace gramwatt::plan
