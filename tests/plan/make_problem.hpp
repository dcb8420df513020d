#pragma once
// Problems of every kind, at random.

#include <ostream>
#include <string>

#include <rapidcheck.h>

#include "plan/problem.hpp"

namespace gramwatt::plan {

inline std::ostream& operator<<(std::ostream& out, const Problem& p) {
  const auto list = [&](const char* name, const auto& values) {
    out << name;
    for (const auto v : values) out << ' ' << v;
    out << '\n';
  };
  list("intensity", p.intensity);
  list("steps", p.steps);
  list("blocked", p.blocked);
  return out << "exit " << p.may_exit << " restart " << p.restart_energy << ", " << p.restart_slots << " x " << p.restart_power
             << " hold " << p.hold.value_or(-1) << " wait " << p.wait << " after " << p.wait_after << " kept " << p.kept
             << " min " << p.min_run << ", " << p.min_pause << " restarts " << p.max_restarts.value_or(-1) << '\n';
}

inline std::string show(const Schedule& schedule) {
  std::string text;
  for (const Action a : schedule) text += "wRbho."[static_cast<int>(a)];
  return text;
}

struct Kinds {
  int most_slots = 12;
  bool rules = true;  ///< shortest runs and pauses, limits of restarts, blocked slots
  bool hold = true;
  bool profile = true;  ///< energy differs from step to step
};

inline Problem any_problem(const Kinds& kinds = {}) {
  const auto in = [](int low, int high) { return *rc::gen::inRange(low, high + 1); };
  Problem p;
  const int slots = in(1, kinds.most_slots);
  for (int i = 0; i < slots; ++i) p.intensity.push_back(in(0, 9));  // few values, many ties
  const int length = in(1, std::min(slots, 7));
  for (int j = 0; j < length; ++j) p.steps.push_back(kinds.profile ? in(1, 9) : 6);
  p.restart_energy = in(0, 1) * in(0, 12);
  p.restart_slots = in(0, 1) * in(0, 2);
  p.restart_power = in(0, 9);
  p.wait = in(0, 1) * in(0, 3);
  p.wait_after = *rc::gen::arbitrary<bool>();
  p.kept = in(0, 1) * in(0, 30);
  p.quantum = Joules(1);
  if (kinds.hold && in(0, 1) == 1) {
    p.hold = in(0, 4);
    p.may_exit = in(0, 2) > 0;
  }
  if (!kinds.rules) {
    RC_LOG() << p;
    return p;
  }
  p.min_run = in(0, 1) * in(0, 3) + 1;
  p.min_pause = in(0, 1) * in(0, 3) + 1;
  if (in(0, 2) == 0) p.max_restarts = in(0, 2);
  if (in(0, 2) == 0) {
    for (int i = 0; i < slots; ++i) p.blocked.push_back(in(0, 5) == 0);
  }
  RC_LOG() << p;
  return p;
}

}  // namespace gramwatt::plan
