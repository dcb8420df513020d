#pragma once
// One job that waits, runs, pauses and goes on; internal to scheduled*.cpp.
//
//   waiting ──run──► running ──hold──► held ──run──► running …
//                       └─exit asked─► (saving) ─ended─► off ──run──► running … ──ended──► ended
//
// One thread, one poll: signals, words from other terminals, the alarm of the plan, news of the grid, and, while a program
// runs, the meter's ticks. While nothing runs, nothing ticks: it wakes at plan points, once an hour for news, and once a
// minute for a lease.

#include <array>
#include <utility>

#include <poll.h>

#include "job/control.hpp"
#include "job/foreseer.hpp"
#include "job/job_book.hpp"
#include "job/scheduled_run.hpp"

namespace gramwatt::job {

/// Wakes at a UTC instant, also when the clock was set or the machine slept past it.
class Alarm {
 public:
  Alarm();
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Nanoseconds::max(): never.
  void set(Nanoseconds utc);
  void take();

 private:
  Fd fd_;
};

class Scheduled {
 public:
  Scheduled(RunOptions options, ScheduleOptions schedule, const Clock& clock);
  Scheduled(const Scheduled&) = delete;
  Scheduled& operator=(const Scheduled&) = delete;

  [[nodiscard]] Result<ScheduledResult> run();

 private:
  // scheduled.cpp: the loop
  void prepare();
  void await_news();
  void turn();
  void wait();
  void take_news();
  void look_after_hold();
  [[nodiscard]] int poll_timeout() const;
  [[nodiscard]] Result<std::string> answer(const std::string& question);
  [[nodiscard]] ScheduledResult conclude();
  void tell(const Decision& decision);
  [[nodiscard]] ReceiptTerms receipt_terms() const;
  void write_progress();
  void look_at_queue();
  void tell_queue();
  [[nodiscard]] bool have_resource();

  // scheduled_signals.cpp
  void take_signals();
  void take_signal(const SignalGate::Signal& s);
  void reap();
  void told_to_end(int signal);
  void stop_while_held(const SignalGate::Signal& s);
  void stop_with_program();

  // scheduled_pause.cpp: from one phase to the next
  void enter_phase(Phase phase);
  void apply(const Decision& decision);
  [[nodiscard]] Result<void> start_program(const std::vector<std::string>& command);
  [[nodiscard]] Result<void> first_start();
  void start(const Decision& decision);
  void hold(const Decision& decision);
  void release(const std::string& why);
  void ask_to_exit(const Decision& decision);
  void request_exit();
  void give_up_exit(const std::string& why);
  void program_ended(const Ending& ending);
  void last_life_ended(const Ending& ending, std::string why);
  [[nodiscard]] HoldScope scope() const;
  void ask_leftovers();
  [[nodiscard]] bool wait_for_leftovers();
  void end(const Ending& ending, std::string why);
  void cancel(const std::string& by);
  void look_at_budgets();
  void stop_for_budget();
  void measure_hold();
  void measure_save();

  [[nodiscard]] Nanoseconds now() const { return clock_.now().utc; }
  [[nodiscard]] Nanoseconds monotonic() const { return clock_.now().monotonic; }
  [[nodiscard]] Stand stand() const;
  [[nodiscard]] Joules energy_so_far() const;
  void note(std::string text) { notes_.push_back(std::move(text)); }

  RunOptions options_;
  ScheduleOptions schedule_;
  const Clock& clock_;
  std::string id_;
  std::vector<std::string> notes_;
  std::unique_ptr<Guardian> guardian_;  // before signals are blocked and before we are a sub-reaper
  SignalGate gate_;
  Executor executor_;
  Foreseer foreseer_;
  JobBook book_;
  std::optional<ControlServer> control_;
  Alarm alarm_;
  ResourceLock resource_;
  std::vector<std::string> queue_;  ///< ids of those who want the same resource

  std::optional<Session> session_;
  BudgetWatch budgets_;
  std::unique_ptr<meter::TreeCpu> tree_;
  std::optional<Child> child_;
  std::unique_ptr<Hold> hold_;
  std::optional<Error> start_error_;  ///< gramwatt's own, before the first start
  std::optional<Error> command_error_;

  Phase phase_ = Phase::waiting;
  Nanoseconds phase_since_utc_{}, phase_since_{};  ///< the latter monotonic
  std::array<Nanoseconds, 4> spent_{};             ///< by phase, without the present one; monotonic
  int restarts_ = 0;
  bool saving_ = false;            ///< it was asked to exit and has not yet
  Nanoseconds saving_until_{};     ///< monotonic
  Joules energy_at_turn_;          ///< when the phase, or the saving, began
  int crashes_ = 0;                ///< in a row, right after a resumption
  Nanoseconds back_off_until_{};   ///< monotonic; 0: none
  bool told_to_end_ = false;       ///< by a signal: if it ends soon, it has ended
  Nanoseconds hands_off_until_{};  ///< monotonic: it is not paused before, because of that signal
  pid_t pause_shell_ = -1;         ///< of --pause-with COMMAND; none of the program's
  Nanoseconds next_question_{};    ///< monotonic
  Nanoseconds renew_at_{};         ///< monotonic; of the lease
  Order order_ = Order::plan;
  Decision decision_;
  std::optional<Decision> first_decision_;
  std::string planned_by_;     ///< signal of the first plan
  Nanoseconds started_utc_{};  ///< the program, first
  std::optional<Ending> ending_;
  std::optional<std::pair<Ending, std::string>> lingering_;  ///< --wait-all: it has ended, what it left behind has not
  std::string stopped_by_;
  bool asked_in_vain_ = false;  ///< this life of the program was asked to save and exit, and we gave up waiting
  bool turn_now_ = true;
};

}  // namespace gramwatt::job
