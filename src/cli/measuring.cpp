#include "cli/measuring.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "report/live.hpp"
#include "report/summary.hpp"
#include "report/trace.hpp"

namespace gramwatt::cli {
namespace {

report::LiveState state(const job::Progress& p) {
  report::LiveState s;
  s.elapsed = seconds(elapsed(p.meter.started_at(), p.tick.at));
  s.power = p.tick.job_active + p.tick.job_idle;
  const std::vector<Flow> totals = p.meter.totals();
  for (std::size_t i = 0; i < totals.size(); ++i) {
    const Channel& c = p.channels[i];
    s.energy = s.energy + Estimate<Joules>{totals[i].job_active.joules(), c.method, c.source, Boundary::node, c.active_terms} +
               Estimate<Joules>{totals[i].job_idle.joules(), c.method, c.source, Boundary::node, c.idle_terms};
  }
  if (p.begun != nullptr && p.begun->average_intensity) {
    s.intensity = p.begun->average_intensity->value;
    s.carbon = s.energy * p.begun->energy.pue * *s.intensity;
  }
  return s;
}

}  // namespace

Watcher::~Watcher() { end(); }

Result<void> Watcher::open(const Invocation& invocation, const Settings& settings, job::SessionOptions& options) {
  const auto live = parse_live_mode(invocation.get("live").value_or(settings.quiet ? "off" : "auto"));
  if (!live) return tl::unexpected(live.error());
  if (const auto path = invocation.get("trace")) {
    trace_path_ = *path;
    trace_ = std::fopen(path->c_str(), "we");
    if (trace_ == nullptr) return tl::unexpected(errno_error(errno, "cannot write the trace", *path));
  }
  if (const auto path = invocation.get("record")) {
    auto created = job::Recorder::create(*path);
    if (!created) return tl::unexpected(created.error());
    recorder_ = std::move(*created);
    options.recorder = recorder_.get();
  }
  live_.emplace(*live);
  options.detailed_ticks = trace_ != nullptr;
  // A tick that nobody looks at makes no call: at ten a second, every line of code comes from cold memory.
  if (trace_ != nullptr || live_->on()) options.on_tick = [this](const job::Progress& p) { tick(p); };
  return {};
}

void Watcher::clear() {
  if (live_) live_->clear();
}

void Watcher::end() {
  if (live_) live_->clear();
  if (trace_ == nullptr) return;
  if (std::fclose(std::exchange(trace_, nullptr)) != 0)
    warn(errno_error(errno, "the trace is incomplete", trace_path_).message());
}

void Watcher::tick(const job::Progress& p) {
  if (trace_ != nullptr) trace(p);
  if (live_->due(p.tick.at.monotonic)) live_->draw(report::live_line(state(p), live_->width()));
}

void Watcher::trace(const job::Progress& p) {
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

Result<void> session_options(const Invocation& invocation, const Settings& settings, job::SessionOptions& o) {
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
  if (!invocation.has("no-ledger")) o.ledger = settings.ledger;
  o.roots = Roots::from_environment();
  o.version = kVersion;
  return {};
}

meter::TreeMechanism tree_mechanism() {
  const auto tree = environment("GRAMWATT_TREE");
  if (tree == "reaper") return meter::TreeMechanism::reaper;
  if (tree == "task-clock") return meter::TreeMechanism::task_clock;
  return meter::TreeMechanism::best;
}

Result<void> check_place(const Surroundings& surroundings, const Settings& settings) {
  place::Query query = place_query(surroundings, settings);
  query.network = false;
  if (const auto place = place::locate(query); !place) return tl::unexpected(place.error());
  return {};
}

void tell_result(const Invocation& invocation, const Settings& settings, const ledger::RunRecord& record,
                 const std::optional<Error>& ledger_error, const std::optional<Error>& record_error) {
  if (!settings.quiet) {
    const std::string text = report::summary(record, style_for(STDERR_FILENO), width_of(STDERR_FILENO),
                                             !invocation.has("no-ledger") && !ledger_error);
    std::fputs(text.c_str(), stderr);
  }
  if (ledger_error) warn("this run is not kept in the ledger: " + ledger_error->message());
  if (record_error) warn(record_error->message());
  if (settings.json) {
    if (const auto written = write_output(*settings.json, ledger::to_json(record) + "\n"); !written)
      warn(written.error().message());
  }
}

}  // namespace gramwatt::cli
