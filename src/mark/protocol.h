#ifndef GRAMWATT_MARK_PROTOCOL_H
#define GRAMWATT_MARK_PROTOCOL_H
/* How a measured program tells gramwatt where it is: the layout of the shared memory between both.
 *
 * `gramwatt run` makes /dev/shm/gramwatt-marks-1-<GRAMWATT_RUN_ID> (mode 0600) before the program starts. The library
 * (gramwatt.c) of a program below it finds the file by that variable and writes; gramwatt reads it at its ticks.
 *
 *   header | owners of the rings | names | ring 0 | ring 1 | ...
 *
 * One thread, one ring: a single producer, so that an event costs a clock, two stores and no locked instruction. The file is
 * sparse: a ring takes memory when a thread claims it, and is allocated then (fallocate), so that a full /dev/shm is an error
 * code at the claim and not a SIGBUS in the middle of the program.
 *
 * Who may write what: the program writes everything but `tail` and the header's constants. It may also write rubbish, or cut
 * the file; gramwatt therefore maps nothing: it copies with pread(2), which fails where a mapping would raise SIGBUS, and
 * checks its copy, which nobody can change any more. A FIFO beside the file wakes gramwatt once, when the first program
 * attaches, so that it looks closely from then on; opening it is the message, because writing could raise SIGPIPE. 32-bit
 * programs and C++ see the same layout. */

#include <stdint.h>

#define GWM_PREFIX "/dev/shm/gramwatt-marks-1-"
#define GWM_DOORBELL \
  ".bell" /* behind the path: a FIFO that gramwatt polls and that a program opens and closes when it attaches */
#define GWM_MAGIC 0x31736B72616D7767ULL /* "gwmarks1" in memory, little-endian: the other byte order is another version */
#define GWM_RUN_ID_LENGTH 26

enum {
  GWM_RINGS = 1024,    /* threads that may mark at the same time */
  GWM_EVENTS = 16384,  /* events a ring: 80,000 regions a second and thread where gramwatt looks ten times a second */
  GWM_RESERVE = 1024,  /* of them, kept for ends: a region whose begin was taken shall not lose its end */
  GWM_NAMES = 1024,    /* different names; what comes after them goes by GWM_OTHER_NAMES */
  GWM_NAME_BYTES = 116 /* of a name, its final zero included */
};
#define GWM_OTHER_NAMES (GWM_NAMES + 1U)

/* Where things lie. Rings begin at multiples of 64 KiB, the largest page that Linux uses. */
#define GWM_OWNERS_AT 4096U
#define GWM_NAMES_AT 16384U
#define GWM_NAMES_SIZE 131072U
#define GWM_RINGS_AT 196608U
#define GWM_RING_STRIDE 327680U
#define GWM_EVENTS_AT 4096U /* in a ring */
#define GWM_RING_SIZE (GWM_EVENTS_AT + GWM_EVENTS * 16U)
#define GWM_FILE_SIZE (GWM_RINGS_AT + (uint64_t)GWM_RINGS * GWM_RING_STRIDE)

/* What an event's time counts. The processor's counter costs half of clock_gettime, and is taken where the kernel itself
 * keeps its time by it: it has then found it to be steady and the same on all processors. */
enum gwm_clock { GWM_CLOCK_MONOTONIC = 0 /* nanoseconds */, GWM_CLOCK_COUNTER = 1 /* rdtsc, cntvct_el0 */ };

/* At 0. */
struct gwm_header {
  uint64_t magic;
  uint32_t clock;         /* enum gwm_clock */
  uint32_t rings_claimed; /* highest number of a ring ever claimed; only grows */
  uint64_t refused;       /* events of threads that found no ring */
};

/* At GWM_OWNERS_AT, one a ring: 0 = free, else the process: pid in the low half, number of its pid namespace in the high one.
 */
typedef uint64_t gwm_owner;

/* At GWM_NAMES_AT. Name n (counted from 1) stands in slot n - 1, which its hash led to. */
struct gwm_name {
  uint64_t hash;  /* 0 = free */
  uint32_t ready; /* 1: the text is there */
  char text[GWM_NAME_BYTES];
};

/* At GWM_RINGS_AT + n * GWM_RING_STRIDE, the events GWM_EVENTS_AT behind it. Producer and consumer write to lines of their own.
 */
struct gwm_ring {
  uint64_t head;    /* events ever written */
  uint64_t serial;  /* regions ever begun; goes on when the ring changes hands */
  uint64_t dropped; /* regions and marks that found it full */
  uint64_t unused[13];
  uint64_t tail; /* events ever taken: gramwatt's */
};

enum gwm_kind { GWM_BEGIN = 1, GWM_END = 2, GWM_MARK = 3 };

/* kind (2 bits), name or, of an end, the number of the ring that the region began in (16), serial of the region there (46). */
struct gwm_event {
  uint64_t time;
  uint64_t what;
};

#define GWM_KIND_SHIFT 62
#define GWM_NAME_SHIFT 46
#define GWM_SERIAL_MASK ((1ULL << 44) - 1)

#endif
