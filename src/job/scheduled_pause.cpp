// From one phase to the next. Every step is written down before it is taken where it takes something from the program (a
// pause), and afterwards where it gives it back: a resumption waits for no disk.

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "base/text.hpp"
#include "job/hold_tree.hpp"
#include "job/scheduled.hpp"

namespace gramwatt::job {
namespace {

using namespace std::chrono_literals;

/// A program that dies so soon after it was resumed has not found its checkpoint, or its GPU was taken: it is tried again.
constexpr Nanoseconds kCrashWindow = 60s;
/// Processes that a life left behind are looked at so often before the next one begins.
constexpr Nanoseconds kLeftoversAgain = 1s;
/// What a hold draws is believed once it was watched for so long.
constexpr Nanoseconds kLongEnough = 30s;
/// Whoever gives a resource back says so; this is for one that was killed.
constexpr Nanoseconds kLockAgain = 60s;
/// sysexits.h EX_TEMPFAIL: "try again later", which batch programs exit with once they have saved.
constexpr int kTryAgain = 75;

std::string text_of(const Ending& e) {
  return e.signal != 0 ? fmt::format("signal {}", e.signal) : fmt::format("exit code {}", e.exit_code);
}

/// Is this how a program ends that was asked to save and exit? Code 0 counts as saved, not as finished: a program that was done
/// is resumed, finds nothing left, and exits at once, while one that had saved and was taken for done would be lost.
bool has_saved(const Ending& e, int asked) {
  return e.exit_code == 0 || e.exit_code == kTryAgain || e.signal == asked || e.exit_code == 128 + asked ||
         e.exit_code == 128 + SIGTERM;
}

ledger::Doing doing_in(Phase phase) {
  switch (phase) {
    case Phase::held: return ledger::Doing::held;
    case Phase::off: return ledger::Doing::off;
    case Phase::waiting:
    case Phase::running: break;
  }
  return ledger::Doing::running;
}

/// `sh -c command`, which nobody waits for but the reaper.
pid_t run_shell(const std::string& command, const std::string& run_id, pid_t job, const SignalGate& gate) {
  constexpr std::string_view run_name = "GRAMWATT_RUN_ID=", job_name = "GRAMWATT_JOB_PID=";
  std::string id = std::string(run_name) + run_id, pid = std::string(job_name) + std::to_string(job);
  std::vector<char*> environment;
  for (char** e = environ; *e != nullptr; ++e) {
    const std::string_view entry = *e;  // an outer run's stand there when this one is nested
    if (!entry.starts_with(run_name) && !entry.starts_with(job_name)) environment.push_back(*e);
  }
  environment.push_back(id.data());
  environment.push_back(pid.data());
  environment.push_back(nullptr);
  const pid_t shell = ::fork();
  if (shell != 0) return shell;
  gate.restore_inherited();
  ::execle("/bin/sh", "sh", "-c", command.c_str(), nullptr, environment.data());
  _exit(127);
}

}  // namespace

Joules Scheduled::energy_so_far() const { return session_ ? session_->energy_so_far() : Joules(0); }

void Scheduled::enter_phase(Phase phase) {
  if (session_ && phase_ != Phase::waiting) session_->enter(doing_in(phase));  // the first start began its account itself
  const Instant at = clock_.now();
  spent_[static_cast<std::size_t>(phase_)] += at.monotonic - phase_since_;
  phase_ = phase;
  phase_since_ = at.monotonic;
  phase_since_utc_ = at.utc;
  write_progress();
  energy_at_turn_ = energy_so_far();
}

void Scheduled::apply(const Decision& d) {
  const bool changed = d.why != decision_.why || d.until != decision_.until;
  switch (phase_) {
    case Phase::waiting:
      if (d.wish == Wish::run) return start(d);
      if (changed) tell(d), (void)book_.enter(ledger::JobState::waiting, "waits", d.why);
      return;
    case Phase::running:
      if (d.wish == Wish::hold) return hold(d);
      if (d.wish == Wish::exit) return ask_to_exit(d);
      if (changed) tell(d), book_.update();
      return;
    case Phase::held:
      if (d.wish != Wish::run) break;
      tell(d);
      return release(d.why);
    case Phase::off:
      if (d.wish == Wish::run) return start(d);
      break;
  }
  if (changed) tell(d), book_.update();
}

/// The first start opens the sensors and begins the account.
Result<void> Scheduled::first_start() {
  session_.emplace(options_, schedule_.probe(), clock_);
  session_->expect_markers();
  tree_ = meter::make_tree_cpu(id_, options_.tree);
  if (tree_->birth_cgroup() < 0 || options_.wait_all) prctl(PR_SET_CHILD_SUBREAPER, 1);
  return {};
}

Result<void> Scheduled::start_program(const std::vector<std::string>& command) {
  const bool first = !session_;
  if (first) {
    if (auto ready = first_start(); !ready) return ready;
  }
  auto child = Child::spawn({command, {{"GRAMWATT_RUN_ID", id_}}, tree_->birth_cgroup()}, gate_);
  if (!child) return tl::unexpected(child.error());
  child_ = std::move(*child);
  if (first && tree_->birth_cgroup() >= 0 && !child_->born_in_cgroup()) {
    tree_ = meter::make_tree_cpu(id_, meter::TreeMechanism::task_clock);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
  asked_in_vain_ = false;
  tree_->attach(child_->pid());
  hold_.reset();
  if (first) {
    if (auto started = session_->start(*tree_); !started) {
      start_error_ = started.error();
      return started;
    }
    started_utc_ = session_->started_at().utc;
  }
  enter_phase(Phase::running);
  int code = 0;
  if (auto released = child_->release(code); !released) {
    command_error_ = released.error();
    command_error_->where = command.front();
    ending_ = Ending{code, 0};
    return released;
  }
  if (first) session_->open_ledger();
  return {};
}

void Scheduled::start(const Decision& d) {
  if (!have_resource()) {
    Decision waits = d;
    waits.wish = phase_ == Phase::off ? Wish::exit : Wish::wait;
    waits.until = now() + kLockAgain;
    waits.why = "waits for " + schedule_.resource + ", which another job uses";
    if (waits.why != decision_.why) (void)book_.enter(book_.job.state, "waits", waits.why);
    tell(waits);
    alarm_.set(waits.until);
    return;
  }
  const bool comes_back = phase_ == Phase::off;
  if (comes_back && wait_for_leftovers()) return;
  const auto& resume = schedule_.exit ? schedule_.exit->resume : options_.command;
  tell(d);
  if (comes_back) ++restarts_;
  const auto started = start_program(comes_back && !resume.empty() ? resume : options_.command);
  if (started) {
    (void)book_.enter(ledger::JobState::running, comes_back ? "resumed" : "started", d.why);
    turn_now_ = true;  // from here on it may pause
    return;
  }
  if (!comes_back) {
    if (!command_error_ && !start_error_) start_error_ = started.error();
    return;
  }
  command_error_.reset();
  note("it could not be resumed: " + started.error().message());
  const Ending failed = std::exchange(ending_, std::nullopt).value_or(Ending{126, 0});
  child_.reset();
  program_ended(failed);
}

void Scheduled::hold(const Decision& d) {
  tell(d);
  (void)book_.enter(ledger::JobState::held, "holding", d.why);  // the guardian is what keeps it from being left held
  auto held = Result<void>{};
  if (!hold_) {
    auto made = make_hold(scope(), *guardian_, schedule_.hold_way);
    if (made) hold_ = std::move(*made);
    else held = tl::unexpected(made.error());
  }
  if (hold_) held = hold_->set();
  if (held && !hold_->verified_held()) held = fail("the program does not rest");
  if (!held) {
    if (hold_) (void)hold_->release();
    note("it cannot be held: " + held.error().message());
    executor_.terms().hold.reset();
    (void)book_.enter(ledger::JobState::running, "cannot be held", held.error().message());
    turn_now_ = true;
    return;
  }
  enter_phase(Phase::held);
  renew_at_ = monotonic() + guardian_->renew_every();
  std::string way(name_of(hold_->way()));
  if (const auto refused = hold_->refused(); !refused.empty()) way += " (not by " + refused.front() + ")";
  (void)book_.enter(ledger::JobState::held, "held", fmt::format("by {}; {}", way, d.why));
}

void Scheduled::release(const std::string& why) {
  const auto released = hold_->release();
  if (!released) note("not all of it runs on: " + released.error().message());
  measure_hold();
  enter_phase(Phase::running);
  (void)book_.enter(ledger::JobState::running, "resumed", why);
  turn_now_ = true;
}

/// The next plan is made with what this hold drew.
void Scheduled::measure_hold() {
  const Nanoseconds held = monotonic() - phase_since_;
  if (held < kLongEnough || !session_) return;
  session_->tick();
  const Watts power = (energy_so_far() - energy_at_turn_) / seconds(held);
  executor_.terms().hold = power;
  note(fmt::format("held it drew {:.3g} W, as measured over {}", power.value(), human_duration(seconds(held))));
}

void Scheduled::ask_to_exit(const Decision& d) {
  tell(d);
  if (!book_.enter(ledger::JobState::running, "pausing", d.why)) {
    // A job that nobody knows of would be lost if we ended now.
    note("it is not paused by exit, because that could not be written down: " + book_.problem()->message());
    executor_.terms().may_exit = false;
    turn_now_ = true;
    return;
  }
  session_->enter(ledger::Doing::checkpointing);
  energy_at_turn_ = energy_so_far();
  saving_ = true;
  saving_until_ = monotonic() + schedule_.exit->patience;
  alarm_.set(Nanoseconds::max());
  request_exit();
}

void Scheduled::request_exit() {
  if (schedule_.exit->command.empty()) ::kill(child_->pid(), schedule_.exit->signal);
  else pause_shell_ = run_shell(schedule_.exit->command, id_, child_->pid(), gate_);
}

void Scheduled::give_up_exit(const std::string& why) {
  saving_ = false;
  session_->mistaken(ledger::Doing::running);
  asked_in_vain_ = true;
  hands_off_until_ = {};
  note(why + ": it runs on, and is not paused by exit again");
  executor_.terms().may_exit = false;
  (void)book_.enter(ledger::JobState::running, "not paused", why);
  turn_now_ = true;
}

/// What saving took is charged to the next pause; what coming back takes is charged as it was said (--restart-energy, -time),
/// because nobody can see when a program has caught up.
void Scheduled::measure_save() {
  session_->tick();
  const Joules saved = energy_so_far() - energy_at_turn_;
  if (saved > executor_.assignment().job.restart_energy) executor_.terms().restart_energy = saved;
}

void Scheduled::program_ended(const Ending& e) {
  if (phase_ == Phase::held) {  // killed, or taken by its machine: what it leaves behind runs on
    (void)hold_->release();
    enter_phase(Phase::running);
  }
  const bool was_saving = std::exchange(saving_, false);
  if (!stopped_by_.empty()) return last_life_ended(e, "stopped by " + stopped_by_ + ": " + text_of(e));
  if (told_to_end_ && monotonic() < hands_off_until_) return last_life_ended(e, text_of(e));
  // One that took longer than we waited has saved all the same, when it says so.
  const bool saved_late = !was_saving && asked_in_vain_ && e.exit_code == kTryAgain;
  if (saved_late || (was_saving && has_saved(e, schedule_.exit->signal))) {
    crashes_ = 0;
    measure_save();
    enter_phase(Phase::off);
    (void)book_.enter(ledger::JobState::off, "paused", decision_.why);
    ask_leftovers();
    resource_.give_back();
    tell_queue();
    turn_now_ = true;
    return;
  }
  const bool soon = phase_ == Phase::off || monotonic() - phase_since_ < kCrashWindow;
  const bool crashed = was_saving || (restarts_ > 0 && soon && e.exit_code != 0);
  if (!crashed || crashes_ >= static_cast<int>(schedule_.back_off.size())) return last_life_ended(e, text_of(e));
  if (was_saving) {
    note(fmt::format("asked to save and exit, it ended with {}: it is not paused by exit again", text_of(e)));
    executor_.terms().may_exit = false;
  }
  const Nanoseconds pause = schedule_.back_off.at(static_cast<std::size_t>(crashes_++));
  if (phase_ != Phase::off) enter_phase(Phase::off);
  back_off_until_ = monotonic() + pause;
  order_ = Order::now;  // it has trouble enough
  (void)book_.enter(ledger::JobState::off, "crashed",
                    fmt::format("{}; tried again in {}", text_of(e), human_duration(seconds(pause))));
}

void Scheduled::last_life_ended(const Ending& e, std::string why) {
  if (!options_.wait_all || child_->all_gone()) return end(e, std::move(why));
  lingering_.emplace(e, std::move(why));
}

HoldScope Scheduled::scope() const {
  HoldScope s;
  s.root = child_->pid();
  s.cgroup = cgroup_folder(tree_->birth_cgroup());
  s.adopted = s.cgroup.empty() || options_.wait_all;
  if (pause_shell_ > 0) s.spared.push_back(pause_shell_);
  return s;
}

/// A shell ends by a signal and leaves behind what it was running, which never heard of it. It must not run on beside its
/// successor, which begins where the checkpoint is.
void Scheduled::ask_leftovers() {
  const int signal = schedule_.exit->command.empty() ? schedule_.exit->signal : SIGTERM;
  const auto left = processes_of(scope(), guardian_ ? guardian_->pid() : -1);
  for (const Member& m : left) ::kill(m.id, signal);
  if (!left.empty())
    note(fmt::format("when it exited {} of its processes ran on: they were sent signal {} as well", left.size(), signal));
}

/// True: the next life has to wait, and the turn comes again.
bool Scheduled::wait_for_leftovers() {
  const auto left = processes_of(scope(), guardian_ ? guardian_->pid() : -1).size();
  if (left == 0) return false;
  if (monotonic() - phase_since_ > schedule_.exit->patience) {
    note(fmt::format("{} processes of its earlier life run still beside the next", left));
    return false;
  }
  back_off_until_ = monotonic() + kLeftoversAgain;
  return true;
}

void Scheduled::end(const Ending& e, std::string why) {
  ending_ = e;
  const Instant at = clock_.now();
  spent_[static_cast<std::size_t>(phase_)] += at.monotonic - std::exchange(phase_since_, at.monotonic);
  book_.job.done = spent_[static_cast<std::size_t>(Phase::running)];
  book_.job.until = {};
  book_.job.runs.clear();
  (void)book_.enter(ledger::JobState::ended, "ended", std::move(why));
}

void Scheduled::look_at_budgets() {
  const auto used = session_->used_until_now();
  if (used && budgets_.feed(*used, stand().done)) stop_for_budget();
}

/// Asked to save and exit where it can, and waited for without end.
void Scheduled::stop_for_budget() {
  if (!stopped_by_.empty()) return;
  const bool asked = saving_;  // it is about to exit anyway
  const bool running = phase_ == Phase::running || phase_ == Phase::held;
  if (!running || !schedule_.exit) return cancel("budget");
  stopped_by_ = "budget";
  order_ = Order::now;
  if (phase_ == Phase::held) release("the budget is used up");
  saving_ = false;
  (void)book_.enter(ledger::JobState::running, "stopping", "the budget is used up");
  if (!asked) request_exit();
}

void Scheduled::cancel(const std::string& by) {
  stopped_by_ = by;
  order_ = Order::now;
  if (lingering_) return end(lingering_->first, "stopped by " + by + ": what it had left behind runs on");
  if (phase_ == Phase::held) release("cancelled");
  if (phase_ == Phase::running) {
    ::kill(child_->pid(), SIGTERM);
    return;
  }
  // Before the first start there is no code of the command's own.
  end(phase_ == Phase::waiting ? Ending{125, 0} : Ending{128 + SIGTERM, 0},
      "cancelled while it was " + std::string(to_string(phase_)));
}

}  // namespace gramwatt::job
