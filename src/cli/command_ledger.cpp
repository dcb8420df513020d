// runs, show, compare, tag, rm.

#include <unistd.h>

#include <ctime>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/grid_access.hpp"
#include "job/run.hpp"
#include "ledger/ledger.hpp"
#include "report/compare.hpp"
#include "report/explain.hpp"
#include "report/jobs.hpp"
#include "report/run_chart.hpp"
#include "report/runs.hpp"
#include "report/summary.hpp"

namespace gramwatt::cli {
namespace {

/// Looking at a list must not wait for anybody's server.
Settings without_network(Settings settings) {
  settings.network = false;
  return settings;
}

/// The ledger for looking at: runs that were killed are settled first, where it may be written.
Result<ledger::Ledger> open_settled(const Settings& settings) {
  std::error_code ec;
  if (std::filesystem::exists(settings.ledger, ec)) {
    if (auto writable = ledger::Ledger::open(settings.ledger)) {
      (void)job::settle_interrupted(*writable, grid_knowledge(without_network(settings)));
      return writable;
    }
  }
  return ledger::Ledger::open_read_only(settings.ledger);
}

Result<ledger::Filter> filter_of(const Invocation& invocation) {
  ledger::Filter f;
  f.project = invocation.get("project");
  f.stage = invocation.get("stage");
  f.name = invocation.get("name");
  auto tags = parse_tags(invocation.all("tag"), false);
  if (!tags) return tl::unexpected(tags.error());
  f.tags = std::move(*tags);
  if (const auto since = invocation.get("since")) {
    const auto length = parse_duration(*since);
    if (!length) return tl::unexpected(length.error());
    f.since = SystemClock().now().utc - *length;
  }
  f.limit = 20;
  if (const auto limit = invocation.get("limit")) {
    const auto n = parse_number<std::size_t>(*limit);
    if (!n) return fail(fmt::format("\"{}\" is no number", *limit), "--limit", {}, Error::Kind::usage);
    f.limit = *n;
  }
  return f;
}

/// Power over intensity; nothing where the ledger has no intervals of the run.
std::string chart_of(const ledger::Ledger& ledger, const ledger::RunRecord& record, const Settings& settings) {
  const auto intervals = ledger.intervals(record.id);
  if (!intervals || intervals->empty()) return {};
  const grid::Window window{intervals->front().start.utc, intervals->back().end.utc};
  const auto known = grid_knowledge(without_network(settings))(record, window);
  if (!known) return {};
  const std::string chart = report::run_chart(*intervals, known->average, style_for(STDOUT_FILENO), width_of(STDOUT_FILENO));
  return chart.empty() ? chart : "\n" + chart;
}

}  // namespace

int command_runs(const Invocation& invocation, const Settings& settings) {
  const auto filter = filter_of(invocation);
  if (!filter) return complain(filter.error());
  const auto ledger = open_settled(settings);
  if (!ledger) return complain(ledger.error());
  const auto records = ledger->list(*filter);
  if (!records) return complain(records.error());
  for (const Error& other : ledger->skipped()) warn("left out: " + other.message());
  if (settings.json) {
    const auto written = write_output(*settings.json, report::runs_json(*records) + "\n");
    return written ? 0 : complain(written.error());
  }
  if (records->empty()) {
    if (!settings.quiet) std::fputs("no runs yet: gramwatt run -- COMMAND\n", stderr);
    return 0;
  }
  return print(report::runs_table(*records, style_for(STDOUT_FILENO), width_of(STDOUT_FILENO)));
}

int command_show(const Invocation& invocation, const Settings& settings) {
  const auto ledger = open_settled(settings);
  if (!ledger) return complain(ledger.error());
  const std::string which = invocation.arguments.empty() ? "last" : invocation.arguments.front();
  const auto record = ledger->get(which);
  if (!record) {
    // A job that has not started yet has a story already.
    const auto job = which == "last" ? tl::unexpected(record.error()) : ledger->job(which);
    const auto events = job ? ledger->events(job->id) : Result<std::vector<ledger::JobEvent>>{};
    if (!job || !events || events->empty()) return complain(record.error());
    return print(report::jobs_table({*job}, SystemClock().now().utc, style_for(STDOUT_FILENO), width_of(STDOUT_FILENO)) +
                 report::story(*events));
  }
  if (settings.json) {
    const auto written = write_output(*settings.json, ledger::to_json(*record) + "\n");
    return written ? 0 : complain(written.error());
  }
  std::string text = report::summary(*record, style_for(STDOUT_FILENO), width_of(STDOUT_FILENO));
  text += chart_of(*ledger, *record, settings);
  if (const auto events = ledger->events(record->id); events && !events->empty()) text += "\n" + report::story(*events);
  if (invocation.has("explain")) text += "\n" + report::explain(*record, style_for(STDOUT_FILENO));
  return print(text);
}

int command_compare(const Invocation& invocation, const Settings& settings) {
  const auto ledger = open_settled(settings);
  if (!ledger) return complain(ledger.error());
  std::vector<ledger::RunRecord> records;
  for (const std::string& id : invocation.arguments) {
    auto record = ledger->get(id);
    if (!record) return complain(record.error());
    records.push_back(std::move(*record));
  }
  if (settings.json) {
    const auto written = write_output(*settings.json, report::compare_json(records) + "\n");
    return written ? 0 : complain(written.error());
  }
  return print(report::compare(records, style_for(STDOUT_FILENO)));
}

int command_tag(const Invocation& invocation, const Settings& settings) {
  auto tags = parse_tags({invocation.arguments.begin() + 1, invocation.arguments.end()}, true);
  if (!tags) return complain(tags.error());
  auto ledger = ledger::Ledger::open(settings.ledger);
  if (!ledger) return complain(ledger.error());
  const auto record = ledger->get(invocation.arguments.front());
  if (!record) return complain(record.error());
  std::map<std::string, std::string> all = record->tags;
  for (auto& [key, value] : *tags) {
    if (value.empty()) all.erase(key);
    else all[key] = std::move(value);
  }
  const auto done = ledger->set_tags(record->id, all);
  return done ? 0 : complain(done.error());
}

int command_rm(const Invocation& invocation, const Settings& settings) {
  auto ledger = ledger::Ledger::open(settings.ledger);
  if (!ledger) return complain(ledger.error());
  // All names are looked up before anything is removed: a typo in the third must not cost the first two, and @1 must not
  // mean another run once @1 is gone.
  std::vector<std::string> ids;
  for (const std::string& name : invocation.arguments) {
    const auto record = ledger->get(name);
    if (!record) return complain(record.error());
    ids.push_back(record->id);
  }
  for (const std::string& id : ids) {
    if (const auto done = ledger->remove(id); !done) return complain(done.error());
  }
  return 0;
}

}  // namespace gramwatt::cli
