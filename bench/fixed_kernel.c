/* A fixed amount of work on every core, as a training step is: matrix products in THREADS threads that meet after each round.
 * Prints the wall seconds that it took.
 * usage: fixed_kernel THREADS ROUNDS */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { N = 192 };
static pthread_barrier_t barrier;
static int rounds;

static void* work(void* seed) {
  float* a = malloc(3 * N * N * sizeof(float));
  float *b = a + N * N, *c = b + N * N;
  for (int i = 0; i < 2 * N * N; ++i) a[i] = (float)((i * 31 + (int)(size_t)seed) % 17) / 17;
  for (int r = 0; r < rounds; ++r) {
    for (int i = 0; i < N; ++i) {
      for (int j = 0; j < N; ++j) c[i * N + j] = 0;
      for (int k = 0; k < N; ++k) {
        for (int j = 0; j < N; ++j) c[i * N + j] += a[i * N + k] * b[k * N + j];
      }
    }
    a[r % (N * N)] = c[r % (N * N)] > 1 ? 0.5f : 0.25f;
    pthread_barrier_wait(&barrier);
  }
  free(a);
  return NULL;
}

int main(int argc, char** argv) {
  const int threads = argc > 1 ? atoi(argv[1]) : 1;
  pthread_t ids[64];
  struct timespec from, to;
  rounds = argc > 2 ? atoi(argv[2]) : 1000;
  if (threads < 1 || threads > 64) return 2;
  pthread_barrier_init(&barrier, NULL, (unsigned)threads);
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (int i = 0; i < threads; ++i) pthread_create(&ids[i], NULL, work, (void*)(size_t)i);
  for (int i = 0; i < threads; ++i) pthread_join(ids[i], NULL);
  clock_gettime(CLOCK_MONOTONIC, &to);
  printf("%.6f\n", (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec));
  return 0;
}
