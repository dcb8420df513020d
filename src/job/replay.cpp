#include "job/replay.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "job/recording.hpp"

namespace gramwatt::job {
namespace {

/// Shows the instant of the tick that is being replayed.
class TickClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return at; }
  Instant at;
};

/// Gives what the recording holds for the tick that is being replayed.
class RecordedInput final : public sense::RawInput {
 public:
  [[nodiscard]] Result<std::span<const sense::RawSample>> samples(const Clock&) override {
    given_.swap(waiting_);
    waiting_.clear();
    if (failure_) {
      auto why = tl::unexpected(std::move(*failure_));
      failure_.reset();
      return why;
    }
    return std::span<const sense::RawSample>(given_);
  }
  void add(const sense::RawSample& sample) { waiting_.push_back(sample); }
  void fail_with(std::string why) { failure_ = Error{std::move(why), {}, {}}; }

 private:
  std::vector<sense::RawSample> waiting_, given_;
  std::optional<Error> failure_;
};

/// A RawSensor that also remembers who was active.
class RecordedSensorNow final : public sense::Sensor {
 public:
  RecordedSensorNow(sense::Description d, std::unique_ptr<RecordedInput> input, sense::DecoderSpec spec)
      : input_(input.get()), sensor_(std::move(d), std::move(input), std::move(spec)) {}
  [[nodiscard]] const sense::Description& describe() const override { return sensor_.describe(); }
  [[nodiscard]] Result<sense::Reading> read(const Clock& clock) override { return sensor_.read(clock); }
  [[nodiscard]] std::optional<Ratio> activity_share(const std::function<bool(pid_t)>&) override {
    return std::exchange(share_, std::nullopt);
  }
  [[nodiscard]] sense::Settled settled() const override { return sensor_.settled(); }
  [[nodiscard]] RecordedInput& input() { return *input_; }
  void set_share(double share) { share_ = Ratio(share); }

 private:
  RecordedInput* input_;
  sense::RawSensor sensor_;
  std::optional<Ratio> share_;
};

class Replayer {
 public:
  explicit Replayer(const ReplayOptions& options) : options_(options) {}
  Result<Replay> run(std::istream& in);

 private:
  Result<void> set_up(std::string_view head);
  Result<void> take(RecordedLine line);
  void tick(const RecordedTick& t);
  void finish(const Instant& at);
  ledger::RunRecord record() const;

  const ReplayOptions& options_;
  RecordingHeader header_;
  TickClock clock_;
  std::vector<RecordedSensorNow*> sensors_;
  std::optional<meter::ProcStat> machine_;
  std::optional<meter::Meter> meter_;
  SliceCollector slices_;
  Nanoseconds tree_cpu_{};
  int sharers_ = 1;
  bool started_ = false, finished_ = false;
  Replay out_;
};

Result<void> Replayer::set_up(std::string_view head) {
  auto header = parse_recording_header(head);
  if (!header) return tl::unexpected(header.error());
  header_ = std::move(*header);
  out_.recorded_by = header_.version;
  meter::Setup setup;
  setup.clock = &clock_;
  setup.cpu = header_.cpu;
  if (options_.model_anew) header_.model = sense::power_model(header_.cpu);
  setup.model = header_.model;
  if (!options_.model_anew) setup.platform = header_.platform;
  setup.idle_owner = header_.idle_owner;
  setup.detailed_ticks = header_.detailed_ticks;
  setup.close_every = header_.close_every;
  setup.is_job = [](pid_t) { return true; };  // who was active is recorded
  setup.machine_cpu = [this](bool, meter::ProcStat& out) {
    if (!machine_) return false;
    out = *machine_;
    return true;
  };
  for (const RecordedSensor& s : header_.sensors) {
    if (const auto decoder = sense::make_decoder(s.decoder); !decoder) return tl::unexpected(decoder.error());
    auto sensor = std::make_unique<RecordedSensorNow>(s.description, std::make_unique<RecordedInput>(), s.decoder);
    sensors_.push_back(sensor.get());
    setup.sensors.push_back(std::move(sensor));
  }
  meter_.emplace(std::move(setup));
  return {};
}

void Replayer::finish(const Instant& at) {
  clock_.at = at;
  meter_->finish(tree_cpu_, sharers_);
  finished_ = true;
}

void Replayer::tick(const RecordedTick& t) {
  clock_.at = t.facts.at;
  machine_ = t.machine;
  sharers_ = t.facts.sharers;
  if (t.facts.tree_cpu) tree_cpu_ = *t.facts.tree_cpu;
  if (t.facts.children_unseen) meter_->children_unseen();
  for (const auto& [sensor, share] : t.shares) sensors_[sensor]->set_share(share);
  ++out_.ticks;
  switch (t.facts.kind) {
    case meter::TickFacts::Kind::start:
      meter_->start(tree_cpu_);
      started_ = true;
      break;
    case meter::TickFacts::Kind::tick: meter_->sample([this] { return tree_cpu_; }, sharers_); break;
    case meter::TickFacts::Kind::turn: meter_->turn([this] { return tree_cpu_; }, sharers_); break;
    case meter::TickFacts::Kind::last: finish(t.facts.at); break;
  }
  for (const Interval& i : meter_->take_closed()) slices_.add(i);
  if (t.facts.kind == meter::TickFacts::Kind::turn) slices_.cut();
}

Result<void> Replayer::take(RecordedLine line) {
  if (const auto* sample = std::get_if<RecordedSample>(&line)) {
    sensors_[sample->sensor]->input().add(sample->sample);
  } else if (auto* failure = std::get_if<RecordedFailure>(&line)) {
    sensors_[failure->sensor]->input().fail_with(std::move(failure->why));
  } else if (const auto* t = std::get_if<RecordedTick>(&line)) {
    const bool start = t->facts.kind == meter::TickFacts::Kind::start;
    if (start == started_ || finished_) return fail("a tick out of order");
    if (started_ && t->facts.at.monotonic < clock_.at.monotonic) return fail("time runs backwards");
    tick(*t);
  } else if (const auto* run = std::get_if<RecordedRun>(&line)) {
    auto recorded = ledger::from_json(run->json);
    if (!recorded) return tl::unexpected(recorded.error());
    out_.recorded = std::move(*recorded);
  }
  return {};
}

/// The account: facts of the run from the recording, figures from the meter.
ledger::RunRecord Replayer::record() const {
  ledger::RunRecord r;
  if (out_.recorded) r = *out_.recorded;
  if (!out_.recorded || options_.weigh_anew) {
    const Context context = options_.context(header_.cpu, header_.model);
    if (!out_.recorded) {
      r.host = context.host;
      r.version = header_.version;
    }
    r.place = context.place;
    r.notes = context.notes;
    r.advice = context.advice;
    set_weights(context.weights, r);
  }
  r.id = header_.run;
  r.state = out_.recorded ? r.state : ledger::State::interrupted;
  r.energy.idle_owner = header_.idle_owner;
  r.start_utc = meter_->started_at().utc;
  if (!out_.recorded) {  // a whole one has them, to the moment after the last tick
    r.end_utc = clock_.at.utc;
    r.duration = r.running = seconds(elapsed(meter_->started_at(), clock_.at));
  }
  r.gaps = meter_->gaps();
  if (!out_.recorded) r.notes.insert(r.notes.end(), meter_->sensor_notes().begin(), meter_->sensor_notes().end());
  if (!out_.recorded) r.gaps.push_back({"all", Seconds(0), "the recording was cut off here"});
  Measured m;
  m.channels = with_tree_error(meter_->channels(), header_.tree);
  m.totals = meter_->totals();
  m.slices = slices_.slices();
  m.duration = r.duration;
  m.machine_share = machine_share(*meter_, header_.idle_owner, header_.cpu, r.duration);
  fill_account(m, weights_of(r), r);
  return r;
}

Result<Replay> Replayer::run(std::istream& in) {
  std::string line;
  if (!std::getline(in, line)) return fail("is empty", {}, "gramwatt run --record FILE makes a recording");
  if (const auto done = set_up(line); !done) return tl::unexpected(done.error());
  for (std::size_t number = 2; std::getline(in, line); ++number) {
    const bool cut_off = in.eof();  // no end of line: the recorder was killed while it wrote
    auto parsed = parse_recorded_line(line, sensors_.size());
    if (!parsed && cut_off) break;
    Result<void> done;
    if (!parsed) done = tl::unexpected(parsed.error());
    else done = take(std::move(*parsed));
    if (!done) {
      Error e = done.error();
      e.where = fmt::format("line {}{}{}", number, e.where.empty() ? "" : ": ", e.where);
      return tl::unexpected(std::move(e));
    }
  }
  if (!started_) return fail("holds no readings", {}, "the recorded run ended before it began");
  if (!finished_) finish(clock_.at);
  for (const Interval& i : meter_->take_closed()) slices_.add(i);
  out_.record = record();
  return std::move(out_);
}

}  // namespace

Result<Replay> replay(std::istream& in, const ReplayOptions& options) { return Replayer(options).run(in); }

}  // namespace gramwatt::job
