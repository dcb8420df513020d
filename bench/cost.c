/* What a command costs: runs it N times, output thrown away, and prints the medians of wall milliseconds, peak megabytes and
 * CPU seconds. Small on purpose: a process's peak memory counts what it was forked from. usage: cost N COMMAND [ARG...] */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int compare(const void* a, const void* b) {
  const double x = *(const double*)a;
  const double y = *(const double*)b;
  return (x > y) - (x < y);
}

static double median(double* values, int n) {
  qsort(values, (size_t)n, sizeof *values, compare);
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char** argv) {
  enum { MOST = 1000 };
  static double ms[MOST], mb[MOST], cpu[MOST];
  const int n = argc > 2 ? atoi(argv[1]) : 0;
  if (n < 1 || n > MOST) return 2;
  for (int i = 0; i < n; ++i) {
    struct rusage usage;
    int status = 0;
    const double start = now();
    const pid_t pid = fork();
    if (pid == 0) {
      const int null = open("/dev/null", O_WRONLY);
      dup2(null, 1);
      dup2(null, 2);
      execvp(argv[2], argv + 2);
      _exit(127);
    }
    if (wait4(pid, &status, 0, &usage) != pid || (WIFEXITED(status) && WEXITSTATUS(status) == 127)) return 1;
    ms[i] = (now() - start) * 1e3;
    mb[i] = (double)usage.ru_maxrss * 1024 / 1e6;
    cpu[i] = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
             1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  }
  printf("%.4f %.3f %.6f\n", median(ms, n), median(mb, n), median(cpu, n));
  return 0;
}
