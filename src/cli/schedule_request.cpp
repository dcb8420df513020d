#include "cli/schedule_request.hpp"

#include <algorithm>
#include <array>
#include <csignal>

#include <fmt/format.h>

#include "base/system.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/grid_ahead.hpp"
#include "cli/hardware.hpp"
#include "cli/option_values.hpp"
#include "plan/profile.hpp"

namespace gramwatt::cli {
namespace {

using namespace std::chrono_literals;

constexpr Nanoseconds kUsualSlot = 5min;
constexpr Nanoseconds kUsualAllowance = 24h;
/// Nobody has measured this job's restart: what small trainings take (CarbonScaler, SIGMETRICS 2024: 20 to 40 s).
constexpr Nanoseconds kUsualRestart = 30s;
/// A job that ran n times is thought to exceed its longest run once in n + 1; without a history, by this much in one of ten.
constexpr double kLonger = 1.1;
/// What a GPU draws with a context on it that does nothing, above one without: 26 (A100), 50 (H100), 66 W (L40S), arXiv
/// 2605.23918. Until this job's own hold has been measured.
constexpr Watts kHeldGpu(50);

tl::unexpected<Error> usage(std::string what, std::string where, std::string remedy) {
  return fail(std::move(what), std::move(where), std::move(remedy), Error::Kind::usage);
}

/// What is known of a job that has not run yet.
struct Expected {
  Nanoseconds duration{}, p90{};
  std::optional<Watts> power;
  std::vector<Joules> steps;  ///< power over time, where a run tells it
  std::string source;
};

Nanoseconds running_time(const ledger::RunRecord& r) {
  return Nanoseconds(static_cast<std::int64_t>(std::max(0.0, r.duration.value() - r.paused.value()) * 1e9));
}

Watts mean_power(const ledger::RunRecord& r) { return r.energy.total.value / r.duration; }

Result<Expected> like(const ledger::Ledger& ledger, const std::string& name, Nanoseconds slot) {
  const auto r = ledger.get(name);
  if (!r) return tl::unexpected(r.error());
  if (!(r->duration.value() > 0)) return usage("run " + r->id + " has not ended", "--like", "name a run that has");
  Expected e;
  e.duration = running_time(*r);
  e.p90 = Nanoseconds(static_cast<std::int64_t>(static_cast<double>(e.duration.count()) * kLonger));
  e.power = mean_power(*r);
  const auto intervals = ledger.intervals(r->id);
  if (r->paused.value() == 0 && intervals && !intervals->empty()) e.steps = plan::steps_of(*intervals, slot);
  const bool drew = std::any_of(e.steps.begin(), e.steps.end(), [](Joules j) { return j.value() > 0; });
  if (!drew) e.steps.clear();
  e.source = "as run " + r->id + " was";
  return e;
}

/// Earlier runs of the same command in the same project that went well.
Expected from_history(const ledger::Ledger& ledger, const Invocation& invocation, const Settings& settings) {
  ledger::Filter filter;
  filter.project = invocation.get("project");
  if (!filter.project) filter.project = settings.config.project;
  filter.limit = 1000;
  const auto runs = ledger.list(filter);
  Expected e;
  std::vector<Nanoseconds> lengths;
  for (const ledger::RunRecord& r : runs ? *runs : std::vector<ledger::RunRecord>{}) {
    if (r.command != invocation.arguments || r.exit_code != 0 || !(r.duration.value() > 0)) continue;
    lengths.push_back(running_time(r));
    if (!e.power) e.power = mean_power(r);  // the newest
  }
  if (lengths.empty()) return e;
  std::sort(lengths.begin(), lengths.end());
  e.duration = lengths[lengths.size() / 2];
  const double spread = static_cast<double>(lengths.back().count()) * (lengths.size() < 5 ? kLonger : 1);
  e.p90 = Nanoseconds(static_cast<std::int64_t>(spread));
  e.source = fmt::format("as {} earlier run{} of this command", lengths.size(), lengths.size() == 1 ? "" : "s");
  return e;
}

Result<Expected> expected(const Invocation& invocation, const Settings& settings, Nanoseconds slot) {
  const auto given = duration_option(invocation, "duration");
  if (!given) return tl::unexpected(given.error());
  const auto energy = energy_option(invocation, "energy");
  if (!energy) return tl::unexpected(energy.error());
  const auto ledger = ledger::Ledger::open_read_only(settings.ledger);
  Expected e;
  if (const auto run = invocation.get("like")) {
    if (!ledger) return tl::unexpected(ledger.error());
    auto alike = like(*ledger, *run, slot);
    if (!alike) return alike;
    e = std::move(*alike);
  } else if (ledger) {
    e = from_history(*ledger, invocation, settings);
  }
  if (*given) {
    e.duration = **given;
    e.p90 = Nanoseconds(static_cast<std::int64_t>(static_cast<double>(e.duration.count()) * kLonger));
    e.source = "--duration";
    e.steps.clear();
  }
  if (e.duration <= Nanoseconds{0})
    return fail("how long does it run? Nothing here has run like it", "--duration",
                "--duration D as well as you know it, or --like RUN", Error::Kind::missing);
  if (*energy) {
    e.power = **energy / seconds(e.duration);
    e.steps.clear();
  }
  return e;
}

/// Signals by name, as kill(1) takes them.
std::optional<int> signal_named(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (text.starts_with("SIG")) text.erase(0, 3);
  constexpr std::array<std::pair<std::string_view, int>, 5> kNames{
      {{"TERM", SIGTERM}, {"INT", SIGINT}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"HUP", SIGHUP}}};
  for (const auto& [name, number] : kNames) {
    if (name == text) return number;
  }
  return std::nullopt;
}

/// By --pause-with and --resume-with. Held in place unless told otherwise: that needs nothing of the program.
Result<void> ways_to_pause(const Invocation& invocation, job::ScheduleOptions& s) {
  const auto with = invocation.get("pause-with"), resume = invocation.get("resume-with");
  if (!invocation.has("pausable")) {
    if (with || resume) return usage("it is not to be paused", with ? "--pause-with" : "--resume-with", "add --pausable");
    return {};
  }
  job::PauseByExit exit;
  if (resume) exit.resume = {"/bin/sh", "-c", *resume};
  if (!with) {
    s.may_hold = true;
    if (resume) s.exit = exit;  // the plan takes what is cheaper
    return {};
  }
  if (*with == "hold" || *with == "freeze" || *with == "trace" || *with == "stop") {
    s.may_hold = true;
    s.hold_way = job::parse_hold_way(*with);
    if (resume) s.exit = exit;
    return {};
  }
  if (const auto signal = signal_named(*with)) exit.signal = *signal;
  else if (*with != "exit") exit.command = *with;
  s.exit = exit;
  return {};
}

int gpus_of(const job::Machine& machine) {
  return static_cast<int>(std::count_if(machine.findings.sensors.begin(), machine.findings.sensors.end(),
                                        [](const auto& sensor) { return sensor->describe().component == Component::gpu; }));
}

/// Energy by slot, and what pausing and waiting draw, at the node.
Result<void> costs(const Invocation& invocation, const Surroundings& surroundings, const job::Machine& machine,
                   const Expected& e, job::ScheduleOptions& s) {
  const auto restart_energy = energy_option(invocation, "restart-energy");
  if (!restart_energy) return tl::unexpected(restart_energy.error());
  const auto restart_time = duration_option(invocation, "restart-time"), min_run = duration_option(invocation, "min-run"),
             min_pause = duration_option(invocation, "min-pause");
  for (const auto* d : {&restart_time, &min_run, &min_pause}) {
    if (!*d) return tl::unexpected(d->error());
  }
  const auto restarts = number_option<int>(invocation, "max-restarts", 0, 1'000'000);
  if (!restarts) return tl::unexpected(restarts.error());
  const auto hold = number_option<double>(invocation, "hold-power", 0, 1e9);
  if (!hold) return tl::unexpected(hold.error());
  plan::Job& j = s.assignment.job;
  j.machine = plan::parse_machine(machine_kind(surroundings, machine.cpu)).value_or(plan::Machine::owned);
  s.idle_power = machine.model.fixed;
  const Watts idle = machine.model.fixed.value;
  const Watts shared = j.machine == plan::Machine::shared ? Watts(0) : idle;
  const Watts power = e.power.value_or(shared + machine.model.active(0.5));
  const Nanoseconds slot = s.assignment.slot;
  j.steps = e.steps.empty() ? std::vector<Joules>(static_cast<std::size_t>(std::max(1, plan::slots_of(e.duration, slot))),
                                                  power * seconds(slot))
                            : e.steps;
  if (j.machine != plan::Machine::shared) j.wait = idle;
  if (s.may_hold) j.hold = *hold ? Watts(**hold) : shared + kHeldGpu * gpus_of(machine);
  j.may_exit = s.exit.has_value();
  j.restart_time = restart_time->value_or(s.exit && !*restart_energy ? kUsualRestart : Nanoseconds{0});
  j.restart_energy = restart_energy->value_or(Joules(0));
  j.min_run = min_run->value_or(Nanoseconds{0});
  j.min_pause = min_pause->value_or(Nanoseconds{0});
  j.max_restarts = *restarts;
  return {};
}

Result<void> time_limits(const Invocation& invocation, Nanoseconds now, const Expected& e, job::Assignment& a) {
  const auto within = duration_option(invocation, "within");
  if (!within) return tl::unexpected(within.error());
  const auto deadline = time_option(invocation, "deadline");
  if (!deadline) return tl::unexpected(deadline.error());
  if (*within && *deadline) return usage("--within and --deadline both say when it must be finished", {}, "give one of them");
  a.created = now;
  a.duration = e.duration;
  a.duration_p90 = std::max(e.p90, e.duration);
  a.allowance = within->value_or(kUsualAllowance);
  a.deadline = *deadline;
  if (*deadline && **deadline < now + e.duration)
    return fail(fmt::format("it takes {}, and only {} are left", human_duration(seconds(e.duration)),
                            human_duration(seconds(std::max(Nanoseconds{0}, **deadline - now)))),
                "--deadline", "the earliest finish is " + iso8601(now + e.duration) + "; without --deadline it starts at once",
                Error::Kind::missing);
  return {};
}

/// Asked in a thread of its own, for as long as the job waits or runs.
job::Foresee foresee(const Surroundings& surroundings, const Settings& settings, std::optional<grid::SignalKind> kind) {
  return [=](grid::Window window) -> Result<job::Outlook> {
    const auto place = place::locate(place_query(surroundings, settings));
    if (!place) return tl::unexpected(place.error());
    const Nanoseconds now = SystemClock().now().utc;
    auto ahead = look_ahead(grid_settings(settings), *place, kind, window, now);
    if (!ahead) return tl::unexpected(ahead.error());
    return job::Outlook{std::move(ahead->ladder), std::move(ahead->errors), ahead->errors_from, std::move(ahead->why)};
  };
}

/// GRAMWATT_LEASE, _BACK_OFF, _PATIENCE, _REPLAN: for tests, which cannot wait for minutes.
Result<void> shorten_for_tests(job::ScheduleOptions& s) {
  Nanoseconds back_off{};
  Nanoseconds none{};
  for (const auto& [name, value] : {std::pair{"GRAMWATT_LEASE", &s.lease}, std::pair{"GRAMWATT_BACK_OFF", &back_off},
                                    std::pair{"GRAMWATT_REPLAN", &s.assignment.replan_every},
                                    std::pair{"GRAMWATT_PATIENCE", s.exit ? &s.exit->patience : &none}}) {
    const auto text = environment(name);
    if (!text) continue;
    const auto d = parse_duration(*text);
    if (!d || *d < Nanoseconds(100ms)) return usage("a length of time that is none, or too short", name, "such as 2s");
    *value = *d;
  }
  if (back_off > Nanoseconds{0}) s.back_off.fill(back_off);
  return {};
}

}  // namespace

bool is_scheduled(const Invocation& invocation) {
  return invocation.has("within") || invocation.has("deadline") || invocation.has("pausable") || invocation.has("resource");
}

std::optional<Nanoseconds> known_duration(const Invocation& invocation, const Settings& settings) {
  const auto e = expected(invocation, settings, kUsualSlot);
  return e ? std::optional(e->duration) : std::nullopt;
}

Result<void> check_unscheduled(const Invocation& invocation) {
  const auto serves_a_budget = [&](std::string_view name) {
    return invocation.has("budget") && (name == "duration" || name == "like" || name == "energy");
  };
  for (const Option& o : schedule_options()) {
    if (serves_a_budget(o.name)) continue;
    if (invocation.has(o.name) && !is_scheduled(invocation))
      return usage("means nothing to a run that starts at once and is never paused", "--" + std::string(o.name),
                   "add --within D, --deadline TIME or --pausable");
  }
  return {};
}

Result<job::ScheduleOptions> schedule_request(const Invocation& invocation, const Settings& settings,
                                              const Surroundings& surroundings, const job::Machine& machine, Nanoseconds now) {
  if (invocation.has("repeat"))
    return usage("does not go with --within, --deadline and --pausable", "--repeat", "do one of them");
  job::ScheduleOptions s;
  const auto slot = duration_option(invocation, "slot");
  if (!slot) return tl::unexpected(slot.error());
  s.assignment.slot = slot->value_or(kUsualSlot);
  if (s.assignment.slot < Nanoseconds(1s) || s.assignment.slot > Nanoseconds(24h))
    return usage("a slot of such a length", "--slot", "from 1s to 1d");
  const auto e = expected(invocation, settings, s.assignment.slot);
  if (!e) return tl::unexpected(e.error());
  if (!*slot && e->duration < kUsualSlot) s.assignment.slot = std::max<Nanoseconds>(1s, e->duration);
  if (auto ok = time_limits(invocation, now, *e, s.assignment); !ok) return tl::unexpected(ok.error());
  if (auto ok = ways_to_pause(invocation, s); !ok) return tl::unexpected(ok.error());
  if (auto ok = costs(invocation, surroundings, machine, *e, s); !ok) return tl::unexpected(ok.error());
  const auto min_saving = share_option(invocation, "min-saving"), risk = share_option(invocation, "risk");
  if (!min_saving) return tl::unexpected(min_saving.error());
  if (!risk) return tl::unexpected(risk.error());
  s.assignment.min_saving = min_saving->value_or(s.assignment.min_saving);
  s.assignment.risk = risk->value_or(s.assignment.risk);
  std::optional<grid::SignalKind> kind;
  if (const auto text = invocation.get("signal")) {
    kind = grid::parse_signal_kind(*text);
    if (!kind) return usage(fmt::format("\"{}\" is no signal", *text), "--signal", "average or marginal");
  }
  for (const char* name : {"zone", "place", "lat", "lon", "pue", "machine", "idle-owner", "stage", "tag"}) {
    for (const std::string& value : invocation.all(name)) s.options.insert(s.options.end(), {std::string("--") + name, value});
  }
  if (auto ok = shorten_for_tests(s); !ok) return tl::unexpected(ok.error());
  s.resource = invocation.get("resource").value_or("");
  s.foresee = foresee(surroundings, settings, kind);
  return s;
}

}  // namespace gramwatt::cli
