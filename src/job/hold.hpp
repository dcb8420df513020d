#pragma once
// Holding a running process tree in place: nothing of it uses a CPU any more, all of it stays in memory, and it runs on as if
// time had jumped.
//
// Three ways, best first. Each goes on until nothing of the tree runs: processes fork and threads appear while they are
// counted, so a way is done when a look at the tree finds nothing that it does not hold already (what is held forks no more).
//
//   freeze  the freezer of the run's own cgroup 2: one write, atomic, the kernel follows forks. Nothing in the tree can see it,
//           no signal undoes it; one that would end the program ends it. Needs the cgroup (meter::TreeCpu::birth_cgroup) and
//           Linux 5.2.
//   trace   PTRACE_SEIZE + PTRACE_INTERRUPT on every thread, by the guardian. `fg` does not undo it, parents do not see stopped
//           children, and the kernel itself lets all run on when the tracer dies. Not for processes that are traced already,
//           nor where kernel.yama.ptrace_scope lets ancestors trace only (1, Ubuntu's default; the guardian is none).
//   stop    SIGSTOP to every process. Works everywhere, but anybody's SIGCONT undoes it (`fg`, `bg`), and a parent that waits
//           with WUNTRACED sees it. Parents are stopped before children and continued after them, so that few do.
//
// What the program notices: epoll_wait, semtimedop, recv with a timeout and sigtimedwait return EINTR, as after Ctrl-Z and fg
// (signal(7), "Interruption of system calls by stop signals"); poll, select, nanosleep, read are not disturbed, but their
// timeouts have run meanwhile. Connections to others may time out. Signals that come meanwhile wait and are delivered when it
// runs on, one that was just being delivered when a thread was caught included.
//
// A stop that somebody else put on the job is theirs. What was stopped before is not continued by us (stop: not touched, trace:
// the kernel puts it back into its stop, freeze: two states side by side). What is stopped while we hold stays stopped when we
// let go (the stop signal is still pending, which is how way `stop` knows). Two of them cannot be told apart: a freezer that
// somebody writes 1 to while we hold it, and a SIGSTOP within the microseconds between our look and our own.
//
// Never left held: guardian.hpp. With every way gramwatt's death lets all run on in about a millisecond; a gramwatt that is
// stopped, when its lease has run out.
//
// What the one who decides (the executor) must do:
//   - a signal that ends or stops the program (SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP), from the terminal too: `release`
//   first;
//   - SIGCONT to gramwatt: ask `guardian.released()` and `verified_held()`; `set()` again where the plan still holds;
//   - `guardian.pidfd()` readable, or `renew()` failed: `release`, `guardian.restart()`, `set`;
//   - `renew()` every `guardian.renew_every()`.

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "job/guardian.hpp"

namespace gramwatt::job {

/// Which processes are held.
struct HoldScope {
  pid_t root = -1;              ///< the program: it and everything below it; alive when the hold is made
  std::string cgroup;           ///< folder of the run's own cgroup 2, everything in it; empty: it has none
  bool adopted = false;         ///< this process is a sub-reaper: its children are the program's orphans, held as well
  std::vector<pid_t> spared{};  ///< children of this process that are none of the program's (the guardian is known)
  std::int64_t root_start = 0;  ///< start time of `root` in ticks; found by make_hold
};

/// Folder of a cgroup from an open descriptor of it, as `TreeCpu::birth_cgroup()` gives it; empty for -1.
[[nodiscard]] std::string cgroup_folder(int fd);

enum class HoldWay { freeze, trace, stop };
[[nodiscard]] std::string_view name_of(HoldWay way);
[[nodiscard]] std::optional<HoldWay> parse_hold_way(std::string_view name);

/// One thread at a time. Outlived by its guardian. `set`, `release` and `verified_held` take 0.1 to some 10 ms (a walk over the
/// tree), and up to 2 seconds where the kernel does not get the program to rest.
class Hold {
 public:
  virtual ~Hold() = default;  // of a hold that is set: releases it
  Hold() = default;
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  /// Holds the tree, or what of it is not held any more or not yet. After an Error nothing is held.
  [[nodiscard]] virtual Result<void> set() = 0;
  /// Lets run on what this object holds. May be called when nothing is held. An Error: something does not run on, or not yet.
  [[nodiscard]] virtual Result<void> release() = 0;
  /// Looks: does nothing of the tree run? A thread in an uninterruptible sleep that will stop when it wakes counts as held.
  [[nodiscard]] virtual bool verified_held() = 0;

  [[nodiscard]] virtual HoldWay way() const = 0;
  /// Better ways that cannot be taken here, a sentence each, for messages: "freeze: the run has no cgroup of its own".
  [[nodiscard]] virtual std::vector<std::string> refused() const { return {}; }
};

/// The best way that works here. A way may turn out not to work only when it is set: then the next one is taken, the reason
/// added to `refused()`. `forced`: that way or none. An Error: no way at all.
[[nodiscard]] Result<std::unique_ptr<Hold>> make_hold(HoldScope scope, Guardian& guardian, std::optional<HoldWay> forced = {});

}  // namespace gramwatt::job
