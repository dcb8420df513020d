/* The library that a measured program links: include/gramwatt/gramwatt.h says what it does, protocol.h where it writes.
 *
 * The way of an event: find the thread's state (one load), see that there is room (one compare against a limit that is
 * renewed only when it is reached), read the clock, write 16 bytes, publish the new head (a plain store on x86). All else
 * happens once: the process attaches at its first call, a thread claims a ring at its first event.
 *
 * Who leaves: a thread that ends gives its ring back; so does a process that exits. One that is killed, or calls execve, does
 * not: who finds no free ring looks for owners that are gone. A forked child forgets everything that was its parent's. */

#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include "gramwatt/gramwatt.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mark/protocol.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)

enum { NAMES_REMEMBERED = 64 };

/* What a thread needs, allocated at its first event. */
struct thread_state {
  uint64_t head;
  uint64_t room;          /* regions may begin while head is below this */
  uint64_t room_for_ends; /* ends may be written while head is below this */
  uint64_t serial;
  struct gwm_ring* ring; /* null: no ring was to be had */
  struct gwm_event* events;
  uint32_t number; /* of the ring */
  uint32_t clock;
  /* By where its text lies: a literal is found without hashing it. The text is compared all the same. */
  struct {
    const char* text;
    uint32_t name;
  } names[NAMES_REMEMBERED];
};

/* What the process knows. Written once, before `attached` is, except for the members that say otherwise. */
static struct {
  pthread_once_t once;
  int attached; /* atomic; 1: yes, -1: there is nothing to attach to */
  char* memory; /* header, owners, names */
  char path[sizeof GWM_PREFIX + GWM_RUN_ID_LENGTH];
  dev_t device;
  ino_t inode;
  gwm_owner self;   /* changed in a forked child */
  uint32_t lineage; /* 8 bits; one more in a forked child: tells its regions from its parent's */
  pthread_key_t key;
} process = {.once = PTHREAD_ONCE_INIT};

static __thread struct thread_state* mine __attribute__((tls_model("initial-exec")));

static struct gwm_header* header(void) { return (struct gwm_header*)process.memory; }
static gwm_owner* owners(void) { return (gwm_owner*)(process.memory + GWM_OWNERS_AT); }
static struct gwm_name* names(void) { return (struct gwm_name*)(process.memory + GWM_NAMES_AT); }

static inline uint64_t now(uint32_t clock) {
#if defined(__x86_64__) || defined(__i386__)
  if (LIKELY(clock == GWM_CLOCK_COUNTER)) return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  if (LIKELY(clock == GWM_CLOCK_COUNTER)) {
    uint64_t count;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
    return count;
  }
#endif
  struct timespec t;
  (void)clock;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* ---- attaching the process ---------------------------------------------------------------------------------------------- */

/* This process among those of all pid namespaces. */
static gwm_owner owner_of_this_process(void) {
  struct stat space;
  const uint64_t number = stat("/proc/self/ns/pid", &space) == 0 ? (uint32_t)space.st_ino : 0;
  return number << 32 | (uint32_t)getpid();
}

static bool is_run_id(const char* id) {
  return strlen(id) == GWM_RUN_ID_LENGTH && strspn(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == GWM_RUN_ID_LENGTH;
}

/* Opens the file of the run. Only ours, or root's, is believed. */
static int open_file(struct stat* info) {
  const int fd = open(process.path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  if (fstat(fd, info) == 0 && S_ISREG(info->st_mode) && (info->st_uid == geteuid() || info->st_uid == 0) &&
      (uint64_t)info->st_size == GWM_FILE_SIZE)
    return fd;
  (void)close(fd);
  return -1;
}

static bool map_file(void) {
  const char* id = secure_getenv("GRAMWATT_RUN_ID");
  if (id == NULL || !is_run_id(id)) return false;
  memcpy(process.path, GWM_PREFIX, sizeof GWM_PREFIX - 1);
  memcpy(process.path + sizeof GWM_PREFIX - 1, id, GWM_RUN_ID_LENGTH + 1);
  struct stat info;
  const int fd = open_file(&info);
  if (fd < 0) return false;
  process.device = info.st_dev;
  process.inode = info.st_ino;
  void* memory = MAP_FAILED;
  if (fallocate(fd, 0, 0, GWM_RINGS_AT) == 0) memory = mmap(NULL, GWM_RINGS_AT, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  (void)close(fd);
  if (memory == MAP_FAILED) return false;
  process.memory = memory;
  if (header()->magic == GWM_MAGIC) return true;
  (void)munmap(memory, GWM_RINGS_AT);
  return false;
}

/* Somebody marks: gramwatt may look more often now. */
static void ring_the_bell(void) {
  char path[sizeof process.path + sizeof GWM_DOORBELL];
  memcpy(path, process.path, sizeof process.path - 1);
  memcpy(path + sizeof process.path - 1, GWM_DOORBELL, sizeof GWM_DOORBELL);
  const int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0) (void)close(fd);
}

/* Gives the ring back. */
static void release(struct thread_state* s) {
  if (s->ring != NULL) {
    gwm_owner self = process.self;
    (void)munmap(s->ring, GWM_RING_SIZE);
    (void)__atomic_compare_exchange_n(&owners()[s->number - 1], &self, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
  }
  free(s);
}

static void thread_ends(void* state) {
  mine = NULL;
  release(state);
}

/* The one thread that is left in a child: its ring is its parent's. */
static void forked(void) {
  if (mine != NULL) {
    if (mine->ring != NULL) (void)munmap(mine->ring, GWM_RING_SIZE);
    free(mine);
    mine = NULL;
    (void)pthread_setspecific(process.key, NULL);
  }
  process.self = owner_of_this_process();
  process.lineage = (process.lineage + 1) & 0xFFU;
}

static void attach(void) {
  const int error = errno;
  bool done = map_file();
  if (done) {
    process.self = owner_of_this_process();
    done = pthread_key_create(&process.key, thread_ends) == 0 && pthread_atfork(NULL, NULL, forked) == 0;
    ring_the_bell();
  }
  __atomic_store_n(&process.attached, done ? 1 : -1, __ATOMIC_RELEASE);
  errno = error;
}

/* Other threads may go on while a process exits; their rings are found by who needs one. */
__attribute__((destructor)) static void process_exits(void) {
  if (mine != NULL) thread_ends(mine);
}

static bool is_attached(void) {
  int state = __atomic_load_n(&process.attached, __ATOMIC_ACQUIRE);
  if (state == 0) {
    (void)pthread_once(&process.once, attach);
    state = __atomic_load_n(&process.attached, __ATOMIC_ACQUIRE);
  }
  return state > 0;
}

/* ---- a thread's ring ---------------------------------------------------------------------------------------------------- */

/* Is the owner a process of our pid namespace that is no more? */
static bool is_gone(gwm_owner owner) {
  return owner >> 32 == process.self >> 32 && kill((pid_t)(owner & 0xFFFFFFFFU), 0) != 0 && errno == ESRCH;
}

/* The number of a ring that is ours now; 0: all are taken. */
static uint32_t claim_number(void) {
  for (int take_from_dead = 0; take_from_dead < 2; ++take_from_dead) {
    for (uint32_t i = 0; i < GWM_RINGS; ++i) {
      gwm_owner owner = __atomic_load_n(&owners()[i], __ATOMIC_RELAXED);
      if (owner != 0 && !(take_from_dead && is_gone(owner))) continue;
      if (!__atomic_compare_exchange_n(&owners()[i], &owner, process.self, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) continue;
      return i + 1;
    }
  }
  return 0;
}

static void count_as_claimed(uint32_t number) {
  uint32_t claimed = __atomic_load_n(&header()->rings_claimed, __ATOMIC_RELAXED);
  while (claimed < number &&
         !__atomic_compare_exchange_n(&header()->rings_claimed, &claimed, number, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {}
}

/* Allocates and maps it, all pages at once: an event must not wait for one. */
static struct gwm_ring* map_ring(uint32_t number) {
  struct stat info;
  const int fd = open_file(&info);
  if (fd < 0) return NULL;
  const off_t at = (off_t)(GWM_RINGS_AT + (uint64_t)(number - 1) * GWM_RING_STRIDE);
  void* ring = MAP_FAILED;
  if (info.st_dev == process.device && info.st_ino == process.inode && fallocate(fd, 0, at, GWM_RING_SIZE) == 0)
    ring = mmap(NULL, GWM_RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, at);
  (void)close(fd);
  return ring == MAP_FAILED ? NULL : ring;
}

static void claim_ring(struct thread_state* s) {
  s->number = claim_number();
  if (s->number == 0) return;
  s->ring = map_ring(s->number);
  if (s->ring == NULL) {
    __atomic_store_n(&owners()[s->number - 1], 0, __ATOMIC_RELEASE);
    return;
  }
  s->events = (struct gwm_event*)((char*)s->ring + GWM_EVENTS_AT);
  s->head = __atomic_load_n(&s->ring->head, __ATOMIC_RELAXED);
  s->serial = s->ring->serial;
  count_as_claimed(s->number);
}

static struct thread_state* first_event(void) {
  if (!is_attached()) return NULL;
  const int error = errno;
  struct thread_state* s = calloc(1, sizeof *s);
  if (s != NULL) {
    s->clock = header()->clock;
    claim_ring(s);
    mine = s;
    (void)pthread_setspecific(process.key, s);
  }
  errno = error;
  return s;
}

static inline struct thread_state* state(void) {
  struct thread_state* s = mine;
  return LIKELY(s != NULL) ? s : first_event();
}

/* Asks how far gramwatt has come. */
static void renew_room(struct thread_state* s) {
  if (s->ring == NULL) return;
  const uint64_t tail = __atomic_load_n(&s->ring->tail, __ATOMIC_ACQUIRE);
  s->room_for_ends = tail + GWM_EVENTS;
  s->room = s->room_for_ends - GWM_RESERVE;
}

static bool has_room(struct thread_state* s) {
  if (LIKELY(s->head < s->room)) return true;
  renew_room(s);
  if (s->head < s->room) return true;
  if (s->ring != NULL) __atomic_store_n(&s->ring->dropped, s->ring->dropped + 1, __ATOMIC_RELAXED);
  else (void)__atomic_fetch_add(&header()->refused, 1, __ATOMIC_RELAXED);
  return false;
}

static inline void push(struct thread_state* s, uint64_t time, enum gwm_kind kind, uint64_t name_or_ring, uint64_t serial) {
  struct gwm_event* e = &s->events[s->head % GWM_EVENTS];
  e->time = time;
  e->what = (uint64_t)kind << GWM_KIND_SHIFT | name_or_ring << GWM_NAME_SHIFT | serial;
  __atomic_store_n(&s->ring->head, ++s->head, __ATOMIC_RELEASE);
}

/* ---- names -------------------------------------------------------------------------------------------------------------- */

/* FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/). */
static uint64_t hash_of(const char* text, size_t length) {
  uint64_t h = 14695981039346656037ULL;
  for (size_t i = 0; i < length; ++i) h = (h ^ (unsigned char)text[i]) * 1099511628211ULL;
  return h != 0 ? h : 1;
}

/* Bytes of a name that are kept: no UTF-8 sequence is cut in two. */
static size_t kept_length(const char* text) {
  size_t n = strnlen(text, GWM_NAME_BYTES);
  if (n < GWM_NAME_BYTES) return n;
  n = GWM_NAME_BYTES - 1;
  while (n > 0 && ((unsigned char)text[n] & 0xC0U) == 0x80U) --n;
  return n;
}

/* Another writer has taken the slot for this hash: its text will be there in a moment, or never, if it died just then. */
static bool has_text(const struct gwm_name* slot, const char* text, size_t length) {
  for (int i = 0; i < 10000 && __atomic_load_n(&slot->ready, __ATOMIC_ACQUIRE) == 0; ++i) {}
  return __atomic_load_n(&slot->ready, __ATOMIC_ACQUIRE) == 1 && strnlen(slot->text, GWM_NAME_BYTES) == length &&
         memcmp(slot->text, text, length) == 0;
}

/* Finds the name in the table that all processes of the run share, or adds it. */
static gramwatt_id intern(const char* text) {
  const size_t length = kept_length(text);
  const uint64_t hash = hash_of(text, length);
  for (uint32_t i = 0; i < GWM_NAMES; ++i) {
    const uint32_t at = (uint32_t)((hash + i) % GWM_NAMES);
    struct gwm_name* slot = &names()[at];
    uint64_t found = __atomic_load_n(&slot->hash, __ATOMIC_ACQUIRE);
    if (found == 0 && __atomic_compare_exchange_n(&slot->hash, &found, hash, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
      memcpy(slot->text, text, length);
      slot->text[length] = 0;
      __atomic_store_n(&slot->ready, 1, __ATOMIC_RELEASE);
      return at + 1;
    }
    if (found == hash && has_text(slot, text, length)) return at + 1;
  }
  return GWM_OTHER_NAMES;
}

static gramwatt_id name_of(struct thread_state* s, const char* text) {
  const uintptr_t where = (uintptr_t)text;
  const size_t i = (where ^ where >> 6) % NAMES_REMEMBERED;
  if (s->names[i].text == text) {
    const uint32_t name = s->names[i].name;
    if (LIKELY(name != GWM_OTHER_NAMES && strcmp(names()[name - 1].text, text) == 0)) return name;
  }
  const gramwatt_id name = intern(text);
  s->names[i].text = text;
  s->names[i].name = name;
  return name;
}

/* ---- the interface ------------------------------------------------------------------------------------------------------ */

int gramwatt_available(void) {
  if (!is_attached()) return 0;
  const struct thread_state* s = state();
  return s != NULL && s->ring != NULL;
}

gramwatt_id gramwatt_name(const char* name) { return name != NULL && is_attached() ? intern(name) : 0; }

static gramwatt_region begin(struct thread_state* s, gramwatt_id name) {
  if (!has_room(s)) return 0;
  const uint64_t serial = ++s->serial & GWM_SERIAL_MASK;
  s->ring->serial = s->serial;
  push(s, now(s->clock), GWM_BEGIN, name, serial);
  return (uint64_t)s->number << 52 | (uint64_t)process.lineage << 44 | serial;
}

static int mark(struct thread_state* s, gramwatt_id name) {
  if (!has_room(s)) return -1;
  push(s, now(s->clock), GWM_MARK, name, 0);
  return 0;
}

gramwatt_region gramwatt_begin(const char* name) {
  struct thread_state* s = state();
  return s == NULL || name == NULL ? 0 : begin(s, name_of(s, name));
}

gramwatt_region gramwatt_begin_id(gramwatt_id name) {
  struct thread_state* s = state();
  return s == NULL || name == 0 || name > GWM_OTHER_NAMES ? 0 : begin(s, name);
}

int gramwatt_end(gramwatt_region region) {
  if (region == 0) return -1;
  struct thread_state* s = state();
  if (s == NULL || (region >> 44 & 0xFFU) != process.lineage) return -1;
  const uint64_t time = now(s->clock);
  if (!LIKELY(s->head < s->room_for_ends)) {
    renew_room(s);
    if (s->head >= s->room_for_ends) return -1;
  }
  push(s, time, GWM_END, region >> 52, region & GWM_SERIAL_MASK);
  return 0;
}

int gramwatt_mark(const char* name) {
  struct thread_state* s = state();
  return s == NULL || name == NULL ? -1 : mark(s, name_of(s, name));
}

int gramwatt_mark_id(gramwatt_id name) {
  struct thread_state* s = state();
  return s == NULL || name == 0 || name > GWM_OTHER_NAMES ? -1 : mark(s, name);
}
