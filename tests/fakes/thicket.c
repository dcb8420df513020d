/* A process tree that is hard to hold: several processes with several threads that work in short bursts, one that forks a child
 * after another, and one that spawns (vfork and exec) a program after another.
 *
 *   thicket PROCESSES THREADS    says "ready" on its output once all of it is there, then works until it is killed
 *   thicket leaf                 ends at once: what is spawned
 *
 * SIGUSR1 to the first process: it says "usr1".
 */
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void nap(long ns) {
  struct timespec t = {0, ns};
  nanosleep(&t, NULL);
}

static void work(void) {
  volatile unsigned x = 0;
  for (int i = 0; i < 20000; ++i) x = x * 1664525u + 1013904223u;
}

static void* bursts(void* none) {
  for (;;) {
    work();
    nap(1000000);
  }
  return none;
}

static void forker(void) {
  for (;;) {
    const pid_t pid = fork();
    if (pid == 0) {
      work();
      _exit(0);
    }
    waitpid(pid, NULL, 0);
    nap(500000);
  }
}

static void spawner(char* self) {
  char* argv[] = {self, "leaf", NULL};
  char* environment[] = {NULL};
  for (;;) {
    pid_t pid;
    if (posix_spawn(&pid, self, NULL, NULL, argv, environment) == 0) waitpid(pid, NULL, 0);
    nap(1000000);
  }
}

static void say(const char* text) {
  if (write(1, text, strlen(text)) < 0) _exit(1);
}

static void on_usr1(int number) {
  (void)number;
  say("usr1\n");
}

int main(int argc, char** argv) {
  if (argc < 3) return 0;
  signal(SIGUSR1, on_usr1);
  int ready[2];
  char done;
  if (pipe(ready) != 0) return 1;
  for (int p = 0; p < atoi(argv[1]) + 2; ++p) {
    if (fork() != 0) continue;
    close(ready[0]);
    for (int t = 1; p >= 2 && t < atoi(argv[2]); ++t) {
      pthread_t thread;
      pthread_create(&thread, NULL, bursts, NULL);
    }
    close(ready[1]);
    if (p == 0) forker();
    if (p == 1) spawner(argv[0]);
    bursts(NULL);
  }
  close(ready[1]);
  if (read(ready[0], &done, 1) != 0) return 1; /* ends when all have closed it */
  say("ready\n");
  bursts(NULL);
  return 0;
}
