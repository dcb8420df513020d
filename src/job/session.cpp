#include "job/session.hpp"

#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "job/recording.hpp"
#include "meter/tree_members.hpp"

namespace gramwatt::job {
namespace {

constexpr Nanoseconds kFastTick = std::chrono::milliseconds(100);
constexpr Nanoseconds kSlowTick = std::chrono::seconds(1);
/// With the guardian's own wake-up (job/guardian.hpp) once a minute in all. Counters that wrap do so in minutes at full power.
constexpr Nanoseconds kResting = std::chrono::minutes(2);
/// Behind this time budgets are weighed with the annual mean.
constexpr Nanoseconds kForeseen = std::chrono::days(14);

void set_timer(const Fd& fd, Nanoseconds interval) {
  const auto s = std::chrono::floor<std::chrono::seconds>(interval);
  itimerspec spec{};
  spec.it_interval = {static_cast<time_t>(s.count()), static_cast<long>((interval - s).count())};
  spec.it_value = spec.it_interval;
  if (fd) ::timerfd_settime(fd.get(), 0, &spec, nullptr);
}

Fd make_timer(Nanoseconds interval) {
  Fd fd(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  set_timer(fd, interval);
  return fd;
}

/// Where sensors see CPU packages, and perf and the run's own cgroup allow it; null else.
std::unique_ptr<meter::WorkByCpu> count_work_by_cpu(const meter::Setup& setup, const meter::TreeCpu& tree) {
  const bool sees_packages = std::any_of(setup.sensors.begin(), setup.sensors.end(),
                                         [](const auto& s) { return s->describe().component == Component::cpu; });
  if (!sees_packages || tree.birth_cgroup() < 0) return nullptr;
  auto work = meter::WorkByCpu::open(setup.cpu, tree.birth_cgroup());
  return work ? std::move(*work) : nullptr;
}

}  // namespace

Session::Session(const SessionOptions& options, Machine machine, const Clock& clock)
    : options_(options), machine_(std::move(machine)), clock_(clock), id_(options.id.value_or(new_run_id())) {}

Result<void> Session::set_up_meter() {
  blocked_ = std::move(machine_.findings.blocked);
  for (const auto& s : machine_.findings.sensors) {
    if (!s->describe().note.empty()) sensor_notes_.push_back(s->describe().note);
  }
  interval_ = options_.interval.value_or(options_.detailed_ticks || !machine_.findings.sensors.empty() ? kFastTick : kSlowTick);
  timer_ = make_timer(interval_);
  meter::Setup setup;
  setup.clock = &clock_;
  setup.roots = options_.roots;
  setup.cpu = machine_.cpu;
  setup.model = machine_.model;
  setup.platform = machine_.platform;
  setup.sensors = std::move(machine_.findings.sensors);
  setup.idle_owner = options_.idle_owner;
  setup.is_job = options_.is_job ? options_.is_job : meter::tree_members(id_, {getpid()}, options_.roots.procfs);
  setup.detailed_ticks = options_.detailed_ticks;
  setup.work_by_cpu = count_work_by_cpu(setup, *tree_);
  if (options_.recorder != nullptr) {
    if (auto begun = options_.recorder->begin(setup, options_.version, id_, tree_->mechanism()); !begun) return begun;
  }
  meter_.emplace(std::move(setup));
  return {};
}

Result<void> Session::start(meter::TreeCpu& tree) {
  tree_ = &tree;
  if (auto set_up = set_up_meter(); !set_up) return set_up;
  if (!options_.parent) registry_.enter();  // a nested run is part of its outer run, which shares for both
  meter_->start(tree_->read());
  begin_stretch(ledger::Doing::running, meter_->started_at());
  return {};
}

void Session::open_ledger() {
  writer_.emplace(options_.ledger, meter_->channels(), [this] { return begin_record(options_.context(machine_)); });
}

void Session::tick(bool marker_came) {
  std::uint64_t missed = 0;
  (void)!::read(timer_.get(), &missed, sizeof missed);
  meter_->sample([this] { return tree_->read(); }, sharers());
  if (markers_) follow_markers(marker_came);
  hand_over();
  if (!options_.on_tick) return;
  const ledger::RunRecord* begun = writer_->has_begun() ? &writer_->begun() : nullptr;
  options_.on_tick({meter_->last_tick(), *meter_, meter_->channels(), begun});
}

void Session::enter(ledger::Doing doing) {
  meter_->turn([this] { return tree_->read(); }, sharers());
  hand_over();
  slices_.cut();
  const Instant& now = meter_->last_tick().at;
  end_stretch(now);
  begin_stretch(doing, now);
  const bool rests = doing == ledger::Doing::held || doing == ledger::Doing::off;
  set_timer(timer_, rests ? kResting : interval_);
}

Flow Session::used_so_far() const {
  Flow sum;
  for (const Flow& f : meter_->totals()) sum += f;
  return sum;
}

Joules Session::energy_so_far() const { return used_so_far().job().joules(); }

void Session::weigh_as_it_goes(const Interval& i) {
  for (const Flow& f : i.flows) weighed_.unweighed += f.job().joules();
  if (!writer_->has_begun()) return;
  const Joules energy = std::exchange(weighed_.unweighed, Joules(0));
  weighed_.energy += energy;
  for (const grid::Series& rung : weighed_.ahead.rungs) {
    const auto point = rung.at(i.end.utc);
    if (!point) continue;
    weighed_.operation += energy * point->value;
    return;
  }
}

std::optional<Used> Session::used_until_now() {
  if (!writer_ || !writer_->has_begun()) return std::nullopt;
  const ledger::RunRecord& r = writer_->begun();
  const double pue = r.energy.pue.value.value();
  const Seconds length = seconds(elapsed(meter_->started_at(), meter_->last_tick().at));
  const Ratio share = machine_share(*meter_, options_.idle_owner, machine_.cpu, length);
  const Grams embodied = r.embodied_per_hour.value * (length.value() / 3600 * share.value());
  return Used{weighed_.energy, weighed_.energy * pue, weighed_.operation * pue + embodied};
}

void Session::begin_stretch(ledger::Doing doing, const Instant& at) {
  stretch_began_ = at;
  before_stretch_ = used_so_far();
  stretches_.push_back({doing, at.utc, at.utc, {}, {}, {}});
}

void Session::end_stretch(const Instant& at) {
  ledger::Stretch& s = stretches_.back();
  const Flow now = used_so_far();
  s.end = at.utc;
  s.length = seconds(elapsed(stretch_began_, at));
  s.active = (now.job_active - before_stretch_.job_active).joules();
  s.idle = (now.job_idle - before_stretch_.job_idle).joules();
}

/// What is read once a second tells little about parts of a program: from its first marker on, ticks are fast.
void Session::follow_markers(bool marker_came) {
  if (!markers_->tick(*meter_, marker_came)) return;
  meter_->look_closely();
  if (!options_.interval && interval_ > kFastTick) set_timer(timer_, interval_ = kFastTick);
}

void Session::hand_over() {
  std::vector<Interval> closed = meter_->take_closed();
  for (const Interval& i : closed) {
    slices_.add(i);
    if (options_.weigh_as_it_goes) weigh_as_it_goes(i);
    if (markers_) markers_->settle(i, *meter_);
  }
  writer_->push(std::move(closed));
}

ledger::RunRecord Session::begin_record(const Context& context) {
  look_ = context.look;
  if (context.fetch) fetcher_.emplace(context.fetch);
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
  if (options_.weigh_as_it_goes) {
    weighed_.ahead = look_ ? look_({r.start_utc, r.start_utc + kForeseen}).average : context.weights.average;
  }
  return r;
}

/// The weights that the run began with, or, where intensity changes in time, what is known of its own time by now.
Weights Session::final_weights(ledger::RunRecord& r) {
  constexpr std::chrono::milliseconds kPatience(1000);
  if (fetcher_) {
    const auto outcome = fetcher_->end(kPatience);
    for (const std::string& failed : outcome.failed) r.notes.push_back(failed);
    if (!outcome.in_time) {
      r.notes.emplace_back("the provider of carbon intensity had not answered when the run ended");
      r.advice.push_back("intensity: gramwatt reweigh " + id_ + ", once the provider answers");
    }
  }
  Weights w = weights_of(r);
  if (!look_) return w;
  const Nanoseconds start = meter_->started_at().utc;
  grid::Intensities known = look_(receipt_window(r, {start, std::max(r.end_utc, start + Nanoseconds(1))}));
  w.average = std::move(known.average);
  w.marginal = std::move(known.marginal);
  return w;
}

/// How the model came to its figures; nothing where sensors measured the CPU.
void Session::derive_model(ledger::RunRecord& r) const {
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

ledger::RunRecord Session::finish(const std::optional<ReceiptTerms>& receipt) {
  const Nanoseconds tree_cpu = tree_->read_exactly();
  if (tree_->missed_something()) meter_->children_unseen();
  meter_->finish(tree_cpu, sharers());
  registry_.leave();
  hand_over();
  ledger::RunRecord record = writer_->begun();
  end_stretch(clock_.now());
  if (receipt) record.receipt = begin_receipt(*receipt, std::move(stretches_));
  complete(record);
  return record;
}

Session::Stored Session::store(const ledger::RunRecord& record) {
  Stored stored{writer_->finish(record), std::nullopt};
  if (options_.recorder != nullptr) {
    if (const auto ended = options_.recorder->end(record); !ended) stored.recording = ended.error();
  }
  return stored;
}

void Session::complete(ledger::RunRecord& r) {
  const Instant end = clock_.now();
  r.state = ledger::State::finished;
  r.end_utc = end.utc;
  r.duration = r.running = seconds(elapsed(meter_->started_at(), end));
  r.gaps = meter_->gaps();
  Measured m;
  m.channels = with_tree_error(meter_->channels(), tree_->mechanism());
  m.totals = meter_->totals();
  m.slices = slices_.slices();
  m.duration = r.duration;
  m.machine_share = machine_share(*meter_, options_.idle_owner, machine_.cpu, r.duration);
  const Weights weights = final_weights(r);
  fill_account(m, weights, r);
  if (r.receipt) settle_receipt(m.slices, weights.average, weights.marginal, r);

  if (markers_) markers_->finish(m.channels, r);
  derive_model(r);
  r.notes.push_back("CPU time of the process tree: " + tree_->mechanism() +
                    (tree_->shortfall().empty() ? "" : " (" + tree_->shortfall() + ")"));
  if (tree_->missed_something()) {
    r.gaps.push_back({"cpu", r.duration,
                      "children of a process that ignores SIGCHLD cannot be counted here; the interval reaches up to all CPU "
                      "time that nobody else explains"});
  }
  for (const std::string& note : sensor_notes_) r.notes.push_back(note);
  for (const std::string& note : meter_->sensor_notes()) r.notes.push_back(note);
  for (const std::string& advice : meter_->sensor_advice()) r.advice.push_back(advice);
  for (const sense::Blocked& b : blocked_) {
    r.advice.insert(r.advice.begin(), b.family + ": " + b.why + (b.remedy.empty() ? "" : " — " + b.remedy));
  }
  rusage own{};
  getrusage(RUSAGE_SELF, &own);
  r.own_cpu = Seconds(static_cast<double>(own.ru_utime.tv_sec + own.ru_stime.tv_sec) +
                      1e-6 * static_cast<double>(own.ru_utime.tv_usec + own.ru_stime.tv_usec));
  r.own_max_rss_mb = static_cast<double>(own.ru_maxrss) * 1024 / 1e6;
}

}  // namespace gramwatt::job
