// One run, from birth to account:
//   child born (waiting) ─► counters attached, first readings ─► child execs ─► ticks ─► child ends ─► last readings ─► account
// The ledger's thread meanwhile finds out place and intensity, begins the row, and writes an interval a second.

#include "job/run.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include <fmt/format.h>

#include "job/ledger_writer.hpp"
#include "job/recording.hpp"
#include "job/run_registry.hpp"

namespace gramwatt::job {
namespace {

constexpr Nanoseconds kFastTick = std::chrono::milliseconds(100);
constexpr Nanoseconds kSlowTick = std::chrono::seconds(1);

Fd make_timer(Nanoseconds interval) {
  Fd fd(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  const auto s = std::chrono::floor<std::chrono::seconds>(interval);
  itimerspec spec{};
  spec.it_interval = {static_cast<time_t>(s.count()), static_cast<long>((interval - s).count())};
  spec.it_value = spec.it_interval;
  if (fd) ::timerfd_settime(fd.get(), 0, &spec, nullptr);
  return fd;
}

/// Takes the timer's count. Missed ticks (the machine slept, gramwatt was stopped) are one tick.
void drain(const Fd& timer) {
  std::uint64_t missed = 0;
  (void)!::read(timer.get(), &missed, sizeof missed);
}

class Runner {
 public:
  Runner(RunOptions options, Machine machine, const Clock& clock)
      : options_(std::move(options)), machine_(std::move(machine)), clock_(clock), id_(new_run_id()) {}

  Result<RunResult> run();

 private:
  void start_writer();
  void watch();
  void take_signals();
  void tick();
  void hand_over();
  [[nodiscard]] int sharers() { return registry_.sharers(clock_.now().monotonic); }
  ledger::RunRecord begin_record(const Context& context) const;
  void complete(ledger::RunRecord& record);
  void derive_model(ledger::RunRecord& record) const;

  RunOptions options_;
  Machine machine_;
  const Clock& clock_;
  std::string id_;
  SignalGate gate_;
  RunRegistry registry_;
  std::unique_ptr<meter::TreeCpu> tree_;
  std::optional<meter::Meter> meter_;
  std::optional<Child> child_;
  std::optional<LedgerWriter> writer_;
  std::vector<sense::Blocked> blocked_;
  std::vector<std::string> sensor_notes_;
  SliceCollector slices_;
  std::optional<Ending> ending_;
  bool stop_waiting_ = false;
  bool wants_fast_ticks_ = false;
};

Result<RunResult> Runner::run() {
  tree_ = meter::make_tree_cpu(id_, options_.tree);
  // Orphans come to us, so that the reaper sees them end; the cgroup needs no such thing and leaves the family as it was.
  if (tree_->birth_cgroup() < 0 || options_.wait_all) prctl(PR_SET_CHILD_SUBREAPER, 1);

  auto child = Child::spawn({options_.command, {{"GRAMWATT_RUN_ID", id_}}, tree_->birth_cgroup()}, gate_);
  if (!child) return tl::unexpected(child.error());
  child_ = std::move(*child);
  if (tree_->birth_cgroup() >= 0 && !child_->born_in_cgroup()) {
    tree_ = meter::make_tree_cpu(id_, meter::TreeMechanism::task_clock);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
  tree_->attach(child_->pid());

  blocked_ = std::move(machine_.findings.blocked);
  for (const auto& s : machine_.findings.sensors) {
    if (!s->describe().note.empty()) sensor_notes_.push_back(s->describe().note);
  }
  meter::Setup setup;
  setup.clock = &clock_;
  setup.roots = options_.roots;
  setup.cpu = machine_.cpu;
  setup.model = machine_.model;
  wants_fast_ticks_ = options_.detailed_ticks || !machine_.findings.sensors.empty();
  setup.sensors = std::move(machine_.findings.sensors);
  setup.idle_owner = options_.idle_owner;
  setup.detailed_ticks = options_.detailed_ticks;
  if (options_.recorder != nullptr) {
    if (const auto begun = options_.recorder->begin(setup, options_.version, id_, tree_->mechanism()); !begun)
      return tl::unexpected(begun.error());
  }
  meter_.emplace(std::move(setup));
  if (!options_.parent) registry_.enter();  // a nested run is part of its outer run, which shares for both

  RunResult result;
  meter_->start(tree_->read());
  if (const auto released = child_->release(result.ending.exit_code); !released) {
    result.start_error = released.error();
    result.start_error->where = options_.command.front();
    return result;
  }
  start_writer();
  watch();

  const Nanoseconds tree_cpu = tree_->read_exactly();
  if (tree_->missed_something()) meter_->children_unseen();
  meter_->finish(tree_cpu, sharers());
  registry_.leave();
  hand_over();
  result.ending = *ending_;
  result.record = writer_->begun();
  complete(result.record);
  result.ledger_error = writer_->finish(result.record);
  if (options_.recorder != nullptr) {
    if (const auto ended = options_.recorder->end(result.record); !ended) result.record_error = ended.error();
  }
  return result;
}

void Runner::start_writer() {
  writer_.emplace(options_.ledger, meter_->channels(), [this] { return begin_record(options_.context(machine_)); });
}

/// Ticks and signals until the program has ended (and, with --wait-all, everything it left behind).
void Runner::watch() {
  const Fd timer = make_timer(options_.interval.value_or(wants_fast_ticks_ ? kFastTick : kSlowTick));
  std::array<pollfd, 2> sources{{{gate_.fd(), POLLIN, 0}, {timer.get(), POLLIN, 0}}};
  take_signals();
  for (;;) {
    if (ending_ && (!options_.wait_all || child_->all_gone() || stop_waiting_)) return;
    if (::poll(sources.data(), sources.size(), -1) < 0 && errno != EINTR) return;
    if ((sources[0].revents & POLLIN) != 0) take_signals();
    if ((sources[1].revents & POLLIN) != 0) {
      drain(timer);
      tick();
    }
  }
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

void Runner::tick() {
  meter_->sample([this] { return tree_->read(); }, sharers());
  hand_over();
  if (!options_.on_tick) return;
  const ledger::RunRecord* begun = writer_->has_begun() ? &writer_->begun() : nullptr;
  options_.on_tick({meter_->last_tick(), *meter_, meter_->channels(), begun});
}

void Runner::hand_over() {
  std::vector<Interval> closed = meter_->take_closed();
  for (const Interval& i : closed) slices_.add(i);
  writer_->push(std::move(closed));
}

ledger::RunRecord Runner::begin_record(const Context& context) const {
  ledger::RunRecord r;
  r.id = id_;
  r.parent = options_.parent;
  r.name = options_.name;
  r.project = options_.project;
  r.stage = options_.stage;
  r.tags = options_.tags;
  r.command = options_.command;
  r.start_utc = r.end_utc = meter_->started_at().utc;
  r.host = context.host;
  r.place = context.place;
  r.energy.idle_owner = options_.idle_owner;
  r.version = options_.version;
  r.notes = context.notes;
  r.advice = context.advice;
  set_weights(context.weights, r);
  return r;
}

/// How the model came to its figures; nothing where sensors measured the CPU.
void Runner::derive_model(ledger::RunRecord& r) const {
  const sense::PowerModel& model = machine_.model;
  bool modelled = false;
  for (const Channel& c : meter_->channels()) modelled = modelled || c.source == model.source;
  if (!modelled) return;
  const int threads = std::max(1, machine_.cpu.threads);
  r.derivations.push_back(
      {"energy.platform, idle",
       fmt::format("{:.4g} W at rest × {:.6g} s, of which the owner rule gives this run {:.4g}", model.fixed.value.value(),
                   r.duration.value(), options_.idle_owner == IdleOwner::job ? meter_->mean_machine_share() : 0.0),
       model.description, model.source});
  r.derivations.push_back(
      {"energy.platform, active",
       fmt::format("{:.6g} CPU-seconds of the program × about {:.4g} W a busy thread", seconds(meter_->job_cpu()).value(),
                   model.active(1).value() / threads),
       fmt::format("all programs together used {:.6g} CPU-seconds; all {} threads busy draw {:.4g} W above rest",
                   seconds(meter_->machine_cpu()).value(), threads, model.active(1).value()),
       model.source});
}

void Runner::complete(ledger::RunRecord& r) {
  const Instant end = clock_.now();
  r.state = ledger::State::finished;
  r.end_utc = end.utc;
  r.exit_code = ending_->exit_code;
  if (ending_->signal != 0) r.signal = ending_->signal;
  r.duration = r.running = seconds(elapsed(meter_->started_at(), end));
  r.gaps = meter_->gaps();
  Measured m;
  m.channels = with_tree_error(meter_->channels(), tree_->mechanism());
  m.totals = meter_->totals();
  m.slices = slices_.slices();
  m.duration = r.duration;
  m.machine_share = machine_share(*meter_, options_.idle_owner, machine_.cpu, r.duration);
  fill_account(m, weights_of(r), r);

  derive_model(r);
  r.notes.push_back("CPU time of the process tree: " + tree_->mechanism() +
                    (tree_->shortfall().empty() ? "" : " (" + tree_->shortfall() + ")"));
  if (tree_->missed_something()) {
    r.gaps.push_back({"cpu", r.duration,
                      "children of a process that ignores SIGCHLD cannot be counted here; the interval reaches up to all CPU "
                      "time that nobody else explains"});
  }
  for (const std::string& note : sensor_notes_) r.notes.push_back(note);
  for (const sense::Blocked& b : blocked_) {
    r.advice.insert(r.advice.begin(), b.family + ": " + b.why + (b.remedy.empty() ? "" : " — " + b.remedy));
  }
  rusage own{};
  getrusage(RUSAGE_SELF, &own);
  r.own_cpu = Seconds(static_cast<double>(own.ru_utime.tv_sec + own.ru_stime.tv_sec) +
                      1e-6 * static_cast<double>(own.ru_utime.tv_usec + own.ru_stime.tv_usec));
  r.own_max_rss_mb = static_cast<double>(own.ru_maxrss) * 1024 / 1e6;
}

}  // namespace

Result<RunResult> run(RunOptions options, Machine machine, const Clock& clock) {
  return Runner(std::move(options), std::move(machine), clock).run();
}

Result<std::size_t> settle_interrupted(ledger::Ledger& ledger) {
  const auto ids = ledger.mark_interrupted();
  if (!ids) return tl::unexpected(ids.error());
  for (const std::string& id : *ids) {
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
    fill_account(m, weights_of(*record), *record);
    record->state = ledger::State::interrupted;
    record->gaps.push_back({"all", Seconds(0), "gramwatt was killed: what came after this end was not measured"});
    if (const auto done = ledger.finish(*record); !done) return tl::unexpected(done.error());
  }
  return ids->size();
}

}  // namespace gramwatt::job
