#include "job/executor.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "plan/options.hpp"
#include "plan/queue.hpp"

namespace gramwatt::job {
namespace {

using plan::Action;
using plan::Schedule;
using plan::Standing;

constexpr std::array<std::string_view, 4> kPhases{"waiting", "running", "held", "off"};
constexpr Nanoseconds kNever = Nanoseconds::max();
constexpr const char* kNoBetter = "it starts at once: no later start is expected to emit less, the machine that waits included";
/// A table of the exact plan beyond this takes minutes.
constexpr std::int64_t kMostSlots = 120'000;

Wish stay(Phase phase) {
  constexpr std::array kStay{Wish::wait, Wish::run, Wish::hold, Wish::exit};
  return kStay[static_cast<std::size_t>(phase)];
}

Wish wish_of(Action action) {
  switch (action) {
    case Action::wait: return Wish::wait;
    case Action::hold: return Wish::hold;
    case Action::off: return Wish::exit;
    case Action::run:
    case Action::restart:
    case Action::done: break;
  }
  return Wish::run;
}

bool is_running(Action a) { return a == Action::run || a == Action::restart; }

std::string percent(Ratio r) { return fmt::format("{:.0f} %", 100 * r.value()); }

/// "14:05" today, "14:05 on 2026-11-27" else; UTC.
std::string when(Nanoseconds t, Nanoseconds now) {
  const std::string text = iso8601(t);
  const std::string clock = text.substr(11, t % std::chrono::minutes(1) == Nanoseconds{0} ? 5 : 8) + " UTC";
  return text.substr(0, 10) == iso8601(now).substr(0, 10) ? clock : clock + " on " + text.substr(0, 10);
}

/// Mean intensity of the slots in which a schedule runs, g/kWh.
double mean_intensity(const plan::Problem& p, const Schedule& s) {
  double sum = 0;
  int n = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (!is_running(s[i])) continue;
    sum += p.intensity[i] / 1000.0;
    ++n;
  }
  return n > 0 ? sum / n : 0;
}

}  // namespace

std::string_view to_string(Phase phase) { return kPhases[static_cast<std::size_t>(phase)]; }

/// What is left of the job, as a problem whose first slot is the one that `now` lies in.
struct Executor::Rest {
  Nanoseconds now{};
  plan::Slots slots;
  plan::Problem problem;
  Standing standing;
  int free_from = 0;  ///< the first slot from which it could run through: later than 0 where others have the resource
};

void Executor::expect(Nanoseconds duration, Nanoseconds p90) {
  const auto old = static_cast<double>(task_.duration.count());
  task_.duration = std::max(duration, Nanoseconds(1));
  task_.duration_p90 = std::max(p90, task_.duration);
  // The profile is stretched: the same power over a longer or shorter time.
  std::vector<Joules>& steps = task_.job.steps;
  const double stretch = static_cast<double>(task_.duration.count()) / std::max(1.0, old);
  const auto n = static_cast<std::size_t>(std::max(1, plan::slots_of(task_.duration, task_.slot)));
  std::vector<Joules> stretched;
  for (std::size_t i = 0; i < n && !steps.empty(); ++i)
    stretched.push_back(steps[std::min(steps.size() - 1, static_cast<std::size_t>(static_cast<double>(i) / stretch))]);
  steps = std::move(stretched);
}

/// Energy by slot of the progress behind `done`; the last slot is a part of one.
std::vector<Joules> Executor::steps_from(Nanoseconds done) const {
  const std::vector<Joules>& all = task_.job.steps;
  std::vector<Joules> rest;
  for (Nanoseconds from = done; from < task_.duration && !all.empty(); from += task_.slot) {
    const auto i = std::min(all.size() - 1, static_cast<std::size_t>(from / task_.slot));
    const auto next = std::min(all.size() - 1, i + 1);
    const double into = static_cast<double>((from % task_.slot).count()) / static_cast<double>(task_.slot.count());
    const double part =
        std::min(1.0, static_cast<double>((task_.duration - from).count()) / static_cast<double>(task_.slot.count()));
    rest.push_back((all[i] * (1 - into) + all[next] * into) * part);
  }
  return rest;
}

Nanoseconds Executor::latest_start(const Stand& stand) const {
  const bool comes_back = stand.phase == Phase::off;
  const Nanoseconds restart = comes_back ? task_.job.restart_time : Nanoseconds{0};
  if (!task_.deadline) return task_.created + task_.allowance + stand.done - restart;
  return *task_.deadline - std::max(Nanoseconds{0}, task_.duration_p90 - stand.done) - restart;
}

Decision Executor::straight_on(std::string why, Nanoseconds now) const {
  Decision d;
  d.wish = Wish::run;
  d.until = task_.job.can_pause() && outlook_ ? now + task_.replan_every : kNever;
  d.why = std::move(why);
  return d;
}

Decision Executor::decide(Nanoseconds now, const Stand& stand) const {
  if (order_ == Order::pause) {
    Decision d;
    d.until = kNever;
    const bool running = stand.phase == Phase::running;
    d.wish = !running ? stay(stand.phase) : task_.job.hold ? Wish::hold : task_.job.may_exit ? Wish::exit : Wish::run;
    d.why = d.wish == Wish::run ? "asked to pause, but it has no way to" : "paused by hand: gramwatt resume goes on";
    return d;
  }
  if (order_ == Order::now) {
    Decision d;
    d.until = kNever;
    d.why = "asked to run now, to its end";
    return d;
  }
  const Nanoseconds latest = latest_start(stand);
  if (stand.done >= task_.duration) return straight_on("it takes longer than thought, and is not paused any more", now);
  if (stand.phase == Phase::running && !task_.job.can_pause()) {
    Decision d;
    d.until = kNever;
    d.why = "it cannot be paused";
    return d;
  }
  if (now >= latest) {
    Decision d = straight_on("only running on can keep the time it was given", now);
    d.until = kNever;
    d.may_be_late = now > latest;
    return d;
  }
  if (!outlook_) return straight_on("it runs without a plan: " + ignorance_, now);
  Decision d = by_plan(now, stand);
  if (d.wish != Wish::run) d.until = std::min(d.until, latest);
  return d;
}

Decision Executor::by_plan(Nanoseconds now, const Stand& stand) const {
  const Nanoseconds first = now / task_.slot * task_.slot;
  // Room is left for a job that takes longer than thought, by ending the window sooner.
  Nanoseconds end = latest_start({Phase::running, {}, stand.done}) + (task_.duration - stand.done);
  plan::Job job = task_.job;
  job.steps = steps_from(stand.done);
  if (job.restart_time > Nanoseconds{0} && job.restart_time < task_.slot) {
    // Plans know whole slots only. A restart that is shorter is charged by its energy, and one is left room for: after it, the
    // next plan leaves room for the next.
    const Joules full = *std::max_element(task_.job.steps.begin(), task_.job.steps.end());
    job.restart_energy += full * (seconds(job.restart_time) / seconds(task_.slot));
    end -= std::exchange(job.restart_time, Nanoseconds{0});
  }
  const std::int64_t count = std::min((end - first) / task_.slot, kMostSlots);
  auto slots =
      plan::make_slots(outlook_->ladder, first, task_.slot, static_cast<std::size_t>(std::max<std::int64_t>(1, count)));
  if (!slots) return straight_on("it runs without a plan: " + slots.error().message(), now);
  Rest rest{now, std::move(*slots), {}, {}, 0};
  auto problem = plan::make_problem(job, rest.slots);
  if (!problem) return straight_on("it runs without a plan: " + problem.error().message(), now);
  if (problem->max_restarts) *problem->max_restarts = std::max(0, *problem->max_restarts - stand.restarts);
  Standing standing;
  standing.state = static_cast<Standing::State>(stand.phase);
  // What has lasted long enough may end now; rounded to slots, a run that began within one could not end before the next but
  // one.
  const Nanoseconds lasted = now - stand.since;
  if (stand.phase != Phase::waiting && lasted < (stand.phase == Phase::running ? task_.job.min_run : task_.job.min_pause))
    standing.since = static_cast<int>(std::clamp<std::int64_t>(lasted / task_.slot, 0, 1'000'000));
  rest.problem = std::move(*problem);
  rest.standing = standing;
  const auto schedule = rivals_.empty() ? plan::exact(rest.problem, standing) : beside_rivals(rest, job, end);
  if (!schedule) return straight_on("no plan fits into the time that is left: it runs", now);
  return follow(rest, *schedule, stand);
}

void Executor::meet(std::string own_id, std::vector<Rival> rivals) {
  own_id_ = std::move(own_id);
  rivals_ = std::move(rivals);
  std::sort(rivals_.begin(), rivals_.end(), [](const Rival& a, const Rival& b) { return a.id < b.id; });
}

/// Its own part of the plan of all who share the resource. The window grows to what all of them need.
Result<Schedule> Executor::beside_rivals(Rest& rest, const plan::Job& job, Nanoseconds end) const {
  std::vector<plan::Queued> all;
  std::int64_t window = (end - rest.slots.start) / task_.slot, total = 0;
  const auto add = [&](plan::Queued q, Nanoseconds finish) {
    const auto deadline = std::clamp<std::int64_t>((finish - rest.slots.start) / task_.slot, 0, kMostSlots);
    q.deadline = static_cast<int>(deadline);
    window = std::max(window, deadline);
    total += static_cast<std::int64_t>(q.job.steps.size()) + plan::slots_of(q.job.restart_time, task_.slot);
    all.push_back(std::move(q));
  };
  std::size_t own = 0;
  const auto add_self = [&] {
    own = all.size();
    const bool has_it = rest.standing.state == Standing::State::running || rest.standing.state == Standing::State::held;
    add({job, rest.standing, 0, has_it}, end);
  };
  bool self_added = false;
  for (const Rival& r : rivals_) {
    if (!self_added && own_id_ < r.id) add_self(), self_added = true;
    plan::Queued q;
    q.job.steps.assign(static_cast<std::size_t>(std::max(1, plan::slots_of(r.left, task_.slot))),
                       std::max(r.power, Watts(1e-3)) * seconds(task_.slot));
    q.job.may_exit = r.may_exit;
    q.job.restart_energy = r.restart_energy;
    q.job.restart_time = r.restart_time >= task_.slot ? r.restart_time : Nanoseconds{0};
    q.standing.state = static_cast<Standing::State>(r.phase);
    // A rival that is held goes on as it sees fit: it keeps the resource for what it has left at least.
    if (r.phase == Phase::held) q.standing.state = Standing::State::running;
    q.has_resource = r.phase == Phase::running || r.phase == Phase::held;
    add(std::move(q), r.latest_start + r.left);
  }
  if (!self_added) add_self();
  window = std::min(window + total, kMostSlots);
  auto slots = plan::make_slots(outlook_->ladder, rest.slots.start, task_.slot, static_cast<std::size_t>(window));
  if (!slots) return tl::unexpected(slots.error());
  auto plan = plan::plan_queue(*slots, all);
  if (!plan) return tl::unexpected(plan.error());
  auto problem = plan::make_problem(job, *slots);
  if (!problem) return tl::unexpected(problem.error());
  rest.slots = std::move(*slots);
  rest.problem = std::move(*problem);
  int free = 0;
  const auto taken = [&](int slot) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Action a = plan->schedules[i][static_cast<std::size_t>(slot)];
      if (i != own && (is_running(a) || a == Action::hold)) return true;
    }
    return false;
  };
  for (int slot = 0; slot < static_cast<int>(window) && free < rest.problem.length(); ++slot) {
    free = taken(slot) ? 0 : free + 1;
    rest.free_from = slot + 1 - free;
  }
  return std::move(plan->schedules[own]);
}

/// Why a plan is not worth its first step; empty: it is. A plan that runs now and pauses later risks nothing yet: its pause is
/// asked about when it is due.
std::string Executor::objection_to(plan::Action first, Phase phase, const Decision& d) const {
  if (is_running(first)) return {};
  if (phase == Phase::running) {
    // Replanning goes on from here, so a pause is no bet on one forecast; but it has to be the likelier gain.
    if (*d.saving > Ratio(0) && d.p_worse.value_or(Ratio(0)) <= Ratio(0.5)) return {};
    return "it goes on: no pause is likely to pay";
  }
  if (*d.saving < task_.min_saving)
    return fmt::format("it starts at once: waiting would save {}, below --min-saving {}", percent(*d.saving),
                       percent(task_.min_saving));
  if (d.p_worse && *d.p_worse > task_.risk)
    return fmt::format("it starts at once: waiting is worse in {} of the possible futures, above --risk {}",
                       percent(*d.p_worse), percent(task_.risk));
  return {};
}

/// The plan's first step, if the plan is worth it.
Decision Executor::follow(const Rest& rest, const Schedule& schedule, const Stand& stand) const {
  const plan::Problem& p = rest.problem;
  Decision d;
  for (const plan::Run& r : plan::runs(schedule))
    d.runs.push_back({rest.slots.time(static_cast<std::size_t>(r.begin)), rest.slots.time(static_cast<std::size_t>(r.end))});
  const bool free_to_go_on = stand.phase == Phase::waiting || stand.phase == Phase::running;
  const bool goes_straight_on = d.runs.size() == 1 && is_running(schedule.front());
  if (free_to_go_on) {
    Schedule straight(static_cast<std::size_t>(rest.free_from), Action::wait);
    straight.insert(straight.end(), static_cast<std::size_t>(p.length()), Action::run);
    straight.resize(schedule.size(), Action::done);
    const auto saved = [&](std::span<const plan::MilligramsPerKwh> intensity) {
      const auto base = static_cast<double>(plan::weigh(p, straight, intensity));
      return base > 0 ? 1 - static_cast<double>(plan::weigh(p, schedule, intensity)) / base : 0;
    };
    d.saving = Ratio(saved(p.intensity));
    const plan::Futures futures = plan::make_futures(rest.slots, outlook_->errors, outlook_->errors_from);
    if (!futures.empty()) {
      double sum = 0;
      int worse = 0;
      for (const auto& future : futures) {
        const double s = saved(future);
        sum += s;
        worse += s < 0 ? 1 : 0;
      }
      d.saving = Ratio(sum / static_cast<double>(futures.size()));
      d.p_worse = Ratio(worse / static_cast<double>(futures.size()));
    }
    const std::string refused =
        goes_straight_on ? std::string(stand.phase == Phase::waiting ? kNoBetter : "it goes on: no pause is expected to pay")
                         : objection_to(schedule.front(), stand.phase, d);
    if (!refused.empty() && rest.free_from > 0) {
      d.wish = Wish::wait;
      d.until = std::min(rest.slots.time(static_cast<std::size_t>(rest.free_from)), rest.now + task_.replan_every);
      d.why = fmt::format("waits until {}: others have what it needs", when(d.until, rest.now));
      return d;
    }
    if (!refused.empty()) {
      Decision on = straight_on(refused, rest.now);
      // A job that is nearly done by the count of whole slots may not be by the clock: it is looked at again then.
      if (on.until != kNever && !d.runs.empty())
        on.until = std::min(on.until, std::max(d.runs.back().end, rest.now + Nanoseconds(1)));
      on.saving = goes_straight_on ? std::optional(Ratio(0)) : d.saving;
      on.p_worse = d.p_worse;
      return on;
    }
  }
  tell(rest, schedule, stand, d);
  return d;
}

/// What the first slot does, until when, and why.
void Executor::tell(const Rest& rest, const Schedule& schedule, const Stand& stand, Decision& d) const {
  d.wish = wish_of(schedule.front());
  std::size_t change = 0;
  while (change < schedule.size() && wish_of(schedule[change]) == d.wish && schedule[change] != Action::done) ++change;
  const Nanoseconds turn = rest.slots.time(change);
  d.until = std::min(turn, rest.now + task_.replan_every);
  const double now = rest.problem.intensity.front() / 1000.0, then = mean_intensity(rest.problem, schedule);
  const std::string gain = fmt::format("{:.0f} g/kWh now, {:.0f} while it is to run", now, then);
  const std::string saves = d.saving ? fmt::format("; saves {}", percent(*d.saving)) : "";
  if (d.wish == Wish::run) {
    const bool more = change < schedule.size() && schedule[change] != Action::done;
    d.why = more ? fmt::format("runs until {} ({}{})", when(turn, rest.now), gain, saves)
                 : fmt::format("runs to its end ({})", gain);
  } else {
    const std::string_view verb = d.wish == Wish::wait ? "waits" : d.wish == Wish::hold ? "held" : "paused";
    d.why = fmt::format("{} until {} ({}{})", verb, when(turn, rest.now), gain, saves);
  }
  d.may_be_late = rest.now > latest_start(stand);
}

}  // namespace gramwatt::job
