// gramwatt attach: the account of what runs already. Whatever ends the measuring, what is measured goes on as if nothing had
// been, and the account is printed and kept.

#include <cstdio>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/measuring.hpp"
#include "cli/redfish.hpp"
#include "job/attach.hpp"

namespace gramwatt::cli {
namespace {

Result<job::AttachOptions> options_of(const Invocation& invocation, const Settings& settings) {
  job::AttachOptions o;
  if (auto done = session_options(invocation, settings, o); !done) return tl::unexpected(done.error());
  o.cgroup = invocation.get("cgroup");
  o.tree = tree_mechanism();
  if (o.cgroup.has_value() == !invocation.arguments.empty()) {
    return fail(o.cgroup ? "either processes or a cgroup" : "what is to be measured?", "attach",
                "gramwatt attach PID..., or gramwatt attach --cgroup PATH", Error::Kind::usage);
  }
  for (const std::string& word : invocation.arguments) {
    const auto pid = parse_number<pid_t>(word);
    if (!pid || *pid <= 0) {
      return fail(fmt::format("\"{}\" is no process number", word), "attach", fmt::format("pgrep {} may tell it", word),
                  Error::Kind::usage);
    }
    o.pids.push_back(*pid);
  }
  return o;
}

/// What belongs to a run that is on counts there already: nested, it is left out of sums.
std::optional<std::string> parent_of(const job::AttachOptions& o) {
  std::vector<pid_t> pids = o.pids;
  if (o.cgroup) {
    if (auto found = job::processes_of_cgroup(*o.cgroup)) pids = std::move(*found);
  }
  std::optional<std::string> parent;
  for (const pid_t pid : pids) {
    const auto run = job::run_of(pid);
    if (!run || (parent && *parent != *run)) return std::nullopt;
    parent = run;
  }
  if (!parent || !o.ledger) return std::nullopt;
  const auto ledger = ledger::Ledger::open(*o.ledger);
  const auto record = ledger ? ledger->get(*parent) : tl::unexpected(ledger.error());
  return record && record->state == ledger::State::running ? parent : std::nullopt;
}

}  // namespace

int command_attach(const Invocation& invocation, const Settings& settings) {
  auto options = options_of(invocation, settings);
  if (!options) return complain(options.error());
  auto surroundings = surroundings_of(invocation, settings.config);
  if (!surroundings) return complain(surroundings.error());
  if (const auto place = check_place(*surroundings, settings); !place) return complain(place.error());

  const SystemClock clock;
  job::Machine machine = job::probe_machine(options->roots, clock, machine_options(settings));
  options->idle_owner = idle_owner(*surroundings, machine.cpu);
  options->parent = parent_of(*options);
  Watcher watcher;
  if (const auto opened = watcher.open(invocation, settings, *options); !opened) return complain(opened.error());
  options->context = [&](const job::Machine& m) { return make_context(*surroundings, settings, m); };

  const auto result = job::attach(std::move(*options), std::move(machine), clock);
  watcher.end();
  if (!result) return complain(result.error());
  tell_result(invocation, settings, result->record, result->ledger_error, result->record_error);
  return 0;
}

}  // namespace gramwatt::cli
