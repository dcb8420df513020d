/* The planners from C, through the shared library alone. */

#include <stdio.h>
#include <string.h>

#include "gramwatt/plan.h"

static int failures = 0;

static void expect(int condition, const char* what) {
  if (!condition) {
    fprintf(stderr, "failed: %s\n", what);
    ++failures;
  }
}

int main(void) {
  const int32_t intensity[] = {5, 1, 4, 1, 1, 6};
  const int32_t steps[] = {10, 10, 10};
  gramwatt_plan_problem p = GRAMWATT_PLAN_PROBLEM;
  uint8_t what[6];
  int64_t carbon = -1;
  char why[64];
  p.slots = 6;
  p.intensity = intensity;
  p.length = 3;
  p.steps = steps;

  expect(gramwatt_plan(&p, GRAMWATT_PLAN_EXACT, what, &carbon, why, sizeof why) == GRAMWATT_PLAN_OK,
         "a job that cannot pause is planned");
  expect(carbon == 60 && what[0] == GRAMWATT_PLAN_WAIT && what[1] == GRAMWATT_PLAN_RUN, "it starts later");
  p.may_exit = 1;
  expect(gramwatt_plan(&p, GRAMWATT_PLAN_EXACT, what, &carbon, NULL, 0) == GRAMWATT_PLAN_OK, "one that can pause is planned");
  expect(carbon == 30 && what[2] == GRAMWATT_PLAN_OFF, "it pauses");
  p.restart_energy = 40;
  expect(gramwatt_plan(&p, GRAMWATT_PLAN_EXACT, what, &carbon, NULL, 0) == GRAMWATT_PLAN_OK && carbon == 60,
         "not at any price");
  expect(gramwatt_plan(&p, GRAMWATT_PLAN_PAUSE_RESUME, what, &carbon, NULL, 0) == GRAMWATT_PLAN_OK && carbon == 70,
         "the published policy is charged");
  carbon = -1;
  expect(gramwatt_plan_weigh(&p, what, &carbon, NULL, 0) == GRAMWATT_PLAN_OK && carbon == 70, "a schedule is weighed alike");

  p.slots = 2;
  memset(what, 9, sizeof what);
  expect(gramwatt_plan(&p, GRAMWATT_PLAN_NOW, what, &carbon, why, sizeof why) == GRAMWATT_PLAN_IMPOSSIBLE, "no room");
  expect(strlen(why) == sizeof why - 1 && strncmp(why, "the window has 2 slots", 22) == 0, "the reason is told, and cut");
  expect(what[0] == 9 && carbon == 70, "nothing is touched");
  p.size = 1;
  expect(gramwatt_plan(&p, GRAMWATT_PLAN_NOW, what, &carbon, why, sizeof why) == GRAMWATT_PLAN_USAGE,
         "another version is refused");
  expect(gramwatt_plan(NULL, GRAMWATT_PLAN_NOW, what, &carbon, NULL, 0) == GRAMWATT_PLAN_USAGE, "nothing is refused");
  return failures == 0 ? 0 : 1;
}
