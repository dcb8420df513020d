// Chips and boards that hwmon shows, on fake trees: what is taken, what is left out, and that nothing is counted twice.
#include "sense/hwmon_power.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/temp_tree.hpp"
#include "sense/hwmon_rail.hpp"

namespace gramwatt::sense {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class Hwmon : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) { tree_.write("class/hwmon/" + path, text + "\n"); }
  void write(const std::string& path, std::int64_t number) { write(path, std::to_string(number)); }

  /// A meter of a Grace socket, with its files on the device, where real nodes have them.
  void grace(const std::string& at, const std::string& label, double watts) {
    write(at + "/name", "power_meter");
    write(at + "/device/power1_oem_info", label);
    write(at + "/device/power1_average_interval", 50);
    grace_power(at, watts);
  }
  void grace_power(const std::string& at, double watts) {
    write(at + "/device/power1_average", static_cast<std::int64_t>(watts * 1e6));
  }
  void rail(const std::string& at, int n, const std::string& label, std::int64_t millivolts, std::int64_t milliamperes) {
    write(at + "/name", "ina3221");
    write(at + "/in" + std::to_string(n) + "_label", label);
    write(at + "/in" + std::to_string(n) + "_input", millivolts);
    write(at + "/curr" + std::to_string(n) + "_input", milliamperes);
  }
  void named(const std::string& at, const std::string& kind, int n, const std::string& label, std::int64_t value) {
    write(at + "/" + kind + std::to_string(n) + "_label", label);
    write(at + "/" + kind + std::to_string(n) + "_input", value);
  }
  Findings probe(const Covered& covered = {}) { return probe_hwmon_power({tree_.root(), "/proc"}, clock_, covered); }
  static std::vector<std::string> names(const Findings& found) {
    std::vector<std::string> all;
    for (const auto& s : found.sensors)
      all.push_back(std::string(to_string(s->describe().component)) + " " + s->describe().device);
    return all;
  }
  /// Joules of each sensor over ten seconds in which nothing changes: ten times its power.
  std::vector<double> powers(const Findings& found) {
    std::vector<double> all;
    clock_.advance(seconds(10));
    for (const auto& s : found.sensors) {
      const auto r = s->read(clock_);
      EXPECT_TRUE(r) << (r ? "" : r.error().message());
      all.push_back(r ? std::round(r->energy.joules().value() * 100) / 1000 : -1);
    }
    return all;
  }
  testing::TempTree tree_;
  VirtualClock clock_{seconds(1'700'000'000)};
};

TEST_F(Hwmon, GraceMemoryIsWhatTheRailsLeaveOfTheSocketAndAllAddUpToIt) {
  grace("hwmon1", "Grace Power Socket 0", 200);
  grace("hwmon2", "CPU Power Socket 0", 130);
  grace("hwmon3", "SysIO Power Socket 0", 30);
  grace("hwmon4", "Grace Power Socket 1", 100);
  grace("hwmon5", "CPU Power Socket 1", 60);
  grace("hwmon6", "SysIO Power Socket 1", 25);
  const auto found = probe();
  EXPECT_THAT(names(found), ElementsAre("cpu Grace socket 0, chip", "memory Grace socket 0, memory", "cpu Grace socket 1, chip",
                                        "memory Grace socket 1, memory"));
  EXPECT_THAT(powers(found), ElementsAre(160, 40, 85, 15));
  EXPECT_LT(found.sensors[1]->describe().terms.at("grace-memory").minus, -0.3) << "regulators are in it";
  EXPECT_EQ(found.sensors[0]->describe().resolution, milliseconds(50));
}

TEST_F(Hwmon, TheModuleOfAGraceHopperIsNeverTakenBecauseItContainsTheGpu) {
  grace("hwmon1", "Grace Power Socket 0", 200);
  grace("hwmon4", "Module Power Socket 0", 900);
  EXPECT_THAT(powers(probe()), ElementsAre(200));
}

TEST_F(Hwmon, RailsThatSayMoreThanTheirSocketLeaveNoNegativeMemory) {
  grace("hwmon1", "Grace Power Socket 0", 150);
  grace("hwmon2", "CPU Power Socket 0", 130);
  grace("hwmon3", "SysIO Power Socket 0", 30);
  EXPECT_THAT(powers(probe()), ElementsAre(160, 0));
}

TEST_F(Hwmon, PowerIsIntegratedOverTheTimeThatReallyPassed) {
  grace("hwmon1", "Grace Power Socket 0", 100);
  const auto found = probe();
  clock_.advance(milliseconds(2700));
  grace_power("hwmon1", 300);
  EXPECT_NEAR(found.sensors[0]->read(clock_)->energy.joules().value(), 540, 1e-3);
}

TEST_F(Hwmon, AMeterOfGraceThatShowsNoPowerNamesTheModuleOption) {
  write("hwmon1/name", "power_meter");
  write("hwmon1/device/power1_oem_info", "CPU Power Socket 0");
  const auto found = probe();
  ASSERT_EQ(found.blocked.size(), 1U);
  EXPECT_THAT(found.blocked[0].remedy, HasSubstr("force_cap_on=y"));
}

TEST_F(Hwmon, AgxOrinHasRailsAndNoWhole) {
  rail("hwmon1", 1, "VDD_GPU_SOC", 20'000, 500);
  rail("hwmon1", 2, "VDD_CPU_CV", 20'000, 150);
  rail("hwmon1", 3, "VIN_SYS_5V0", 5'000, 800);
  write("hwmon1/in4_input", 12);  // shunt voltages and their sum
  write("hwmon1/in7_label", "sum of shunt voltages");
  write("hwmon1/in7_input", 99);
  write("hwmon1/curr4_input", 5'000);
  rail("hwmon2", 1, "NC", 0, 0);
  rail("hwmon2", 2, "VDDQ_VDD2_1V8AO", 5'000, 200);  // inside VIN_SYS_5V0
  const auto found = probe();
  EXPECT_THAT(names(found), ElementsAre("gpu rail VDD_GPU_SOC", "cpu rail VDD_CPU_CV", "other rail VIN_SYS_5V0"));
  EXPECT_THAT(powers(found), ElementsAre(10, 3, 4));
  EXPECT_THAT(found.blocked, IsEmpty());
}

TEST_F(Hwmon, AModuleInputIsTheNodeAndWhatFeedsOtherThingsStaysInItsRest) {
  rail("hwmon1", 1, "VDD_IN", 5'000, 3'000);
  rail("hwmon1", 2, "VDD_CPU_GPU_CV", 5'000, 1'000);
  rail("hwmon1", 3, "VDD_SOC", 5'000, 400);
  const auto found = probe();
  EXPECT_THAT(names(found), UnorderedElementsAre("cpu rail VDD_CPU_GPU_CV", "platform node, beyond what other sensors see"));
  for (const auto& s : found.sensors)
    EXPECT_EQ(s->describe().boundary, s->describe().component == Component::platform ? Boundary::node : Boundary::chip);
  EXPECT_THAT(powers(found), UnorderedElementsAre(5, 15));
}

TEST_F(Hwmon, AnAmplifierBelowZeroIsAtRestAndNoFailure) {
  rail("hwmon1", 1, "VDD_GPU", 20'000, -20);
  EXPECT_THAT(powers(probe()), ElementsAre(0));
}

TEST_F(Hwmon, AChannelThatIsSwitchedOffIsNotRead) {
  rail("hwmon1", 1, "VDD_GPU", 20'000, 100);
  write("hwmon1/in1_enable", 0);
  EXPECT_THAT(probe().sensors, IsEmpty());
}

TEST_F(Hwmon, PowerCountsChipsOnceByEnergyAndTheSystemAsTheNode) {
  write("hwmon0/name", "ibmpowernv");
  named("hwmon0", "energy", 1, "System", 1'000'000);
  named("hwmon0", "energy", 2, "Chip 0", 1'000'000);
  named("hwmon0", "energy", 3, "Chip 0 Vdd", 1'000'000);
  named("hwmon0", "energy", 4, "Chip 0 Vdn", 1'000'000);
  named("hwmon0", "energy", 5, "Chip 0 Memory", 1'000'000);
  named("hwmon0", "energy", 6, "Chip 0 GPU", 1'000'000);
  named("hwmon0", "power", 1, "System", 800'000'000);
  named("hwmon0", "power", 2, "Chip 0", 150'000'000);
  const auto found = probe({.gpu = true});
  EXPECT_THAT(names(found),
              ElementsAre("cpu rail Chip 0", "memory rail Chip 0 Memory", "platform node, beyond what other sensors see"));
  clock_.advance(seconds(2));
  write("hwmon0/energy2_input", 301'000'000);
  EXPECT_DOUBLE_EQ(found.sensors[0]->read(clock_)->energy.joules().value(), 300) << "the energy counter, not the power";
}

TEST_F(Hwmon, AmpereHasTwoRailsOfOneChip) {
  write("hwmon0/name", "apm_xgene");
  named("hwmon0", "power", 1, "CPU power", 60'000'000);
  named("hwmon0", "power", 2, "IO power", 20'000'000);
  EXPECT_THAT(powers(probe()), ElementsAre(60, 20));
}

TEST_F(Hwmon, ScmiClustersAreLeftOutWhereTheFirmwareTellsOfCpus) {
  write("hwmon0/name", "scmi_sensors");
  named("hwmon0", "energy", 1, "big_energy0", 0);
  named("hwmon0", "energy", 2, "LITTLE_ENERGY", 0);
  named("hwmon0", "energy", 3, "DRAM", 0);
  named("hwmon0", "energy", 4, "SYS_ENERGY", 0);
  const auto found = probe();
  EXPECT_THAT(names(found), ElementsAre("cpu rail big_energy0", "cpu rail LITTLE_ENERGY", "memory rail DRAM"));
  ASSERT_EQ(found.blocked.size(), 1U);
  EXPECT_THAT(found.blocked[0].why, HasSubstr("SYS_ENERGY"));
  named("hwmon0", "energy", 5, "CPU", 0);
  EXPECT_THAT(names(probe()), ElementsAre("memory rail DRAM", "cpu rail CPU"));
}

TEST_F(Hwmon, SeveralPowerSuppliesAreOneNode) {
  for (const char* at : {"hwmon0", "hwmon1"}) {
    write(std::string(at) + "/name", "cffps2");
    named(at, "power", 1, "pin", 210'000'000);
    named(at, "power", 2, "pout1", 200'000'000);
  }
  const auto found = probe();
  ASSERT_THAT(names(found), ElementsAre("platform node, beyond what other sensors see"));
  EXPECT_THAT(powers(found), ElementsAre(420));
}

TEST_F(Hwmon, WhatOtherFamiliesSeeIsNotMeasuredAgain) {
  rail("hwmon1", 1, "VDD_IN", 5'000, 3'000);
  rail("hwmon1", 2, "VDD_CPU_CV", 5'000, 1'000);
  rail("hwmon1", 3, "VDD_GPU", 5'000, 400);
  EXPECT_THAT(probe({.cpu = true, .gpu = true, .node = true}).sensors, IsEmpty());
  grace("hwmon2", "Grace Power Socket 0", 200);
  EXPECT_THAT(probe({.cpu = true, .gpu = true, .node = true}).sensors, IsEmpty());
}

TEST_F(Hwmon, UnknownRailsAreNamedAndOtherDevicesIgnored) {
  rail("hwmon1", 1, "VDD_MYSTERY", 5'000, 3'000);
  write("hwmon2/name", "nvme");
  named("hwmon2", "power", 1, "pin", 5'000'000);
  write("hwmon3/name", "isl68137");  // a voltage regulator: its "pin" is no power supply's
  named("hwmon3", "power", 1, "pin", 5'000'000);
  const auto found = probe();
  EXPECT_THAT(found.sensors, IsEmpty());
  ASSERT_EQ(found.blocked.size(), 1U);
  EXPECT_THAT(found.blocked[0].why, HasSubstr("VDD_MYSTERY"));
}

TEST(GraceLabel, OnlyTheFourMetersOfASocket) {
  using Kind = GraceMeter::Kind;
  EXPECT_EQ(parse_grace_label("SysIO Power Socket 3\n")->kind, Kind::sysio);
  EXPECT_EQ(parse_grace_label("SysIO Power Socket 3")->socket, 3);
  EXPECT_EQ(parse_grace_label("Module Power Socket 0")->kind, Kind::module);
  for (const char* odd : {"", "CPU Power Socket", "CPU Power Socket x", "CPU Power Socket -1", "Fan Power Socket 0", "CPU 0"})
    EXPECT_FALSE(parse_grace_label(odd)) << odd;
}

TEST(RailLabel, BelongsToItsDriver) {
  EXPECT_TRUE(rail_of_label("ina3221", "CPU"));
  EXPECT_FALSE(rail_of_label("nct6775", "CPU"));
  EXPECT_EQ(rail_of_label("occ", "12_vdd")->inside, "12_proc");
  EXPECT_TRUE(rail_of_label("occ", "system")->whole_board);
  for (const char* odd : {"Chip", "Chip x", "Chip 0 Vdd Remote Sense", "Chip 0 Fan", ""})
    EXPECT_FALSE(rail_of_label("ibmpowernv", odd)) << odd;
}

}  // namespace
}  // namespace gramwatt::sense
