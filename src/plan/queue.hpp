#pragma once
// Several jobs, one resource: a GPU, or a machine that only one of them may use at a time, planned together.
//
// Jobs that plan for themselves all choose the same clean hour. Planned one after the other, each takes the best of what those
// before it left, and the order decides everything: the first comes first served. So orders are tried. All of them for up to
// five jobs (120 orders, each a handful of exact plans); for more, the order of deadlines (Jackson 1955: if any order keeps all
// deadlines of jobs that may all start now, this one does), improved by exchanging neighbours as long as that helps.
//
// A job that waits for its clean hour can leave holes that are too short for the next one. So a job's best plan is taken only
// where the others can still end in time behind it, one after the other; else the best single start that allows that, else its
// earliest.
//
// A deadline that no order can keep is missed by as few jobs as the orders tried allow; nobody is left out: a job that fits
// nowhere into its own time is put into the first hole behind it.
//
// Pure functions: every process that asks with the same jobs gets the same answer, which is how processes without a daemon
// between them agree.

#include <vector>

#include "plan/exact.hpp"
#include "plan/job.hpp"

namespace gramwatt::plan {

struct Queued {
  Job job;                    ///< steps: of what is left
  Standing standing;          ///< `done` is 0: the job holds what is left only
  int deadline = 0;           ///< slots of the window in which it is to be finished
  bool has_resource = false;  ///< it runs, or is held in place: it goes first, and on from where it stands
};

struct QueuePlan {
  std::vector<Schedule> schedules;  ///< in the order of the jobs; as long as the window
  Cost carbon = 0;                  ///< of all, in quanta of `quantum` × mg/kWh, waiting included
  Joules quantum;
  int late = 0;  ///< jobs that end behind their deadline
};

/// Jobs run in no slot together; a job that is held in place keeps the resource. Kind missing where the window is too short for
/// all of them, kind usage for jobs that make no sense.
[[nodiscard]] Result<QueuePlan> plan_queue(const Slots& slots, const std::vector<Queued>& jobs);

}  // namespace gramwatt::plan
