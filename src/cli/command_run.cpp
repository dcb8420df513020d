// gramwatt run: everything that can go wrong because of what the user asked is told before the command starts (exit 125);
// afterwards nothing may disturb it, and gramwatt ends as the command ended.

#include <cstdio>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/budget_request.hpp"
#include "cli/command.hpp"
#include "cli/measuring.hpp"
#include "cli/redfish.hpp"
#include "cli/schedule_request.hpp"
#include "job/repeat.hpp"
#include "job/run.hpp"

namespace gramwatt::cli {
namespace {

constexpr int kFailedBeforeStart = 125;

int refuse(const Error& error) {
  complain(error);
  return kFailedBeforeStart;
}

Result<job::RunOptions> options_of(const Invocation& invocation, const Settings& settings) {
  job::RunOptions o;
  if (auto done = session_options(invocation, settings, o); !done) return tl::unexpected(done.error());
  o.command = invocation.arguments;
  o.wait_all = invocation.has("wait-all");
  o.parent = environment("GRAMWATT_RUN_ID");
  o.tree = tree_mechanism();
  return o;
}

/// What is asked for and cannot be, found before anything is started.
Result<void> check_request(const Invocation& invocation, const Surroundings& surroundings, const Settings& settings,
                           const job::Machine& machine) {
  if (auto place = check_place(surroundings, settings); !place) return place;
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
  out += fmt::format("would weigh:    {:.0f} g/kWh at {}; PUE {:.2f}\n", c.weights.average.last().points.front().value.value(),
                     c.place.name, c.weights.pue.value.value());
  return print(out);
}

/// What a job that waits says before its program has the terminal to itself.
void tell_situation(const job::Situation& s) {
  if (s.phase == job::Phase::running || s.phase == job::Phase::held) return;
  std::fputs(fmt::format("gramwatt: {}\n", s.why).c_str(), stderr);
}

/// `run --within`: started late, paused and resumed by plan.
[[nodiscard]] int run_scheduled(const Invocation& invocation, const Settings& settings, const Surroundings& surroundings,
                                job::RunOptions options, const job::Machine& machine, Watcher& watcher) {
  const SystemClock clock;
  auto schedule = schedule_request(invocation, settings, surroundings, machine, clock.now().utc);
  if (!schedule) return refuse(schedule.error());
  schedule->probe = [&] { return job::probe_machine(options.roots, clock, machine_options(settings)); };
  if (!settings.quiet) schedule->on_change = tell_situation;
  const auto result = job::run_when_clean(options, std::move(*schedule), clock);
  watcher.end();
  if (!result) return refuse(result.error());
  if (result->book_error) warn("its story is not in the ledger: " + result->book_error->message());
  if (result->run.start_error) {
    complain(*result->run.start_error);
    return result->run.ending.exit_code;
  }
  if (result->started)
    tell_result(invocation, settings, result->run.record, result->run.ledger_error, result->run.record_error);
  else if (!settings.quiet) std::fputs("gramwatt: it was not started\n", stderr);
  std::fflush(nullptr);
  job::end_like(result->run.ending);
}

/// What it may use, and how long it is thought to run.
Result<void> take_budgets(const Invocation& invocation, const Settings& settings, Nanoseconds now, job::RunOptions& o) {
  auto budgets = budgets_of(invocation, settings, o.project, now);
  if (!budgets) return tl::unexpected(budgets.error());
  o.budgets = std::move(*budgets);
  if (o.budgets.empty()) return {};
  if (invocation.has("repeat")) return fail("does not go with --repeat", "--budget", "do one of them", Error::Kind::usage);
  o.weigh_as_it_goes = true;
  o.expected_duration = known_duration(invocation, settings);
  return {};
}

}  // namespace

int command_run(const Invocation& invocation, const Settings& settings) {
  for (const std::string& problem : settings.config.problems) warn(problem);
  auto options = options_of(invocation, settings);
  if (!options) return refuse(options.error());
  auto surroundings = surroundings_of(invocation, settings.config);
  if (!surroundings) return refuse(surroundings.error());

  const auto repetitions = repetitions_of(invocation);
  if (!repetitions) return refuse(repetitions.error());
  if (const auto ok = check_unscheduled(invocation); !ok) return refuse(ok.error());

  const SystemClock clock;
  job::Machine machine = job::probe_machine(options->roots, clock, machine_options(settings));
  if (const auto ok = check_request(invocation, *surroundings, settings, machine); !ok) return refuse(ok.error());
  options->idle_owner = idle_owner(*surroundings, machine.cpu);
  if (invocation.has("dry-run")) return dry_run(*options, machine, *surroundings, settings);

  if (const auto ok = take_budgets(invocation, settings, clock.now().utc, *options); !ok) return refuse(ok.error());
  Watcher watcher;
  if (!options->budgets.empty()) {
    options->say = [&watcher](const std::string& text) {
      watcher.clear();
      warn(text);
    };
  }
  if (const auto opened = watcher.open(invocation, settings, *options); !opened) return refuse(opened.error());
  options->context = [&, asked = clock.now().utc](const job::Machine& m) {
    return make_context(*surroundings, settings, m, asked);
  };

  if (is_scheduled(invocation)) return run_scheduled(invocation, settings, *surroundings, *options, machine, watcher);
  const job::RepeatOptions series{*repetitions,
                                  [&] { return job::probe_machine(options->roots, clock, machine_options(settings)); }};
  const auto result = *repetitions > 1 ? job::repeat(*options, series, clock) : job::run(*options, std::move(machine), clock);
  watcher.end();
  if (!result) return refuse(result.error());
  if (result->start_error) {
    complain(*result->start_error);
    return result->ending.exit_code;
  }
  tell_result(invocation, settings, result->record, result->ledger_error, result->record_error);
  std::fflush(nullptr);
  job::end_like(result->ending);
}

}  // namespace gramwatt::cli
