#pragma once
// What gramwatt and its guardian share: one piece of memory, written by gramwatt *before* it stops anything, so that the
// guardian knows what to let go, whatever moment gramwatt dies at. Only guardian.cpp and guardian_process.cpp look inside.

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace gramwatt::job::guardian {

/// What stands in the page, and so how it is let go.
enum class Way : std::uint32_t { nothing, cgroup, stop, trace };

/// What gramwatt asks for besides an answer.
enum class Request : std::uint32_t { answer, seize, detach, quit };

/// A process (way `stop`) or a thread (way `trace`).
enum class EntryState : std::uint32_t {
  wanted,   ///< may be stopped already: written before
  seized,   ///< traced, on its way to its stop
  stopped,  ///< traced and at rest
  gone,     ///< ended or let go
  refused,  ///< the kernel does not let us; `error` says why
};

struct Entry {
  std::atomic<pid_t> id;
  std::atomic<EntryState> state;
  std::atomic<std::int64_t> start_ticks;  ///< with the id it names one process for ever
  std::atomic<int> error;                 ///< errno of a refusal
  std::atomic<bool> doubted;              ///< way `stop`: was sent a second SIGSTOP, so one that is pending may be ours
};

constexpr std::int64_t kNoLease = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kExpired = -1;

/// A tree of more threads than this is not held. The memory is there only once it is touched.
constexpr std::size_t kMostEntries = 32'768;
constexpr std::size_t kLongestPath = 4096;  // PATH_MAX

struct Page {
  std::atomic<pid_t> guardian;
  std::atomic<std::uint32_t> asked;     ///< counts gramwatt's requests
  std::atomic<std::uint32_t> answered;  ///< the last request that the guardian has carried out; a futex
  std::atomic<Request> request;
  std::atomic<Way> way;
  std::atomic<std::uint32_t> count;       ///< of entries
  std::atomic<std::uint32_t> left;        ///< traced threads that could not be let go yet
  std::atomic<std::int64_t> lease;        ///< its length, ns
  std::atomic<std::int64_t> lease_until;  ///< CLOCK_MONOTONIC, ns; kNoLease, or kExpired: the guardian has let everything go
  std::array<char, kLongestPath> cgroup;  ///< folder, ended by 0
  std::array<Entry, kMostEntries> entries;
};

static_assert(std::atomic<std::int64_t>::is_always_lock_free && std::atomic<EntryState>::is_always_lock_free);

/// The guardian's whole life, in a process of its own. Makes system calls and nothing else: it may begin as the copy of a
/// process that had threads and held locks. `arguments`: where the command line stands that it was copied with.
struct Birth {
  Page* page;
  int gramwatt;  ///< pidfd
  int bell;      ///< eventfd
  int thread;    ///< read end of a pipe that nobody writes to
  char* arguments;
  std::size_t arguments_size;
};
[[noreturn]] void live(const Birth& birth);

}  // namespace gramwatt::job::guardian
