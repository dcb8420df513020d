// The program keeps everything that is its own: arguments, descriptors, terminal, process group, signal mask and dispositions,
// exit code. Its environment gains GRAMWATT_RUN_ID.
//
// It stays in gramwatt's own process group. With a group of its own and tcsetpgrp the shell loses its job at the first Ctrl-Z;
// in one group the terminal does all the work: Ctrl-C and Ctrl-Z reach the program without gramwatt. So gramwatt blocks
// signals, reads them from a signalfd, ignores what the terminal sent (si_code > 0: the program got it as well) and forwards
// what a process sent to gramwatt alone. When the program is stopped by the terminal, gramwatt stops itself, so that the shell
// sees a stopped job; `fg` continues both.
//
// The child is born, then waits on a pipe while counters are attached to it and first readings are taken, and then execs.

#include "job/child.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace gramwatt::job {
namespace {

constexpr std::array kTaken{SIGCHLD, SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGTSTP, SIGTTIN,
                            SIGTTOU, SIGCONT, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE};

sigset_t taken_set() {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : kTaken) sigaddset(&set, s);
  return set;
}

/// fork, into a cgroup where asked and possible.
pid_t fork_into(int cgroup, bool& born_in_cgroup) {
  born_in_cgroup = false;
  if (cgroup >= 0) {
    clone_args args{};
    args.flags = CLONE_INTO_CGROUP;
    args.exit_signal = SIGCHLD;
    args.cgroup = static_cast<std::uint64_t>(cgroup);
    // Old kernels and some containers' filters have no clone3: then the plain fork and a move.
    const long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid >= 0) {
      born_in_cgroup = true;
      return static_cast<pid_t>(pid);
    }
  }
  return fork();
}

/// Moves a process into a cgroup by its folder.
bool move_into(int cgroup, pid_t pid) {
  const Fd procs(::openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC));
  const std::string text = std::to_string(pid);
  return procs && ::write(procs.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

struct Pipe {
  Fd read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return tl::unexpected(errno_error(errno, "cannot make a pipe", {}));
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

/// In the child: waits for the word, execs, and reports why it could not.
[[noreturn]] void become(const std::vector<char*>& argv, int go, int status, const SignalGate& gate) {
  char word = 0;
  ssize_t n = 0;
  while ((n = ::read(go, &word, 1)) < 0 && errno == EINTR) {}
  if (n != 1) _exit(125);  // gramwatt ended before it had let us go
  gate.restore_inherited();
  ::execvp(argv[0], argv.data());
  const int why = errno;
  (void)!::write(status, &why, sizeof why);
  _exit(why == ENOENT ? 127 : 126);
}

}  // namespace

SignalGate::SignalGate() {
  const sigset_t set = taken_set();
  sigprocmask(SIG_BLOCK, &set, &inherited_mask_);
  // With SIGCHLD ignored, as nohup-like parents leave it, the kernel would reap our children for us.
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &standard, &inherited_chld_);
  fd_ = Fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

SignalGate::~SignalGate() {
  sigaction(SIGCHLD, &inherited_chld_, nullptr);
  sigprocmask(SIG_SETMASK, &inherited_mask_, nullptr);
}

SignalGate::Signal SignalGate::next() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != sizeof info) return {};
  return {static_cast<int>(info.ssi_signo), info.ssi_code > 0};
}

void SignalGate::restore_inherited() const {
  sigaction(SIGCHLD, &inherited_chld_, nullptr);
  sigprocmask(SIG_SETMASK, &inherited_mask_, nullptr);
}

Result<Child> Child::spawn(const SpawnRequest& request, const SignalGate& gate) {
  auto go = make_pipe();
  if (!go) return tl::unexpected(go.error());
  auto status = make_pipe();
  if (!status) return tl::unexpected(status.error());

  // Everything that allocates happens before the fork.
  std::vector<std::string> words = request.command;
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  for (const auto& [name, value] : request.environment) ::setenv(name.c_str(), value.c_str(), 1);

  Child child;
  child.pid_ = fork_into(request.birth_cgroup, child.born_in_cgroup_);
  if (child.pid_ < 0) return tl::unexpected(errno_error(errno, "cannot fork", request.command.front()));
  if (child.pid_ == 0) {
    // The ends that are the parent's: without this the child would wait for itself.
    go->write.reset();
    status->read.reset();
    become(argv, go->read.get(), status->write.get(), gate);
  }
  for (const auto& [name, value] : request.environment) ::unsetenv(name.c_str());
  if (request.birth_cgroup >= 0 && !child.born_in_cgroup_) child.born_in_cgroup_ = move_into(request.birth_cgroup, child.pid_);
  child.go_ = std::move(go->write);
  child.status_ = std::move(status->read);
  return child;
}

Result<void> Child::release(int& exit_code) {
  (void)!::write(go_.get(), "g", 1);
  go_.reset();
  int why = 0;
  ssize_t n = 0;
  // Ends when exec closes the other end (nothing read) or when it failed (errno read).
  while ((n = ::read(status_.get(), &why, sizeof why)) < 0 && errno == EINTR) {}
  status_.reset();
  if (n != sizeof why) return {};
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
  exit_code = why == ENOENT ? 127 : 126;
  return fail(std::string(why == ENOENT ? "command not found" : std::strerror(why)), {},
              why == ENOENT   ? "check the spelling and PATH"
              : why == EACCES ? "is it a file with execute permission?"
                              : "");
}

std::optional<Ending> Child::reap(const std::function<void(pid_t, const rusage&)>& on_end) {
  std::optional<Ending> ending;
  for (;;) {
    int status = 0;
    rusage usage{};
    const pid_t pid = ::wait4(-1, &status, WNOHANG | WUNTRACED, &usage);
    if (pid == 0) return ending;
    if (pid < 0) {
      if (errno == EINTR) continue;
      all_gone_ = errno == ECHILD;
      return ending;
    }
    if (WIFSTOPPED(status)) {
      const int by = WSTOPSIG(status);
      // SIGSTOP is somebody's wish for the program alone; only the terminal's stops are for the whole job.
      if (pid == pid_ && (by == SIGTSTP || by == SIGTTIN || by == SIGTTOU)) terminal_stop_ = true;
      continue;
    }
    on_end(pid, usage);
    if (pid != pid_) continue;
    if (WIFSIGNALED(status)) ending = Ending{128 + WTERMSIG(status), WTERMSIG(status)};
    else ending = Ending{WEXITSTATUS(status), 0};
  }
}

void end_like(const Ending& ending) {
  if (ending.signal != 0) {
    // By the same signal: with exit(130) a shell loop would go on after Ctrl-C. The core file, if any, is the program's own.
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    struct sigaction standard{};
    standard.sa_handler = SIG_DFL;
    sigaction(ending.signal, &standard, nullptr);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, ending.signal);
    ::raise(ending.signal);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
  }
  std::_Exit(ending.exit_code);
}

}  // namespace gramwatt::job
