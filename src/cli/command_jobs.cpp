// jobs, pause, resume, now, cancel, progress: words to jobs that wait or run in other terminals.

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/system.hpp"
#include "cli/command.hpp"
#include "job/control.hpp"
#include "ledger/ledger.hpp"
#include "report/jobs.hpp"

namespace gramwatt::cli {
namespace {

int ask(const std::string& id, const std::string& question, const Settings& settings) {
  const auto answer = job::ask_job(id, question);
  if (!answer) return complain(answer.error());
  return settings.quiet ? 0 : print(*answer + "\n");
}

/// Of a job that nobody steers any more, only the row is left.
int give_up(ledger::JobRecord job, const Settings& settings) {
  auto ledger = ledger::Ledger::open(settings.ledger);
  if (!ledger) return complain(ledger.error());
  job.state = ledger::JobState::ended;
  job.why = "cancelled; its gramwatt was gone";
  const auto written = ledger->write_job(job, {SystemClock().now().utc, "ended", job.why});
  if (!written) return complain(written.error());
  return settings.quiet ? 0 : print("given up\n");
}

}  // namespace

int command_jobs(const Invocation& invocation, const Settings& settings) {
  const auto ledger = ledger::Ledger::open_read_only(settings.ledger);
  if (!ledger) return complain(ledger.error());
  auto jobs = ledger->jobs();
  if (!jobs) return complain(jobs.error());
  for (const Error& other : ledger->skipped()) warn("left out: " + other.message());
  if (!invocation.has("all"))
    std::erase_if(*jobs, [](const ledger::JobRecord& j) { return j.state == ledger::JobState::ended; });
  const Nanoseconds now = SystemClock().now().utc;
  for (ledger::JobRecord& j : *jobs) {
    if (j.state == ledger::JobState::running && j.alive) j.done += std::max(Nanoseconds{0}, now - j.done_at);
  }
  if (settings.json) {
    const auto written = write_output(*settings.json, report::jobs_json(*jobs) + "\n");
    return written ? 0 : complain(written.error());
  }
  if (jobs->empty()) {
    if (!settings.quiet) std::fputs("no job waits or runs: gramwatt run --within 12h --duration 2h -- COMMAND\n", stderr);
    return 0;
  }
  return print(report::jobs_table(*jobs, now, style_for(STDOUT_FILENO), width_of(STDOUT_FILENO)));
}

int command_steer(const Invocation& invocation, const Settings& settings) {
  const auto ledger = ledger::Ledger::open_read_only(settings.ledger);
  if (!ledger) return complain(ledger.error());
  const auto job = ledger->job(invocation.arguments.front());
  if (!job) return complain(job.error());
  if (job->state == ledger::JobState::ended)
    return complain({"job " + job->id + " has ended", {}, "`gramwatt jobs` lists those that have not", Error::Kind::missing});
  if (!job->alive && invocation.command->name == "cancel") return give_up(*job, settings);
  return ask(job->id, std::string(invocation.command->name), settings);
}

int command_progress(const Invocation& invocation, const Settings& settings) {
  const std::string& share = invocation.arguments.back();
  if (invocation.arguments.size() == 2) {
    const auto ledger = ledger::Ledger::open_read_only(settings.ledger);
    if (!ledger) return complain(ledger.error());
    const auto job = ledger->job(invocation.arguments.front());
    return job ? ask(job->id, "progress " + share, settings) : complain(job.error());
  }
  const auto id = environment("GRAMWATT_RUN_ID");
  if (!id || id->empty())
    return complain({"whose progress?",
                     {},
                     "call it from inside the job, or name the run: gramwatt progress RUN 0.37",
                     Error::Kind::usage});
  Settings silent = settings;  // its output would stand in the job's
  silent.quiet = !settings.verbose;
  return ask(*id, "progress " + share, silent);
}

}  // namespace gramwatt::cli
