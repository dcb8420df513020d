// GPUs that their kernel driver shows, on fake hwmon trees.
#include <gtest/gtest.h>

#include "fakes/gpu_tree.hpp"
#include "fakes/temp_tree.hpp"
#include "sense/driver_gpu.hpp"
#include "sense/gpu_model.hpp"

namespace gramwatt::sense {
namespace {

using std::chrono::seconds;

class DriverGpu : public ::testing::Test {
 protected:
  void file(const std::string& hwmon, const std::string& name, const std::string& text) {
    tree_.write("class/hwmon/" + hwmon + "/" + name, text + "\n");
  }
  Findings probe() { return probe_driver_gpus({tree_.root(), tree_ / "proc"}, clock_, variables_); }
  double joules(Sensor& s) {
    const auto r = s.read(clock_);
    EXPECT_TRUE(r) << (r ? "" : r.error().message());
    return r ? r->energy.joules().value() : -1;
  }
  testing::TempTree tree_;
  GpuVariables variables_;
  VirtualClock clock_{seconds(1'700'000'000)};
};

TEST_F(DriverGpu, IntelsCardIsCountedAndNotItsPackageBeside) {
  file("hwmon2", "name", "xe");
  file("hwmon2", "energy1_input", "5000000000");
  file("hwmon2", "energy2_input", "4000000000");
  auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_EQ(found.sensors[0]->describe().component, Component::gpu);
  clock_.advance(seconds(2));
  file("hwmon2", "energy1_input", "5300000000");
  EXPECT_DOUBLE_EQ(joules(*found.sensors[0]), 300);
}

TEST_F(DriverGpu, BeyondThirtyTwoBitsNothingIsCut) {
  file("hwmon2", "name", "i915");
  file("hwmon2", "energy1_input", "4294967000");
  auto found = probe();
  clock_.advance(seconds(1));
  file("hwmon2", "energy1_input", "4394967000");
  EXPECT_DOUBLE_EQ(joules(*found.sensors[0]), 100);
}

TEST_F(DriverGpu, AmdsPowerIsIntegrated) {
  file("hwmon1", "name", "amdgpu");
  file("hwmon1", "power1_cap", "300000000");
  file("hwmon1", "power1_average", "100000000");
  auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_FALSE(found.sensors[0]->describe().note.empty());
  clock_.advance(seconds(1));
  file("hwmon1", "power1_average", "200000000");
  EXPECT_NEAR(joules(*found.sensors[0]), 150, 1e-6);
}

TEST_F(DriverGpu, AnApuWhosePowerContainsTheCpuIsLeftAlone) {
  file("hwmon1", "name", "amdgpu");
  file("hwmon1", "power1_average", "15000000");
  EXPECT_TRUE(probe().sensors.empty());
}

TEST_F(DriverGpu, WhatAnswersWithNonsenseIsBlockedAndNotZero) {
  file("hwmon1", "name", "amdgpu");
  file("hwmon1", "power1_cap", "300000000");
  file("hwmon1", "power1_input", "4294967295000000");
  EXPECT_TRUE(probe().sensors.empty());
  EXPECT_EQ(probe().blocked.size(), 1U);
  file("hwmon1", "power1_input", "");
  EXPECT_EQ(probe().blocked.size(), 1U);
}

TEST_F(DriverGpu, OthersAreNoGpus) {
  file("hwmon0", "name", "coretemp");
  file("hwmon0", "energy1_input", "5");
  EXPECT_TRUE(probe().sensors.empty());
}

// Machines with PCI devices, cards and KFD.

using testing::MetricsTable;

class GpuMachine : public ::testing::Test {
 protected:
  static constexpr const char* kFirst = "0000:c1:00.0";
  static constexpr const char* kSecond = "0000:c6:00.0";

  void board(const std::string& address, std::uint64_t energy, int watts) {
    tree_.add_gpu("amdgpu", address);
    tree_.hwmon_file(address, "power1_cap", "300000000");
    tree_.hwmon_file(address, "power1_average", "30000000");
    tree_.metrics(address, MetricsTable::v1_3(energy, watts));
  }
  Findings probe() { return probe_driver_gpus(tree_.roots(), clock_, variables_); }
  void pass(double watts, int tenths, std::uint64_t& counts, const std::string& address) {
    for (int i = 0; i < tenths; ++i) {
      clock_.advance(std::chrono::milliseconds(100));
      counts += static_cast<std::uint64_t>(watts * 0.1 * 65536);
      tree_.metrics(address, MetricsTable::v1_3(counts, static_cast<int>(watts)));
      const auto r = sensors_.front()->read(clock_);
      ASSERT_TRUE(r) << r.error().message();
      joules_ = r->energy.joules().value();
    }
  }

  testing::GpuTree tree_;
  GpuVariables variables_;
  VirtualClock clock_{seconds(1'700'000'000)};
  std::vector<std::unique_ptr<Sensor>> sensors_;
  double joules_ = 0;
};

TEST_F(GpuMachine, AmdsEnergyCounterIsPreferredToItsPower) {
  std::uint64_t counts = 1ULL << 33U;
  board(kFirst, counts, 30);
  auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  const Description& d = found.sensors[0]->describe();
  EXPECT_EQ(d.id, "amdgpu:0000:c1:00.0");
  EXPECT_EQ(d.source, "energy counter of the amdgpu driver");
  EXPECT_TRUE(d.note.empty()) << d.note;
  sensors_ = std::move(found.sensors);
  pass(250, 40, counts, kFirst);
  EXPECT_NEAR(joules_, 1000, 0.01) << "2^-16 J a count; 15.3 uJ would give 1002.7";
}

TEST_F(GpuMachine, AFrozenAccumulatorFallsBackToPowerAndSaysSo) {
  board(kFirst, 8'152'136, 30);
  auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  for (int i = 0; i < 30; ++i) {
    clock_.advance(std::chrono::milliseconds(100));
    tree_.metrics(kFirst, MetricsTable::v1_3(8'152'136, 200));
    joules_ = found.sensors[0]->read(clock_)->energy.joules().value();
  }
  EXPECT_NEAR(joules_, 600, 10);
  ASSERT_EQ(found.sensors[0]->settled().notes.size(), 1U);
}

TEST_F(GpuMachine, WhereTheDriverMarksTheCounterInvalidPowerIsTaken) {
  board(kFirst, 0xFFFF'FFFF, 30);
  const auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_EQ(found.sensors[0]->describe().source, "power reading of the amdgpu driver");
}

TEST_F(GpuMachine, BothDiesOfAModuleAreOneSensorThatEitherMayUse) {
  board(kFirst, 1ULL << 40U, 90);
  board(kSecond, 0, 0);
  tree_.add_kfd_node(4, 111, 0xc1);
  tree_.add_kfd_node(5, 222, 0xc6);
  variables_.rocr = "1";
  auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U) << "the second die shows zeros";
  EXPECT_TRUE(found.sensors[0]->describe().usable_by_job);
  tree_.kfd_queue(77, 222, 10);
  EXPECT_EQ(found.sensors[0]->activity_share([](pid_t pid) { return pid == 77; }), Ratio(1));
  variables_.rocr = "2";
  EXPECT_FALSE(probe().sensors[0]->describe().usable_by_job);
}

TEST_F(GpuMachine, AnMi300aIsTakenAndMarkedAsHoldingTheCpu) {
  board(kFirst, 1ULL << 40U, 200);
  EXPECT_FALSE(probe().sensors[0]->describe().holds_cpu);
  tree_.add_kfd_node(0, 111, 0xc1, 24);
  const auto by_topology = probe();
  EXPECT_TRUE(by_topology.sensors[0]->describe().holds_cpu);
  EXPECT_LT(by_topology.sensors[0]->describe().terms.at("apu-holds-cpu").minus, 0);
}

TEST_F(GpuMachine, AnApuWithACapIsToldByItsMetrics) {
  tree_.add_gpu("amdgpu", kFirst);  // Vangogh
  tree_.hwmon_file(kFirst, "power1_cap", "15000000");
  tree_.hwmon_file(kFirst, "power1_average", "9000000");
  tree_.metrics(kFirst, MetricsTable(2, 2, 128));
  EXPECT_TRUE(probe().sensors.empty());
}

TEST_F(GpuMachine, IdlePowerIsReadWhileNobodyComputesAndElseJudged) {
  board(kFirst, 1ULL << 40U, 42);
  tree_.device_file(kFirst, "gpu_busy_percent", "0\n");
  EXPECT_EQ(probe().sensors[0]->describe().idle_power, Watts(42));
  tree_.add_kfd_node(1, 111, 0xc1);
  tree_.kfd_queue(500, 111);
  const auto busy = probe();
  EXPECT_EQ(busy.sensors[0]->describe().idle_power, Watts(36)) << "a share of 300 W";
  EXPECT_TRUE(busy.sensors[0]->describe().idle_terms.contains("gpu-idle-share"));
}

TEST_F(GpuMachine, ABoardThatShowsOnlyHowBusyItIsIsModelledAndSaysSo) {
  tree_.add_gpu("amdgpu", kFirst);
  tree_.remove_hwmon(kFirst);  // a virtual function
  tree_.device_file(kFirst, "gpu_busy_percent", "0\n");
  EXPECT_TRUE(probe().sensors.empty()) << "it may be the graphics of a processor";
  tree_.add_kfd_node(1, 111, 0xc1);
  auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  const Description& d = found.sensors[0]->describe();
  EXPECT_EQ(d.method, Method::modelled);
  EXPECT_LE(total_shift(d.terms).minus, -0.5);
  EXPECT_FALSE(d.note.empty());
  tree_.device_file(kFirst, "gpu_busy_percent", "100\n");
  (void)found.sensors[0]->read(clock_);
  clock_.advance(seconds(2));
  const auto r = found.sensors[0]->read(clock_);
  EXPECT_NEAR(r->energy.joules().value(), 2 * gpu_model_or_any("").at(Ratio(1)).value.value(), 0.1);
}

TEST_F(GpuMachine, TilesAreTakenOnlyWhereTheDeviceHasNoCounter) {
  tree_.add_gpu("i915", kFirst);
  tree_.hwmon_file(kFirst, "power1_rated_max", "300000000");
  for (int tile = 0; tile < 2; ++tile) {
    const std::string hwmon = "sys/class/hwmon/hwmon1" + std::to_string(tile);
    tree_.files().write(hwmon + "/name", "i915_gt" + std::to_string(tile) + "\n");
    tree_.files().write(hwmon + "/energy1_input", "1000\n");
    std::filesystem::create_directory_symlink(tree_.roots().sysfs / "devices/pci0000:00" / kFirst,
                                              tree_.files() / (hwmon + "/device"));
  }
  const auto tiles = probe();
  ASSERT_EQ(tiles.sensors.size(), 2U);
  EXPECT_EQ(tiles.sensors[0]->describe().idle_power, Watts(36));
  tree_.hwmon_file(kFirst, "energy1_input", "5000");
  const auto card = probe();
  ASSERT_EQ(card.sensors.size(), 1U);
  EXPECT_EQ(card.sensors[0]->describe().id, "i915:0000:c1:00.0");
}

TEST_F(GpuMachine, ACardThatTheAffinityMaskHidesCountsForTheMachineOnly) {
  for (const char* address : {kFirst, kSecond}) {
    tree_.add_gpu("xe", address);
    tree_.hwmon_file(address, "energy1_input", "5000");
  }
  variables_.affinity = "1";
  const auto found = probe();
  ASSERT_EQ(found.sensors.size(), 2U);
  EXPECT_FALSE(found.sensors[0]->describe().usable_by_job);
  EXPECT_TRUE(found.sensors[1]->describe().usable_by_job);
}

}  // namespace
}  // namespace gramwatt::sense
