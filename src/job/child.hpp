#pragma once
// The measured program as a process: born without losing anything of its own, watched without being disturbed. See child.cpp.

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"

namespace gramwatt::job {

/// How the program ended.
struct Ending {
  int exit_code = 0;  ///< as a shell shows it: 128 + n after signal n
  int signal = 0;     ///< 0: it exited by itself
};

struct SpawnRequest {
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::string>> environment;  ///< added to the inherited one
  int birth_cgroup = -1;                                         ///< folder of a cgroup, or -1
};

/// Blocks the signals that gramwatt takes through a descriptor, and remembers what was inherited, which the program gets back.
/// One object a process, made before any thread.
class SignalGate {
 public:
  SignalGate();
  ~SignalGate();
  SignalGate(const SignalGate&) = delete;
  SignalGate& operator=(const SignalGate&) = delete;

  /// Readable when a signal waits.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The next signal, or 0. `from_kernel`: the terminal sent it, to the program as well.
  struct Signal {
    int number = 0;
    bool from_kernel = false;
  };
  [[nodiscard]] Signal next();

  /// For the child, between fork and exec: what gramwatt had inherited.
  void restore_inherited() const;

 private:
  Fd fd_;
  sigset_t inherited_mask_{};
  struct sigaction inherited_chld_{};
};

class Child {
 public:
  /// Forks; the child waits before its exec until `release`.
  [[nodiscard]] static Result<Child> spawn(const SpawnRequest& request, const SignalGate& gate);

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// False when the birth into the cgroup failed and the child must be moved or another mechanism taken.
  [[nodiscard]] bool born_in_cgroup() const { return born_in_cgroup_; }

  /// Lets the child exec. An Error when the program cannot be started; `exit_code` then is 127 (not found) or 126.
  [[nodiscard]] Result<void> release(int& exit_code);

  /// Reaps everything that has ended; `on_end` for each. Returns the ending of the program itself once it has ended.
  [[nodiscard]] std::optional<Ending> reap(const std::function<void(pid_t, const rusage&)>& on_end);

  /// The program stopped itself because of the terminal (Ctrl-Z, background read): gramwatt must stop too.
  [[nodiscard]] bool take_terminal_stop() { return std::exchange(terminal_stop_, false); }

  /// No child and no adopted orphan is left.
  [[nodiscard]] bool all_gone() const { return all_gone_; }

 private:
  pid_t pid_ = -1;
  bool born_in_cgroup_ = false;
  bool terminal_stop_ = false;
  bool all_gone_ = false;
  Fd go_, status_;
};

/// Ends this process as the program ended: with its exit code, or by its signal without a core file.
[[noreturn]] void end_like(const Ending& ending);

}  // namespace gramwatt::job
