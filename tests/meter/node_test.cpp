// A sensor that sees the whole node: what it saw beyond the chips is the platform line, and nothing is modelled.
#include <gtest/gtest.h>

#include "meter/bench.hpp"

namespace gramwatt::meter {
namespace {

using std::chrono::milliseconds;
using testing_bench::Bench;
using testing_bench::FakeSensor;
using testing_bench::sum;

void run_for(Bench& b, Meter& m, int ticks, double job_cores, double other_cores = 0) {
  for (int i = 0; i < ticks; ++i) {
    b.run(milliseconds(100), job_cores, other_cores);
    m.sample([&] { return b.job; }, 1);
  }
}

TEST(NodeMeter, ChipsAndRestAddUpToTheNode) {
  Bench b;
  meter::Setup s = b.setup();
  b.add(s.sensors, Component::cpu, Watts(80), Watts(20));
  b.add(s.sensors, Component::gpu, Watts(300), Watts(60));
  b.add_node(s.sensors, Watts(500));
  Meter m(std::move(s));
  m.start(b.job);
  run_for(b, m, 100, 1, 1);
  m.finish(b.job, 1);
  ASSERT_EQ(m.channels().size(), 3U) << "no modelled line beside the three sensors";
  EXPECT_NEAR(m.totals()[2].machine.joules().value(), 1200, 0.01);
  EXPECT_NEAR(sum(m).machine.joules().value(), 5000, 0.01);
  EXPECT_EQ(m.channels()[2].method, Method::measured);
  EXPECT_EQ(m.channels()[2].boundary, Boundary::node);
}

TEST(NodeMeter, AloneItIsSharedByCpuTimeAndItsIdlePartComesFromTheModel) {
  Bench b;
  meter::Setup s = b.setup();  // 4 W at rest
  b.add_node(s.sensors, Watts(10));
  Meter m(std::move(s));
  m.start(b.job);
  run_for(b, m, 100, 0.5, 1);
  m.finish(b.job, 1);
  ASSERT_EQ(m.channels().size(), 1U);
  EXPECT_NEAR(sum(m).machine.joules().value(), 100, 0.01);
  EXPECT_NEAR(sum(m).job_idle.joules().value(), 40, 0.01);
  EXPECT_NEAR(sum(m).job_active.joules().value(), 60.0 / 3, 0.3);
}

TEST(NodeMeter, ANodeThatLagsBehindItsChipsLosesNothing) {
  Bench b;
  meter::Setup s = b.setup();
  FakeSensor& cpu = b.add(s.sensors, Component::cpu, Watts(80), Watts(20));
  FakeSensor& node = b.add_node(s.sensors, Watts(100));
  Meter m(std::move(s));
  m.start(b.job);
  cpu.power = Watts(200);  // the fake counts from its beginning: a jump of the chip that the node shows later
  run_for(b, m, 20, 1);
  node.failing = true;
  run_for(b, m, 30, 1);
  node.failing = false;
  node.power = Watts(260);
  run_for(b, m, 50, 1);
  m.finish(b.job, 1);
  EXPECT_NEAR(sum(m).machine.joules().value(), 2600, 0.01);
  EXPECT_NEAR(m.totals()[1].machine.joules().value(), 600, 0.01);
  EXPECT_TRUE(m.gaps().empty());
}

TEST(NodeMeter, ANodeThatNeverAnswersIsNamedAndTakenToDrawWhatTheModelSaysAtRest) {
  Bench b;
  meter::Setup s = b.setup();  // 4 W at rest
  FakeSensor& node = b.add_node(s.sensors, Watts(100));
  node.failing = true;
  Meter m(std::move(s));
  m.start(b.job);
  run_for(b, m, 100, 1);
  m.finish(b.job, 1);
  EXPECT_NEAR(sum(m).machine.joules().value(), 40, 0.5);
  ASSERT_EQ(m.gaps().size(), 1U);
  EXPECT_EQ(m.channels()[0].method, Method::mixed);
}

TEST(NodeMeter, WhatAChipSaysTooMuchTheRestSaysTooLittle) {
  Bench b;
  meter::Setup s = b.setup();
  b.add(s.sensors, Component::cpu, Watts(80), Watts(0));
  const_cast<sense::Description&>(s.sensors[0]->describe()).terms["chip-gain"] = {-0.1, 0.1};
  b.add_node(s.sensors, Watts(100));
  s.model.fixed.value = Watts(0);
  Meter m(std::move(s));
  m.start(b.job);
  run_for(b, m, 50, 2);
  m.finish(b.job, 1);
  const auto active = [&](std::size_t c) {
    return Estimate<Joules>{m.totals()[c].job_active.joules(), Method::measured, "a", Boundary::node,
                            m.channels()[c].active_terms};
  };
  const auto total = active(0) + active(1);
  EXPECT_NEAR(total.value.value(), 500, 0.1);
  // Only the node's own 5 % are left; the 10 % of the chip are 40 J of the rest's 100, the other way.
  EXPECT_NEAR((total.high() - total.value).value(), 25, 0.5);
  EXPECT_GT((active(1).high() - active(1).value).value(), 40);
}

}  // namespace
}  // namespace gramwatt::meter
