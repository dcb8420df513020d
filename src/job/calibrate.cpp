#include "job/calibrate.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "meter/machine_cpu.hpp"

namespace gramwatt::job {
namespace {

using sense::LoadKind;

/// The sensors that a calibration reads: the reference, and chips beside it.
struct Instruments {
  std::vector<sense::Sensor*> chips;
  sense::Sensor* node = nullptr;
  std::string source;
  Boundary boundary = Boundary::node;
  double accuracy = 0;
};

Result<Instruments> instruments_of(Machine& machine, const CalibrateOptions& options) {
  Instruments i;
  for (const auto& s : machine.findings.sensors) {
    const auto& d = s->describe();
    if (d.boundary == Boundary::node && i.node == nullptr) i.node = s.get();
    const bool chip = d.component == Component::cpu || d.component == Component::memory;
    if (d.boundary == Boundary::chip && chip) i.chips.push_back(s.get());
  }
  const auto lacking = [&](const char* what) {
    std::string remedy = "gramwatt doctor says what blocks it; a plug meter needs none: --reference meter";
    for (const auto& b : machine.findings.blocked) {
      if (!b.remedy.empty() && (options.reference == "rapl") == (b.family.find("RAPL") != std::string::npos)) remedy = b.remedy;
    }
    return fail(what, "--reference " + options.reference, remedy, Error::Kind::unavailable);
  };
  if (options.reference == "node") {
    if (i.node == nullptr) return lacking("no sensor of this machine sees the whole node");
    i.source = i.node->describe().source;
    i.accuracy = total_shift(i.node->describe().terms).plus;
  } else if (options.reference == "rapl") {
    if (i.chips.empty()) return lacking("RAPL cannot be read here");
    i.source = i.chips.front()->describe().source;
    i.boundary = Boundary::chip;
    i.accuracy = total_shift(i.chips.front()->describe().terms).plus;
  } else {
    i.source = "a plug meter";
    i.accuracy = options.meter_accuracy;
  }
  return i;
}

void wait(Seconds length) { std::this_thread::sleep_for(std::chrono::duration<double>(length.value())); }

/// Mean power of a sensor between two readings.
Result<Watts> mean_power(const sense::Sensor& sensor, const sense::Reading& from, const sense::Reading& to) {
  const Seconds passed = seconds(elapsed(from.at, to.at));
  if (to.resumed || passed.value() <= 0) return fail("its counter was lost during a level", sensor.describe().device);
  return (to.energy - from.energy).joules() / passed;
}

class Calibrator {
 public:
  Calibrator(Machine& machine, Instruments instruments, const CalibrateOptions& options, const Clock& clock)
      : machine_(machine), instruments_(std::move(instruments)), options_(options), clock_(clock) {}

  /// Nothing: the person left it out.
  Result<std::optional<sense::CalibrationLevel>> measure(const LoadLevel& level) {
    const LoadGenerator load(level, machine_.cpu);
    wait(options_.settle);
    meter::MachineCpu cpu(options_.roots, machine_.cpu);
    const Instant begin = clock_.now();
    (void)cpu.read(begin);
    const auto before = read_all();
    if (!before) return tl::unexpected(before.error());
    wait(options_.length);
    std::optional<Watts> typed;
    if (options_.reference == "meter") {
      const auto answer = options_.ask();
      if (!answer) return tl::unexpected(answer.error());
      if (!*answer) return std::optional<sense::CalibrationLevel>{};
      typed = **answer;
    }
    const auto after = read_all();
    if (!after) return tl::unexpected(after.error());
    const Instant end = clock_.now();
    const auto use = cpu.read(end);
    if (!use) return fail("cannot be read", (options_.roots.procfs / "stat").string());
    return level_from(level, seconds(elapsed(begin, end)), *use, *before, *after, typed);
  }

 private:
  using Readings = std::vector<std::pair<const sense::Sensor*, sense::Reading>>;

  Result<Readings> read_all() {
    Readings out;
    std::vector<sense::Sensor*> sensors = instruments_.chips;
    if (options_.reference == "node") sensors.push_back(instruments_.node);
    for (sense::Sensor* s : sensors) {
      const auto r = s->read_now(clock_);
      if (!r) return tl::unexpected(r.error());
      out.emplace_back(s, *r);
    }
    return out;
  }

  Result<std::optional<sense::CalibrationLevel>> level_from(const LoadLevel& level, Seconds length,
                                                            const meter::MachineCpu::Use& use, const Readings& before,
                                                            const Readings& after, std::optional<Watts> typed) const {
    sense::CalibrationLevel l{level.kind, level.load, {}, {}, length, {}};
    const double whole = length.value() * std::max(1, machine_.cpu.threads);
    l.capacity = Ratio(std::clamp(seconds(use.busy).value() * use.capacity / whole, 0.0, 1.0));
    Watts chips, node;
    for (std::size_t i = 0; i < before.size(); ++i) {
      const sense::Sensor& sensor = *before[i].first;
      const auto power = mean_power(sensor, before[i].second, after[i].second);
      if (!power) return tl::unexpected(power.error());
      if (&sensor == instruments_.node) {
        node = *power;
        continue;
      }
      l.chips.emplace_back(sensor.describe().id, *power);
      chips = chips + *power;
    }
    l.reference = typed ? *typed : options_.reference == "node" ? node : chips;
    return l;
  }

  Machine& machine_;
  Instruments instruments_;
  const CalibrateOptions& options_;
  const Clock& clock_;
};

}  // namespace

std::string describe(const LoadLevel& level, int threads) {
  if (level.load <= 0) return "at rest";
  if (level.kind == LoadKind::even) return fmt::format("{:.0f} % on all threads", 100 * level.load);
  return fmt::format("{} of {} threads wholly busy", std::lround(level.load * threads), threads);
}

Result<StoredCalibration> calibrate(Machine& machine, const CalibrateOptions& options, const Clock& clock) {
  auto instruments = instruments_of(machine, options);
  if (!instruments) return tl::unexpected(instruments.error());
  const auto threads = static_cast<int>(cpus_cores_first(machine.cpu).size());
  if (threads < machine.cpu.threads) {
    return fail(fmt::format("only {} of {} threads may be loaded from here", threads, machine.cpu.threads), "calibrate",
                "run it outside of taskset and containers");
  }
  StoredCalibration out;
  sense::CalibrationTrace& t = out.trace;
  t.cpu = machine.cpu.name;
  t.threads = machine.cpu.threads;
  t.host = host_hash();
  t.utc = std::chrono::duration_cast<std::chrono::milliseconds>(clock.now().utc);  // as the file keeps it
  t.reference = options.reference;
  t.source = instruments->source;
  t.boundary = instruments->boundary;
  t.accuracy = instruments->accuracy;

  std::vector<LoadLevel> levels = calibration_levels(threads);
  std::shuffle(levels.begin(), levels.end(), std::mt19937(std::random_device{}()));
  Calibrator calibrator(machine, std::move(*instruments), options, clock);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (options.on_level) options.on_level(i, levels.size(), levels[i]);
    auto level = calibrator.measure(levels[i]);
    if (!level) return tl::unexpected(level.error());
    if (*level) t.levels.push_back(std::move(**level));
  }
  auto fitted = sense::fit(t);
  if (!fitted) return tl::unexpected(fitted.error());
  out.calibration = std::move(*fitted);
  return out;
}

Result<Refit> refit(const StoredCalibration& stored) {
  auto fitted = sense::fit(stored.trace);
  if (!fitted) return tl::unexpected(fitted.error());
  Refit r{{stored.trace, std::move(*fitted)}, false};
  r.same = to_json(r.refitted) == to_json(stored);
  return r;
}

}  // namespace gramwatt::job
