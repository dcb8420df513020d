// What is different about RAPL on a processor; and a host's folder of zones.
#include "sense/rapl_quirks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/temp_tree.hpp"
#include "sense/rapl.hpp"

namespace gramwatt::sense {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

CpuIdentity cpu(const std::string& vendor, int family, int model) {
  CpuIdentity c;
  c.vendor = vendor;
  c.family = family;
  c.model = model;
  c.memory_gb = 64;
  return c;
}

TEST(KernelVersion, IsReadFromAnyRelease) {
  EXPECT_EQ(kernel_version("5.15.0-91-generic"), 5015);
  EXPECT_EQ(kernel_version("6.1-rc4"), 6001);
  EXPECT_EQ(kernel_version("6.18.5"), 6018);
  for (const char* odd : {"", "6", "x.y", "6.", ".1", "-1.2", "99999.1"}) EXPECT_EQ(kernel_version(odd), 0) << odd;
}

TEST(RaplQuirks, OldKernelsMayReadTheMemoryOfSapphireRapidsFourTimesTooLow) {
  const CpuIdentity spr = cpu("GenuineIntel", 6, 143);
  const RaplQuirks old = rapl_quirks(spr, "5.15.0-91-generic", "");
  EXPECT_DOUBLE_EQ(old.dram_unit.plus, 3) << "four times what is read";
  EXPECT_DOUBLE_EQ(old.dram_unit.minus, 0) << "and never less";
  EXPECT_THAT(old.dram_note, HasSubstr("4c081324df56"));
  EXPECT_EQ(rapl_quirks(spr, "6.1.0-18-amd64", "").dram_unit, Shift{});
  EXPECT_EQ(rapl_quirks(cpu("GenuineIntel", 6, 106), "5.15.0", "").dram_unit, Shift{}) << "Ice Lake has the old unit";
  EXPECT_NE(rapl_quirks(spr, "", "").dram_unit, Shift{}) << "a kernel that does not say";
}

TEST(RaplQuirks, ZenTwoModelsWhatLaterOnesMeasure) {
  EXPECT_GT(rapl_quirks(cpu("AuthenticAMD", 23, 49), "6.8.0", "").package_gain.plus, 0.1);
  EXPECT_LT(rapl_quirks(cpu("AuthenticAMD", 25, 17), "6.8.0", "").package_gain.plus, 0.1);
}

TEST(RaplQuirks, AFlagTellsThatCountersMayBeBlurred) {
  EXPECT_THAT(rapl_quirks(cpu("GenuineIntel", 6, 106), "6.8.0", "fpu sgx sgx_lc").package_note, HasSubstr("SGX"));
  EXPECT_THAT(rapl_quirks(cpu("GenuineIntel", 6, 106), "6.8.0", "fpu sgx_lc").package_note, IsEmpty());
}

class RaplTree : public ::testing::Test {
 protected:
  void zone(const std::string& name, std::uint64_t energy) { tree_.write(name + "/energy_uj", std::to_string(energy)); }
  Findings probe() {
    CpuIdentity guest = cpu("GenuineIntel", 6, 143);
    guest.machine_class = MachineClass::guest;
    return probe_rapl({"/nonexistent", "/nonexistent"}, clock_, guest, {.tree = tree_.root(), .open = {}});
  }
  testing::TempTree tree_;
  VirtualClock clock_{seconds(1'700'000'000)};
};

TEST_F(RaplTree, WhatScaphandreWritesIsTheGuestsOwnAndMayBeFiveTimesTooLow) {
  zone("intel-rapl:0", 5'000'000);
  std::filesystem::create_directories(tree_ / "intel-rapl:0:0");  // it makes that folder and leaves it empty
  const auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_THAT(found.blocked, IsEmpty());
  const Description& d = found.sensors[0]->describe();
  EXPECT_EQ(d.component, Component::cpu);
  EXPECT_EQ(d.resolution, seconds(5));
  EXPECT_THAT(d.source, HasSubstr("virtual RAPL from the host"));
  EXPECT_DOUBLE_EQ(d.terms.at("exporter-unit").plus, 4);
}

TEST_F(RaplTree, TheEnergyOfFiveSecondsMayComeAtOnceAndNothingBeyondWhatAMachineCanDraw) {
  zone("intel-rapl:0", 0);
  const auto found = probe();
  Sensor& s = *found.sensors.at(0);
  for (int i = 0; i < 50; ++i) {
    clock_.advance(milliseconds(100));
    EXPECT_EQ(s.read(clock_)->energy.count(), 0);
  }
  zone("intel-rapl:0", 2'000'000'000);  // 400 W for 5 s
  clock_.advance(milliseconds(100));
  EXPECT_FALSE(s.read(clock_)->resumed);
  EXPECT_DOUBLE_EQ(s.read(clock_)->energy.joules().value(), 2000);
  zone("intel-rapl:0", 400'000'000'000);  // microwatts of somebody who meant something else
  clock_.advance(seconds(5));
  const auto absurd = s.read(clock_);
  EXPECT_TRUE(absurd->resumed);
  EXPECT_DOUBLE_EQ(absurd->energy.joules().value(), 2000);
}

TEST_F(RaplTree, AFileThatIsJustBeingRewrittenIsAnErrorAndTheNextReadCoversIt) {
  zone("intel-rapl:0", 1'000'000);
  const auto found = probe();
  tree_.write("intel-rapl:0/energy_uj", "");
  EXPECT_FALSE(found.sensors[0]->read(clock_));
  zone("intel-rapl:0", 3'000'000);
  clock_.advance(seconds(1));
  EXPECT_DOUBLE_EQ(found.sensors[0]->read(clock_)->energy.joules().value(), 2);
}

TEST_F(RaplTree, WholeZonesAreToldApartByTheirNames) {
  for (const auto& [id, name] :
       {std::pair{"intel-rapl:0", "package-0"}, std::pair{"intel-rapl:1", "psys"}, std::pair{"intel-rapl:2", "dram"}}) {
    zone(id, 1);
    tree_.write(std::string(id) + "/name", name);
  }
  const auto found = probe();
  ASSERT_EQ(found.sensors.size(), 2U);
  EXPECT_EQ(found.sensors[1]->describe().component, Component::memory);
  EXPECT_FALSE(found.sensors[0]->describe().terms.contains("exporter-unit"));
}

TEST_F(RaplTree, AFolderWithoutZonesIsNamed) {
  tree_.write("other", "");
  const auto found = probe();
  EXPECT_THAT(found.sensors, IsEmpty());
  ASSERT_EQ(found.blocked.size(), 1U);
  EXPECT_THAT(found.blocked[0].why, HasSubstr(tree_.root().string()));
}

}  // namespace
}  // namespace gramwatt::sense
