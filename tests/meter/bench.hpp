#pragma once
// A machine on virtual time: sensors of known power, a /proc/stat that follows, and a model in round numbers.

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fakes/temp_tree.hpp"
#include "meter/meter.hpp"

namespace gramwatt::meter::testing_bench {

using std::chrono::milliseconds;

/// A counter of constant or scripted power.
class FakeSensor final : public sense::Sensor {
 public:
  FakeSensor(sense::Description d, const VirtualClock& clock)
      : description_(std::move(d)), clock_(clock), begun_(clock.now()) {}
  [[nodiscard]] const sense::Description& describe() const override { return description_; }
  [[nodiscard]] Result<sense::Reading> read(const Clock& clock) override {
    if (failing) return fail("I/O error", "fake");
    const Instant now = clock.now();
    if (std::exchange(lost, false)) {
      base_ = energy(now) - last_;  // what flowed since the last good read is gone
      return sense::Reading{last_, now, true};
    }
    last_ = energy(now) - base_;
    return sense::Reading{last_, now};
  }
  Watts power{100};
  bool failing = false;
  bool lost = false;

 private:
  [[nodiscard]] Microjoules energy(const Instant& now) const { return Microjoules(power * seconds(elapsed(begun_, now))); }
  sense::Description description_;
  const VirtualClock& clock_;
  Instant begun_;
  Microjoules base_, last_;
};

/// A machine whose /proc/stat follows the virtual clock.
struct Bench {
  explicit Bench(int threads = 2) : cpus(threads) { write_stat(); }

  void write_stat() {
    const auto total = static_cast<std::int64_t>(clock.now().monotonic.count() / 10'000'000) * cpus;
    const auto steal = stolen.count() / 10'000'000;
    const auto idle = total - busy.count() / 10'000'000 - steal;
    std::string text = "cpu  0 0 0 " + std::to_string(idle) + " 0 0 0 " + std::to_string(steal) + " 0 0\n";
    for (int i = 0; i < cpus; ++i) text += "cpu" + std::to_string(i) + " 0 0 0 0 0 0 0 0 0 0\n";
    tree.write("stat", text);
  }
  /// `job_cores` and `other_cores` busy for a while.
  void run(Nanoseconds length, double job_cores, double other_cores = 0) {
    clock.advance(length);
    job += Nanoseconds(std::llround(static_cast<double>(length.count()) * job_cores));
    busy += Nanoseconds(std::llround(static_cast<double>(length.count()) * (job_cores + other_cores)));
    write_stat();
  }
  FakeSensor& add(std::vector<std::unique_ptr<sense::Sensor>>& into, Component c, Watts power, Watts idle) {
    sense::Description d;
    d.id = "fake";
    d.component = c;
    d.device = "fake";
    d.source = "fake sensor";
    d.resolution = milliseconds(1);
    d.idle_power = idle;
    auto s = std::make_unique<FakeSensor>(d, clock);
    s->power = power;
    FakeSensor& ref = *s;
    into.push_back(std::move(s));
    return ref;
  }
  /// A meter at the plug of the whole node.
  FakeSensor& add_node(std::vector<std::unique_ptr<sense::Sensor>>& into, Watts power) {
    sense::Description d;
    d.id = "node";
    d.component = Component::platform;
    d.boundary = Boundary::node;
    d.source = "node meter";
    d.terms["node-gain"] = Shift::symmetric(0.05);
    d.resolution = milliseconds(1);
    auto s = std::make_unique<FakeSensor>(d, clock);
    s->power = power;
    FakeSensor& ref = *s;
    into.push_back(std::move(s));
    return ref;
  }
  [[nodiscard]] meter::Setup setup() const {
    meter::Setup s;
    s.clock = &clock;
    s.roots.procfs = tree.root();
    s.cpu.threads = s.cpu.cores = cpus;
    s.cpu.machine_class = sense::MachineClass::guest;
    s.model.description = "model";
    s.model.source = "table";
    s.model.fixed.value = Watts(4);
    s.model.fixed.source = "table";
    for (std::size_t i = 0; i <= 10; ++i)
      s.model.active_at_load[i] = Watts(static_cast<double>(i));  // 5 W a busy thread of two
    return s;
  }

  int cpus;
  gramwatt::testing::TempTree tree;
  VirtualClock clock{std::chrono::seconds(1'700'000'000)};
  Nanoseconds job{}, busy{}, stolen{};
};

inline Flow sum(const Meter& m) {
  Flow f;
  for (const Flow& each : m.totals()) f += each;
  return f;
}

}  // namespace gramwatt::meter::testing_bench
