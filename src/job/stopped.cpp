#include "job/stopped.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <optional>

#include "base/process.hpp"

namespace gramwatt::job {
namespace {

/// As a plain read of a file in /proc/PID, by bare system calls.
class ProcText {
 public:
  ProcText(pid_t pid, std::string_view name) {
    std::array<char, 48> path{"/proc/"};
    char* at = std::to_chars(path.data() + 6, path.data() + 20, pid).ptr;
    *at++ = '/';
    for (const char c : name) *at++ = c;
    *at = '\0';
    const long fd = syscall(SYS_openat, AT_FDCWD, path.data(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    while (size_ < text_.size()) {
      const long n = syscall(SYS_read, fd, text_.data() + size_, text_.size() - size_);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      size_ += static_cast<std::size_t>(n);
    }
    syscall(SYS_close, fd);
  }
  [[nodiscard]] std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, 4096> text_;
  std::size_t size_ = 0;
};

/// Holds on to one process while it is looked at and signalled, so that its id cannot become another's in between.
class Grip {
 public:
  Grip(pid_t pid, std::int64_t start_ticks) : fd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {
    if (fd_ < 0) return;
    const auto stat = parse_process_stat(ProcText(pid, "stat").text());
    if (stat && stat->start_ticks == start_ticks && stat->state != 'Z' && stat->state != 'X') state_ = stat->state;
  }
  ~Grip() {
    if (fd_ >= 0) syscall(SYS_close, fd_);
  }
  Grip(const Grip&) = delete;
  Grip& operator=(const Grip&) = delete;
  /// Field 3 of its stat; 0: it is gone.
  [[nodiscard]] char state() const { return state_; }
  [[nodiscard]] Stopped send(int signal) const {
    if (syscall(SYS_pidfd_send_signal, fd_, signal, nullptr, 0) == 0) return Stopped::sent;
    return errno == EPERM ? Stopped::denied : Stopped::gone;
  }

 private:
  int fd_;
  char state_ = 0;
};

std::uint64_t mask_after(std::string_view status, std::string_view key) {
  std::uint64_t mask = 0;
  const auto at = status.find(key);
  if (at == std::string_view::npos) return 0;
  std::string_view rest = status.substr(at + key.size());
  while (!rest.empty() && (rest.front() == '\t' || rest.front() == ' ')) rest.remove_prefix(1);
  std::from_chars(rest.data(), rest.data() + rest.size(), mask, 16);
  return mask;
}

}  // namespace

SignalMasks parse_signal_masks(std::string_view status) {
  return {mask_after(status, "\nSigPnd:") | mask_after(status, "\nShdPnd:"), mask_after(status, "\nSigBlk:"),
          mask_after(status, "\nSigIgn:")};
}

bool has_stop_pending(const SignalMasks& masks) {
  std::uint64_t stops = 0;
  for (const int s : {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU}) stops |= 1ULL << static_cast<unsigned>(s - 1);
  return (masks.pending & stops & ~masks.blocked & ~masks.ignored) != 0;
}

bool is_stopped(pid_t pid, std::int64_t start_ticks) {
  const char state = Grip(pid, start_ticks).state();
  return state == 'T' || state == 't';
}

Stopped stop_process(pid_t pid, std::int64_t start_ticks) {
  const Grip grip(pid, start_ticks);
  return grip.state() == 0 ? Stopped::gone : grip.send(SIGSTOP);
}

Stopped continue_process(pid_t pid, std::int64_t start_ticks, bool doubted) {
  const Grip grip(pid, start_ticks);
  if (grip.state() == 0) return Stopped::gone;
  // Not stopped yet with a stop pending: that one may be ours, just sent, and SIGCONT takes it back.
  if (!doubted && grip.state() == 'T' && has_stop_pending(parse_signal_masks(ProcText(pid, "status").text())))
    return Stopped::theirs;
  return grip.send(SIGCONT);
}

}  // namespace gramwatt::job
