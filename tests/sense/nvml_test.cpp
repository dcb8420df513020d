#include "sense/nvml.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>

#include "fakes/temp_tree.hpp"
#include "sense/gpu_model.hpp"
#include "sense/nvidia_sensors.hpp"

namespace gramwatt::sense {
namespace {

using std::chrono::milliseconds;

constexpr const char* kHopper =
    "0 name NVIDIA H100 80GB HBM3\n0 uuid GPU-1111aaaa-0000\n0 arch 9\n0 pci 0 3b 0\n0 limit_mw 700000\n0 processes 0\n";

class Nvml : public ::testing::Test {
 protected:
  void say(const std::string& text) {
    tree_.write("nvml", text);
    setenv("GRAMWATT_FAKE_NVML", (tree_ / "nvml").c_str(), 1);
  }
  Findings probe(std::optional<std::string> visible = std::nullopt, const char* library = FAKE_NVML_LIBRARY) {
    NvmlOptions o;
    o.library = library;
    o.visible_devices = std::move(visible);
    o.side = side_;
    return probe_nvml(o, clock_);
  }
  /// A board with a counter at `mj` and instantaneous power.
  void hopper(long mj, long mw) {
    say(std::string(kHopper) + "0 energy_mj " + std::to_string(mj) + "\n0 field_186 " + std::to_string(mw) + "\n0 field_185 " +
        std::to_string(mw) + "\n");
  }
  /// Side polls and ticks for `length`, while the counter steps by `watts` every 100 ms.
  Result<Reading> run(Sensor& sensor, long& mj, Nanoseconds length, long watts) {
    Result<Reading> last = sensor.read(clock_);
    const Nanoseconds begin = clock_.now().monotonic;
    Nanoseconds step = begin;
    while (clock_.now().monotonic < begin + length) {
      clock_.advance(milliseconds(5));
      if (clock_.now().monotonic - step >= milliseconds(100)) {
        step += milliseconds(100);
        mj += watts * 100;
        hopper(mj, watts * 1000);
      }
      (void)side_->run_due();
      if ((clock_.now().monotonic - begin) % milliseconds(100) == Nanoseconds{0}) last = sensor.read(clock_);
    }
    return last;
  }

  testing::TempTree tree_;
  VirtualClock clock_{std::chrono::seconds(1'700'000'000)};
  std::shared_ptr<SidePoll> side_ = std::make_shared<SidePoll>(clock_, SidePoll::Mode::by_hand);
};

TEST_F(Nvml, TheEnergyCounterIsMillijoulesAndIdleIsReadWhileNobodyComputes) {
  hopper(5'000'000, 70'000);
  const auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  const auto& d = found.sensors[0]->describe();
  EXPECT_EQ(d.component, Component::gpu);
  EXPECT_EQ(d.boundary, Boundary::chip);
  EXPECT_EQ(d.method, Method::measured);
  EXPECT_DOUBLE_EQ(d.idle_power.value(), 70);
  EXPECT_TRUE(d.usable_by_job);
  long mj = 5'000'000;
  const auto r = run(*found.sensors[0], mj, std::chrono::seconds(5), 300);
  ASSERT_TRUE(r);
  EXPECT_NEAR(r->energy.joules().value(), 1500, 15);
}

TEST_F(Nvml, BetweenStepsOfTheCounterEnergyFlowsOn) {
  hopper(5'000'000, 300'000);
  const auto found = probe();
  long mj = 5'000'000;
  (void)run(*found.sensors[0], mj, milliseconds(1050), 300);
  const auto before = found.sensors[0]->read_now(clock_);
  clock_.advance(milliseconds(30));
  const auto after = found.sensors[0]->read_now(clock_);
  EXPECT_NEAR((after->energy - before->energy).joules().value(), 9, 1);
}

TEST_F(Nvml, WithoutACounterPowerIsIntegrated) {
  const std::string p100 = "0 name Tesla P100\n0 arch 4\n0 uuid GPU-2\n0 energy_mj !3\n0 limit_mw 250000\n";
  say(p100 + "0 power_mw 100000\n");
  const auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  (void)found.sensors[0]->read(clock_);
  for (int i = 0; i < 100; ++i) {
    say(p100 + "0 power_mw " + std::to_string(150'000 + i % 2) + "\n");
    clock_.advance(milliseconds(20));
    (void)side_->run_due();
  }
  const auto r = found.sensors[0]->read_now(clock_);
  ASSERT_TRUE(r);
  EXPECT_NEAR(r->energy.joules().value(), 300, 3);
  EXPECT_TRUE(found.sensors[0]->settled().terms.contains("gpu-aliasing"));  // 10 of every 20 ms
}

TEST_F(Nvml, TheWarningOfASensorThatSeesAQuarterOfTheTimeIsANote) {
  say("0 name NVIDIA A100-SXM4-40GB\n0 arch 7\n0 uuid GPU-2\n0 energy_mj !3\n0 power_mw 100000\n");
  const auto found = probe();
  EXPECT_NE(found.sensors.at(0)->describe().note.find("sees 25 of every 100 ms"), std::string::npos);
  EXPECT_NE(found.sensors.at(0)->describe().note.find("--repeat"), std::string::npos);
}

TEST_F(Nvml, NeitherCounterNorPowerIsModelledByUtilisationOrBlockedNeverZero) {
  const std::string vgpu = "0 name GRID A100-10C\n0 energy_mj !3\n0 power_mw !3\n";
  say(vgpu);
  const auto nothing = probe();
  EXPECT_TRUE(nothing.sensors.empty());
  ASSERT_EQ(nothing.blocked.size(), 1U);
  EXPECT_NE(nothing.blocked[0].why.find("Not Supported"), std::string::npos);

  say(vgpu + "0 utilisation 50\n0 limit_mw 400000\n");
  const auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_EQ(found.sensors[0]->describe().method, Method::modelled);
  EXPECT_GT(total_shift(found.sensors[0]->describe().terms).plus, 0.3);
  (void)found.sensors[0]->read(clock_);
  clock_.advance(std::chrono::seconds(2));
  const GpuModel model = gpu_model_or_any("GRID A100-10C", Watts(400));
  EXPECT_NEAR(found.sensors[0]->read(clock_)->energy.joules().value(), 2 * model.at(Ratio(0.5)).value.value(), 0.1);
  EXPECT_EQ(found.sensors[0]->describe().idle_power, model.idle_power);
}

TEST_F(Nvml, FieldsAreCheckedByTheirOwnCodeAndType) {
  // An average that fails beside an instant that works; energy as a double.
  say(std::string(kHopper) + "0 energy_mj !3\n0 field_83 1000\n0 field_83_type 0\n0 field_186 70000\n0 field_185 !3\n");
  const auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_EQ(found.sensors[0]->describe().source, "NVML energy counter");
  EXPECT_DOUBLE_EQ(found.sensors[0]->describe().idle_power.value(), 70);
  // A type that nobody knows is no value.
  say(std::string(kHopper) + "0 energy_mj !3\n0 field_83 1000\n0 field_83_type 9\n0 power_mw !3\n");
  EXPECT_TRUE(probe().sensors.empty());
}

TEST_F(Nvml, ABoardOfAGraceModuleIsAskedForTheModuleAndSaysSo) {
  say("0 name NVIDIA GH200 480GB\n0 uuid GPU-9\n0 arch 9\n0 energy_mj 5\n0 field_186@1 300000\n");
  const auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_NE(found.sensors[0]->describe().note.find("whole module"), std::string::npos);
}

TEST_F(Nvml, ALostGpuIsAnErrorNotZeroWatts) {
  hopper(5'000'000, 70'000);
  const auto found = probe();
  (void)found.sensors[0]->read(clock_);
  say(std::string(kHopper) + "lost_after 0\n");
  clock_.advance(std::chrono::seconds(1));
  const auto r = found.sensors[0]->read(clock_);
  ASSERT_FALSE(r);
  EXPECT_NE(r.error().what.find("lost"), std::string::npos);
}

TEST_F(Nvml, AReloadedDriverIsBridgedByPowerWithoutPhantomEnergy) {
  hopper(5'000'000, 300'000);
  const auto found = probe();
  long mj = 5'000'000;
  (void)run(*found.sensors[0], mj, std::chrono::seconds(2), 300);
  mj = 100;
  const auto r = run(*found.sensors[0], mj, std::chrono::seconds(2), 300);
  ASSERT_TRUE(r);
  EXPECT_NEAR(r->energy.joules().value(), 1200, 40);
  EXPECT_TRUE(found.sensors[0]->settled().terms.contains("gpu-counter-bridged"));
}

TEST_F(Nvml, AnOldDriverLacksFunctionsAndIsReadByThoseItHas) {
  say("0 name Tesla V100-SXM2-16GB\n0 uuid GPU-7\n0 energy_mj 1000\n0 power_mw 50000\n0 limit_mw 300000\n");
  const auto found = probe(std::nullopt, FAKE_NVML_OLD_LIBRARY);
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_EQ(found.sensors[0]->describe().source, "NVML energy counter");
  EXPECT_DOUBLE_EQ(found.sensors[0]->describe().idle_power.value(), 50);
}

TEST_F(Nvml, TheLibraryIsFoundByItsRealName) {
  say(kHopper + std::string("0 energy_mj 5\n"));
  // As the loader finds it: already there under that name.
  void* handle = dlopen(FAKE_NVML_NAMED_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(handle, nullptr) << dlerror();
  EXPECT_NE(std::string(FAKE_NVML_NAMED_LIBRARY).find("/libnvidia-ml.so.1"), std::string::npos);
  EXPECT_EQ(probe(std::nullopt, FAKE_NVML_NAMED_LIBRARY).sensors.size(), 1U);
  dlclose(handle);
}

TEST_F(Nvml, ACallOfTenMillisecondsIsMadeInTheSideThreadAndNotByTheSamplingThread) {
  say(std::string(kHopper) + "delay_ms 10\n0 wave 100000 300000 50 100\n");
  const SystemClock clock;
  NvmlOptions o;
  o.library = FAKE_NVML_LIBRARY;
  const auto found = probe_nvml(o, clock);
  ASSERT_EQ(found.sensors.size(), 1U);
  ASSERT_TRUE(found.sensors[0]->read(clock));
  // Not a timing of ours: the fake counts its calls, and a tick must make none for energy. It is seen by what comes in beside.
  Microjoules energy;
  const Nanoseconds begin = clock.now().monotonic;
  while (energy.count() == 0 && clock.now().monotonic - begin < std::chrono::seconds(20)) {
    if (const auto r = found.sensors[0]->read(clock)) energy = r->energy;
  }
  EXPECT_GT(energy.count(), 0);
  const auto last = found.sensors[0]->read_now(clock);
  ASSERT_TRUE(last);
  EXPECT_GE(last->energy, energy);
}

TEST_F(Nvml, OtherProgramsAreSharedByUtilisationWhereIdsAreKnownAndWidenTheFigureWhereNot) {
  say(std::string(kHopper) + "0 energy_mj 1\n0 field_186 300000\n0 running 4242\n");
  NvmlOptions o;
  o.library = FAKE_NVML_LIBRARY;
  o.side = side_;
  o.procfs = tree_.root();  // no namespace to be seen
  const auto blind = probe_nvml(o, clock_);
  EXPECT_LT(blind.sensors.at(0)->describe().terms.at("gpu-other-programs").minus, -0.5);
  EXPECT_DOUBLE_EQ(blind.sensors.at(0)->describe().idle_power.value(), 70);  // the reading of a busy board says nothing of idle
  EXPECT_NE(blind.sensors.at(0)->describe().note.find("upper bound"), std::string::npos);
}

TEST_F(Nvml, ABoardThatCudaWillNotShowIsNotTheJobs) {
  say(std::string(kHopper) + "0 energy_mj 5\n1 name NVIDIA H100 80GB HBM3\n1 uuid GPU-2222bbbb-0000\n1 energy_mj 7\n");
  const auto found = probe("GPU-2222bbbb");
  ASSERT_EQ(found.sensors.size(), 2U);
  EXPECT_FALSE(found.sensors[0]->describe().usable_by_job);
  EXPECT_TRUE(found.sensors[1]->describe().usable_by_job);
}

TEST_F(Nvml, AMigInstanceGetsItsSlicesOfTheBoard) {
  say(std::string(kHopper) +
      "0 energy_mj 5\n0 field_186 300000\n0 mig 1\n0 mig_0 MIG-aaaa 1 3\n0 mig_1 MIG-bbbb 2 2\n0 mig_2 MIG-cccc 3 2\n"
      "0 running 10 1\n0 running 11 2\n");
  const auto found = probe("MIG-bbbb");
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_TRUE(found.sensors[0]->describe().usable_by_job);
  const auto share = found.sensors[0]->activity_share([](pid_t) { return true; });
  ASSERT_TRUE(share);
  EXPECT_NEAR(share->value(), 2.0 / 5, 1e-9);  // of the instances in use
  EXPECT_GT(found.sensors[0]->settled().terms.at("mig-slices").plus, 1);
}

TEST_F(Nvml, ALibraryThatDoesNotStartIsBlockedWithItsWords) {
  say("init 9\n");
  const auto found = probe();
  ASSERT_EQ(found.blocked.size(), 1U);
  EXPECT_NE(found.blocked[0].why.find("Driver Not Loaded"), std::string::npos);
}

TEST_F(Nvml, AMissingLibraryIsBlocked) { EXPECT_EQ(probe(std::nullopt, "/nonexistent/libnvidia-ml.so.1").blocked.size(), 1U); }

TEST(NvidiaGeneration, SaysWhatPowerUsageMeansAndWhatTheSensorSees) {
  const auto a100 = nvidia_generation(7, "NVIDIA A100-SXM4-40GB");
  EXPECT_FALSE(a100.power_usage_is_average);
  EXPECT_DOUBLE_EQ(a100.instant.coverage(), 0.25);
  const auto ga102 = nvidia_generation(7, "NVIDIA GeForce RTX 3090");
  EXPECT_TRUE(ga102.power_usage_is_average);
  EXPECT_DOUBLE_EQ(ga102.instant.coverage(), 1);
  EXPECT_TRUE(nvidia_generation(7, "NVIDIA RTX A3000").power_usage_is_average);  // no A30
  EXPECT_EQ(nvidia_generation(0, "Tesla T4").name, "Turing");
  EXPECT_FALSE(nvidia_generation(99, "NVIDIA Z1").was_measured);
  EXPECT_EQ(nvidia_generation(9, "NVIDIA GH200 480GB").instant.window, milliseconds(20));
}

}  // namespace
}  // namespace gramwatt::sense
