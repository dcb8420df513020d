#pragma once
// The process that lets a held program run on when gramwatt no longer can. See guardian.cpp.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/quantity.hpp"

namespace gramwatt::job {

namespace guardian {
struct Page;
struct Entry;
}  // namespace guardian

/// How long a gramwatt that is stopped may leave its program held. While something is held gramwatt renews the lease every
/// `Guardian::renew_every()`, 2 minutes, which wakes both once: together once a minute.
constexpr Nanoseconds kLease = std::chrono::seconds(200);

/// One thread at a time. Everything below takes microseconds, but for `restart` and what waits for the guardian's answer (at
/// most a second, when it is stopped or the machine is very busy).
class Guardian {
 public:
  /// To be called before gramwatt becomes a sub-reaper and before the program is born: the guardian is then a child of init, in
  /// a session of its own. Later it is gramwatt's child, one that wait4(-1) does not see (its end sends no SIGCHLD).
  [[nodiscard]] static Result<std::unique_ptr<Guardian>> start(Nanoseconds lease = kLease);
  /// Lets everything go and ends the guardian.
  ~Guardian();
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Readable (POLLIN) once the guardian is dead: a source for the poll loop.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }

  enum class Health { well, stopped, dead };
  /// Dead: by its pidfd. Stopped: by its state, or because it has left a request of more than a second ago unanswered.
  [[nodiscard]] Health health() const;

  /// While something is held, at least every `renew_every()`. An Error: the guardian is dead or stopped (release the hold, then
  /// `restart`), or it was too late and everything has been let go (`released()`).
  [[nodiscard]] Result<void> renew();
  [[nodiscard]] Nanoseconds renew_every() const { return lease_ * 3 / 5; }

  /// The lease ran out, because gramwatt was stopped, and everything was let go. Until the next hold is set.
  [[nodiscard]] bool released() const;

  /// Ends what is left of the guardian and starts another. May be called when gramwatt has threads and is a sub-reaper.
  [[nodiscard]] Result<void> restart();

  // ------------------------------------------------------------------------------------------ for ways to hold (hold.hpp)

  /// Begins a lease. An Error when the guardian does not answer: then nothing may be stopped. After `clear`.
  [[nodiscard]] Result<void> arm();
  /// Before a freezer is frozen. `folder`: of the cgroup.
  [[nodiscard]] Result<void> watch_cgroup(const std::string& folder);
  /// Before SIGSTOP is sent.
  [[nodiscard]] Result<void> watch_process(pid_t pid, std::int64_t start_ticks);
  [[nodiscard]] bool watches(pid_t pid, std::int64_t start_ticks) const;

  /// Threads to be traced, then `seize`, then how it went. A thread is not to be named twice.
  [[nodiscard]] Result<void> want_thread(pid_t tid, std::int64_t start_ticks);
  [[nodiscard]] Result<void> seize();
  struct Refusal {
    pid_t tid = 0;
    std::int64_t start_ticks = 0;
    int error = 0;
  };
  /// What the last `seize` could not.
  [[nodiscard]] std::vector<Refusal> take_refusals();
  /// Lets traced threads go. How many could not be yet; the guardian lets those go when they come to rest.
  [[nodiscard]] Result<std::size_t> let_go();

  /// Before a second SIGSTOP is sent to a process that may not have obeyed the first: two may pend then, and one of ours must
  /// not be taken for somebody else's.
  void doubt(pid_t pid, std::int64_t start_ticks, bool doubted);

  struct Watched {
    pid_t pid = 0;
    std::int64_t start_ticks = 0;
    bool doubted = false;
  };
  /// Calls `each` for everything watched by `watch_process`, the last first, and forgets it.
  template <class Each>
  void unwatch_processes(const Each& each) {
    for (std::size_t i = count(); i-- > 0;) {
      const Watched watched = entry(i);
      if (watched.pid != 0) each(watched);
      forget(i);
    }
  }
  /// Nothing is held any more: no lease, no wake-ups.
  void clear();

 private:
  explicit Guardian(Nanoseconds lease) : lease_(lease) {}
  [[nodiscard]] Result<void> spawn();
  void end();
  [[nodiscard]] std::uint32_t ask(int request);
  [[nodiscard]] Result<void> await(std::uint32_t asked) const;
  [[nodiscard]] Result<void> add(pid_t id, std::int64_t start_ticks);
  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] guardian::Entry* find(pid_t pid, std::int64_t start_ticks) const;
  [[nodiscard]] Watched entry(std::size_t i) const;
  void forget(std::size_t i);

  Nanoseconds lease_;
  guardian::Page* page_ = nullptr;
  Fd pidfd_, bell_, thread_;
  pid_t pid_ = -1;
  bool own_child_ = false;
  Nanoseconds last_asked_{};
};

}  // namespace gramwatt::job
