#include "plan/rolling.hpp"

#include <algorithm>
#include <cmath>

namespace gramwatt::plan {
namespace {

using State = Standing::State;

/// A job that is carried out slot by slot.
class Life {
 public:
  explicit Life(const Problem& truth) : truth_(&truth) {}

  [[nodiscard]] int slot() const { return static_cast<int>(lived_.size()); }
  [[nodiscard]] bool over() const { return standing_.done == truth_->length(); }
  [[nodiscard]] const Standing& standing() const { return standing_; }
  [[nodiscard]] bool restarting() const { return !lived_.empty() && lived_.back() == Action::restart && restarting_; }

  /// What is left of the problem, from the next slot on.
  [[nodiscard]] Problem rest(std::vector<MilligramsPerKwh> intensity) const {
    Problem p = *truth_;
    p.intensity = std::move(intensity);
    if (!p.blocked.empty()) p.blocked.erase(p.blocked.begin(), p.blocked.begin() + slot());
    if (p.max_restarts) *p.max_restarts -= restarts_;
    return p;
  }

  [[nodiscard]] int restarts() const { return restarts_; }

  void live(Action action) {
    const bool comes_back =
        standing_.state == State::off && (action == Action::run || action == Action::restart) && !restarting_;
    restarts_ += comes_back ? 1 : 0;
    restarting_ = action == Action::restart;
    lived_.push_back(action);
    const State before = standing_.state;
    if (action == Action::run) {
      ++standing_.done;
      standing_.state = State::running;
    } else if (action == Action::hold) {
      standing_.state = State::held;
    } else if (action == Action::off) {
      standing_.state = State::off;
    }
    standing_.since = standing_.state == before && before != State::fresh ? standing_.since + 1 : 1;
  }

  [[nodiscard]] Schedule schedule() const {
    Schedule s = lived_;
    s.resize(truth_->intensity.size(), Action::done);
    return s;
  }

 private:
  const Problem* truth_;
  Schedule lived_;
  Standing standing_;
  int restarts_ = 0;
  bool restarting_ = false;
};

}  // namespace

Result<Schedule> rolling(const Problem& truth, const Foresight& foresight, int replan_every) {
  Life life(truth);
  Schedule plan;
  int planned_at = 0;
  while (!life.over()) {
    const int slot = life.slot();
    if (slot == 0 || (slot - planned_at >= replan_every && !life.restarting())) {
      std::vector<MilligramsPerKwh> ahead = foresight(slot);
      if (static_cast<int>(ahead.size()) != truth.slots() - slot)
        return fail("a forecast does not reach to the end of the window", {}, {}, Error::Kind::usage);
      auto next = exact(life.rest(std::move(ahead)), life.standing());
      // The plan that is being followed keeps the rules, so there is always one.
      if (!next && slot == 0) return tl::unexpected(next.error());
      if (next) {
        plan = std::move(*next);
        planned_at = slot;
      }
    }
    life.live(plan[static_cast<std::size_t>(slot - planned_at)]);
  }
  return life.schedule();
}

namespace {

/// The value below which `share` of the past lies.
MilligramsPerKwh quantile(std::span<const MilligramsPerKwh> past, double share) {
  std::vector<MilligramsPerKwh> values(past.begin(), past.end());
  const auto rank =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(std::ceil(share * static_cast<double>(values.size()))) - 1, 0,
                               static_cast<std::int64_t>(values.size()) - 1);
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<std::size_t>(rank)];
}

/// Whether what was lived between two moments keeps to the rules that a later plan cannot see: blocked slots, shortest runs and
/// pauses, the limit of restarts.
bool rules_kept(const Problem& p, const Life& before, const Life& now) {
  for (int i = before.slot(); i < now.slot() && i < p.slots(); ++i) {
    const Action a = now.schedule()[static_cast<std::size_t>(i)];
    if ((a == Action::run || a == Action::restart) && p.is_blocked(i)) return false;
  }
  const Standing &from = before.standing(), &to = now.standing();
  if (p.max_restarts && now.restarts() > *p.max_restarts) return false;
  if (from.state == to.state || from.state == State::fresh) return true;
  return from.since >= (from.state == State::running ? p.min_run : p.min_pause);
}

/// Goes through the slots of a restart, or through the one slot of anything else.
Life after(const Problem& p, Life life, Action action) {
  const int slots = action == Action::restart ? p.restart_slots : 1;
  for (int i = 0; i < slots; ++i) life.live(action);
  return life;
}

/// What a job in this state does where the power is clean enough, or is not.
Action wish(const Problem& p, State state, bool clean) {
  const bool can_pause = p.may_exit || p.hold;
  switch (state) {
    case State::fresh: return clean ? Action::run : Action::wait;
    case State::running: return clean || !can_pause ? Action::run : p.may_exit ? Action::off : Action::hold;
    case State::held: return clean ? Action::run : Action::hold;
    case State::off: break;
  }
  return !clean ? Action::off : p.restart_slots > 0 ? Action::restart : Action::run;
}

/// Can the job still be finished from here? Nothing is asked of intensity: any schedule will do.
Result<Schedule> any_way_on(const Problem& p, const Life& life) {
  const int left = p.slots() - life.slot();
  if (left < 0 || life.restarting()) return fail("no time is left");
  return exact(life.rest(std::vector<MilligramsPerKwh>(static_cast<std::size_t>(left), 0)), life.standing());
}

Result<Schedule> live_by(const Problem& p, MilligramsPerKwh limit) {
  Life life(p);
  while (!life.over()) {
    const bool clean = p.intensity[static_cast<std::size_t>(life.slot())] <= limit;
    Life next = after(p, life, wish(p, life.standing().state, clean));
    // The run behind a restart begins in the same breath, so that no restart is in vain.
    if (next.restarting()) next.live(Action::run);
    const bool blocked = next.slot() > p.slots() || !rules_kept(p, life, next);
    if (blocked || (!next.over() && !any_way_on(p, next))) {
      const auto forced = any_way_on(p, life);
      if (!forced) return tl::unexpected(forced.error());
      next = after(p, life, forced->front());
      if (next.restarting()) next.live(Action::run);
    }
    life = next;
  }
  return life.schedule();
}

}  // namespace

Result<Schedule> threshold(const Problem& truth, const ThresholdRules& rules) {
  if (rules.past.empty()) return fail("a threshold wants a past", {}, {}, Error::Kind::usage);
  const auto k = static_cast<double>(truth.length()), length = static_cast<double>(truth.slots());
  const MilligramsPerKwh limit = quantile(rules.past, std::min(1.0, k / length));
  Problem patient = truth;
  patient.min_run = std::max(truth.min_run, rules.patience);
  patient.min_pause = std::max(truth.min_pause, rules.patience);
  auto any = exact(patient);
  if (!any) {  // patience is a wish, the rules are not
    patient = truth;
    any = exact(truth);
    if (!any) return tl::unexpected(any.error());
  }
  return live_by(patient, limit);
}

}  // namespace gramwatt::plan
