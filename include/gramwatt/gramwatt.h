#ifndef GRAMWATT_GRAMWATT_H
#define GRAMWATT_GRAMWATT_H
/*
 * gramwatt: names for the parts of a program, so that `gramwatt run` can tell what each of them cost.
 *
 *     gramwatt_region r = gramwatt_begin("epoch");
 *     train();
 *     gramwatt_end(r);
 *
 *     $ cc train.c -lgramwatt && gramwatt run -- ./a.out
 *
 * Meaning. A region is the time between its begin and its end. Its energy is what the WHOLE measured program used in that
 * time, all its threads and processes included: nobody can tell two threads of one core complex apart by a power sensor.
 * Regions may nest and overlap, in one thread and in several; the energies of regions that overlap therefore do not add up
 * to the program's. All regions of one name are one line of the account: how many, how long, how much energy. Energy is read
 * some ten times a second and interpolated in between; regions that are shorter than two readings are counted and timed,
 * and their energy is "not attributable", never a number.
 *
 * A mark is an instant. Marks of one name tell how often they were passed, and what the program used between the first and
 * the last of them.
 *
 * Cost. Begin, end and mark take a clock and two stores to memory, tens of nanoseconds, and neither a system call nor a
 * lock; except the first time in a thread, which maps its buffer (some 50 microseconds).
 *
 * Failure. These functions never fail the program. Where no `gramwatt run` is around it (GRAMWATT_RUN_ID is not set, or
 * belongs to a run that is over), where there is no memory in /dev/shm, or where a buffer is full because gramwatt does not
 * keep up, they do nothing and give the neutral value; what a full buffer lost is counted and reported with the run. No
 * descriptor stays open. errno is left as it was.
 *
 * Threads, processes. All functions may be called from any thread at any time, and after fork(2) in the child, whose
 * regions are its own. They are not async-signal-safe: a marker in a signal handler may damage the record of a region that the
 * handler interrupts (and nothing else). A process made by a bare clone(2) that skips the handlers of pthread_atfork(3)
 * must not use markers before it calls execve(2).
 */

#include <stdint.h>

#if defined(__GNUC__)
#define GRAMWATT_API __attribute__((visibility("default")))
#else
#define GRAMWATT_API
#endif

#ifdef __cplusplus
#define GRAMWATT_NOEXCEPT noexcept
extern "C" {
#else
#define GRAMWATT_NOEXCEPT
#endif

/* A region that has begun. 0: it is not recorded, and ending it does nothing. */
typedef uint64_t gramwatt_region;

/* A name that was looked up. 0: none. Valid in this process and its forked children, until they call execve(2). */
typedef uint32_t gramwatt_id;

/* 1: this program's markers are being recorded; 0: they do nothing. */
GRAMWATT_API int gramwatt_available(void) GRAMWATT_NOEXCEPT;

/* The id of a name, for hot loops. Equal texts have equal ids. `name`: UTF-8; what is beyond 115 bytes is cut off. A run
 * tells 1024 names apart; all further ones share one line of the account. 0 when nothing is recorded, or name is null. */
GRAMWATT_API gramwatt_id gramwatt_name(const char* name) GRAMWATT_NOEXCEPT;

/* Begins a region now. The text is compared at each call, so any buffer will do; a few nanoseconds more than by id. */
GRAMWATT_API gramwatt_region gramwatt_begin(const char* name) GRAMWATT_NOEXCEPT;
GRAMWATT_API gramwatt_region gramwatt_begin_id(gramwatt_id name) GRAMWATT_NOEXCEPT;

/* Ends a region now; another thread of the process that began it may do so. Regions may end in any order; each ends once.
 * 0: recorded. -1: nothing was recorded, because the region was not (0), was begun by the parent of this forked process, or
 * the buffer is full. */
GRAMWATT_API int gramwatt_end(gramwatt_region region) GRAMWATT_NOEXCEPT;

/* Marks this instant. 0: recorded; -1: not. */
GRAMWATT_API int gramwatt_mark(const char* name) GRAMWATT_NOEXCEPT;
GRAMWATT_API int gramwatt_mark_id(gramwatt_id name) GRAMWATT_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
