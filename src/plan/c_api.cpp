// The planners for other languages (include/gramwatt/plan.h): numbers in, numbers out, no exception leaves.

#include <algorithm>
#include <cstring>
#include <exception>

#include "gramwatt/plan.h"
#include "plan/exact.hpp"
#include "plan/policies.hpp"

namespace {

using namespace gramwatt;
using namespace gramwatt::plan;

static_assert(static_cast<int>(Action::wait) == GRAMWATT_PLAN_WAIT && static_cast<int>(Action::run) == GRAMWATT_PLAN_RUN &&
              static_cast<int>(Action::restart) == GRAMWATT_PLAN_RESTART &&
              static_cast<int>(Action::hold) == GRAMWATT_PLAN_HOLD && static_cast<int>(Action::off) == GRAMWATT_PLAN_OFF &&
              static_cast<int>(Action::done) == GRAMWATT_PLAN_DONE);

struct Reason {
  char* text;
  std::size_t size;

  int say(int code, const char* what) const {
    if (text != nullptr && size > 0) {
      const std::size_t n = std::min(size - 1, std::strlen(what));
      std::memcpy(text, what, n);
      text[n] = '\0';
    }
    return code;
  }
};

const char* objection_to(const gramwatt_plan_problem* p) {
  if (p == nullptr) return "no problem is given";
  if (p->size != sizeof *p) return "the problem is of another version: begin with GRAMWATT_PLAN_PROBLEM";
  if (p->slots < 0 || p->length < 1) return "a job has a slot at least, and a window no negative number";
  if ((p->slots > 0 && p->intensity == nullptr) || p->steps == nullptr) return "intensity or steps are missing";
  return nullptr;
}

Problem problem_of(const gramwatt_plan_problem& c) {
  Problem p;
  p.intensity.assign(c.intensity, c.intensity + c.slots);
  p.steps.assign(c.steps, c.steps + c.length);
  for (int i = 0; c.blocked != nullptr && i < c.slots; ++i) p.blocked.push_back(c.blocked[i] != 0);
  p.may_exit = c.may_exit != 0;
  p.restart_energy = c.restart_energy;
  p.restart_slots = c.restart_slots;
  p.restart_power = c.restart_power;
  if (c.can_hold != 0) p.hold = c.hold_energy;
  p.wait = c.wait_energy;
  p.wait_after = c.wait_after != 0;
  p.min_run = c.min_run;
  p.min_pause = c.min_pause;
  p.kept = c.kept;
  if (c.max_restarts >= 0) p.max_restarts = c.max_restarts;
  return p;
}

Result<Schedule> solve(const Problem& p, gramwatt_plan_policy policy) {
  switch (policy) {
    case GRAMWATT_PLAN_NOW: return run_now(p);
    case GRAMWATT_PLAN_FLEXIBLE_START: return flexible_start(p);
    case GRAMWATT_PLAN_PAUSE_RESUME: return pause_resume(p);
    case GRAMWATT_PLAN_EXACT: return exact(p);
  }
  return fail("no such policy", {}, {}, Error::Kind::usage);
}

}  // namespace

extern "C" int gramwatt_plan(const gramwatt_plan_problem* problem, gramwatt_plan_policy policy, uint8_t* actions,
                             int64_t* carbon, char* why, size_t why_size) {
  const Reason reason{why, why_size};
  if (const char* wrong = objection_to(problem)) return reason.say(GRAMWATT_PLAN_USAGE, wrong);
  if (actions == nullptr) return reason.say(GRAMWATT_PLAN_USAGE, "there is no room for the actions");
  try {
    const Problem p = problem_of(*problem);
    const auto schedule = solve(p, policy);
    if (!schedule) {
      const bool usage = schedule.error().kind == Error::Kind::usage;
      return reason.say(usage ? GRAMWATT_PLAN_USAGE : GRAMWATT_PLAN_IMPOSSIBLE, schedule.error().message().c_str());
    }
    std::transform(schedule->begin(), schedule->end(), actions, [](Action a) { return static_cast<uint8_t>(a); });
    if (carbon != nullptr) *carbon = weigh(p, *schedule);
    return GRAMWATT_PLAN_OK;
  } catch (const std::exception& e) {
    return reason.say(GRAMWATT_PLAN_FAILED, e.what());
  }
}

extern "C" int gramwatt_plan_weigh(const gramwatt_plan_problem* problem, const uint8_t* actions, int64_t* carbon, char* why,
                                   size_t why_size) {
  const Reason reason{why, why_size};
  if (const char* wrong = objection_to(problem)) return reason.say(GRAMWATT_PLAN_USAGE, wrong);
  if (actions == nullptr || carbon == nullptr)
    return reason.say(GRAMWATT_PLAN_USAGE, "there are no actions, or no room for the carbon");
  try {
    Schedule schedule;
    for (int i = 0; i < problem->slots; ++i) {
      if (actions[i] > GRAMWATT_PLAN_DONE) return reason.say(GRAMWATT_PLAN_USAGE, "there is no such action");
      schedule.push_back(static_cast<Action>(actions[i]));
    }
    *carbon = weigh(problem_of(*problem), schedule);
    return GRAMWATT_PLAN_OK;
  } catch (const std::exception& e) {
    return reason.say(GRAMWATT_PLAN_FAILED, e.what());
  }
}
