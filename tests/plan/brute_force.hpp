#pragma once
// Every schedule there is, weighed: what an exact plan must equal. Knows nothing of how the planner works.

#include <optional>

#include "plan/problem.hpp"

namespace gramwatt::plan {

class BruteForce {
 public:
  explicit BruteForce(const Problem& problem) : problem_(problem), schedule_(problem.intensity.size(), Action::done) {}

  /// Least carbon of all schedules that the problem has no objection to.
  std::optional<Cost> least() {
    place(0, problem_.length(), Action::wait);
    return least_;
  }

 private:
  /// Fills slot by slot. `last`: what the slot before did.
  void place(std::size_t slot, int left, Action last) {
    if (left == 0 || slot == schedule_.size()) return judge(slot, left);
    if (static_cast<int>(schedule_.size() - slot) < left) return;
    const auto go = [&](Action a, int now_left) {
      schedule_[slot] = a;
      place(slot + 1, now_left, a);
      schedule_[slot] = Action::done;
    };
    go(Action::run, left - 1);
    if (last == Action::wait) return go(Action::wait, left);
    if (problem_.restart_slots > 0 && (last == Action::off || last == Action::restart)) go(Action::restart, left);
    if (last == Action::restart) return;
    if (problem_.may_exit && last != Action::hold) go(Action::off, left);
    if (problem_.hold && last != Action::off) go(Action::hold, left);
  }

  void judge(std::size_t slot, int left) {
    if (left > 0) return;
    std::fill(schedule_.begin() + static_cast<std::ptrdiff_t>(slot), schedule_.end(), Action::done);
    if (!objection(problem_, schedule_).empty()) return;
    const Cost carbon = weigh(problem_, schedule_);
    if (!least_ || carbon < *least_) least_ = carbon;
  }

  const Problem& problem_;
  Schedule schedule_;
  std::optional<Cost> least_;
};

}  // namespace gramwatt::plan
