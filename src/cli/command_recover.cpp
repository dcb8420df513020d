// recover: jobs whose gramwatt is gone.

#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.hpp"
#include "job/recover.hpp"
#include "report/summary.hpp"

namespace gramwatt::cli {
namespace {

std::string what_is_left(const job::LostJob& lost) {
  const ledger::JobRecord& j = lost.job;
  if (lost.freed > 0) return fmt::format("was left held; it runs on now (process {})", fmt::join(lost.processes, ", "));
  if (!lost.processes.empty())
    return fmt::format("runs on without gramwatt (process {}); gramwatt attach {} measures it", fmt::join(lost.processes, ", "),
                       lost.processes.front());
  switch (j.state) {
    case ledger::JobState::waiting: return "had not started";
    case ledger::JobState::off: return "had saved and exited to pause";
    default: return "was running, and is gone";
  }
}

/// In place of this process: a plain run, now. It has waited long enough.
int go_on(const job::LostJob& lost, const Settings& settings) {
  const auto command = job::command_to_go_on(lost);
  if (command.empty())
    return complain({"it still runs", report::short_id(lost.job.id), what_is_left(lost), Error::Kind::failed});
  if (!lost.job.folder.empty() && ::chdir(lost.job.folder.c_str()) != 0)
    return complain(errno_error(errno, "cannot go to its folder", lost.job.folder));
  auto ledger = ledger::Ledger::open(settings.ledger);
  if (!ledger) return complain(ledger.error());
  ledger::JobRecord row = lost.job;
  row.state = ledger::JobState::ended;
  row.why = "its gramwatt was gone; started again by gramwatt recover";
  if (const auto written = ledger->write_job(row, {SystemClock().now().utc, "recovered", row.why}); !written)
    return complain(written.error());
  std::vector<std::string> words{"gramwatt", "run", "--ledger", settings.ledger.string(), "--tag", "recovers=" + lost.job.id};
  if (lost.job.name) words.insert(words.end(), {"--name", *lost.job.name});
  if (lost.job.project) words.insert(words.end(), {"--project", *lost.job.project});
  words.insert(words.end(), lost.job.options.begin(), lost.job.options.end());
  words.emplace_back("--");
  words.insert(words.end(), command.begin(), command.end());
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  ::execv("/proc/self/exe", argv.data());
  return complain(errno_error(errno, "cannot start gramwatt again", {}));
}

}  // namespace

int command_recover(const Invocation& invocation, const Settings& settings) {
  const auto ledger = ledger::Ledger::open_read_only(settings.ledger);
  if (!ledger) return complain(ledger.error());
  const auto lost = job::find_lost(*ledger);
  if (!lost) return complain(lost.error());
  if (!invocation.arguments.empty()) {
    const auto wanted = ledger->job(invocation.arguments.front());
    if (!wanted) return complain(wanted.error());
    for (const job::LostJob& each : *lost) {
      if (each.job.id == wanted->id) return go_on(each, settings);
    }
    return complain({wanted->alive ? "its gramwatt is there" : "it has ended", wanted->id,
                     "`gramwatt jobs` lists what waits or runs", Error::Kind::usage});
  }
  if (lost->empty()) {
    if (!settings.quiet) std::fputs("nothing to recover\n", stderr);
    return 0;
  }
  std::string out;
  for (const job::LostJob& each : *lost) {
    const std::string id = report::short_id(each.job.id);
    out += fmt::format("{}  {}\n          {}\n", id, fmt::join(each.job.command, " "), what_is_left(each));
    if (each.processes.empty())
      out += fmt::format("          gramwatt recover {} starts it again, gramwatt cancel {} gives it up\n", id, id);
  }
  return print(out);
}

}  // namespace gramwatt::cli
