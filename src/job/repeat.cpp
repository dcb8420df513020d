// The same command many times, as one account.
//
// A power sensor that sees 25 of every 100 ms always catches the same phase of a load that repeats every 100 ms, and no
// arithmetic on one run can tell (sense/published_power.hpp). But a program that is started again, a little later against the
// sensor's own rhythm, shows another phase. The protocol is that of Yang et al., SC'24 (10.1109/SC41406.2024.00028): at least
// 32 repetitions or 5 s each, starts at eight delays spread over the sensor's period, in four trials with random gaps between
// them. The mean over the phases is the mean over time.
//
// What remains uncertain then is taken from the repetitions themselves: the even phases and the odd ones are each a whole
// experiment, so half their difference is the error that the number of phases leaves; and what scatters within one phase is
// divided by the root of the repetitions. Gain stays: the same board is wrong the same way every time.

#include "job/repeat.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <ctime>
#include <random>

#include <fmt/format.h>

#include "job/ledger_writer.hpp"
#include "sense/raw.hpp"

namespace gramwatt::job {
namespace {

constexpr int kPhases = 8, kTrials = 4;
constexpr Nanoseconds kUsualPeriod = std::chrono::milliseconds(100);
constexpr double kLongestGapPeriods = 5;
constexpr Nanoseconds kBetweenTrials = std::chrono::milliseconds(500);
constexpr const char* kAliasing = "gpu-aliasing";
constexpr double kLeastLeft = 0.01;  // eight phases do not resolve what repeats sixteen times a period
constexpr double k90 = 1.645;

/// The longest period in which one of the machine's sensors publishes power that it sees in part only.
Nanoseconds sensor_period(const Machine& machine) {
  Nanoseconds longest{};
  for (const auto& s : machine.findings.sensors) {
    const sense::DecoderSpec* spec = s->decoder();
    if (spec == nullptr || spec->kind != "nvidia") continue;
    longest = std::max(longest, Nanoseconds(std::llround(spec->number("instant_period_s", 0) * 1e9)));
  }
  return longest > Nanoseconds{0} ? longest : kUsualPeriod;
}

void sleep_for(Nanoseconds length) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(length);
  timespec left{static_cast<time_t>(whole.count()), static_cast<long>((length - whole).count())};
  while (::clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) continue;
}

template <class Q>
Estimate<Q> mean(const std::vector<ledger::RunRecord>& all, const std::function<Estimate<Q>(const ledger::RunRecord&)>& of) {
  Estimate<Q> sum = of(all.front());
  for (std::size_t i = 1; i < all.size(); ++i) sum = sum + of(all[i]);
  return sum * (1.0 / static_cast<double>(all.size()));
}

/// What the repetitions leave open of a figure, relative to its mean.
double left_open(const std::vector<double>& values) {
  std::array<double, kPhases> sums{};
  std::array<int, kPhases> counts{};
  double all = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sums[i % kPhases] += values[i];
    ++counts[i % kPhases];
    all += values[i];
  }
  const double n = static_cast<double>(values.size());
  const double middle = all / n;
  if (middle <= 0) return 0;
  if (values.size() < 2 * kPhases) {  // too few for two combs of phases: the scatter of all
    double squares = 0;
    for (const double v : values) squares += (v - middle) * (v - middle);
    return values.size() < 2 ? 1 : k90 * std::sqrt(squares / (n - 1) / n) / middle + kLeastLeft;
  }
  double even = 0, odd = 0, within = 0;
  for (int p = 0; p < kPhases; ++p) (p % 2 == 0 ? even : odd) += sums.at(p) / counts.at(p) / (kPhases / 2.0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double off = values[i] - sums[i % kPhases] / counts[i % kPhases];
    within += off * off;
  }
  const double scatter = std::sqrt(within / std::max(1.0, n - kPhases) / n);
  return std::max(std::abs(even - odd) / 2, k90 * scatter) / middle + kLeastLeft;
}

/// The aliasing term of one run's readings becomes what the repetitions leave of it, and the errors at the ends of the runs,
/// which began at any moment of a step, average out.
template <class Q>
void settle(Estimate<Q>& e, const std::vector<double>& values) {
  const double root = std::sqrt(static_cast<double>(values.size()));
  for (auto& [id, shift] : e.terms) {
    if (id.starts_with("resolution:")) shift = {shift.minus / root, shift.plus / root};
  }
  const auto term = e.terms.find(kAliasing);
  if (term == e.terms.end()) return;
  const double left = left_open(values);
  term->second = {-std::min(left, -std::min(0.0, term->second.minus)), std::min(left, std::max(0.0, term->second.plus))};
}

template <class Q>
Estimate<Q> settled_mean(const std::vector<ledger::RunRecord>& all,
                         const std::function<Estimate<Q>(const ledger::RunRecord&)>& of) {
  std::vector<double> values;
  values.reserve(all.size());
  for (const auto& r : all) values.push_back(of(r).value.value());
  Estimate<Q> e = mean<Q>(all, of);
  settle(e, values);
  return e;
}

void average_energy(const std::vector<ledger::RunRecord>& all, ledger::RunRecord& out) {
  const auto joules = [&](auto of) { return settled_mean<Joules>(all, of); };
  using R = ledger::RunRecord;
  ledger::Energy& e = out.energy;
  e.total = joules([](const R& r) { return r.energy.total; });
  e.active = joules([](const R& r) { return r.energy.active; });
  e.idle = joules([](const R& r) { return r.energy.idle; });
  e.facility = joules([](const R& r) { return r.energy.facility; });
  e.machine = joules([](const R& r) { return r.energy.machine; });
  e.unattributed = joules([](const R& r) { return r.energy.unattributed; });
  for (std::size_t c = 0; c < e.components.size(); ++c) {
    ledger::ComponentEnergy& into = e.components[c];
    into.energy = joules([c](const R& r) { return r.energy.components[c].energy; });
    into.active = joules([c](const R& r) { return r.energy.components[c].active; });
    into.idle = joules([c](const R& r) { return r.energy.components[c].idle; });
    into.machine = joules([c](const R& r) { return r.energy.components[c].machine; });
  }
}

void average_carbon(const std::vector<ledger::RunRecord>& all, ledger::RunRecord& out) {
  const auto grams = [&](auto of) { return settled_mean<Grams>(all, of); };
  using R = ledger::RunRecord;
  out.carbon.average = grams([](const R& r) { return r.carbon.average; });
  out.carbon.embodied = grams([](const R& r) { return r.carbon.embodied; });
  out.carbon.total = grams([](const R& r) { return r.carbon.total; });
  if (out.carbon.marginal) {
    out.carbon.marginal = grams([](const R& r) { return r.carbon.marginal.value_or(Estimate<Grams>{}); });
  }
}

/// Repetitions on one machine have the same parts; one that lost a sensor between is left out.
std::vector<ledger::RunRecord> alike(const std::vector<ledger::RunRecord>& all) {
  std::vector<ledger::RunRecord> same;
  for (const auto& r : all) {
    if (r.energy.components.size() == all.front().energy.components.size()) same.push_back(r);
  }
  return same;
}

std::optional<Error> store(const RunOptions& options, const ledger::RunRecord& record) {
  LedgerWriter writer(options.ledger, {}, [&] { return record; });
  (void)writer.begun();
  return writer.finish(record);
}

}  // namespace

Nanoseconds wait_for_phase(Nanoseconds now, Nanoseconds period, int n, double gap) {
  const Nanoseconds earliest =
      now + Nanoseconds(std::llround(static_cast<double>(period.count()) * kLongestGapPeriods * std::clamp(gap, 0.0, 1.0)));
  const Nanoseconds phase = period * (n % kPhases) / kPhases;
  const Nanoseconds into = (earliest - phase) % period;
  return earliest - now + (into > Nanoseconds{0} ? period - into : -into);
}

ledger::RunRecord mean_of(const std::vector<ledger::RunRecord>& repetitions) {
  const std::vector<ledger::RunRecord> all = alike(repetitions);
  ledger::RunRecord out = all.front();
  out.id = new_run_id();
  out.end_utc = repetitions.back().end_utc;
  average_energy(all, out);
  average_carbon(all, out);
  const double n = static_cast<double>(all.size());
  Seconds length, running;
  std::string each;
  for (const auto& r : all) {
    length += r.duration / n;
    running += r.running / n;
    each += fmt::format("{}{:.4g}", each.empty() ? "" : ", ", r.energy.total.value.value());
  }
  out.duration = length;
  out.running = running;
  out.derivations.insert(
      out.derivations.begin(),
      {"energy.total", fmt::format("mean of {} repetitions = {:.6g} J", all.size(), out.energy.total.value.value()),
       "J of each: " + each, "starts spread over eight phases of the power sensor (SC'24, 10.1109/SC41406.2024.00028)"});
  out.notes.insert(
      out.notes.begin(),
      fmt::format("all figures are the mean of one of {} repetitions, whose starts were spread over the phases of the "
                  "power sensor",
                  all.size()));
  std::erase_if(out.advice, [](const std::string& a) { return a.find("--repeat") != std::string::npos; });
  if (all.size() < repetitions.size()) {
    out.notes.push_back(
        fmt::format("{} repetitions were measured with other sensors and are left out", repetitions.size() - all.size()));
  }
  return out;
}

Result<RunResult> repeat(const RunOptions& options, const RepeatOptions& how, const Clock& clock) {
  std::mt19937_64 rng(std::random_device{}());
  std::uniform_real_distribution<double> any(0, 1);
  std::vector<ledger::RunRecord> done;
  std::optional<RunResult> last;
  for (int n = 0; n < how.times; ++n) {
    Machine machine = how.probe();
    RunOptions once = options;
    once.ledger.reset();
    const bool new_trial = n > 0 && n % std::max(1, how.times / kTrials) == 0;
    if (new_trial) sleep_for(Nanoseconds(std::llround(static_cast<double>(kBetweenTrials.count()) * any(rng))));
    if (how.times > 1) sleep_for(wait_for_phase(clock.now().monotonic, sensor_period(machine), n, any(rng)));
    auto result = run(std::move(once), std::move(machine), clock);
    if (!result) return result;
    last = std::move(*result);
    if (last->start_error) return *last;
    if (last->ending.exit_code != 0) {
      if (done.empty()) done.push_back(last->record);
      break;
    }
    done.push_back(last->record);
  }
  if (!last) return fail("nothing to repeat", "--repeat", {}, Error::Kind::usage);
  RunResult out = *last;
  out.record = mean_of(done);
  out.record.exit_code = out.ending.exit_code;
  if (static_cast<int>(done.size()) < how.times) {
    out.record.notes.push_back(
        fmt::format("the series of {} ended after {}: exit code {}", how.times, done.size(), out.ending.exit_code));
  }
  out.ledger_error = store(options, out.record);
  return out;
}

}  // namespace gramwatt::job
