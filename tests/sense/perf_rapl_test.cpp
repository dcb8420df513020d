// RAPL by perf_event, with a fake PMU; and the choice between it and powercap.
#include <gtest/gtest.h>

#include <map>

#include "fakes/temp_tree.hpp"
#include "sense/rapl.hpp"

namespace gramwatt::sense {
namespace {

class PerfRapl : public ::testing::Test {
 protected:
  /// The PMU of a machine with `sockets` packages of 8 CPUs.
  void pmu(int sockets, const std::string& cpumask, bool dram = true) {
    const std::string folder = "bus/event_source/devices/power/";
    tree_.write(folder + "type", "23\n");
    tree_.write(folder + "cpumask", cpumask + "\n");
    event("energy-cores", "event=0x01");
    event("energy-pkg", "event=0x02");
    if (dram) event("energy-ram", "event=0x03");
    event("energy-psys", "event=0x05");
    for (int cpu = 0; cpu < sockets * 8; ++cpu) {
      const std::string topology = "devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
      tree_.write(topology + "physical_package_id", std::to_string(cpu / 8) + "\n");
      tree_.write(topology + "die_id", std::to_string(cpu % 8 / 4) + "\n");
    }
  }
  void event(const std::string& name, const std::string& config) {
    const std::string folder = "bus/event_source/devices/power/events/";
    tree_.write(folder + name, config + "\n");
    tree_.write(folder + name + ".scale", "2.3283064365386962890625e-10\n");
    tree_.write(folder + name + ".unit", "Joules\n");
  }
  void powercap_zone(const std::string& permissions_of_nobody = {}) {
    tree_.write("class/powercap/intel-rapl:0/name", "package-0\n");
    tree_.write("class/powercap/intel-rapl:0/constraint_0_max_power_uw", "200000000\n");
    tree_.write("class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850\n");
    if (permissions_of_nobody.empty()) tree_.write("class/powercap/intel-rapl:0/energy_uj", "5000\n");
  }
  PerfOpener opener() {
    return [this](std::uint32_t type, std::uint64_t config, int cpu) -> Result<PerfCounter> {
      EXPECT_EQ(type, 23U);
      if (barred_) return fail("cannot open the energy counters: Permission denied", "cpu", "sudo setcap …");
      return PerfCounter([this, key = std::pair(cpu, config)]() -> Result<std::uint64_t> {
        if (failing_) return fail("I/O error");
        return counts_[key];
      });
    };
  }
  Findings probe() { return probe_rapl({tree_.root(), "/proc"}, clock_, 64, opener()); }
  static std::vector<std::string> names(const Findings& found) {
    std::vector<std::string> all;
    for (const auto& s : found.sensors) all.push_back(s->describe().id);
    return all;
  }
  void joules(int cpu, std::uint64_t event, double value) {
    counts_[{cpu, event}] = static_cast<std::uint64_t>(value * 4294967296.0);
  }

  testing::TempTree tree_;
  VirtualClock clock_{std::chrono::seconds(1'700'000'000)};
  std::map<std::pair<int, std::uint64_t>, std::uint64_t> counts_;
  bool barred_ = false, failing_ = false;
};

TEST_F(PerfRapl, PackagesAndTheirMemoryOnceAndNothingThatContainsThem) {
  pmu(2, "0,8");
  EXPECT_EQ(names(probe()), (std::vector<std::string>{"perf:power:energy-pkg:package-0", "perf:power:energy-ram:package-0",
                                                      "perf:power:energy-pkg:package-1", "perf:power:energy-ram:package-1"}));
}

TEST_F(PerfRapl, SeveralDiesOfOnePackageHaveNamesOfTheirOwn) {
  pmu(1, "0,4", false);
  EXPECT_EQ(names(probe()),
            (std::vector<std::string>{"perf:power:energy-pkg:package-0-die-0", "perf:power:energy-pkg:package-0-die-1"}));
}

TEST_F(PerfRapl, CountsBecomeMicrojoulesSinceTheOpening) {
  pmu(1, "0");
  joules(0, 2, 7'000'000);  // a count that somebody else began must not matter
  auto found = probe();
  clock_.advance(std::chrono::seconds(100));
  joules(0, 2, 7'012'345.678901);
  const auto r = found.sensors[0]->read(clock_);
  ASSERT_TRUE(r);
  EXPECT_NEAR(static_cast<double>(r->energy.count()), 12'345'678'901.0, 1);
  EXPECT_FALSE(r->resumed);
}

TEST_F(PerfRapl, AJumpThatNoSocketCouldDrawIsNoEnergy) {
  pmu(1, "0");
  auto found = probe();
  clock_.advance(std::chrono::seconds(1));
  joules(0, 2, 500'000);
  const auto r = found.sensors[0]->read(clock_);
  EXPECT_TRUE(r->resumed);
  EXPECT_EQ(r->energy.count(), 0);
}

TEST_F(PerfRapl, AFailedReadIsAnError) {
  pmu(1, "0");
  auto found = probe();
  failing_ = true;
  EXPECT_FALSE(found.sensors[0]->read(clock_));
}

TEST_F(PerfRapl, IsTakenInsteadOfPowercapAndKnowsTheTdpFromIt) {
  pmu(1, "0", false);
  powercap_zone();
  const auto found = probe();
  EXPECT_EQ(names(found), std::vector<std::string>{"perf:power:energy-pkg:package-0"});
  EXPECT_GT(found.sensors[0]->describe().idle_power.value(), 0);
  EXPECT_TRUE(found.blocked.empty());
}

TEST_F(PerfRapl, WhereItIsBarredPowercapServes) {
  pmu(1, "0");
  powercap_zone();
  barred_ = true;
  const auto found = probe();
  EXPECT_EQ(names(found), std::vector<std::string>{"powercap:intel-rapl:0"});
  EXPECT_TRUE(found.blocked.empty());
}

TEST_F(PerfRapl, WhereBothAreBarredTheSaferRemedyIsTold) {
  pmu(1, "0");
  powercap_zone("nobody");
  barred_ = true;
  const auto found = probe();
  EXPECT_TRUE(found.sensors.empty());
  ASSERT_EQ(found.blocked.size(), 1U);
  EXPECT_EQ(found.blocked[0].remedy, "sudo setcap …");
}

TEST_F(PerfRapl, WithoutThePmuThereIsNothingToSay) {
  const auto found = probe_perf_rapl({tree_.root(), "/proc"}, clock_, 64, opener());
  EXPECT_TRUE(found.sensors.empty());
  EXPECT_TRUE(found.blocked.empty());
}

TEST_F(PerfRapl, AnEventThatIsNotUnderstoodIsLeftAlone) {
  pmu(1, "0", false);
  for (const char* odd : {"", "event", "event=", "event=0x", "config1=3", "event=0x1FF", "event=2,edge=1"}) {
    event("energy-pkg", odd);
    EXPECT_TRUE(probe_perf_rapl({tree_.root(), "/proc"}, clock_, 64, opener()).sensors.empty()) << odd;
  }
}

TEST(PerfOpener, OpensARealEventOrTellsWhatWouldAllowIt) {
  constexpr std::uint32_t kSoftware = 1;  // PERF_TYPE_SOFTWARE: every kernel has it, real RAPL few machines
  constexpr std::uint64_t kCpuClock = 0;
  const auto counter = system_perf_opener()(kSoftware, kCpuClock, 0);
  if (!counter) {
    EXPECT_NE(counter.error().remedy.find("setcap cap_perfmon=p /"), std::string::npos) << counter.error().message();
    return;
  }
  const auto first = (*counter)();
  ASSERT_TRUE(first);
  std::uint64_t last = *first;
  for (int i = 0; i < 1'000'000 && last == *first; ++i) last = (*counter)().value();
  EXPECT_GT(last, *first);
}

TEST(PerfOpener, APmuThatIsNotThereIsNoQuestionOfPermission) {
  const auto counter = system_perf_opener()(0x7FFFFFF0, 2, 0);
  ASSERT_FALSE(counter);
}

TEST(CpuList, RangesAndSingles) {
  EXPECT_EQ(parse_cpu_list("0,16-18\n"), (std::vector<int>{0, 16, 17, 18}));
  for (const char* odd : {"", "a", "3-1", "-1", "0-", "0,,1", "0-999999999"}) EXPECT_TRUE(parse_cpu_list(odd).empty()) << odd;
}

}  // namespace
}  // namespace gramwatt::sense
