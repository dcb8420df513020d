/* The least that a sampler can cost: wakes every INTERVAL seconds for DURATION seconds and does nothing.
 * usage: timer_loop INTERVAL DURATION */
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const double interval = argc > 1 ? atof(argv[1]) : 0.1;
  const double duration = argc > 2 ? atof(argv[2]) : 60;
  const int timer = timerfd_create(CLOCK_MONOTONIC, 0);
  struct itimerspec spec = {{0, 0}, {0, 0}};
  spec.it_interval.tv_sec = (time_t)interval;
  spec.it_interval.tv_nsec = (long)((interval - (double)(time_t)interval) * 1e9);
  spec.it_value = spec.it_interval;
  timerfd_settime(timer, 0, &spec, NULL);
  struct pollfd wait = {timer, POLLIN, 0};
  for (long left = (long)(duration / interval); left > 0;) {
    uint64_t ticks = 0;
    poll(&wait, 1, -1);
    if (read(timer, &ticks, sizeof ticks) == sizeof ticks) left -= (long)ticks;
  }
  return 0;
}
