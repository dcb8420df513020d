// gramwatt run: everything that can go wrong because of what the user asked is told before the command starts (exit 125);
// afterwards nothing may disturb it, and gramwatt ends as the command ended.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/live.hpp"
#include "job/recording.hpp"
#include "job/repeat.hpp"
#include "report/live.hpp"
#include "report/summary.hpp"
#include "report/trace.hpp"

namespace gramwatt::cli {
namespace {

constexpr int kFailedBeforeStart = 125;

int refuse(const Error& error) {
  complain(error);
  return kFailedBeforeStart;
}

/// What is drawn and written while the program runs.
class Watcher {
 public:
  Watcher(LiveMode live, std::FILE* trace) : live_(live), trace_(trace) {}

  void operator()(const job::Progress& p) {
    if (trace_ != nullptr) trace(p);
    if (live_.due(p.tick.at.monotonic)) live_.draw(report::live_line(state(p), live_.width()));
  }
  void end() { live_.clear(); }

 private:
  void trace(const job::Progress& p) {
    if (!std::exchange(headed_, true)) std::fputs(report::trace_header(p.channels).c_str(), trace_);
    report::TraceRow row;
    row.at_utc = p.tick.at.utc;
    row.since_start = seconds(elapsed(p.meter.started_at(), p.tick.at));
    row.machine = p.tick.machine;
    row.job_active = p.tick.job_active;
    row.job_idle = p.tick.job_idle;
    row.job_by_channel = p.tick.job_by_channel;
    row.job_cores = p.tick.job_cores;
    if (p.begun != nullptr) {
      if (p.begun->average_intensity) row.average = p.begun->average_intensity->value.value;
      if (p.begun->marginal_intensity) row.marginal = p.begun->marginal_intensity->value.value;
    }
    std::fputs(report::trace_row(row).c_str(), trace_);
  }

  static report::LiveState state(const job::Progress& p) {
    report::LiveState s;
    s.elapsed = seconds(elapsed(p.meter.started_at(), p.tick.at));
    s.power = p.tick.job_active + p.tick.job_idle;
    const std::vector<Flow> totals = p.meter.totals();
    for (std::size_t i = 0; i < totals.size(); ++i) {
      const Channel& c = p.channels[i];
      s.energy = s.energy +
                 Estimate<Joules>{totals[i].job_active.joules(), c.method, c.source, Boundary::node, c.active_terms} +
                 Estimate<Joules>{totals[i].job_idle.joules(), c.method, c.source, Boundary::node, c.idle_terms};
    }
    if (p.begun != nullptr && p.begun->average_intensity) {
      s.intensity = p.begun->average_intensity->value;
      s.carbon = s.energy * p.begun->energy.pue * *s.intensity;
    }
    return s;
  }

  LiveLine live_;
  std::FILE* trace_;
  bool headed_ = false;
};

Result<job::RunOptions> options_of(const Invocation& invocation, const Settings& settings) {
  job::RunOptions o;
  o.command = invocation.arguments;
  o.name = invocation.get("name");
  o.project = invocation.get("project");
  if (!o.project) o.project = settings.config.project;
  o.stage = invocation.get("stage");
  if (!o.stage) o.stage = settings.config.stage;
  auto tags = parse_tags(invocation.all("tag"), false);
  if (!tags) return tl::unexpected(tags.error());
  o.tags = std::move(*tags);
  if (settings.config.interval) o.interval = *settings.config.interval;
  if (const auto text = invocation.get("interval")) {
    const auto interval = check_interval(*text);
    if (!interval) return tl::unexpected(interval.error());
    o.interval = *interval;
  }
  o.wait_all = invocation.has("wait-all");
  if (!invocation.has("no-ledger")) o.ledger = settings.ledger;
  o.parent = environment("GRAMWATT_RUN_ID");
  o.roots = Roots::from_environment();
  if (const auto tree = environment("GRAMWATT_TREE")) {
    o.tree = *tree == "reaper"       ? meter::TreeMechanism::reaper
             : *tree == "task-clock" ? meter::TreeMechanism::task_clock
                                     : meter::TreeMechanism::best;
  }
  o.version = kVersion;
  return o;
}

/// What is asked for and cannot be, found before anything is started.
Result<void> check_request(const Invocation& invocation, const Surroundings& surroundings, const Settings& settings,
                           const job::Machine& machine) {
  // Options and configuration are checked here; the cloud is asked later, while the program already runs.
  place::Query query = place_query(surroundings, settings);
  query.network = false;
  if (const auto place = place::locate(query); !place) return tl::unexpected(place.error());
  if (const auto what = invocation.get("require")) {
    if (*what != "measured")
      return fail(fmt::format("\"{}\" cannot be required", *what), "--require", "measured", Error::Kind::usage);
    if (machine.findings.sensors.empty()) {
      return fail("no power sensor can be read here", "--require measured", "gramwatt doctor tells why",
                  Error::Kind::unavailable);
    }
  }
  return {};
}

Result<int> repetitions_of(const Invocation& invocation) {
  const auto text = invocation.get("repeat");
  if (!text) return 1;
  const auto n = parse_number<int>(*text);
  if (!n || *n < 1 || *n > 100'000)
    return fail(fmt::format("\"{}\" is no number of repetitions", *text), "--repeat", "32", Error::Kind::usage);
  if (invocation.has("trace") || invocation.has("record"))
    return fail("does not go with --trace or --record", "--repeat", "record a single run", Error::Kind::usage);
  return *n;
}

int dry_run(const job::RunOptions& options, const job::Machine& machine, const Surroundings& surroundings,
            const Settings& settings) {
  const job::Context c = make_context(surroundings, settings, machine);
  std::string out = fmt::format("would run:      {}\n", fmt::join(options.command, " "));
  for (const auto& s : machine.findings.sensors)
    out += fmt::format("would measure:  {} {} by {}\n", to_string(s->describe().component), s->describe().device,
                       s->describe().source);
  if (machine.findings.sensors.empty())
    out += fmt::format("would model:    {}\n                ({})\n", machine.model.description, machine.model.source);
  out += fmt::format("would weigh:    {:.0f} g/kWh at {}; PUE {:.2f}\n", c.weights.average.points.front().value.value(),
                     c.place.name, c.weights.pue.value.value());
  return print(out);
}

void tell(const Invocation& invocation, const Settings& settings, const job::RunResult& result) {
  if (!settings.quiet) {
    const std::string text = report::summary(result.record, style_for(STDERR_FILENO), width_of(STDERR_FILENO),
                                             !invocation.has("no-ledger") && !result.ledger_error);
    std::fputs(text.c_str(), stderr);
  }
  if (result.ledger_error) warn("this run is not kept in the ledger: " + result.ledger_error->message());
  if (result.record_error) warn(result.record_error->message());
  if (settings.json) {
    if (const auto written = write_output(*settings.json, ledger::to_json(result.record) + "\n"); !written)
      warn(written.error().message());
  }
}

}  // namespace

int command_run(const Invocation& invocation, const Settings& settings) {
  for (const std::string& problem : settings.config.problems) warn(problem);
  auto options = options_of(invocation, settings);
  if (!options) return refuse(options.error());
  auto surroundings = surroundings_of(invocation, settings.config);
  if (!surroundings) return refuse(surroundings.error());
  const auto live = parse_live_mode(invocation.get("live").value_or(settings.quiet ? "off" : "auto"));
  if (!live) return refuse(live.error());

  const auto repetitions = repetitions_of(invocation);
  if (!repetitions) return refuse(repetitions.error());

  const SystemClock clock;
  job::Machine machine = job::probe_machine(options->roots, clock);
  if (const auto ok = check_request(invocation, *surroundings, settings, machine); !ok) return refuse(ok.error());
  options->idle_owner = idle_owner(*surroundings, machine.cpu);
  if (invocation.has("dry-run")) return dry_run(*options, machine, *surroundings, settings);

  std::FILE* trace = nullptr;
  if (const auto path = invocation.get("trace")) {
    trace = std::fopen(path->c_str(), "we");
    if (trace == nullptr) return refuse(errno_error(errno, "cannot write the trace", *path));
  }
  std::unique_ptr<job::Recorder> recorder;
  if (const auto path = invocation.get("record")) {
    auto created = job::Recorder::create(*path);
    if (!created) return refuse(created.error());
    recorder = std::move(*created);
    options->recorder = recorder.get();
  }
  Watcher watcher(*live, trace);
  options->context = [&](const job::Machine& m) { return make_context(*surroundings, settings, m); };
  options->detailed_ticks = trace != nullptr;
  options->on_tick = [&](const job::Progress& p) { watcher(p); };

  const job::RepeatOptions series{*repetitions, [&roots = options->roots, &clock] { return job::probe_machine(roots, clock); }};
  const auto result =
      *repetitions > 1 ? job::repeat(*options, series, clock) : job::run(std::move(*options), std::move(machine), clock);
  watcher.end();
  if (trace != nullptr && std::fclose(trace) != 0)
    warn(errno_error(errno, "the trace is incomplete", *invocation.get("trace")).message());
  if (!result) return refuse(result.error());
  if (result->start_error) {
    complain(*result->start_error);
    return result->ending.exit_code;
  }
  tell(invocation, settings, *result);
  std::fflush(nullptr);
  job::end_like(result->ending);
}

}  // namespace gramwatt::cli
