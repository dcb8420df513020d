/* Regions and marks from C.
 *
 *     cc -O2 regions.c $(pkg-config --cflags --libs gramwatt) -o regions
 *     gramwatt run -- ./regions
 *
 * Loads for a while, trains three epochs of many short steps, and says so. Without gramwatt around it, it just runs. */
#include <gramwatt/gramwatt.h>
#include <stdio.h>
#include <time.h>

/* Computes for this long. */
static double work(double seconds) {
  double x = 0;
  const clock_t end = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);
  while (clock() < end) {
    int i;
    for (i = 1; i < 1000; ++i) x += 1.0 / i;
  }
  return x;
}

int main(void) {
  const gramwatt_id step = gramwatt_name("step");
  double x;
  int epoch;

  gramwatt_region loading = gramwatt_begin("load");
  x = work(0.4);
  gramwatt_end(loading);

  gramwatt_mark("epochs");
  for (epoch = 0; epoch < 3; ++epoch) {
    const gramwatt_region training = gramwatt_begin("epoch");
    int i;
    for (i = 0; i < 50; ++i) {
      const gramwatt_region r = gramwatt_begin_id(step); /* 10 ms: counted and timed; too short for any sensor */
      x += work(0.01);
      gramwatt_end(r);
    }
    gramwatt_end(training);
    gramwatt_mark("epochs");
  }
  printf("%s %d\n", gramwatt_available() ? "recorded" : "not recorded", x > 0);
  return 0;
}
