// RAPL by perf_event, with a fake PMU; and the choice between it and powercap.
#include <gtest/gtest.h>

#include <array>
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
    return [this](std::uint32_t type, std::span<const std::uint64_t> configs, int cpu) -> Result<PerfGroup> {
      EXPECT_EQ(type, 23U);
      if (barred_) return fail("cannot open the energy counters: Permission denied", "cpu", "sudo setcap …");
      if (groupless_ && configs.size() > 1) return fail("cannot open the energy counters: Invalid argument", "cpu");
      return PerfGroup([this, cpu, events = std::vector(configs.begin(), configs.end())](std::span<std::uint64_t> counts) {
        ++reads_;
        if (failing_) return Result<void>(fail("I/O error"));
        for (std::size_t i = 0; i < events.size(); ++i) counts[i] = counts_[{cpu, events[i]}];
        return Result<void>();
      });
    };
  }
  Findings probe() { return probe_rapl({tree_.root(), "/proc"}, clock_, cpu_, {.tree = {}, .open = opener()}); }
  Findings probe_perf() {
    return probe_perf_rapl({tree_.root(), "/proc"}, clock_, {64, rapl_quirks(cpu_, "6.8.0", ""), 1}, opener());
  }
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
  CpuIdentity cpu_ = [] {
    CpuIdentity cpu;
    cpu.memory_gb = 64;
    return cpu;
  }();
  bool barred_ = false, failing_ = false, groupless_ = false;
  int reads_ = 0;
  double counted_ = 0;
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

TEST_F(PerfRapl, OneSystemCallReadsAPackageAndItsMemory) {
  pmu(2, "0,8");
  auto found = probe();
  const auto tick = [&] {
    clock_.advance(std::chrono::milliseconds(100));
    joules(0, 2, counted_ += 10);
    joules(0, 3, counted_ / 2);
    for (const auto& s : found.sensors) EXPECT_TRUE(s->read(clock_));
  };
  reads_ = 0;
  for (int i = 0; i < 10; ++i) tick();
  EXPECT_EQ(reads_, 20) << "two packages, ten ticks";
  EXPECT_NEAR(found.sensors[0]->read(clock_)->energy.joules().value(), 100, 1e-3);
  EXPECT_NEAR(found.sensors[1]->read(clock_)->energy.joules().value(), 50, 1e-3);
}

TEST_F(PerfRapl, WhoIsReadAloneIsReadAnew) {
  pmu(1, "0");
  auto found = probe();
  for (const double value : {10.0, 20.0}) {
    clock_.advance(std::chrono::seconds(1));
    joules(0, 3, value);
    EXPECT_NEAR(found.sensors[1]->read(clock_)->energy.joules().value(), value, 1e-6);
  }
  clock_.advance(std::chrono::seconds(1));
  joules(0, 2, 30);
  EXPECT_NEAR(found.sensors[0]->read(clock_)->energy.joules().value(), 30, 1e-6) << "what was read with memory is old now";
}

TEST_F(PerfRapl, WhereThereAreNoGroupsEachEventIsOpenedAlone) {
  pmu(1, "0");
  groupless_ = true;
  auto found = probe();
  EXPECT_EQ(found.sensors.size(), 2U);
  EXPECT_TRUE(found.blocked.empty());
  clock_.advance(std::chrono::seconds(1));
  joules(0, 3, 7);
  EXPECT_NEAR(found.sensors[1]->read(clock_)->energy.joules().value(), 7, 1e-6);
}

TEST_F(PerfRapl, InAGuestTheNumbersAreTheHostsAndItsTdpSaysNothing) {
  cpu_.machine_class = MachineClass::guest;
  pmu(1, "0", false);
  powercap_zone();
  auto found = probe();
  ASSERT_EQ(found.sensors.size(), 1U);
  const Description& d = found.sensors[0]->describe();
  EXPECT_NE(d.source.find("virtual RAPL from the host"), std::string::npos);
  EXPECT_EQ(d.idle_power, Watts(0));
  EXPECT_EQ(d.resolution, std::chrono::seconds(1));
  EXPECT_TRUE(d.terms.contains("virtual-rapl"));
  // QEMU publishes the energy of a second at once.
  for (int i = 0; i < 9; ++i) {
    clock_.advance(std::chrono::milliseconds(100));
    (void)found.sensors[0]->read(clock_);
  }
  clock_.advance(std::chrono::milliseconds(100));
  joules(0, 2, 300);
  const auto step = found.sensors[0]->read(clock_);
  EXPECT_FALSE(step->resumed);
  EXPECT_NEAR(step->energy.joules().value(), 300, 1e-6);
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
  const auto found = probe_perf();
  EXPECT_TRUE(found.sensors.empty());
  EXPECT_TRUE(found.blocked.empty());
}

TEST_F(PerfRapl, AnEventThatIsNotUnderstoodIsLeftAlone) {
  pmu(1, "0", false);
  for (const char* odd : {"", "event", "event=", "event=0x", "config1=3", "event=0x1FF", "event=2,edge=1"}) {
    event("energy-pkg", odd);
    EXPECT_TRUE(probe_perf().sensors.empty()) << odd;
  }
}

TEST(PerfOpener, OpensARealEventOrTellsWhatWouldAllowIt) {
  constexpr std::uint32_t kSoftware = 1;  // PERF_TYPE_SOFTWARE: every kernel has it, real RAPL few machines
  constexpr std::uint64_t kCpuClock = 0;
  constexpr std::uint64_t kTaskClock = 1;
  const std::array events{kCpuClock, kTaskClock};
  const auto group = system_perf_opener()(kSoftware, events, 0);
  if (!group) {
    EXPECT_NE(group.error().remedy.find("setcap cap_perfmon=p /"), std::string::npos) << group.error().message();
    return;
  }
  std::array<std::uint64_t, 2> first{};
  ASSERT_TRUE((*group)(first));
  std::array<std::uint64_t, 2> last = first;
  for (int i = 0; i < 1'000'000 && last[0] == first[0]; ++i) ASSERT_TRUE((*group)(last));
  EXPECT_GT(last[0], first[0]);
}

TEST(PerfOpener, APmuThatIsNotThereIsNoQuestionOfPermission) {
  const std::array<std::uint64_t, 1> event{2};
  const auto counter = system_perf_opener()(0x7FFFFFF0, event, 0);
  ASSERT_FALSE(counter);
}

TEST(CpuList, RangesAndSingles) {
  EXPECT_EQ(parse_cpu_list("0,16-18\n"), (std::vector<int>{0, 16, 17, 18}));
  for (const char* odd : {"", "a", "3-1", "-1", "0-", "0,,1", "0-999999999"}) EXPECT_TRUE(parse_cpu_list(odd).empty()) << odd;
}

}  // namespace
}  // namespace gramwatt::sense
