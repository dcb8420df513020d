#include "plan/problem.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace gramwatt::plan {
namespace {

/// Stretches of the same kind, restarts counted as part of the run that they begin.
struct Stretch {
  Action kind;
  int begin, end;
  int progress;  ///< slots of running in it
  int restart;   ///< slots of restarting in it
};

std::vector<Stretch> stretches(const Schedule& schedule) {
  std::vector<Stretch> all;
  for (int i = 0; i < static_cast<int>(schedule.size()); ++i) {
    const Action a = schedule[static_cast<std::size_t>(i)];
    const Action kind = a == Action::restart ? Action::run : a;
    const bool again = a == Action::restart && !all.empty() && all.back().kind == Action::run && all.back().progress > 0;
    if (all.empty() || all.back().kind != kind || again) all.push_back({kind, i, i, 0, 0});
    Stretch& s = all.back();
    s.end = i + 1;
    s.progress += a == Action::run ? 1 : 0;
    s.restart += a == Action::restart ? 1 : 0;
  }
  return all;
}

std::string objection_to(const Problem& p, const std::vector<Stretch>& all, std::size_t i) {
  const Stretch& s = all[i];
  const bool last_run = i + 1 == all.size() || all[i + 1].kind == Action::done;
  const int pause = s.end - s.begin;
  switch (s.kind) {
    case Action::wait:
      if (i > 0) return "it waits for its start after it has started";
      break;
    case Action::run: {
      const bool from_exit = i > 0 && all[i - 1].kind == Action::off;
      if (s.restart != (from_exit ? p.restart_slots : 0)) return fmt::format("the run at slot {} restarts wrongly", s.begin);
      if (s.progress < p.min_run && !last_run) return fmt::format("the run at slot {} is too short", s.begin);
      for (int t = s.begin; t < s.end; ++t) {
        if (p.is_blocked(t)) return fmt::format("it runs in slot {}, which is blocked", t);
      }
      break;
    }
    case Action::hold:
    case Action::off:
      if (s.kind == Action::hold && !p.hold) return "it is held, and cannot be";
      if (s.kind == Action::off && !p.may_exit) return "it exits, and cannot";
      if (i == 0 || all[i - 1].kind != Action::run || last_run || all[i + 1].kind != Action::run)
        return fmt::format("the pause at slot {} is not between two runs", s.begin);
      if (pause < p.min_pause) return fmt::format("the pause at slot {} is too short", s.begin);
      break;
    case Action::restart:
    case Action::done: break;
  }
  return {};
}

}  // namespace

std::vector<Quanta> draws(const Problem& p, const Schedule& schedule) {
  std::vector<Quanta> draw(schedule.size());
  std::size_t done = 0;
  bool coming_back = false;  // from an exit: the next running or restarting slot is the first of its run
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    const Action a = schedule[i];
    const Quanta first = coming_back && (a == Action::run || a == Action::restart) ? p.restart_energy : 0;
    switch (a) {
      case Action::wait:
      case Action::off: draw[i] = p.wait; break;
      case Action::run: draw[i] = first + (done < p.steps.size() ? p.steps[done] : 0); break;
      case Action::restart: draw[i] = first + p.restart_power; break;
      case Action::hold: draw[i] = p.hold.value_or(0); break;
      case Action::done: draw[i] = p.wait_after ? p.wait : 0; break;
    }
    if (a == Action::run) ++done;
    coming_back = a == Action::off;
  }
  return draw;
}

Grams grams(Cost cost, const Problem& problem) { return problem.quantum * GramsPerKwh(1e-3) * static_cast<double>(cost); }

Cost cost_of(Grams carbon, Joules quantum) { return std::llround(carbon / (quantum * GramsPerKwh(1e-3))); }

Cost weigh(const Problem& problem, const Schedule& schedule) { return weigh(problem, schedule, problem.intensity); }

Cost kept_carbon(const Problem& problem, const Schedule& schedule) {
  return problem.kept * (problem.wait_after ? problem.slots() : finish(schedule));
}

Cost weigh(std::span<const Quanta> draws, std::span<const MilligramsPerKwh> intensity) {
  Cost sum = 0;
  for (std::size_t i = 0; i < draws.size() && i < intensity.size(); ++i) sum += Cost{draws[i]} * intensity[i];
  return sum;
}

Cost weigh(const Problem& problem, const Schedule& schedule, std::span<const MilligramsPerKwh> intensity) {
  return weigh(draws(problem, schedule), intensity) + kept_carbon(problem, schedule);
}

Joules energy(const Problem& problem, const Schedule& schedule) {
  Cost sum = 0;
  for (const Quanta q : draws(problem, schedule)) sum += q;
  return problem.quantum * static_cast<double>(sum);
}

std::string objection(const Problem& problem, const Schedule& schedule) {
  if (schedule.size() != problem.intensity.size()) return "it does not fill the window";
  if (std::count(schedule.begin(), schedule.end(), Action::run) != problem.length()) return "it does not do the work";
  const std::vector<Stretch> all = stretches(schedule);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (std::string why = objection_to(problem, all, i); !why.empty()) return why;
  }
  if (problem.max_restarts && restarts(schedule) > *problem.max_restarts) return "it restarts too often";
  return {};
}

std::vector<Run> runs(const Schedule& schedule) {
  std::vector<Run> all;
  for (const Stretch& s : stretches(schedule)) {
    if (s.kind == Action::run) all.push_back({s.begin, s.end});
  }
  return all;
}

int restarts(const Schedule& schedule) {
  int n = 0;
  for (std::size_t i = 1; i < schedule.size(); ++i) {
    n += schedule[i - 1] == Action::off && schedule[i] != Action::off ? 1 : 0;
  }
  return n;
}

int finish(const Schedule& schedule) {
  const std::vector<Run> all = runs(schedule);
  return all.empty() ? 0 : all.back().end;
}

}  // namespace gramwatt::plan
