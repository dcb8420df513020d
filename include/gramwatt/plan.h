#ifndef GRAMWATT_PLAN_H
#define GRAMWATT_PLAN_H
/*
 * gramwatt: when a job should run, and when it should pause, so that it emits the least, with everything charged.
 *
 *     gramwatt_plan_problem p = GRAMWATT_PLAN_PROBLEM;
 *     p.slots = 288;           p.intensity = mg_per_kwh;    // the window, a value a slot
 *     p.length = 72;           p.steps = energy;            // the job, energy a step, in any unit
 *     p.may_exit = 1;          p.restart_energy = 20000;    // in the same unit
 *     uint8_t what[288];
 *     char why[200];
 *     if (gramwatt_plan(&p, GRAMWATT_PLAN_EXACT, what, NULL, why, sizeof why) != GRAMWATT_PLAN_OK) fprintf(stderr, "%s\n",
 * why);
 *
 *     $ cc plan.c -lgramwatt-plan
 *
 * Numbers are whole: intensity in mg CO2e/kWh, energy in a unit of the caller's choice (a quantum). Carbon is then quantum ×
 * mg/kWh; sums must stay below 2^51, which is refused otherwise. docs/planning.md has the mathematics.
 *
 * Threads: functions are pure, nothing is kept. No exception leaves them.
 */

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define GRAMWATT_PLAN_API __attribute__((visibility("default")))
#else
#define GRAMWATT_PLAN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What a job does in one slot. */
enum {
  GRAMWATT_PLAN_WAIT = 0,    /* not started yet */
  GRAMWATT_PLAN_RUN = 1,     /* one step of progress */
  GRAMWATT_PLAN_RESTART = 2, /* comes back from an exit: full power, no progress */
  GRAMWATT_PLAN_HOLD = 3,    /* paused in place */
  GRAMWATT_PLAN_OFF = 4,     /* paused by exit */
  GRAMWATT_PLAN_DONE = 5
};

typedef enum {
  GRAMWATT_PLAN_NOW = 0,
  GRAMWATT_PLAN_FLEXIBLE_START = 1,
  GRAMWATT_PLAN_PAUSE_RESUME = 2, /* the published policy: the lowest slots, pausing as if it were free */
  GRAMWATT_PLAN_EXACT = 3
} gramwatt_plan_policy;

enum {
  GRAMWATT_PLAN_OK = 0,
  GRAMWATT_PLAN_IMPOSSIBLE = 1, /* no schedule keeps the rules */
  GRAMWATT_PLAN_USAGE = 2,      /* the problem itself is wrong */
  GRAMWATT_PLAN_FAILED = 3      /* no memory */
};

/* Begin with GRAMWATT_PLAN_PROBLEM, which is a job that can neither pause nor be held, and costs nothing to wait. */
typedef struct {
  size_t size;              /* of this struct, so that later versions can add to it */
  int slots;                /* of the window */
  const int32_t* intensity; /* [slots], mg/kWh */
  int length;               /* slots that the job runs */
  const int32_t* steps;     /* [length], energy of each step of progress */
  const uint8_t* blocked;   /* [slots], 1: it must not run there; NULL: none */
  int may_exit;             /* 1: it can pause by exit, from a checkpoint */
  int32_t restart_energy;   /* in the first slot of each run after an exit */
  int restart_slots;        /* at each start after an exit, without progress, */
  int32_t restart_power;    /* each with this energy */
  int can_hold;             /* 1: it can be paused in place, */
  int32_t hold_energy;      /* and a slot of that draws this */
  int32_t wait_energy;      /* of a slot before the start or after an exit: a machine that is kept */
  int wait_after;           /* 1: charged to the end of the window: a machine that is owned */
  int min_run, min_pause;   /* slots, at least 1 */
  int max_restarts;         /* -1: any number */
  int64_t kept;             /* carbon of a slot of keeping the machine, to the finish, or with wait_after to the end */
} gramwatt_plan_problem;

#define GRAMWATT_PLAN_PROBLEM {sizeof(gramwatt_plan_problem), 0, NULL, 0, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, -1, 0}

/* Fills actions[slots] with the policy's plan and `carbon` (may be NULL) with what it emits. Not GRAMWATT_PLAN_OK: both are
 * left as they were, and `why` (may be NULL) tells the reason, cut to `why_size` bytes with its end. */
GRAMWATT_PLAN_API int gramwatt_plan(const gramwatt_plan_problem* problem, gramwatt_plan_policy policy, uint8_t* actions,
                                    int64_t* carbon, char* why, size_t why_size);

/* Carbon of any schedule, weighed by the same problem; nothing is checked but the actions themselves. */
GRAMWATT_PLAN_API int gramwatt_plan_weigh(const gramwatt_plan_problem* problem, const uint8_t* actions, int64_t* carbon,
                                          char* why, size_t why_size);

#ifdef __cplusplus
}
#endif

#endif
