#include "job/scheduled.hpp"

#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "base/text.hpp"

namespace gramwatt::job {
namespace {

using namespace std::chrono_literals;

/// A server that takes longer than this for the first answer is not waited for: the job runs by what is known without it.
constexpr Nanoseconds kFirstAnswer = 20s;
constexpr Nanoseconds kNever = Nanoseconds::max();
constexpr Nanoseconds kLeaseEarly = 5s;

ledger::JobRecord row_of(const RunOptions& options, const ScheduleOptions& s, const std::string& id) {
  ledger::JobRecord job;
  job.id = id;
  job.name = options.name;
  job.project = options.project;
  job.resource = s.resource;
  job.options = s.options;
  job.command = options.command;
  if (s.exit) job.resume = s.exit->resume;
  std::error_code ec;
  job.folder = std::filesystem::current_path(ec).string();
  job.created = s.assignment.created;
  job.duration = s.assignment.duration;
  job.may_exit = s.exit.has_value();
  job.restart_energy = s.assignment.job.restart_energy;
  job.restart_time = s.assignment.job.restart_time;
  const auto& steps = s.assignment.job.steps;
  if (!steps.empty()) job.power = steps.front() / seconds(s.assignment.slot);
  return job;
}

}  // namespace

Alarm::Alarm() : fd_(::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC)) {}

void Alarm::set(Nanoseconds utc) {
  itimerspec spec{};
  if (utc != kNever) {
    const auto s = std::chrono::floor<std::chrono::seconds>(std::max(utc, Nanoseconds(1)));
    spec.it_value = {static_cast<time_t>(s.count()), static_cast<long>((std::max(utc, Nanoseconds(1)) - s).count())};
  }
  ::timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, nullptr);
}

void Alarm::take() {
  std::uint64_t count = 0;
  (void)!::read(fd_.get(), &count, sizeof count);  // ECANCELED: the clock was set, which is a reason to look as well
}

Scheduled::Scheduled(RunOptions options, ScheduleOptions schedule, const Clock& clock)
    : options_(std::move(options)),
      schedule_(std::move(schedule)),
      clock_(clock),
      id_(new_run_id()),
      guardian_([this]() -> std::unique_ptr<Guardian> {
        if (!schedule_.may_hold) return nullptr;
        auto started = Guardian::start(schedule_.lease);
        if (started) return std::move(*started);
        notes_.push_back("it cannot be held: " + started.error().message());
        return nullptr;
      }()),
      executor_(schedule_.assignment),
      foreseer_(schedule_.foresee),
      book_(options_.ledger, clock),
      budgets_(options_.budgets, schedule_.assignment.duration, options_.say) {
  options_.id = id_;
  book_.job = row_of(options_, schedule_, id_);
  phase_since_utc_ = now();
  phase_since_ = monotonic();
}

Result<ScheduledResult> Scheduled::run() {
  prepare();
  await_news();
  while (!ending_ && !start_error_ && !command_error_) {
    if (std::exchange(turn_now_, false)) turn();
    if (!ending_ && !start_error_ && !command_error_) wait();
  }
  if (start_error_) {
    (void)book_.enter(ledger::JobState::ended, "failed", start_error_->message());
    return tl::unexpected(*start_error_);
  }
  return conclude();
}

void Scheduled::prepare() {
  plan::Job& terms = executor_.terms();
  if (!guardian_) terms.hold.reset();
  if (!schedule_.exit) terms.may_exit = false;
  auto control = ControlServer::open(id_);
  if (control) control_.emplace(std::move(*control));
  else note("no word from other terminals reaches it: " + control.error().message());
  book_.job.latest_start = executor_.latest_start(stand());
  (void)book_.enter(ledger::JobState::waiting, "planned", "asks what the grid will do");
  tell_queue();
  foreseer_.ask({now(), book_.job.latest_start + executor_.assignment().duration});
  next_question_ = monotonic() + executor_.assignment().replan_every;
}

/// The first plan is made with what the first answer tells, for which it waits a moment.
void Scheduled::await_news() {
  executor_.know_nothing("the grid's forecast did not come in time");
  const Nanoseconds until = monotonic() + kFirstAnswer;
  std::array<pollfd, 3> sources{
      {{gate_.fd(), POLLIN, 0}, {foreseer_.fd(), POLLIN, 0}, {control_ ? control_->fd() : -1, POLLIN, 0}}};
  while (!ending_ && !executor_.outlook()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - monotonic()).count();
    if (left <= 0) return;
    if (::poll(sources.data(), sources.size(), static_cast<int>(left)) < 0 && errno != EINTR) return;
    if ((sources[0].revents & POLLIN) != 0) take_signals();
    if ((sources[2].revents & POLLIN) != 0) control_->serve([this](const std::string& q) { return answer(q); });
    if ((sources[1].revents & POLLIN) != 0) return take_news();
  }
}

Stand Scheduled::stand() const {
  Stand s{phase_, phase_since_utc_, spent_[static_cast<std::size_t>(Phase::running)], restarts_};
  if (phase_ == Phase::running) s.done += monotonic() - phase_since_;
  // Coming back is running without progress.
  s.done = std::max(Nanoseconds{0}, s.done - restarts_ * executor_.assignment().job.restart_time);
  return s;
}

/// Decides, does it, and sets the alarm.
void Scheduled::turn() {
  const Nanoseconds t = monotonic();
  if (saving_ || !stopped_by_.empty() || lingering_ || back_off_until_ > t) return;
  if (hands_off_until_ > t) return alarm_.set(now() + (hands_off_until_ - t));
  executor_.obey(order_);
  look_at_queue();
  const Decision d = executor_.decide(now(), stand());
  if (!first_decision_) {
    first_decision_ = d;
    if (executor_.outlook()) planned_by_ = executor_.outlook()->signal;
  }
  alarm_.set(d.until);
  apply(d);  // which may set it otherwise
}

/// Who else wants the resource, and what they need.
void Scheduled::look_at_queue() {
  if (schedule_.resource.empty()) return;
  queue_.clear();
  std::vector<Rival> rivals;
  for (const ledger::JobRecord& j : book_.others()) {
    if (j.resource != schedule_.resource) continue;
    queue_.push_back(j.id);
    Nanoseconds done = j.done;
    if (j.state == ledger::JobState::running) done += std::max(Nanoseconds{0}, now() - j.done_at);
    rivals.push_back({j.id, static_cast<Phase>(j.state), j.power, std::max<Nanoseconds>(1s, j.duration - done), j.latest_start,
                      j.may_exit, j.restart_energy, j.restart_time});
  }
  executor_.meet(id_, std::move(rivals));
}

/// Something has changed that others plan by.
void Scheduled::tell_queue() {
  if (schedule_.resource.empty()) return;
  look_at_queue();
  for (const std::string& id : queue_) tell_job(id, "look");
}

/// Plans agree by and large; the lock makes sure.
bool Scheduled::have_resource() {
  if (schedule_.resource.empty()) return true;
  const auto tried = resource_.try_take(schedule_.resource);
  if (!tried) {
    note("nobody is kept from using " + schedule_.resource + " at the same time: " + tried.error().message());
    return true;
  }
  return resource_.taken();
}

void Scheduled::write_progress() {
  book_.job.done = stand().done;
  book_.job.done_at = now();
}

void Scheduled::tell(const Decision& d) {
  book_.job.runs = d.runs;
  book_.job.until = d.until == kNever ? Nanoseconds{0} : d.until;
  book_.job.latest_start = executor_.latest_start(stand());
  book_.job.saving = d.saving ? std::optional(d.saving->value()) : std::nullopt;
  book_.job.duration = executor_.assignment().duration;
  write_progress();
  decision_ = d;
  if (schedule_.on_change) schedule_.on_change({phase_, d, d.why});
}

int Scheduled::poll_timeout() const {
  Nanoseconds next = kNever;
  if (executor_.assignment().job.can_pause() || phase_ == Phase::waiting) next = next_question_;
  if (saving_) next = std::min(next, saving_until_);
  if (back_off_until_ > Nanoseconds{0}) next = std::min(next, back_off_until_);
  if (phase_ == Phase::held) next = std::min(next, renew_at_);
  if (next == kNever) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - monotonic()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

void Scheduled::wait() {
  enum Source : std::size_t { signals, alarm, news, words, ticks, marker, guardian, count };
  std::array<pollfd, count> sources{};
  sources[signals] = {gate_.fd(), POLLIN, 0};
  sources[alarm] = {alarm_.fd(), POLLIN, 0};
  sources[news] = {foreseer_.fd(), POLLIN, 0};
  sources[words] = {control_ ? control_->fd() : -1, POLLIN, 0};
  sources[ticks] = {session_ ? session_->timer().get() : -1, POLLIN, 0};
  sources[marker] = {session_ ? session_->first_marker() : -1, 0, 0};
  sources[guardian] = {guardian_ && phase_ == Phase::held ? guardian_->pidfd() : -1, POLLIN, 0};
  if (::poll(sources.data(), sources.size(), poll_timeout()) < 0 && errno != EINTR) return;
  const auto ready = [&](Source s) { return (sources[s].revents & POLLIN) != 0; };
  if (ready(signals)) take_signals();
  if (session_ && (ready(ticks) || sources[marker].revents != 0)) session_->tick(sources[marker].revents != 0);
  if (session_ && ready(ticks) && budgets_.on()) look_at_budgets();
  if (ready(alarm)) {
    alarm_.take();
    turn_now_ = true;
  }
  if (ready(news)) take_news();
  if (ready(words)) control_->serve([this](const std::string& q) { return answer(q); });
  const Nanoseconds t = monotonic();
  // With the resting tick, where that has woken us anyway.
  const bool due = t + (ready(ticks) ? kLeaseEarly : Nanoseconds{0}) >= renew_at_;
  if (phase_ == Phase::held && (ready(guardian) || due)) look_after_hold();
  if (t >= next_question_) {
    foreseer_.ask({now(), executor_.latest_start(stand()) + executor_.assignment().duration});
    next_question_ = t + executor_.assignment().replan_every;
  }
  if (saving_ && t >= saving_until_) give_up_exit("it did not exit in time");
  if (back_off_until_ > Nanoseconds{0} && t >= back_off_until_) {
    back_off_until_ = {};
    turn_now_ = true;
  }
}

void Scheduled::take_news() {
  auto outlook = foreseer_.take();
  if (!outlook) return;
  if (*outlook) executor_.learn(std::move(**outlook));
  else executor_.know_nothing(outlook->error().message());
  turn_now_ = true;
}

/// The lease, and whether what was held is held.
void Scheduled::look_after_hold() {
  if (phase_ != Phase::held) return;
  renew_at_ = monotonic() + guardian_->renew_every();
  const bool let_go = guardian_->released();
  if (!let_go && guardian_->renew() && hold_->verified_held()) return;
  // A guardian that died, a lease that ran out while we were stopped, a SIGCONT from somebody: it runs, or may at any time.
  (void)hold_->release();
  if (guardian_->health() != Guardian::Health::well) {
    const auto again = guardian_->restart();
    if (!again) {
      note("it is not held any more: " + again.error().message());
      executor_.terms().hold.reset();
    }
  }
  enter_phase(Phase::running);
  (void)book_.enter(ledger::JobState::running, "let go", "the hold did not last");
  turn_now_ = true;
}

Result<std::string> Scheduled::answer(const std::string& question) {
  const auto words = split(question, ' ');
  const auto obey = [&](Order order, const char* said) {
    order_ = order;
    told_to_end_ = false;
    hands_off_until_ = {};
    turn_now_ = true;
    return std::string(said);
  };
  if (words[0] == "look") {
    turn_now_ = true;
    return std::string();
  }
  if (words[0] == "pause") {
    if (phase_ == Phase::running && !executor_.assignment().job.can_pause())
      return fail("it has no way to pause", id_, "run it with --pausable");
    return obey(Order::pause, "it pauses until gramwatt resume");
  }
  if (words[0] == "resume") return obey(Order::plan, "it follows the plan again");
  if (words[0] == "now") return obey(Order::now, "it runs now, to its end");
  if (words[0] == "cancel") {
    cancel("cancel");
    return std::string("cancelled");
  }
  if (words[0] == "progress" && words.size() == 2) {
    const auto share = parse_number<double>(words[1]);
    if (!share || !(*share > 0) || *share > 1) return fail("progress is a share", {}, "such as 0.37");
    const auto whole = Nanoseconds(static_cast<std::int64_t>(static_cast<double>(stand().done.count()) / *share));
    executor_.expect(whole, whole + whole / 10);
    budgets_.expect(whole);
    book_.job.duration = executor_.assignment().duration;
    write_progress();
    book_.update();
    turn_now_ = true;
    return fmt::format("{:.0f} % done, {} of running left", *share * 100, human_duration(seconds(whole - stand().done)));
  }
  return fail("\"" + question + "\" is not understood");
}

/// What was expected, and what the receipt cannot see in the meter's figures.
ReceiptTerms Scheduled::receipt_terms() const {
  const Assignment& given = schedule_.assignment;
  ReceiptTerms t;
  const bool waited = first_decision_ && first_decision_->wish == Wish::wait;
  t.handed_in = waited ? given.created : started_utc_;
  if (first_decision_) t.planned = {planned_by_, first_decision_->why, first_decision_->saving, first_decision_->p_worse};
  t.restart_time = given.job.restart_time;
  t.restart_energy = given.job.restart_energy;
  t.waiting_power = schedule_.idle_power;
  if (given.job.machine == plan::Machine::shared || options_.idle_owner == IdleOwner::host) t.waiting_power.value = Watts(0);
  return t;
}

ScheduledResult Scheduled::conclude() {
  ScheduledResult result;
  result.run.start_error = command_error_;
  result.run.ending = ending_.value_or(Ending{125, 0});
  if (command_error_) (void)book_.enter(ledger::JobState::ended, "failed", command_error_->message());
  if (session_ && !command_error_) {
    result.started = true;
    ledger::RunRecord r = session_->finish(receipt_terms());
    r.exit_code = result.run.ending.exit_code;
    if (result.run.ending.signal != 0) r.signal = result.run.ending.signal;
    if (!stopped_by_.empty()) r.stopped_by = stopped_by_;
    r.waited = seconds(spent_[static_cast<std::size_t>(Phase::waiting)]);
    r.paused = seconds(spent_[static_cast<std::size_t>(Phase::held)] + spent_[static_cast<std::size_t>(Phase::off)]);
    r.running = r.duration - r.paused;
    for (const std::string& n : notes_) r.notes.push_back(n);
    for (std::string& line : budgets_.told(used_by(r))) r.notes.push_back(std::move(line));
    auto stored = session_->store(r);
    result.run.ledger_error = std::move(stored.ledger);
    result.run.record_error = std::move(stored.recording);
    result.run.record = std::move(r);
  }
  resource_.give_back();
  tell_queue();
  result.book_error = book_.problem();
  return result;
}

Result<ScheduledResult> run_when_clean(RunOptions options, ScheduleOptions schedule, const Clock& clock) {
  return Scheduled(std::move(options), std::move(schedule), clock).run();
}

}  // namespace gramwatt::job
