#include "cli/plan_request.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/text.hpp"
#include "cli/hardware.hpp"
#include "cli/option_values.hpp"
#include "ledger/ledger.hpp"
#include "plan/profile.hpp"

namespace gramwatt::cli {
namespace {

using namespace std::chrono_literals;

constexpr Nanoseconds kDay = std::chrono::hours(24);
constexpr Nanoseconds kDefaultWithin = kDay;
/// A table of the exact plan beyond this takes minutes.
constexpr int kMostSlots = 120'000;

tl::unexpected<Error> usage(std::string what, std::string where, std::string remedy) {
  return fail(std::move(what), std::move(where), std::move(remedy), Error::Kind::usage);
}

/// "80/t" with units {t: 1e6, kg: 1e3, g: 1} gives the price of one gram; a bare number means the first unit.
Result<std::optional<double>> price_option(const Invocation& invocation, const char* name,
                                           const std::vector<std::pair<std::string_view, double>>& units) {
  const auto text = invocation.get(name);
  if (!text) return std::optional<double>{};
  const auto slash = text->find('/');
  const auto number = parse_number<double>(std::string_view(*text).substr(0, slash));
  const std::string_view unit =
      slash == std::string::npos ? units.front().first : trim(std::string_view(*text).substr(slash + 1));
  const auto it = std::find_if(units.begin(), units.end(), [&](const auto& u) { return u.first == unit; });
  const bool sane = number && *number >= 0 && *number < 1e12;  // "nan" is not
  if (!sane || it == units.end())
    return usage(fmt::format("\"{}\" is no price", *text), fmt::format("--{}", name),
                 fmt::format("such as 80/{}", units.front().first));
  return std::optional(*number / it->second);
}

/// A job fills whole slots: a short one is made longer by that.
void say_if_short(Nanoseconds length, PlanRequest& r) {
  if (length < r.slot)
    r.notes.push_back(fmt::format("the job takes {}, and is planned as a whole slot of {}: --slot makes it finer",
                                  human_duration(seconds(length)), human_duration(seconds(r.slot))));
}

/// Nothing for a run that no GPU drew energy for.
std::optional<RunGpus> gpus_of(const ledger::RunRecord& record) {
  RunGpus gpus;
  Joules most;
  for (const ledger::ComponentEnergy& c : record.energy.components) {
    if (c.component == Component::gpu) most = std::max(most, c.energy.value);
    if (c.component == Component::platform) gpus.platform += c.energy.value;
  }
  for (const ledger::ComponentEnergy& c : record.energy.components) {
    if (c.component != Component::gpu) continue;
    gpus.boards += c.energy.value;
    if (c.energy.value > most * 0.05) gpus.names.push_back(c.device);  // others idled beside it
  }
  return gpus.names.empty() ? std::nullopt : std::optional(std::move(gpus));
}

Result<void> as_run(const std::string& name, const Settings& settings, bool waits, PlanRequest& r) {
  const auto ledger = ledger::Ledger::open_read_only(settings.ledger);
  if (!ledger) return tl::unexpected(ledger.error());
  const auto record = ledger->get(name);
  if (!record) return tl::unexpected(record.error());
  if (!(record->duration.value() > 0) || !(record->energy.total.value.value() > 0))
    return usage("run " + record->id + " has no energy to plan with", "--like", "name a run that has ended");
  const auto intervals = ledger->intervals(record->id);
  const auto length = r.length = Nanoseconds(static_cast<std::int64_t>(record->duration.value() * 1e9));
  r.gpus = gpus_of(*record);
  if (intervals && !intervals->empty()) r.job.steps = plan::steps_of(*intervals, r.slot);
  const auto with_energy = std::count_if(r.job.steps.begin(), r.job.steps.end(), [](Joules e) { return e.value() > 0; });
  if (with_energy == 0) r.job.steps = plan::constant_steps(record->energy.total.value, length, r.slot);
  if (waits) r.job.wait = record->energy.idle.value / record->duration;
  if (r.job.machine != plan::Machine::shared) r.embodied_per_hour = record->carbon.embodied * (3600 / record->duration.value());
  if (record->energy.total.value.value() > 0) r.pue = record->energy.pue;
  r.job_source = fmt::format("as run {} was", record->id);
  say_if_short(length, r);
  return {};
}

Result<void> read_job(const Invocation& invocation, const Settings& settings, PlanRequest& r) {
  const auto energy = energy_option(invocation, "energy");
  if (!energy) return tl::unexpected(energy.error());
  const auto duration = duration_option(invocation, "duration");
  if (!duration) return tl::unexpected(duration.error());
  const bool given = energy->has_value() || duration->has_value();
  const int ways = (given ? 1 : 0) + (invocation.has("like") ? 1 : 0) + (invocation.has("profile") ? 1 : 0);
  if (ways != 1 || energy->has_value() != duration->has_value())
    return usage("which job?", {}, "--energy E and --duration D, or --like RUN, or --profile FILE");
  const bool waits = r.job.machine != plan::Machine::shared && !invocation.has("wait-power");
  if (const auto like = invocation.get("like")) return as_run(*like, settings, waits, r);
  if (waits) return usage("what the machine draws while it waits is not known", "--machine", "--wait-power W, or --like RUN");
  if (const auto profile = invocation.get("profile")) {
    const auto text = read_file(*profile);
    if (!text) return tl::unexpected(text.error());
    auto steps = plan::read_profile(*text, *profile, r.slot);
    if (!steps) return tl::unexpected(steps.error());
    r.job.steps = std::move(*steps);
    r.length = static_cast<std::int64_t>(r.job.steps.size()) * r.slot;
    r.job_source = "power over time from " + *profile;
    return {};
  }
  r.job.steps = plan::constant_steps(**energy, **duration, r.slot);
  r.length = **duration;
  r.job_source = "at constant power";
  say_if_short(**duration, r);
  return {};
}

/// What is said of the machine's making; a run's own figure otherwise (as_run).
Result<void> read_embodied(const Invocation& invocation, PlanRequest& r) {
  const auto text = invocation.get("embodied-per-hour");
  if (text) {
    const bool kilo = text->ends_with("kg");
    const auto number = parse_number<double>(std::string_view(*text).substr(0, text->size() - (kilo                   ? 2
                                                                                               : text->ends_with('g') ? 1
                                                                                                                      : 0)));
    const bool sane = number && *number >= 0 && *number < 1e9;  // "nan" is not
    if (!sane) return usage(fmt::format("\"{}\" is no carbon", *text), "--embodied-per-hour", "such as 25g or 0.1kg");
    r.embodied_per_hour = {Grams(*number * (kilo ? 1000 : 1)), Method::assumed, "--embodied-per-hour", std::nullopt, {}};
  }
  if (text && r.job.machine == plan::Machine::shared)
    r.notes.emplace_back("a shared machine is kept by others: its making is not charged (--machine owned or rented)");
  r.job.embodied_per_hour = r.embodied_per_hour.value;
  return {};
}

Result<void> read_costs(const Invocation& invocation, PlanRequest& r) {
  const auto restart_energy = energy_option(invocation, "restart-energy");
  if (!restart_energy) return tl::unexpected(restart_energy.error());
  const auto restart_time = duration_option(invocation, "restart-time"), min_run = duration_option(invocation, "min-run"),
             min_pause = duration_option(invocation, "min-pause");
  for (const auto* d : {&restart_time, &min_run, &min_pause}) {
    if (!*d) return tl::unexpected(d->error());
  }
  const auto hold = number_option<double>(invocation, "hold-power", 0, 1e9),
             wait = number_option<double>(invocation, "wait-power", 0, 1e9);
  for (const auto* w : {&hold, &wait}) {
    if (!*w) return tl::unexpected(w->error());
  }
  const auto restarts = number_option<int>(invocation, "max-restarts", 0, 1'000'000);
  if (!restarts) return tl::unexpected(restarts.error());
  plan::Job& j = r.job;
  j.may_exit = invocation.has("pausable");
  j.restart_energy = restart_energy->value_or(Joules(0));
  j.restart_time = restart_time->value_or(Nanoseconds{0});
  j.min_run = min_run->value_or(Nanoseconds{0});
  j.min_pause = min_pause->value_or(Nanoseconds{0});
  if (*hold) j.hold = Watts(**hold);
  j.wait = Watts(wait->value_or(0));
  j.max_restarts = *restarts;
  if (const auto text = invocation.get("machine")) {
    const auto machine = plan::parse_machine(*text);
    if (!machine) return usage(fmt::format("\"{}\" is no kind of machine", *text), "--machine", "shared, owned or rented");
    j.machine = *machine;
  } else if (*wait) {
    j.machine = plan::Machine::rented;  // who says what waiting draws wants it charged
  }
  if (!j.can_pause() && (restart_energy->has_value() || restart_time->has_value()))
    r.notes.emplace_back("restarts cost nothing in a job that cannot pause: say --pausable");
  return {};
}

Result<void> read_window(const Invocation& invocation, Nanoseconds now, PlanRequest& r) {
  const auto start = time_option(invocation, "start"), deadline = time_option(invocation, "deadline");
  for (const auto* t : {&start, &deadline}) {
    if (!*t) return tl::unexpected(t->error());
  }
  const auto within = duration_option(invocation, "within");
  if (!within) return tl::unexpected(within.error());
  if (within->has_value() && deadline->has_value())
    return usage("--within and --deadline both say when it must be finished", {}, "give one of them");
  r.start = start->value_or((now + r.slot - Nanoseconds(1)) / r.slot * r.slot);
  r.within = within->value_or(kDefaultWithin);
  r.deadline = *deadline;
  if (!within->has_value() && !deadline->has_value())
    r.notes.emplace_back("finished within 24 h of a run at once, as no --within or --deadline was given");
  const auto slots = window_slots(r, r.job.steps.size());
  if (!slots) return tl::unexpected(slots.error());
  r.slots = *slots;
  return {};
}

Result<void> read_blackouts(const Invocation& invocation, PlanRequest& r) {
  const auto time_of_day = [](std::string_view text) -> std::optional<Nanoseconds> {
    const auto parts = split(trim(text), ':');
    if (parts.size() != 2) return std::nullopt;
    const auto h = parse_number<int>(parts[0]), m = parse_number<int>(parts[1]);
    if (!h || !m || *h < 0 || *m < 0 || *m > 59 || *h * 60 + *m > 24 * 60) return std::nullopt;
    return std::chrono::hours(*h) + std::chrono::minutes(*m);
  };
  for (const std::string& text : invocation.all("blackout")) {
    const auto dash = text.find('-');
    const auto from = time_of_day(std::string_view(text).substr(0, dash));
    const auto to = dash == std::string::npos ? std::nullopt : time_of_day(std::string_view(text).substr(dash + 1));
    if (!from || !to)
      return usage(fmt::format("\"{}\" are no hours of the day", text), "--blackout", "such as 08:00-18:00 (UTC)");
    r.blackouts.push_back({*from, *to});
  }
  return {};
}

Result<void> read_prices(const Invocation& invocation, PlanRequest& r) {
  const auto gram = price_option(invocation, "carbon-price", {{"t", 1e6}, {"kg", 1e3}});
  const auto joule = price_option(invocation, "electricity-price", {{"kWh", 3.6e6}, {"MWh", 3.6e9}});
  const auto hour = price_option(invocation, "price-per-hour", {{"h", 1}});
  for (const auto* p : {&gram, &joule, &hour}) {
    if (!*p) return tl::unexpected(p->error());
  }
  r.prices = {*gram, *joule, *hour};
  const auto by = invocation.get("choose-by").value_or("carbon");
  if (by != "carbon" && by != "cost")
    return usage(fmt::format("nothing is chosen by \"{}\"", by), "--choose-by", "carbon or cost");
  r.by_cost = by == "cost";
  if (r.by_cost && !r.prices.any())
    return usage("there are no prices to choose by", "--choose-by", "--carbon-price, --electricity-price or --price-per-hour");
  return {};
}

}  // namespace

Result<int> window_slots(const PlanRequest& r, std::size_t steps) {
  const Nanoseconds length = static_cast<std::int64_t>(steps) * r.slot;
  const Nanoseconds window = r.deadline ? *r.deadline - r.start : length + r.within;
  if (window < length)
    return fail(fmt::format("the job takes {}, and only {} are left", human_duration(seconds(length)),
                            human_duration(seconds(std::max(Nanoseconds{0}, window)))),
                "--deadline", "the earliest finish is " + iso8601(r.start + length), Error::Kind::missing);
  if (window / r.slot > kMostSlots)
    return usage(fmt::format("the window has {} slots", window / r.slot), "--slot",
                 fmt::format("longer slots: {} at most", kMostSlots));
  return static_cast<int>(window / r.slot);
}

Result<PlanRequest> plan_request(const Invocation& invocation, const Settings& settings, Nanoseconds now) {
  PlanRequest r;
  const auto slot = duration_option(invocation, "slot");
  if (!slot) return tl::unexpected(slot.error());
  r.slot = slot->value_or(5min);
  if (r.slot < Nanoseconds(1s) || r.slot > kDay) return usage("a slot of such a length", "--slot", "from 1s to 1d");
  if (auto ok = read_costs(invocation, r); !ok) return tl::unexpected(ok.error());
  if (auto ok = read_job(invocation, settings, r); !ok) return tl::unexpected(ok.error());
  if (auto ok = read_embodied(invocation, r); !ok) return tl::unexpected(ok.error());
  if (r.job.steps.empty()) return usage("the job has no duration", "--duration", "such as 36h");
  if (auto ok = read_window(invocation, now, r); !ok) return tl::unexpected(ok.error());
  if (auto ok = read_blackouts(invocation, r); !ok) return tl::unexpected(ok.error());
  if (auto ok = read_prices(invocation, r); !ok) return tl::unexpected(ok.error());
  return r;
}

std::vector<bool> blocked_slots(const PlanRequest& r) {
  std::vector<bool> blocked;
  if (r.blackouts.empty()) return blocked;
  for (int i = 0; i < r.slots; ++i) {
    const Nanoseconds begin = (r.start + i * r.slot) % kDay;
    bool taken = false;
    for (const HoursOfDay& h : r.blackouts) {  // a slot that touches the hours is taken
      const Nanoseconds length = h.to > h.from ? h.to - h.from : h.to + kDay - h.from;
      const Nanoseconds since = (begin - h.from + kDay) % kDay;
      taken = taken || since < length || since + r.slot > kDay;
    }
    blocked.push_back(taken);
  }
  return blocked;
}

}  // namespace gramwatt::cli
