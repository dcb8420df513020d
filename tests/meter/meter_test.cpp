#include "meter/bench.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <random>

namespace gramwatt::meter {
namespace {

using std::chrono::milliseconds;
using testing_bench::Bench;
using testing_bench::FakeSensor;
using testing_bench::sum;

TEST(Meter, ConstantPowerIsPowerTimesTimeForEveryIntervalAndEveryStop) {
  std::mt19937 random(1);
  for (const Nanoseconds interval : {milliseconds(10), milliseconds(100), milliseconds(1000), milliseconds(10'000)}) {
    for (int stop = 0; stop < 200; ++stop) {
      Bench b;
      meter::Setup s = b.setup();
      b.add(s.sensors, Component::cpu, Watts(80), Watts(20));
      Meter m(std::move(s));
      m.start(b.job);
      const Nanoseconds length(std::uniform_int_distribution<std::int64_t>(1'000'000, 25'000'000'000)(random));
      for (Nanoseconds t = interval; t < length && interval >= milliseconds(100); t += interval) {
        b.run(interval, 1);
        m.sample([&] { return b.job; }, 1);
      }
      b.run(length - (interval >= milliseconds(100) ? (length - Nanoseconds(1)) / interval * interval : Nanoseconds(0)), 1);
      m.finish(b.job, 1);
      const double truth = 80 * seconds(length).value();
      EXPECT_NEAR(m.totals()[0].machine.joules().value(), truth, truth * 0.005) << interval.count() << " " << length.count();
    }
  }
}

TEST(Meter, SuspendAndClockStepsDoNotMatter) {
  Bench b;
  Meter m(b.setup());
  m.start(b.job);
  for (int i = 0; i < 100; ++i) {
    b.run(milliseconds(100), 1);
    if (i == 30) b.clock.suspend(std::chrono::hours(8));
    if (i == 60) b.clock.step_utc(-std::chrono::hours(3));
    m.sample([&] { return b.job; }, 1);
  }
  m.finish(b.job, 1);
  EXPECT_NEAR(sum(m).machine.joules().value(), 4 * 10 + 5 * 10, 0.3);
  ASSERT_EQ(m.gaps().size(), 1U);
  EXPECT_NE(m.gaps()[0].why.find("suspended"), std::string::npos);
}

TEST(Meter, AGuestPaysForItsOwnCpuTimeWhateverOthersDo) {
  const auto active = [](double other_cores) {
    Bench b;
    Meter m(b.setup());
    m.start(b.job);
    for (int i = 0; i < 50; ++i) {
      b.run(milliseconds(100), 1, other_cores);
      m.sample([&] { return b.job; }, 1);
    }
    m.finish(b.job, 1);
    return sum(m).job_active.joules().value();
  };
  EXPECT_NEAR(active(1), active(0), active(0) * 0.01);
  EXPECT_NEAR(active(0), 25, 0.3);
}

/// Ten seconds of a program that wants one CPU and gets 60 % of it; the hypervisor gives the rest to other guests.
double active_beside_steal(bool kernel_books_it_as_the_programs) {
  Bench b;
  Meter m(b.setup());
  m.start(b.job);
  for (int i = 0; i < 10; ++i) {
    b.stolen += milliseconds(400);
    b.run(milliseconds(1000), 0.6);
    if (kernel_books_it_as_the_programs) b.job += milliseconds(400);
    m.sample([&] { return b.job; }, 1);
  }
  m.finish(b.job, 1);
  return sum(m).job_active.joules().value();
}

TEST(Meter, StolenTimeIsNotChargedHoweverTheKernelBooksIt) {
  const double ran = 10 * 0.6 * 5;
  EXPECT_NEAR(active_beside_steal(false), ran, ran * 0.01);
  EXPECT_NEAR(active_beside_steal(true), ran, ran * 0.04) << "as exact as /proc/stat: two ticks a second";
}

TEST(Meter, SleepIsIdleOnly) {
  Bench b;
  Meter m(b.setup());
  m.start(b.job);
  for (int i = 0; i < 20; ++i) {
    b.run(milliseconds(1000), 0);
    m.sample([&] { return b.job; }, 1);
  }
  m.finish(b.job, 1);
  EXPECT_EQ(sum(m).job_active.count(), 0);
  EXPECT_NEAR(sum(m).job_idle.joules().value(), 80, 0.1);
}

TEST(Meter, ConcurrentRunsShareIdleAndNothingElse) {
  Bench b;
  Meter m(b.setup());
  m.start(b.job);
  for (int i = 0; i < 20; ++i) {
    b.run(milliseconds(500), 1);
    m.sample([&] { return b.job; }, i < 10 ? 1 : 2);
  }
  m.finish(b.job, 1);
  EXPECT_NEAR(sum(m).job_idle.joules().value(), 4 * 5 + 4 * 5 * 0.5, 0.1);
  EXPECT_NEAR(sum(m).job_active.joules().value(), 50, 0.5);
}

TEST(Meter, IdleOfASharedMachineIsTheHosts) {
  Bench b;
  meter::Setup s = b.setup();
  s.idle_owner = IdleOwner::host;
  Meter m(std::move(s));
  m.start(b.job);
  b.run(std::chrono::seconds(3), 1);
  m.finish(b.job, 1);
  EXPECT_EQ(sum(m).job_idle.count(), 0);
  EXPECT_GT(sum(m).machine_idle.count(), 0);
}

TEST(Meter, ChipsAreLiftedToTheNodeAndTheModelStepsAside) {
  Bench b;
  meter::Setup s = b.setup();
  s.cpu.machine_class = sense::MachineClass::server;
  b.add(s.sensors, Component::cpu, Watts(100), Watts(20));
  Meter m(std::move(s));
  m.start(b.job);
  b.run(std::chrono::seconds(10), 2);
  m.finish(b.job, 1);
  ASSERT_EQ(m.channels().size(), 2U);
  EXPECT_EQ(m.channels()[0].method, Method::measured);
  EXPECT_EQ(m.channels()[1].boundary, Boundary::node);
  EXPECT_EQ(m.channels()[1].method, Method::modelled);
  EXPECT_NEAR(m.totals()[1].machine.joules().value(), 0.17 * 1000 + 25 * 10, 0.5);
  EXPECT_NEAR(m.totals()[0].job_active.joules().value(), 800, 8);
}

TEST(Meter, GpuEnergyIsTheJobsOnlyWhereItMayUseTheBoard) {
  Bench b;
  meter::Setup s = b.setup();
  b.add(s.sensors, Component::gpu, Watts(300), Watts(70));
  Meter m(std::move(s));
  m.start(b.job);
  b.run(std::chrono::seconds(10), 0);
  m.finish(b.job, 1);
  EXPECT_NEAR(m.totals()[0].job_active.joules().value(), 2300, 1);
  EXPECT_NEAR(m.totals()[0].job_idle.joules().value(), 700, 1);
}

TEST(Meter, OneFailedReadLosesNothing) {
  Bench b;
  meter::Setup s = b.setup();
  FakeSensor& sensor = b.add(s.sensors, Component::cpu, Watts(80), Watts(20));
  Meter m(std::move(s));
  m.start(b.job);
  for (int i = 0; i < 60; ++i) {
    sensor.failing = i >= 20 && i < 35;
    b.run(milliseconds(100), 1);
    m.sample([&] { return b.job; }, 1);
  }
  m.finish(b.job, 1);
  EXPECT_NEAR(m.totals()[0].machine.joules().value(), 480, 0.01);
  EXPECT_TRUE(m.gaps().empty());
}

TEST(Meter, AVanishedSensorIsAGapThatIsFilledAndNamed) {
  Bench b;
  meter::Setup s = b.setup();
  FakeSensor& sensor = b.add(s.sensors, Component::cpu, Watts(80), Watts(20));
  Meter m(std::move(s));
  m.start(b.job);
  for (int i = 0; i < 100; ++i) {
    sensor.failing = i >= 50;
    b.run(milliseconds(100), 1);
    m.sample([&] { return b.job; }, 1);
  }
  m.finish(b.job, 1);
  EXPECT_NEAR(m.totals()[0].machine.joules().value(), 800, 8);
  ASSERT_EQ(m.gaps().size(), 1U);
  EXPECT_EQ(m.gaps()[0].component, "cpu");
  EXPECT_NEAR(m.gaps()[0].length.value(), 5, 0.11);
  EXPECT_NE(m.gaps()[0].why.find("I/O error"), std::string::npos);
  EXPECT_EQ(m.channels()[0].method, Method::mixed);
  EXPECT_NEAR(m.channels()[0].active_terms.at("gap-fill:fake").plus, 0.25, 0.01);
}

TEST(Meter, AResetCounterIsAGapNotAJump) {
  Bench b;
  meter::Setup s = b.setup();
  FakeSensor& sensor = b.add(s.sensors, Component::cpu, Watts(80), Watts(20));
  Meter m(std::move(s));
  m.start(b.job);
  for (int i = 0; i < 100; ++i) {
    sensor.lost = i == 40;
    b.run(milliseconds(100), 1);
    m.sample([&] { return b.job; }, 1);
  }
  m.finish(b.job, 1);
  EXPECT_NEAR(m.totals()[0].machine.joules().value(), 800, 1);
  EXPECT_EQ(m.gaps().size(), 1U);
}

TEST(Meter, TheErrorOfTheIdleSplitCancelsInTheTotal) {
  Bench b;
  meter::Setup s = b.setup();
  s.cpu.machine_class = sense::MachineClass::server;
  b.add(s.sensors, Component::cpu, Watts(80), Watts(20));
  const_cast<sense::Description&>(s.sensors[0]->describe()).idle_terms["idle-share"] = {-0.5, 0.5};
  Meter m(std::move(s));
  m.start(b.job);
  for (int i = 0; i < 50; ++i) {
    b.run(milliseconds(100), 2);
    m.sample([&] { return b.job; }, 1);
  }
  m.finish(b.job, 1);
  const Channel c = m.channels()[0];
  const Flow f = m.totals()[0];
  const Estimate<Joules> active{
      f.job_active.joules(), Method::measured, "a", Boundary::chip, {{"idle-share", c.active_terms.at("idle-share")}}};
  const Estimate<Joules> idle{
      f.job_idle.joules(), Method::measured, "a", Boundary::chip, {{"idle-share", c.idle_terms.at("idle-share")}}};
  EXPECT_GT((active.high() - active.value).value(), 1);
  const auto total = active + idle;
  EXPECT_NEAR(total.high().value(), total.value.value(), 0.5);
}

TEST(Meter, PowersOfTheTicksAddUpToTheTotals) {
  Bench b;
  meter::Setup s = b.setup();
  b.add(s.sensors, Component::cpu, Watts(80), Watts(20));
  Meter m(std::move(s));
  m.start(b.job);
  double machine = 0;
  double job = 0;
  for (int i = 0; i < 57; ++i) {
    b.run(milliseconds(100), i % 3 == 0 ? 2 : 0.5, 0.25);
    m.sample([&] { return b.job; }, 1);
    const double dt = seconds(m.last_tick().passed).value();
    machine += m.last_tick().machine.value() * dt;
    job += (m.last_tick().job_active + m.last_tick().job_idle).value() * dt;
  }
  m.finish(b.job, 1);
  EXPECT_NEAR(machine, sum(m).machine.joules().value(), 1e-3);
  EXPECT_NEAR(job, sum(m).job().joules().value(), 1e-3);
}

RC_GTEST_PROP(MeterProperty, EnergyIsConservedToTheMicrojouleInEveryInterval, ()) {
  Bench b(*rc::gen::inRange(1, 5));
  meter::Setup s = b.setup();
  if (*rc::gen::arbitrary<bool>())
    b.add(s.sensors, Component::cpu, Watts(*rc::gen::inRange(0, 300)), Watts(*rc::gen::inRange(0, 60)));
  if (*rc::gen::arbitrary<bool>())
    b.add(s.sensors, Component::gpu, Watts(*rc::gen::inRange(0, 700)), Watts(*rc::gen::inRange(0, 90)));
  if (*rc::gen::arbitrary<bool>()) b.add_node(s.sensors, Watts(*rc::gen::inRange(0, 1500)));
  const bool host = *rc::gen::arbitrary<bool>();
  s.idle_owner = host ? IdleOwner::host : IdleOwner::job;
  Meter m(std::move(s));
  m.start(b.job);
  std::vector<Flow> closed_sum(m.channels().size());
  const auto check = [&] {
    for (const Interval& i : m.take_closed()) {
      for (std::size_t c = 0; c < i.flows.size(); ++c) {
        const Flow& f = i.flows[c];
        RC_ASSERT(f.job_active.count() >= 0);
        RC_ASSERT(f.job_idle.count() >= 0);
        RC_ASSERT(f.job_idle <= f.machine_idle);
        RC_ASSERT(f.job_active <= f.machine - f.machine_idle);
        RC_ASSERT(f.job() + f.unattributed() == f.machine);
        closed_sum[c] += f;
      }
    }
  };
  const int ticks = *rc::gen::inRange(1, 60);
  for (int t = 0; t < ticks; ++t) {
    const double job = *rc::gen::inRange(0, 100 * b.cpus) / 100.0;
    const double other = *rc::gen::inRange(0, 100) / 100.0 * (b.cpus - job);
    b.run(milliseconds(*rc::gen::inRange(1, 3000)), job, other);
    m.sample([&] { return b.job; }, *rc::gen::inRange(1, 5));
    check();
  }
  m.finish(b.job, 1);
  check();
  for (std::size_t c = 0; c < closed_sum.size(); ++c) {
    RC_ASSERT(closed_sum[c].machine == m.totals()[c].machine);
    RC_ASSERT(closed_sum[c].job() == m.totals()[c].job());
  }
}

TEST(ProcStat, IdleAndIowaitAreStillAndGuestTimeIsNotAddedTwice) {
  ProcStat s;
  ASSERT_TRUE(parse_proc_stat("cpu  10 1 5 100 20 1 2 7 3 0\ncpu0 10 1 5 100 20 1 2 7 3 0\nintr 5\n", true, s));
  EXPECT_EQ(s.all.idle, 120U);
  EXPECT_EQ(s.all.steal, 7U);
  EXPECT_EQ(s.online, 1U);
}

TEST(ProcStat, GarbageIsRefused) {
  ProcStat s;
  EXPECT_FALSE(parse_proc_stat("", true, s));
  EXPECT_FALSE(parse_proc_stat("cpu 1 2\n", true, s));
  EXPECT_FALSE(parse_proc_stat("hello\n", true, s));
}

}  // namespace
}  // namespace gramwatt::meter
