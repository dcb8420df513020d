// A node's power from its BMC: what it answers, what that means, and how it is asked.
#include "sense/bmc.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "fakes/temp_tree.hpp"

namespace gramwatt::sense {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// As a BMC that draws `watts` answers, measuring or not.
std::vector<std::uint8_t> dcmi(unsigned watts, bool measuring = true) {
  std::vector<std::uint8_t> answer{0x00, 0xDC, static_cast<std::uint8_t>(watts & 0xFFU),
                                   static_cast<std::uint8_t>(watts >> 8U)};
  answer.resize(18, 0x11);
  answer.push_back(measuring ? 0x40 : 0x00);
  return answer;
}

TEST(Dcmi, PowerIsLittleEndianWatts) {
  EXPECT_DOUBLE_EQ(parse_dcmi_power(dcmi(0x0123))->value(), 291);
  EXPECT_DOUBLE_EQ(parse_dcmi_power(dcmi(65535))->value(), 65535);
}

TEST(Dcmi, WhatIsNoReadingIsAnErrorThatSaysWhy) {
  const auto why = [](const std::vector<std::uint8_t>& answer) {
    const auto power = parse_dcmi_power(answer);
    return power ? "taken" : power.error().what;
  };
  EXPECT_THAT(why({}), HasSubstr("empty"));
  EXPECT_THAT(why({0xC1}), HasSubstr("does not know DCMI"));
  EXPECT_THAT(why({0xD4}), HasSubstr("forbids"));
  EXPECT_THAT(why({0x77}), HasSubstr("0x77"));
  EXPECT_THAT(why(dcmi(200, false)), HasSubstr("switched off"));
  EXPECT_THAT(why(dcmi(0)), HasSubstr("0 W")) << "no reading is not zero";
  auto cut = dcmi(200);
  cut.pop_back();
  EXPECT_NE(why(cut), "taken");
  auto other = dcmi(200);
  other[1] = 0xDD;
  EXPECT_NE(why(other), "taken");
}

TEST(RedfishPower, IsReadFromEveryResourceThatTellsIt) {
  EXPECT_DOUBLE_EQ(parse_redfish_power(R"({"PowerControl":[{"PowerConsumedWatts":344.5},{"PowerConsumedWatts":90}]})")->value(),
                   344.5);
  EXPECT_DOUBLE_EQ(parse_redfish_power(R"({"PowerControl":[{"PowerConsumedWatts":null},{"PowerConsumedWatts":90}]})")->value(),
                   90);
  EXPECT_DOUBLE_EQ(parse_redfish_power(R"({"PowerWatts":{"Reading":374,"DataSourceUri":"/redfish/v1/x"}})")->value(), 374);
  EXPECT_DOUBLE_EQ(parse_redfish_power(R"({"Reading":12.5,"ReadingUnits":"W"})")->value(), 12.5);
}

TEST(RedfishPower, NullTextAndOtherUnitsAreNoReading) {
  for (const char* odd :
       {"", "[]", "{", "null", "7", R"({"PowerControl":[]})", R"({"PowerControl":{}})", R"({"PowerControl":[7]})",
        R"({"PowerControl":[{"PowerConsumedWatts":"12"}]})", R"({"PowerWatts":7})", R"({"PowerWatts":{"Reading":null}})",
        R"({"Reading":20,"ReadingUnits":"Cel"})", R"({"PowerWatts":{"Reading":-5}})", R"({"PowerWatts":{"Reading":1e999}})"})
    EXPECT_FALSE(parse_redfish_power(odd)) << odd;
}

TEST(RedfishMembers, ArePathsOfTheServiceAndNothingElse) {
  EXPECT_THAT(parse_redfish_members(R"({"Members":[{"@odata.id":"/redfish/v1/Chassis/1/"},{"@odata.id":"/redfish/v1/Chassis/2"},
      {"@odata.id":"http://elsewhere/redfish/v1/"},{"@odata.id":"/redfish/v1/Chassis/3\r\nHost: x"},{"@odata.id":7},{},5]})"),
              ElementsAre("/redfish/v1/Chassis/1", "/redfish/v1/Chassis/2"));
  EXPECT_THAT(parse_redfish_members(R"({"Members":"x"})"), IsEmpty());
}

class Bmc : public ::testing::Test {
 protected:
  RedfishFetch service() {
    return [this](const std::string& path) -> Result<std::string> {
      asked_.push_back(path);
      const auto it = resources_.find(path);
      if (it == resources_.end()) return fail("HTTP status 404", path);
      return it->second;
    };
  }
  void chassis(const std::vector<std::string>& names) {
    std::string members;
    for (const std::string& name : names)
      members += (members.empty() ? "" : ",") + (R"({"@odata.id":"/redfish/v1/Chassis/)" + name + "\"}");
    resources_["/redfish/v1/Chassis"] = R"({"Members":[)" + members + "]}";
  }
  void computer(const std::string& name, const std::string& type = "RackMount") {
    resources_["/redfish/v1/Chassis/" + name] =
        R"({"ChassisType":")" + type + R"(","Links":{"ComputerSystems":[{"@odata.id":"/redfish/v1/Systems/1"}]}})";
  }
  void power(const std::string& name, double watts) {
    resources_["/redfish/v1/Chassis/" + name + "/Power"] =
        R"({"PowerControl":[{"PowerConsumedWatts":)" + std::to_string(watts) + "}]}";
  }
  /// A kernel that shows a BMC which answers so.
  void ipmi(Result<std::vector<std::uint8_t>> answer) {
    tree_.write("class/ipmi/ipmi0/uevent", "");
    options_.ipmi = [this, answer]() -> Result<IpmiTransport> {
      return IpmiTransport([this, answer](std::uint8_t netfn, std::uint8_t command, std::span<const std::uint8_t> data) {
        EXPECT_EQ(netfn, 0x2C);
        EXPECT_EQ(command, 0x02);
        EXPECT_THAT(std::vector<int>(data.begin(), data.end()), ElementsAre(0xDC, 1, 0, 0));
        ++questions_;
        return answer;
      });
    };
  }
  Findings probe() { return probe_bmc({tree_.root(), "/proc"}, clock_, options_); }

  testing::TempTree tree_;
  SystemClock clock_;
  std::map<std::string, std::string> resources_;
  std::vector<std::string> asked_;
  int questions_ = 0;
  BmcOptions options_{.redfish = {}, .ipmi = [] { return fail("nobody may ask", "/dev/ipmi0", "sudo setcap …"); }};
};

TEST_F(Bmc, WithoutOneNothingIsFoundAndNothingIsBlocked) {
  const auto found = probe();
  EXPECT_THAT(found.sensors, IsEmpty());
  EXPECT_THAT(found.blocked, IsEmpty());
}

TEST_F(Bmc, IpmiIsTheNodeAndIsAskedOnceByTheProbe) {
  ipmi(dcmi(400));
  const auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_EQ(found.sensors[0]->describe().boundary, Boundary::node);
  EXPECT_EQ(questions_, 1);
}

TEST_F(Bmc, AnIpmiDeviceThatMayNotBeOpenedNamesTheRemedy) {
  tree_.write("class/ipmi/ipmi0/uevent", "");
  const auto found = probe();
  EXPECT_THAT(found.sensors, IsEmpty());
  ASSERT_EQ(found.blocked.size(), 1U);
  EXPECT_EQ(found.blocked[0].remedy, "sudo setcap …");
}

TEST_F(Bmc, AnIpmiBmcWithoutPowerIsBlockedAndNoSensor) {
  ipmi(std::vector<std::uint8_t>{0xC1});
  const auto found = probe();
  EXPECT_THAT(found.sensors, IsEmpty());
  ASSERT_EQ(found.blocked.size(), 1U);
  EXPECT_THAT(found.blocked[0].why, HasSubstr("does not know DCMI"));
}

TEST_F(Bmc, RedfishComesBeforeIpmiWhichIsThenNotAsked) {
  ipmi(dcmi(400));
  chassis({"1"});
  computer("1");
  power("1", 350);
  options_.redfish = service();
  const auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_EQ(found.sensors[0]->describe().id, "redfish:/redfish/v1/Chassis/1/Power");
  EXPECT_EQ(questions_, 0);
}

TEST_F(Bmc, WhereRedfishFailsItIsNamedAndIpmiServes) {
  ipmi(dcmi(400));
  options_.redfish = service();
  const auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_EQ(found.sensors[0]->describe().id, "ipmi:dcmi");
  ASSERT_EQ(found.blocked.size(), 1U);
  EXPECT_THAT(found.blocked[0].why, HasSubstr("404"));
}

TEST_F(Bmc, TheCaseOfTheComputerCountsAndNoPartOfIt) {
  chassis({"HGX_Baseboard", "GPU_1", "Self"});
  computer("HGX_Baseboard", "Module");
  power("HGX_Baseboard", 3000);
  power("GPU_1", 300);
  computer("Self");
  power("Self", 5000);
  options_.redfish = service();
  const auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  EXPECT_EQ(found.sensors[0]->describe().id, "redfish:/redfish/v1/Chassis/Self/Power");
}

TEST_F(Bmc, TheNewerResourceComesFirst) {
  chassis({"1"});
  computer("1");
  power("1", 350);
  resources_["/redfish/v1/Chassis/1/EnvironmentMetrics"] = R"({"PowerWatts":{"Reading":351}})";
  options_.redfish = service();
  EXPECT_EQ(probe().sensors.at(0)->describe().id, "redfish:/redfish/v1/Chassis/1/EnvironmentMetrics");
}

TEST_F(Bmc, AChassisWithoutLinksServesWhenThereIsNoOther) {
  chassis({"A", "B"});
  resources_["/redfish/v1/Chassis/A"] = "{}";
  resources_["/redfish/v1/Chassis/B"] = "{}";
  power("B", 100);
  options_.redfish = service();
  EXPECT_EQ(probe().sensors.at(0)->describe().id, "redfish:/redfish/v1/Chassis/B/Power");
}

TEST_F(Bmc, AResourceThatTheUserNamesIsTakenAndNothingElseIsAsked) {
  resources_["/redfish/v1/Chassis/X/Sensors/total"] = R"({"Reading":500,"ReadingUnits":"W"})";
  options_.redfish = service();
  options_.redfish_path = "/redfish/v1/Chassis/X/Sensors/total";
  EXPECT_EQ(probe().sensors.size(), 1U);
  for (const std::string& path : asked_) EXPECT_EQ(path, options_.redfish_path);
}

TEST_F(Bmc, AbsurdPowerIsNoSensor) {
  chassis({"1"});
  computer("1");
  power("1", 1e7);
  options_.redfish = service();
  const auto found = probe();
  EXPECT_THAT(found.sensors, IsEmpty());
  EXPECT_THAT(found.blocked.at(0).why, HasSubstr("no power of a node"));
}

}  // namespace
}  // namespace gramwatt::sense
