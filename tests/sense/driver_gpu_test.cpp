// GPUs that their kernel driver shows, on fake hwmon trees.
#include <gtest/gtest.h>

#include "fakes/temp_tree.hpp"
#include "sense/driver_gpu.hpp"

namespace gramwatt::sense {
namespace {

using std::chrono::seconds;

class DriverGpu : public ::testing::Test {
 protected:
  void file(const std::string& hwmon, const std::string& name, const std::string& text) {
    tree_.write("class/hwmon/" + hwmon + "/" + name, text + "\n");
  }
  Findings probe() { return probe_driver_gpus({tree_.root(), "/proc"}, clock_); }
  double joules(Sensor& s) {
    const auto r = s.read(clock_);
    EXPECT_TRUE(r) << (r ? "" : r.error().message());
    return r ? r->energy.joules().value() : -1;
  }
  testing::TempTree tree_;
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

}  // namespace
}  // namespace gramwatt::sense
