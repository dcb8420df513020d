// What signals mean to a job that waits, runs, is held, or is saving. The terminal sends its signals to the program as well, so
// only what came to gramwatt alone is passed on.
//
// Whoever ends a program or stops it outranks the plan: the program must run to hear it, what it does then is not interrupted
// by a pause, and when it ends it has ended, also in the middle of a pause by exit, where an end looks like a checkpoint.

#include <unistd.h>

#include <csignal>

#include "base/process.hpp"
#include "job/hold_tree.hpp"
#include "job/scheduled.hpp"

namespace gramwatt::job {
namespace {

using namespace std::chrono_literals;

/// How long a program that was told to end is left alone: saving may take a while. One that is still there then has decided
/// otherwise (an interpreter's prompt), and the plan goes on.
constexpr Nanoseconds kTimeToEnd = 60s;
/// A program that stops itself upon Ctrl-Z has done so by then.
constexpr Nanoseconds kTimeToStop = 1s;
constexpr Nanoseconds kNever = Nanoseconds::max();

/// As it was inherited (nohup): gramwatt sets no handlers.
bool is_ignored(int signal) {
  struct sigaction present{};
  return sigaction(signal, nullptr, &present) == 0 && present.sa_handler == SIG_IGN;
}

bool ends_a_program(int signal) { return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT; }

bool is_at_rest(pid_t pid) {
  const auto stat = process_stat(pid);
  return stat && stat->state == 'T';
}

}  // namespace

void Scheduled::take_signals() {
  for (SignalGate::Signal s = gate_.next(); s.number != 0; s = gate_.next()) take_signal(s);
}

void Scheduled::take_signal(const SignalGate::Signal& s) {
  if (s.number == SIGCHLD) return reap();
  if (lingering_) {
    if (ends_a_program(s.number)) end(lingering_->first, lingering_->second);
    return;
  }
  const bool ignored = is_ignored(s.number);
  if (phase_ == Phase::running || phase_ == Phase::held) {
    if (s.number == SIGCONT) look_after_hold();
    if (ends_a_program(s.number) && !ignored) told_to_end(s.number);
    if (s.number == SIGTSTP && phase_ == Phase::held && !ignored) return stop_while_held(s);
    if (!s.from_kernel && s.number != SIGPIPE) ::kill(child_->pid(), s.number);
    return;
  }
  if (ignored) return;
  if (ends_a_program(s.number)) {
    stopped_by_ = "signal " + std::to_string(s.number);
    end({128 + s.number, s.number}, "ended by signal " + std::to_string(s.number));
  } else if (s.number == SIGTSTP) {
    ::raise(SIGSTOP);
    turn_now_ = true;
  }
}

void Scheduled::reap() {
  if (!child_) return;
  const auto ended = child_->reap([this](pid_t, const rusage& usage) { tree_->reaped(usage); });
  if (ended) program_ended(*ended);
  else if (child_->take_terminal_stop()) stop_with_program();
  if (lingering_ && !ending_ && child_->all_gone()) end(lingering_->first, lingering_->second);
}

void Scheduled::told_to_end(int signal) {
  told_to_end_ = true;
  hands_off_until_ = saving_ ? kNever : monotonic() + kTimeToEnd;
  turn_now_ = true;
  if (phase_ != Phase::held) return;
  order_ = Order::now;
  release("let go for signal " + std::to_string(signal));
}

/// Ctrl-Z on a held program. A program that was stopped by us does not say so when it stops once more: we look.
void Scheduled::stop_while_held(const SignalGate::Signal& s) {
  release("let go for Ctrl-Z");
  if (!s.from_kernel) ::kill(child_->pid(), s.number);
  hands_off_until_ = monotonic() + kTimeToStop;
  Patience patience(kTimeToStop / 10);
  while (!is_at_rest(child_->pid()) && patience.wait()) {}
  if (is_at_rest(child_->pid())) stop_with_program();
}

/// The shell must see a stopped job; SIGCONT (fg, bg) continues both, and the plan.
void Scheduled::stop_with_program() {
  ::raise(SIGSTOP);
  hands_off_until_ = {};
  turn_now_ = true;
}

}  // namespace gramwatt::job
