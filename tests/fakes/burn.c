/* Burns CPU seconds, not wall seconds, in the shapes that lose other tools their children.
 *
 *   burn S               this process
 *   burn S xN            N children, one after another, S each
 *   burn S xN ignored    the same below a parent that ignores SIGCHLD: the kernel throws the children's times away
 *   burn S away          a grandchild in its own session; the middle one ends at once; this process waits for the work to be
 * done burn S left          the same, but this process ends at once and leaves the grandchild behind burn S threads N     N
 * threads, S each
 *
 * BURN_REPORT=FILE: writes the CPU seconds that the kernel booked for this process and what it reaped: the work asked for, plus
 * what forking and ending cost.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double cpu_seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Until the clock shows `seconds`: what a new process has already spent on being forked is part of its work. */
static void burn(clockid_t clock, double seconds) {
  const double until = seconds;
  volatile unsigned x = 0;
  while (cpu_seconds(clock) < until) {
    for (int i = 0; i < 2000; ++i) x = x * 1664525u + 1013904223u;
  }
}

static void* burn_thread(void* seconds) {
  burn(CLOCK_THREAD_CPUTIME_ID, *(double*)seconds);
  return NULL;
}

static void children(double seconds, int n, int ignored) {
  if (ignored) signal(SIGCHLD, SIG_IGN);
  for (int i = 0; i < n; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      burn(CLOCK_PROCESS_CPUTIME_ID, seconds);
      _exit(0);
    }
    waitpid(pid, NULL, 0); /* with SIGCHLD ignored: returns when the child is gone, without its times */
  }
}

static void away(double seconds, int stay) {
  int ends[2];
  char done;
  if (pipe(ends) != 0) exit(1);
  if (fork() == 0) {
    setsid();
    if (fork() == 0) {
      close(ends[0]);
      if (!stay) { /* nobody must wait for our standard output to close */
        fclose(stdin);
        fclose(stdout);
        fclose(stderr);
      }
      burn(CLOCK_PROCESS_CPUTIME_ID, seconds);
      _exit(0); /* closes the pipe */
    }
    _exit(0);
  }
  close(ends[1]);
  wait(NULL);
  if (stay && read(ends[0], &done, 1) != 0) exit(1);
}

static void report(void) {
  const char* path = getenv("BURN_REPORT");
  FILE* file = path ? fopen(path, "w") : NULL;
  struct rusage own, reaped;
  if (!file) return;
  getrusage(RUSAGE_SELF, &own);
  getrusage(RUSAGE_CHILDREN, &reaped);
  fprintf(file, "%.6f\n",
          (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec + reaped.ru_utime.tv_sec + reaped.ru_stime.tv_sec) +
              1e-6 * (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec + reaped.ru_utime.tv_usec + reaped.ru_stime.tv_usec));
  fclose(file);
}

int main(int argc, char** argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 1;
  const char* shape = argc > 2 ? argv[2] : "";
  if (shape[0] == 'x') {
    children(seconds, atoi(shape + 1), argc > 3 && strcmp(argv[3], "ignored") == 0);
  } else if (strcmp(shape, "away") == 0) {
    away(seconds, 1);
  } else if (strcmp(shape, "left") == 0) {
    away(seconds, 0);
  } else if (strcmp(shape, "threads") == 0) {
    pthread_t threads[64];
    int n = argc > 3 ? atoi(argv[3]) : 2;
    for (int i = 0; i < n; ++i) pthread_create(&threads[i], NULL, burn_thread, &seconds);
    for (int i = 0; i < n; ++i) pthread_join(threads[i], NULL);
  } else {
    burn(CLOCK_PROCESS_CPUTIME_ID, seconds);
  }
  report();
  return 0;
}
