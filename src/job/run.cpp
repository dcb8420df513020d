// One run, from birth to account:
//   child born (waiting) ─► counters attached, first readings ─► child execs ─► ticks ─► child ends ─► last readings ─► account
// The ledger's thread meanwhile finds out place and intensity, begins the row, and writes an interval a second.
// What is common to measuring anything is in session.cpp; here are birth, signals and ending.

#include "job/run.hpp"

#include <poll.h>
#include <sys/prctl.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace gramwatt::job {
namespace {

class Runner {
 public:
  Runner(RunOptions options, Machine machine, const Clock& clock)
      : options_(std::move(options)),
        session_(options_, std::move(machine), clock),
        budgets_(options_.budgets, options_.expected_duration, options_.say) {}

  Result<RunResult> run();

 private:
  Result<void> give_birth();
  [[gnu::hot]] void watch();
  void take_signals();
  void look_at_budgets();

  RunOptions options_;
  Session session_;
  BudgetWatch budgets_;
  SignalGate gate_;
  std::unique_ptr<meter::TreeCpu> tree_;
  std::optional<Child> child_;
  std::optional<Ending> ending_;
  bool stop_waiting_ = false;
  bool out_of_budget_ = false;
};

Result<RunResult> Runner::run() {
  if (const auto born = give_birth(); !born) return tl::unexpected(born.error());
  RunResult result;
  if (const auto started = session_.start(*tree_); !started) return tl::unexpected(started.error());
  if (const auto released = child_->release(result.ending.exit_code); !released) {
    result.start_error = released.error();
    result.start_error->where = options_.command.front();
    return result;
  }
  session_.open_ledger();
  watch();

  result.ending = *ending_;
  result.record = session_.finish();
  result.record.exit_code = ending_->exit_code;
  if (ending_->signal != 0) result.record.signal = ending_->signal;
  if (out_of_budget_) result.record.stopped_by = "budget";
  for (std::string& line : budgets_.told(used_by(result.record))) result.record.notes.push_back(std::move(line));
  auto stored = session_.store(result.record);
  result.ledger_error = std::move(stored.ledger);
  result.record_error = std::move(stored.recording);
  return result;
}

/// The child exists, waits before its exec, and is counted.
Result<void> Runner::give_birth() {
  session_.expect_markers();
  tree_ = meter::make_tree_cpu(session_.id(), options_.tree);
  // Orphans come to us, so that the reaper sees them end; the cgroup needs no such thing and leaves the family as it was.
  if (tree_->birth_cgroup() < 0 || options_.wait_all) prctl(PR_SET_CHILD_SUBREAPER, 1);

  auto child = Child::spawn({options_.command, {{"GRAMWATT_RUN_ID", session_.id()}}, tree_->birth_cgroup()}, gate_);
  if (!child) return tl::unexpected(child.error());
  child_ = std::move(*child);
  if (tree_->birth_cgroup() >= 0 && !child_->born_in_cgroup()) {
    tree_ = meter::make_tree_cpu(session_.id(), meter::TreeMechanism::task_clock);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
  tree_->attach(child_->pid());
  return {};
}

/// Ticks and signals until the program has ended (and, with --wait-all, everything it left behind).
void Runner::watch() {
  std::array<pollfd, 3> sources{
      {{gate_.fd(), POLLIN, 0}, {session_.timer().get(), POLLIN, 0}, {session_.first_marker(), 0, 0}}};
  take_signals();
  for (;;) {
    if (ending_ && (!options_.wait_all || child_->all_gone() || stop_waiting_)) return;
    sources[2].fd = session_.first_marker();  // closed once it has come
    if (::poll(sources.data(), sources.size(), -1) < 0 && errno != EINTR) return;
    if ((sources[0].revents & POLLIN) != 0) take_signals();
    if ((sources[1].revents & POLLIN) != 0 || sources[2].revents != 0) session_.tick(sources[2].revents != 0);
    if ((sources[1].revents & POLLIN) != 0 && budgets_.on()) look_at_budgets();
  }
}

/// The program is asked once, and waited for.
void Runner::look_at_budgets() {
  const auto used = session_.used_until_now();
  if (!used || ending_ || !budgets_.feed(*used, session_.running_for())) return;
  out_of_budget_ = true;
  ::kill(child_->pid(), SIGTERM);
}

void Runner::take_signals() {
  const auto reap = [this] {
    const auto ending = child_->reap([this](pid_t, const rusage& usage) { tree_->reaped(usage); });
    if (ending) ending_ = ending;
  };
  for (SignalGate::Signal s = gate_.next(); s.number != 0; s = gate_.next()) {
    if (s.number == SIGCHLD) {
      reap();
      // The shell must see a stopped job; SIGCONT (fg, bg) continues both.
      if (child_->take_terminal_stop()) ::raise(SIGSTOP);
    } else if (ending_) {
      stop_waiting_ = stop_waiting_ || s.number == SIGINT || s.number == SIGTERM || s.number == SIGHUP;
    } else if (!s.from_kernel && s.number != SIGPIPE) {
      ::kill(child_->pid(), s.number);
    }
  }
  if (options_.wait_all && ending_) reap();
}

}  // namespace

Used used_by(const ledger::RunRecord& r) { return {r.energy.total.value, r.energy.facility.value, r.carbon.total.value}; }

Result<RunResult> run(RunOptions options, Machine machine, const Clock& clock) {
  return Runner(std::move(options), std::move(machine), clock).run();
}

Result<std::size_t> settle_interrupted(ledger::Ledger& ledger, const Knowledge& knowledge) {
  const auto ids = ledger.mark_interrupted();
  if (!ids) return tl::unexpected(ids.error());
  for (const std::string& id : *ids) {
    remove_marks(id);
    auto record = ledger.get(id);
    const auto channels = ledger.channels(id);
    const auto intervals = ledger.intervals(id);
    if (!record || !channels || !intervals) continue;
    Measured m;
    m.channels = *channels;
    m.totals.resize(channels->size());
    SliceCollector slices;
    for (const Interval& i : *intervals) {
      for (std::size_t c = 0; c < m.totals.size() && c < i.flows.size(); ++c) m.totals[c] += i.flows[c];
      slices.add(i);
    }
    m.slices = slices.slices();
    if (!intervals->empty()) {
      m.duration = seconds(elapsed(intervals->front().start, intervals->back().end));
      record->end_utc = intervals->back().end.utc;
    }
    record->duration = record->running = m.duration;
    Weights weights = weights_of(*record);
    if (knowledge && !m.slices.empty()) {
      if (auto known = knowledge(*record, {m.slices.front().start, m.slices.back().end})) {
        weights.average = std::move(known->average);
        weights.marginal = std::move(known->marginal);
      }
    }
    fill_account(m, weights, *record);
    record->state = ledger::State::interrupted;
    record->gaps.push_back({"all", Seconds(0), "gramwatt was killed: what came after this end was not measured"});
    if (const auto done = ledger.finish(*record); !done) return tl::unexpected(done.error());
  }
  return ids->size();
}

}  // namespace gramwatt::job
