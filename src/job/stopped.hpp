#pragma once
// Stopping and continuing one process by signal, without touching a stop that is somebody else's. Nothing here allocates or
// takes a lock: the guardian calls it too.

#include <sys/types.h>

#include <cstdint>
#include <string_view>

namespace gramwatt::job {

/// Signals that stand in a /proc/PID/status: a bit each, signal n is bit n − 1; proc(5).
struct SignalMasks {
  std::uint64_t pending = 0, blocked = 0, ignored = 0;
};
[[nodiscard]] SignalMasks parse_signal_masks(std::string_view status);

/// A stop that waits to be obeyed. Of a process that we have stopped it is somebody else's: ours was taken off the queue when
/// it took effect, and a stopped process takes no more.
[[nodiscard]] bool has_stop_pending(const SignalMasks& masks);

enum class Stopped {
  sent,    ///< it stops as soon as it would next run
  theirs,  ///< it was stopped already, by somebody else
  gone,    ///< it has ended, or the id names another process by now
  denied,  ///< EPERM
};

/// Is it stopped, and not by us?
[[nodiscard]] bool is_stopped(pid_t pid, std::int64_t start_ticks);
/// Sends SIGSTOP to exactly this process.
[[nodiscard]] Stopped stop_process(pid_t pid, std::int64_t start_ticks);
/// Sends SIGCONT to exactly this process, unless somebody else has stopped it meanwhile. `doubted`: a stop that is pending may
/// be ours too, and a program must not be left stopped by us; so it is continued in any case.
Stopped continue_process(pid_t pid, std::int64_t start_ticks, bool doubted);

}  // namespace gramwatt::job
