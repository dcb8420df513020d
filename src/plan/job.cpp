#include "plan/job.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace gramwatt::plan {
namespace {

constexpr std::array<std::string_view, 3> kMachines{"shared", "owned", "rented"};
constexpr double kQuantaOfLargest = 10'000;
/// Half of what the exact plan can add up (exact.cpp), for the costs beside the steps.
constexpr double kMostCarbon = 0x1p50;

Result<void> check(const Job& job) {
  const auto usage = [](const char* what) { return fail(what, {}, {}, Error::Kind::usage); };
  if (job.steps.empty()) return usage("the job has no duration");
  const bool negative = std::any_of(job.steps.begin(), job.steps.end(), [](Joules e) { return !(e.value() >= 0); });
  if (negative || !(job.restart_energy.value() >= 0)) return usage("energy cannot be negative");
  if (!(job.embodied_per_hour.value() >= 0)) return usage("carbon cannot be negative");
  if (!(job.wait.value() >= 0) || (job.hold && !(job.hold->value() >= 0))) return usage("power cannot be negative");
  if (job.restart_time < Nanoseconds{0} || job.min_run < Nanoseconds{0} || job.min_pause < Nanoseconds{0})
    return usage("a time cannot be negative");
  if (!(std::max_element(job.steps.begin(), job.steps.end())->value() > 0)) return usage("the job has no energy");
  return {};
}

/// The finest quantum with which every sum stays a whole number below kMostCarbon.
Joules quantum_of(Joules largest, const Slots& slots) {
  double sum = 0;
  for (const MilligramsPerKwh c : slots.intensity) sum += std::abs(static_cast<double>(c));
  const double quanta = std::clamp(std::floor(kMostCarbon / std::max(1.0, sum) / 4), 1.0, kQuantaOfLargest);
  return largest / quanta;
}

}  // namespace

std::string_view to_string(Machine machine) { return kMachines[static_cast<std::size_t>(machine)]; }
std::optional<Machine> parse_machine(std::string_view text) {
  const auto* const it = std::find(kMachines.begin(), kMachines.end(), text);
  return it == kMachines.end() ? std::nullopt : std::optional(static_cast<Machine>(it - kMachines.begin()));
}

int slots_of(Nanoseconds time, Nanoseconds slot) { return static_cast<int>((time + slot - Nanoseconds(1)) / slot); }

std::vector<Joules> constant_steps(Joules energy, Nanoseconds duration, Nanoseconds slot) {
  const auto n = static_cast<std::size_t>(std::max(0, slots_of(duration, slot)));
  return std::vector<Joules>(n, n > 0 ? energy / static_cast<double>(n) : energy);
}

Result<Problem> make_problem(const Job& job, const Slots& slots, std::vector<bool> blocked) {
  if (auto ok = check(job); !ok) return tl::unexpected(ok.error());
  const Seconds slot = seconds(slots.length);
  const Joules full = *std::max_element(job.steps.begin(), job.steps.end());
  const Joules wait = job.machine == Machine::shared ? Joules(0) : job.wait * slot;
  const Joules largest = std::max({full, wait, job.restart_energy, job.hold.value_or(Watts(0)) * slot});
  Problem p;
  p.quantum = quantum_of(largest, slots);
  const auto quanta = [&](Joules e) { return static_cast<Quanta>(std::lround(e / p.quantum)); };
  p.intensity = slots.intensity;
  std::transform(job.steps.begin(), job.steps.end(), std::back_inserter(p.steps), quanta);
  p.blocked = std::move(blocked);
  p.may_exit = job.may_exit;
  p.restart_energy = quanta(job.restart_energy);
  p.restart_slots = slots_of(job.restart_time, slots.length);
  p.restart_power = quanta(full);
  if (job.hold) p.hold = quanta(*job.hold * slot);
  p.wait = quanta(wait);
  p.wait_after = job.machine == Machine::owned;
  if (job.machine != Machine::shared) p.kept = cost_of(job.embodied_per_hour * (slot.value() / 3600), p.quantum);
  p.min_run = std::max(1, slots_of(job.min_run, slots.length));
  p.min_pause = std::max(1, slots_of(job.min_pause, slots.length));
  p.max_restarts = job.max_restarts;
  return p;
}

}  // namespace gramwatt::plan
