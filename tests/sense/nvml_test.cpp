#include "sense/nvml.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "fakes/temp_tree.hpp"

namespace gramwatt::sense {
namespace {

constexpr const char* kHopper =
    "0 name NVIDIA H100 80GB HBM3\n0 uuid GPU-1111aaaa-0000\n0 energy_mj 5000000\n0 power_mw 70000\n0 limit_mw 700000\n0 "
    "processes 0\n";

class Nvml : public ::testing::Test {
 protected:
  void say(const std::string& text) {
    tree_.write("nvml", text);
    setenv("GRAMWATT_FAKE_NVML", (tree_ / "nvml").c_str(), 1);
  }
  Findings probe(std::optional<std::string> visible = std::nullopt) {
    return probe_nvml({FAKE_NVML_LIBRARY, std::move(visible)}, clock_);
  }

  testing::TempTree tree_;
  VirtualClock clock_{std::chrono::seconds(1'700'000'000)};
};

TEST_F(Nvml, TheEnergyCounterIsMillijoulesAndIdleIsReadWhileNobodyComputes) {
  say(kHopper);
  const auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  const auto& d = found.sensors[0]->describe();
  EXPECT_EQ(d.component, Component::gpu);
  EXPECT_EQ(d.boundary, Boundary::chip);
  EXPECT_DOUBLE_EQ(d.idle_power.value(), 70);
  EXPECT_TRUE(d.usable_by_job);
  clock_.advance(std::chrono::seconds(1));
  say("0 name NVIDIA H100 80GB HBM3\n0 energy_mj 5300000\n0 power_mw 300000\n");
  EXPECT_DOUBLE_EQ(found.sensors[0]->read(clock_)->energy.joules().value(), 300);
}

TEST_F(Nvml, AnUnchangedCounterIsNoErrorAndNoEnergy) {
  say(kHopper);
  const auto found = probe();
  clock_.advance(std::chrono::milliseconds(10));
  EXPECT_EQ(found.sensors[0]->read(clock_)->energy.count(), 0);
}

TEST_F(Nvml, WithoutACounterPowerIsIntegratedAndTheIntervalIsWider) {
  say("0 name Tesla P100\n0 uuid GPU-2\n0 energy_mj !3\n0 power_mw 100000\n0 limit_mw 250000\n");
  const auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_TRUE(found.sensors[0]->describe().terms.contains("gpu-power-sampling"));
  clock_.advance(std::chrono::seconds(2));
  say("0 name Tesla P100\n0 energy_mj !3\n0 power_mw 200000\n");
  EXPECT_DOUBLE_EQ(found.sensors[0]->read(clock_)->energy.joules().value(), 300);
}

TEST_F(Nvml, NeitherCounterNorPowerIsBlockedNotZero) {
  say("0 name GRID vGPU\n0 energy_mj !3\n0 power_mw !3\n");
  const auto found = probe();
  EXPECT_TRUE(found.sensors.empty());
  ASSERT_EQ(found.blocked.size(), 1U);
  EXPECT_NE(found.blocked[0].why.find("Not Supported"), std::string::npos);
}

TEST_F(Nvml, ALostGpuIsAnErrorNotZeroWatts) {
  say(kHopper);
  const auto found = probe();
  clock_.advance(std::chrono::seconds(1));
  say("0 name NVIDIA H100 80GB HBM3\n0 energy_mj !15\n");
  const auto r = found.sensors[0]->read(clock_);
  ASSERT_FALSE(r);
  EXPECT_NE(r.error().what.find("lost"), std::string::npos);
}

TEST_F(Nvml, AReloadedDriverResumesWithoutPhantomEnergy) {
  say(kHopper);
  const auto found = probe();
  clock_.advance(std::chrono::seconds(1));
  say("0 name NVIDIA H100 80GB HBM3\n0 energy_mj 100\n");
  const auto r = found.sensors[0]->read(clock_);
  ASSERT_TRUE(r);
  EXPECT_TRUE(r->resumed);
  EXPECT_EQ(r->energy.count(), 0);
}

TEST_F(Nvml, OtherProgramsOnTheBoardWidenTheFigureDownwards) {
  say("0 name A100\n0 uuid GPU-3\n0 energy_mj 1\n0 power_mw 300000\n0 limit_mw 400000\n0 processes 2\n");
  const auto found = probe();
  const auto& d = found.sensors.at(0)->describe();
  EXPECT_LT(d.terms.at("gpu-other-programs").minus, -0.5);
  EXPECT_FALSE(d.note.empty());
  EXPECT_DOUBLE_EQ(d.idle_power.value(), 40);  // the reading of a busy board says nothing of idle
}

TEST_F(Nvml, ABoardThatCudaWillNotShowIsNotTheJobs) {
  say(std::string(kHopper) + "1 name NVIDIA H100 80GB HBM3\n1 uuid GPU-2222bbbb-0000\n1 energy_mj 7\n1 power_mw 60000\n");
  const auto found = probe("GPU-2222bbbb");
  ASSERT_EQ(found.sensors.size(), 2U);
  EXPECT_FALSE(found.sensors[0]->describe().usable_by_job);
  EXPECT_TRUE(found.sensors[1]->describe().usable_by_job);
}

TEST_F(Nvml, ALibraryThatDoesNotStartIsBlockedWithItsWords) {
  say("init 9\n");
  const auto found = probe();
  ASSERT_EQ(found.blocked.size(), 1U);
  EXPECT_NE(found.blocked[0].why.find("Driver Not Loaded"), std::string::npos);
}

TEST_F(Nvml, AMissingLibraryIsBlocked) {
  const auto found = probe_nvml({"/nonexistent/libnvidia-ml.so.1", std::nullopt}, clock_);
  EXPECT_EQ(found.blocked.size(), 1U);
}

TEST(VisibleToCuda, FollowsCudasRules) {
  const std::vector<GpuName> gpus{{"GPU-aa"}, {"GPU-ab"}, {"GPU-bb"}};
  using V = std::vector<bool>;
  EXPECT_EQ(visible_to_cuda(gpus, std::nullopt), (V{true, true, true}));
  EXPECT_EQ(visible_to_cuda(gpus, ""), (V{false, false, false}));
  EXPECT_EQ(visible_to_cuda(gpus, "-1"), (V{false, false, false}));
  EXPECT_EQ(visible_to_cuda(gpus, "2,0"), (V{true, false, true}));
  EXPECT_EQ(visible_to_cuda(gpus, "1,9,0"), (V{false, true, false}));  // an invalid entry hides all that follow
  EXPECT_EQ(visible_to_cuda(gpus, "GPU-b"), (V{false, false, true}));
  EXPECT_EQ(visible_to_cuda(gpus, "MIG-GPU-ab/1/0"), (V{false, true, false}));
}

}  // namespace
}  // namespace gramwatt::sense
