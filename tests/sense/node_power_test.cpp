// Sensors of the whole node, on fake trees.
#include <gtest/gtest.h>

#include "fakes/temp_tree.hpp"
#include "sense/node_power.hpp"

namespace gramwatt::sense {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class NodePower : public ::testing::Test {
 protected:
  void cray(std::uint64_t joules, int freshness) {
    tree_.write("cray/pm_counters/energy", std::to_string(joules) + " J 1387825083447898 us\n");
    tree_.write("cray/pm_counters/freshness", std::to_string(freshness) + "\n");
  }
  void acpi(double watts, const std::string& at = "hwmon3") {
    tree_.write("class/hwmon/" + at + "/name", "power_meter\n");
    tree_.write("class/hwmon/" + at + "/power1_average", std::to_string(static_cast<std::int64_t>(watts * 1e6)) + "\n");
  }
  Findings probe() { return probe_node_power({tree_.root(), "/proc"}, clock_); }
  double joules(Sensor& s) {
    const auto r = s.read(clock_);
    EXPECT_TRUE(r) << (r ? "" : r.error().message());
    return r ? r->energy.joules().value() : -1;
  }
  testing::TempTree tree_;
  VirtualClock clock_{seconds(1'700'000'000)};
};

TEST_F(NodePower, CrayCountsJoulesSinceTheOpening) {
  cray(25'474'437, 7);
  auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_EQ(found.sensors[0]->describe().boundary, Boundary::node);
  clock_.advance(seconds(2));
  cray(25'475'437, 27);
  EXPECT_DOUBLE_EQ(joules(*found.sensors[0]), 1000);
}

TEST_F(NodePower, ACrayControllerThatStoppedIsAnErrorAndNotANodeThatDrawsNothing) {
  cray(1000, 7);
  auto found = probe();
  clock_.advance(milliseconds(900));
  EXPECT_DOUBLE_EQ(joules(*found.sensors[0]), 0) << "between two publications";
  clock_.advance(milliseconds(900));
  const auto frozen = found.sensors[0]->read(clock_);
  ASSERT_FALSE(frozen);
  EXPECT_NE(frozen.error().what.find("stopped"), std::string::npos);
  cray(1500, 8);
  EXPECT_DOUBLE_EQ(joules(*found.sensors[0]), 500) << "the counter covers the time that it was silent";
}

TEST_F(NodePower, AcpiPowerIsIntegratedOverTheTimeThatPassed) {
  acpi(200);
  auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  clock_.advance(seconds(1));
  acpi(400);
  EXPECT_NEAR(joules(*found.sensors[0]), 300, 1e-3);
  clock_.advance(milliseconds(100));
  EXPECT_NEAR(joules(*found.sensors[0]), 340, 1e-3);
  clock_.advance(seconds(60));
  const auto late = found.sensors[0]->read(clock_);
  EXPECT_TRUE(late->resumed) << "two readings a minute apart say nothing about the minute";
  EXPECT_NEAR(late->energy.joules().value(), 340, 1e-3);
}

TEST_F(NodePower, TheFirmwareTellsItsOwnAccuracyAndInterval) {
  acpi(200);
  tree_.write("class/hwmon/hwmon3/power1_accuracy", "98.0%\n");
  tree_.write("class/hwmon/hwmon3/power1_average_interval", "3000\n");
  const auto found = probe();
  EXPECT_NEAR(found.sensors[0]->describe().terms.at("node-gain").plus, 0.02, 1e-9);
  EXPECT_EQ(found.sensors[0]->describe().resolution, seconds(3));
}

TEST_F(NodePower, GraceSocketsAndOtherHwmonDevicesAreNoNode) {
  acpi(200);
  tree_.write("class/hwmon/hwmon3/device/power1_oem_info", "Grace Power Socket 0\n");
  EXPECT_TRUE(probe().sensors.empty());
  std::filesystem::remove(tree_ / "class/hwmon/hwmon3/device/power1_oem_info");
  EXPECT_EQ(probe().sensors.size(), 1U);
  acpi(100, "hwmon4");
  EXPECT_TRUE(probe().sensors.empty());
}

TEST_F(NodePower, CrayComesBeforeAcpiAndNothingIsNothing) {
  EXPECT_TRUE(probe().sensors.empty());
  EXPECT_TRUE(probe().blocked.empty());
  acpi(200);
  cray(1, 1);
  const auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_EQ(found.sensors[0]->describe().id, "cray:energy");
}

TEST(PmEnergy, OnlyJoulesAreTaken) {
  EXPECT_EQ(parse_pm_energy("25474437 J 1387825083447898 us\n"), 25474437U);
  EXPECT_EQ(parse_pm_energy("35 J\n"), 35U);
  for (const char* odd : {"", "35", "35 W", "J 35", "-1 J", "99999999999999999 J", "3.5 J"})
    EXPECT_FALSE(parse_pm_energy(odd)) << odd;
}

}  // namespace
}  // namespace gramwatt::sense
