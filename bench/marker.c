/* What a marker costs the program: nanoseconds a region (begin and end) and a mark, by name and by id, in one thread and in
 * two, beside what the clocks cost. Stands in for `gramwatt run`: it makes the shared memory itself, and empties the rings
 * between batches, outside of the time that is taken. The median of many batches, so that what else runs here counts little.
 * usage: marker [BATCHES] */
#define _GNU_SOURCE

#include <fcntl.h>
#include <gramwatt/gramwatt.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "mark/protocol.h"

enum { REGIONS = 4000, CASES = 7 }; /* in a batch: 8,000 events, half a ring */
static const char* const kCases[CASES] = {
    "clock_gettime(CLOCK_MONOTONIC)", "region, by id",          "region, by name", "mark, by id", "mark, by name",
    "eight regions nested, by id",    "no run: region, by name"};
static const int kOperations[CASES] = {1, 1, 1, 1, 1, 8, 1};
static int batches = 500;
static volatile uint64_t sink;

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void nested(gramwatt_id id, int depth) {
  const gramwatt_region r = gramwatt_begin_id(id);
  if (depth > 1) nested(id, depth - 1);
  gramwatt_end(r);
}

static double batch(int what, gramwatt_id id) {
  const int operations = REGIONS / kOperations[what];
  const uint64_t start = now();
  for (int i = 0; i < operations; ++i) {
    switch (what) {
      case 0: sink += now(); break;
      case 2:
      case 6: gramwatt_end(gramwatt_begin("epoch")); break;
      case 1: gramwatt_end(gramwatt_begin_id(id)); break;
      case 3: gramwatt_mark_id(id); break;
      case 4: gramwatt_mark("epoch"); break;
      case 5: nested(id, 8); break;
    }
  }
  return (double)(now() - start) / (operations * kOperations[what]);
}

static int by_size(const void* a, const void* b) {
  return (*(const double*)a > *(const double*)b) - (*(const double*)a < *(const double*)b);
}

static char* memory;
static pthread_barrier_t together;

/* Gramwatt's part: everything that was written has been read. */
static void empty_rings(void) {
  const struct gwm_header* header = (const struct gwm_header*)memory;
  for (uint32_t i = 0; i < header->rings_claimed; ++i) {
    struct gwm_ring* ring = (struct gwm_ring*)(memory + GWM_RINGS_AT + (uint64_t)i * GWM_RING_STRIDE);
    __atomic_store_n(&ring->tail, __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
  }
}

struct job {
  int what;
  double median;
};

static void* measure(void* argument) {
  struct job* job = argument;
  double* times = malloc((size_t)batches * sizeof *times);
  const gramwatt_id id = gramwatt_name("epoch");
  for (int i = 0; i < batches; ++i) {
    pthread_barrier_wait(&together);
    times[i] = batch(job->what, id);
    if (memory != NULL && pthread_barrier_wait(&together) == PTHREAD_BARRIER_SERIAL_THREAD) empty_rings();
  }
  qsort(times, (size_t)batches, sizeof *times, by_size);
  job->median = times[batches / 2];
  free(times);
  return NULL;
}

static double with_threads(int count, int what) {
  pthread_t threads[2];
  struct job jobs[2] = {{what, 0}, {what, 0}};
  pthread_barrier_init(&together, NULL, (unsigned)count);
  for (int i = 0; i < count; ++i) pthread_create(&threads[i], NULL, measure, &jobs[i]);
  for (int i = 0; i < count; ++i) pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&together);
  return count == 1 || jobs[0].median > jobs[1].median ? jobs[0].median : jobs[1].median;
}

static void print_case(int what) { printf("%-32s %8.1f %8.1f\n", kCases[what], with_threads(1, what), with_threads(2, what)); }

int main(int argc, char** argv) {
  if (argc > 1) batches = atoi(argv[1]);
  printf("%-32s %8s %8s   ns each, median of %d batches of %d\n", "", "1 thread", "2", batches, REGIONS);
  if (getenv("GRAMWATT_RUN_ID") != NULL) { /* the second half, see below */
    print_case(6);
    return 0;
  }
  const char* const kId = "00000000000000000000BENCH0";
  char path[128];
  snprintf(path, sizeof path, "%s%s", GWM_PREFIX, kId);
  const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (fd < 0 || ftruncate(fd, GWM_FILE_SIZE) != 0) return perror(path), 1;
  memory = mmap(NULL, GWM_FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (memory == MAP_FAILED) return perror("mmap"), 1;
  char kept_by[32] = "";
  const int source = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY);
  if (source >= 0) (void)!read(source, kept_by, sizeof kept_by - 1);
  struct gwm_header* header = (struct gwm_header*)memory;
  header->magic = GWM_MAGIC;
  header->clock = strncmp(kept_by, "tsc", 3) == 0 ? GWM_CLOCK_COUNTER : GWM_CLOCK_MONOTONIC;
  setenv("GRAMWATT_RUN_ID", kId, 1);
  for (int what = 0; what < 6; ++what) print_case(what);
  unlink(path);
  /* A process that finds no run: the file is gone now. */
  fflush(stdout);
  execl("/proc/self/exe", argv[0], argc > 1 ? argv[1] : "500", (char*)NULL);
  return 1;
}
