// AMD SMI, ROCm SMI and Level Zero, by libraries that say what a file tells them, faults included.
#include <gtest/gtest.h>

#include <cstdlib>

#include "fakes/gpu_tree.hpp"
#include "sense/amd_library.hpp"
#include "sense/driver_gpu.hpp"
#include "sense/level_zero.hpp"

namespace gramwatt::sense {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::MetricsTable;

class GpuLibrary : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("GRAMWATT_FAKE_AMDSMI", (script_ / "amd").c_str(), 1);
    ::setenv("GRAMWATT_FAKE_LEVELZERO", (script_ / "ze").c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("GRAMWATT_FAKE_AMDSMI");
    ::unsetenv("GRAMWATT_FAKE_LEVELZERO");
  }
  void amd(const std::string& text) { script_.write("amd", text); }
  void ze(const std::string& text) { script_.write("ze", text); }
  Findings probe_amd(const AmdLibraryOptions& options) {
    Findings found = probe_driver_gpus(tree_.roots(), clock_, variables_);
    add_amd_library(options, tree_.roots(), clock_, variables_, found);
    return found;
  }
  Findings probe_ze(const char* library = FAKE_LEVEL_ZERO) {
    Findings found = probe_driver_gpus(tree_.roots(), clock_, variables_);
    add_level_zero({library}, tree_.roots(), clock_, variables_, found);
    return found;
  }
  double joules(Sensor& s, Nanoseconds later = seconds(1)) {
    clock_.advance(later);
    const auto r = s.read(clock_);
    EXPECT_TRUE(r) << (r ? "" : r.error().message());
    return r ? r->energy.joules().value() : -1;
  }

  testing::GpuTree tree_;
  testing::TempTree script_;
  GpuVariables variables_;
  VirtualClock clock_{seconds(1'700'000'000)};
};

const AmdLibraryOptions kAmdsmi{.amdsmi = FAKE_AMDSMI, .rocm_smi = {}, .has_kfd = false};
const AmdLibraryOptions kRocmSmi{.amdsmi = {}, .rocm_smi = FAKE_AMDSMI, .has_kfd = false};

TEST_F(GpuLibrary, AmdSmiCountsInTheUnitOfTheFirmwareNotItsRounding) {
  tree_.add_gpu("amdgpu", "0000:c1:00.0");
  amd("0 bdf 0xc100\n0 energy 8589934592\n");
  auto found = probe_amd(kAmdsmi);
  ASSERT_EQ(found.sensors.size(), 1U) << (found.blocked.empty() ? "" : found.blocked[0].why);
  EXPECT_EQ(found.sensors[0]->describe().id, "amdsmi:0000:c1:00.0");
  amd("0 bdf 0xc100\n0 energy 8602974592\n");  // 13,040,000 counts more
  EXPECT_NEAR(joules(*found.sensors[0]), 13'040'000.0 / 65536, 1e-3);
}

TEST_F(GpuLibrary, NothingThatALibraryPrintsReachesTheTerminal) {
  tree_.add_gpu("amdgpu", "0000:c1:00.0");
  amd("0 bdf 0xc100\n0 energy 8589934592\n");
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  (void)probe_amd(kAmdsmi);
  (void)probe_amd(kRocmSmi);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(GpuLibrary, AnOldAmdSmiIsRefusedBeforeItIsStarted) {
  tree_.add_gpu("amdgpu", "0000:c1:00.0");
  for (const char* version : {"year 24\nmajor 6\n", "year 23\nmajor 4\n", "year 0\nmajor 31\n"}) {
    amd(std::string(version) + "init !5\n0 bdf 0xc100\n0 energy 8589934592\n");
    const auto found = probe_amd(kAmdsmi);
    EXPECT_TRUE(found.sensors.empty());
    ASSERT_EQ(found.blocked.size(), 1U);
    EXPECT_NE(found.blocked[0].why.find("is not one of 24.7 to 26"), std::string::npos) << found.blocked[0].why;
  }
  amd("year 0\nmajor 26\n0 bdf 0xc100\n0 energy 8589934592\n");
  EXPECT_EQ(probe_amd(kAmdsmi).sensors.size(), 1U);
}

TEST_F(GpuLibrary, FaultsOfAmdSmiAreNamed) {
  tree_.add_gpu("amdgpu", "0000:c1:00.0");
  amd("0 bdf 0xc100\n0 energy 8589934592\n");
  auto found = probe_amd({.amdsmi = FAKE_AMDSMI_WITHOUT_ENERGY, .rocm_smi = {}, .has_kfd = false});
  ASSERT_EQ(found.blocked.size(), 1U);
  EXPECT_NE(found.blocked[0].why.find("lacks functions of AMD SMI"), std::string::npos);
  found = probe_amd({.amdsmi = "/nonexistent/libamd_smi.so", .rocm_smi = {}, .has_kfd = false});
  ASSERT_EQ(found.blocked.size(), 1U);
  amd("0 bdf 0xc100\n");  // energy: NOT_SUPPORTED, as in a guest
  found = probe_amd(kAmdsmi);
  EXPECT_TRUE(found.sensors.empty());
  ASSERT_EQ(found.blocked.size(), 1U);
  EXPECT_EQ(found.blocked[0].why, "0000:c1:00.0: not supported");
  amd("init !10\n0 bdf 0xc100\n0 energy 5\n");
  EXPECT_NE(probe_amd(kAmdsmi).blocked.at(0).why.find("no permission"), std::string::npos);
}

TEST_F(GpuLibrary, ACounterThatFreezesInAmdSmiIsReplacedByTheDriversPower) {
  tree_.add_gpu("amdgpu", "0000:c1:00.0");
  tree_.hwmon_file("0000:c1:00.0", "power1_cap", "300000000");
  tree_.hwmon_file("0000:c1:00.0", "power1_average", "120000000");
  amd("0 bdf 0xc100\n0 energy 8589934592\n");
  auto found = probe_amd(kAmdsmi);
  ASSERT_EQ(found.sensors.size(), 1U) << "the library's counter stands in for the driver's power, not beside it";
  EXPECT_EQ(found.sensors[0]->describe().id, "amdsmi:0000:c1:00.0");
  EXPECT_EQ(found.sensors[0]->describe().idle_power, Watts(36));
  double energy = 0;
  for (int i = 0; i < 50; ++i) energy = joules(*found.sensors[0], milliseconds(100));
  EXPECT_NEAR(energy, 600, 1);
  EXPECT_EQ(found.sensors[0]->settled().notes.size(), 1U);
}

TEST_F(GpuLibrary, ABoardThatTheDriverCountsIsNotAskedForAgain) {
  tree_.add_gpu("amdgpu", "0000:c1:00.0");
  tree_.metrics("0000:c1:00.0", MetricsTable::v1_3(1ULL << 33U, 40));
  tree_.hwmon_file("0000:c1:00.0", "power1_cap", "300000000");
  amd("0 bdf 0xc100\n0 energy 8589934592\n");
  const auto found = probe_amd(kAmdsmi);
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_EQ(found.sensors[0]->describe().id, "amdgpu:0000:c1:00.0");
}

TEST_F(GpuLibrary, WithoutBeingAskedOnlyATableOfTheFutureOpensALibrary) {
  tree_.add_gpu("amdgpu", "0000:c1:00.0");
  tree_.metrics("0000:c1:00.0", MetricsTable(1, 3, 120));
  EXPECT_TRUE(probe_amd({.amdsmi = {}, .rocm_smi = {}, .has_kfd = true}).blocked.empty());
  tree_.metrics("0000:c1:00.0", MetricsTable(1, 12, 400));
  EXPECT_TRUE(probe_amd({.amdsmi = {}, .rocm_smi = {}, .has_kfd = false}).blocked.empty()) << "no KFD, no library";
  amd("0 bdf 0xc100\n0 energy 8589934592\n");
  EXPECT_EQ(probe_amd(kRocmSmi).sensors.size(), 1U);
}

TEST_F(GpuLibrary, LevelZeroCountsTheCardAndNothingWithinIt) {
  tree_.add_gpu("xe", "0000:03:00.0");
  ze("0 bus 3\n0 card 0\n0 energy_uj 22000000000\n0 domains 2\n1 domain 2\n1 energy_uj 5\n");
  auto found = probe_ze();
  ASSERT_EQ(found.sensors.size(), 1U) << (found.blocked.empty() ? "" : found.blocked[0].why);
  EXPECT_EQ(found.sensors[0]->describe().id, "levelzero:0000:03:00.0");
  ze("0 bus 3\n0 energy_uj 22150000000\n");
  EXPECT_NEAR(joules(*found.sensors[0]), 150, 1e-6);
}

TEST_F(GpuLibrary, WithoutACardsDomainThePackageIsTakenAndElseTheTiles) {
  tree_.add_gpu("xe", "0000:03:00.0");
  ze("0 bus 3\n0 domains 3\n0 domain 4\n0 energy_uj 1\n1 domain 2\n1 energy_uj 100\n2 domain 2\n2 tile 1\n2 energy_uj 50\n");
  auto found = probe_ze();
  ASSERT_EQ(found.sensors.size(), 1U);
  ze("1 energy_uj 70000100\n");
  EXPECT_NEAR(joules(*found.sensors[0]), 70, 1e-6) << "the package, not the memory";
  ze("0 bus 3\n0 domains 2\n0 tile 1\n0 energy_uj 1\n1 tile 1\n1 energy_uj 100\n");
  EXPECT_EQ(probe_ze().sensors.size(), 2U);
}

TEST_F(GpuLibrary, ACounterThatFallsForOneReadingIsAGapAndNoEnergy) {
  tree_.add_gpu("xe", "0000:03:00.0");
  ze("0 bus 3\n0 card 0\n0 energy_uj 22000000000\n");
  auto found = probe_ze();
  Sensor& s = *found.sensors.at(0);
  const auto read = [&](const char* microjoules) {
    ze(std::string("0 energy_uj ") + microjoules + "\n");
    clock_.advance(seconds(1));
    return *s.read(clock_);
  };
  EXPECT_FALSE(read("22040000000").resumed);
  EXPECT_TRUE(read("218000000").resumed);
  EXPECT_TRUE(read("22120000000").resumed);
  const Reading last = read("22160000000");
  EXPECT_FALSE(last.resumed);
  EXPECT_NEAR(last.energy.joules().value(), 80, 1e-6);
}

TEST_F(GpuLibrary, ADeviceThatIsLostIsAnErrorAndCallsOfTenMillisecondsAreTimed) {
  tree_.add_gpu("xe", "0000:03:00.0");
  ze("delay_ms 10\n0 bus 3\n0 card 0\n0 energy_uj 1000000\n");
  auto found = probe_ze();
  ASSERT_EQ(found.sensors.size(), 1U);
  const SystemClock real;
  (void)found.sensors[0]->read(real);
  const Instant before = real.now();
  const auto slow = found.sensors[0]->read(real);
  ASSERT_TRUE(slow);
  EXPECT_GE(elapsed(before, slow->at), milliseconds(10)) << "stamped after the call, not before";
  ze("0 energy_uj !0x70000001\n");
  const auto lost = found.sensors[0]->read(real);
  ASSERT_FALSE(lost);
  EXPECT_NE(lost.error().message().find("the device is lost"), std::string::npos);
}

TEST_F(GpuLibrary, LevelZeroIsLeftAloneWhereHwmonCountsAndForGraphicsOfAProcessor) {
  tree_.add_gpu("xe", "0000:03:00.0");
  tree_.hwmon_file("0000:03:00.0", "energy1_input", "1000");
  ze("0 bus 3\n0 card 0\n0 energy_uj 5\n1 bus 0\n1 card 0\n16 energy_uj 5\n");
  const auto found = probe_ze();
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_EQ(found.sensors[0]->describe().id, "xe:0000:03:00.0");
}

TEST_F(GpuLibrary, ALoaderWithoutSysmansOwnStartIsNotUsed) {
  tree_.add_gpu("xe", "0000:03:00.0");
  ze("0 bus 3\n0 card 0\n0 energy_uj 5\n");
  const auto old = probe_ze(FAKE_LEVEL_ZERO_OLD);
  EXPECT_TRUE(old.sensors.empty());
  ASSERT_EQ(old.blocked.size(), 1U);
  EXPECT_EQ(old.blocked[0].remedy, "install a newer level-zero loader");
  ze("init !0x70020000\n0 bus 3\n");
  EXPECT_NE(probe_ze().blocked.at(0).why.find("user-space driver is missing"), std::string::npos);
}

}  // namespace
}  // namespace gramwatt::sense
