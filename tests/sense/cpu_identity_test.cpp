#include "sense/cpu_identity.hpp"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "sense/microarchitecture.hpp"
#include "sense/power_model.hpp"

namespace gramwatt::sense {
namespace {

namespace fs = std::filesystem;

/// A fake /proc and /sys.
class Machine : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::temp_directory_path() / (std::string("gramwatt-identity-") + info->name() + "-" + std::to_string(::getpid()));
    fs::remove_all(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    ASSERT_TRUE(write_file_atomically(root_ / path, text).has_value());
  }
  [[nodiscard]] Roots roots() const { return {root_ / "sys", root_ / "proc"}; }
  [[nodiscard]] CpuIdentity identify() const { return identify_cpu(roots()).value(); }

  static std::string x86_cpu(int number, int package, int core, const std::string& name, const std::string& flags) {
    return "processor\t: " + std::to_string(number) +
           "\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: " + name +
           "\nstepping\t: 1\nphysical id\t: " + std::to_string(package) + "\ncore id\t\t: " + std::to_string(core) +
           "\nflags\t\t: fpu " + flags + " smap\n\n";
  }

  fs::path root_;
};

TEST_F(Machine, GuestThatSaysOnlyAmdEpycIsGenoa) {
  write("proc/cpuinfo", x86_cpu(0, 0, 0, "AMD EPYC", "hypervisor") + x86_cpu(1, 0, 1, "AMD EPYC", "hypervisor"));
  write("proc/meminfo", "MemTotal:       23437500 kB\nMemFree: 1 kB\n");
  const CpuIdentity cpu = identify();
  EXPECT_EQ(cpu.machine_class, MachineClass::guest);
  EXPECT_EQ(cpu.threads, 2);
  EXPECT_EQ(cpu.cores, 2);
  EXPECT_EQ(cpu.packages, 1);
  EXPECT_NEAR(cpu.memory_gb, 24.0, 1e-9);
  EXPECT_EQ(microarchitecture(cpu), "Zen 4 (EPYC Genoa)");
}

TEST_F(Machine, TopologyCountsSmtSiblingsAndSockets) {
  // Two sockets of two cores with two threads each: core numbers repeat from socket to socket, siblings come in the second
  // half.
  std::string text;
  for (int n = 0; n < 8; ++n) text += x86_cpu(n, (n % 4) / 2, n % 2, "AMD EPYC 9654 96-Core Processor", "sse2");
  write("proc/cpuinfo", text);
  const CpuIdentity cpu = identify();
  EXPECT_EQ(cpu.threads, 8);
  EXPECT_EQ(cpu.cores, 4);
  EXPECT_EQ(cpu.packages, 2);
  ASSERT_EQ(cpu.core_of_thread.size(), 8U);
  EXPECT_EQ(cpu.core_of_thread[0], cpu.core_of_thread[4]);
  EXPECT_NE(cpu.core_of_thread[0], cpu.core_of_thread[2]);
  EXPECT_EQ(cpu.machine_class, MachineClass::server);  // by its name
}

TEST_F(Machine, OfflineCpusHaveNoCore) {
  write("proc/cpuinfo", x86_cpu(0, 0, 0, "AMD EPYC", "sse2") + x86_cpu(3, 0, 1, "AMD EPYC", "sse2"));
  const CpuIdentity cpu = identify();
  EXPECT_EQ(cpu.threads, 2);
  ASSERT_EQ(cpu.core_of_thread.size(), 4U);
  EXPECT_EQ(cpu.core_of_thread[1], -1);
}

TEST_F(Machine, ArmGuestIsKnownByPartAndFirmware) {
  std::string text;
  for (int n = 0; n < 4; ++n) {
    text += "processor\t: " + std::to_string(n) +
            "\nBogoMIPS\t: 2100.00\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: "
            "0x1\nCPU part\t: 0xd40\nCPU revision\t: 1\n\n";
  }
  write("proc/cpuinfo", text);
  write("sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
  write("sys/class/dmi/id/product_name", "c7g.xlarge\n");
  CpuIdentity cpu = identify();
  EXPECT_EQ(cpu.machine_class, MachineClass::guest);
  EXPECT_EQ(cpu.cores, 4);
  EXPECT_EQ(microarchitecture(cpu), "Neoverse V1 (Graviton3)");
  write("sys/class/dmi/id/product_name", "c7g.metal\n");
  EXPECT_EQ(identify().machine_class, MachineClass::server);
}

TEST_F(Machine, ChassisThenBatteryThenNameDecideTheClass) {
  write("proc/cpuinfo", x86_cpu(0, 0, 0, "AMD Ryzen 7 7700X 8-Core Processor", "sse2"));
  EXPECT_EQ(identify().machine_class, MachineClass::desktop);
  write("sys/class/power_supply/hidpp_battery_0/type", "Battery\n");
  write("sys/class/power_supply/hidpp_battery_0/scope", "Device\n");
  EXPECT_EQ(identify().machine_class, MachineClass::desktop) << "a mouse has a battery too";
  write("sys/class/power_supply/BAT0/type", "Battery\n");
  EXPECT_EQ(identify().machine_class, MachineClass::laptop);
  write("sys/class/dmi/id/chassis_type", "23\n");
  EXPECT_EQ(identify().machine_class, MachineClass::server);
  write("sys/class/dmi/id/chassis_type", "3\n");
  EXPECT_EQ(identify().machine_class, MachineClass::desktop);
  write("sys/class/dmi/id/chassis_type", "1\n");  // "Other": not an answer
  EXPECT_EQ(identify().machine_class, MachineClass::laptop);
}

TEST_F(Machine, FlagMustBeTheWholeWord) {
  write("proc/cpuinfo", x86_cpu(0, 0, 0, "AMD EPYC", "nohypervisor hypervisors"));
  EXPECT_EQ(identify().machine_class, MachineClass::server);
}

TEST_F(Machine, MissingOrForeignCpuinfoIsAnError) {
  EXPECT_FALSE(identify_cpu(roots()).has_value());
  write("proc/cpuinfo", "nothing here\n");
  const auto result = identify_cpu(roots());
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().where.find("cpuinfo"), std::string::npos);
}

TEST(CpuName, OneFormForAllSpellings) {
  EXPECT_EQ(normalise_cpu_name("Intel(R) Xeon(R) Platinum 8180 CPU @2.50GHz"), "xeon 8180");
  EXPECT_EQ(normalise_cpu_name("Intel Xeon Platinum 8180 2.50 GHz (Intel Turbo Boost Technology up to 3.8GHz)"), "xeon 8180");
  EXPECT_EQ(normalise_cpu_name("AMD EPYC 9654 96-Core Processor"), "epyc 9654");
  EXPECT_EQ(normalise_cpu_name("Intel(R) Xeon(R) CPU E5-2699 v4 @ 2.20GHz"), "xeon e5-2699v4");
  EXPECT_EQ(normalise_cpu_name("Intel E3-1260L v5"), "xeon e3-1260lv5");
  EXPECT_EQ(normalise_cpu_name("AMD Ryzen 5 PRO 4650U with Radeon Graphics"), "ryzen 5 pro 4650u");
  EXPECT_EQ(normalise_cpu_name("12th Gen Intel(R) Core(TM) i7-1260P"), "core i7-1260p");
  EXPECT_EQ(normalise_cpu_name("Intel® Xeon® Gold 6338 Processor"), "xeon 6338");
  EXPECT_EQ(normalise_cpu_name(""), "");
}

TEST(CpuName, Patterns) {
  EXPECT_TRUE(matches_pattern("epyc 9?#4*", "epyc 9474f"));
  EXPECT_TRUE(matches_pattern("xeon #3##*", "xeon 8368"));
  EXPECT_FALSE(matches_pattern("xeon #3##*", "xeon e368"));
  EXPECT_FALSE(matches_pattern("epyc 7##2", "epyc 7742x"));
  EXPECT_TRUE(matches_pattern("ryzen *5###*", "ryzen 7 pro 5850u"));
}

struct Named {
  const char* name;
  const char* label;
};

TEST(Microarchitecture, ByNameAlone) {
  const Named cases[] = {{"AMD EPYC 7443", "Zen 3 (EPYC Milan)"},
                         {"AMD EPYC 9474F", "Zen 4 (EPYC Genoa)"},
                         {"AMD EPYC 7R32", "Zen 2 (EPYC Rome)"},
                         {"AMD EPYC 4344P 8-Core Processor", "Zen 4 (Ryzen 7000 and 8000; EPYC 4004)"},
                         {"Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz", "Ice Lake-SP (Xeon Scalable 3rd gen)"},
                         {"Intel(R) Xeon(R) Platinum 8368", "Ice Lake-SP (Xeon Scalable 3rd gen)"},
                         {"Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", "Cascade Lake (Xeon Scalable 2nd gen)"},
                         {"Intel(R) Xeon(R) Platinum 8488C", "Sapphire Rapids (Xeon Scalable 4th gen)"},
                         {"Intel(R) Xeon(R) Platinum 8380H", "Cooper Lake (Xeon Scalable 3rd gen)"},
                         {"Intel(R) Xeon(R) 6980P", "Granite Rapids (Xeon 6 P-cores)"},
                         {"Intel Xeon Processor (Icelake)", "Ice Lake-SP (Xeon Scalable 3rd gen)"},
                         {"AMD EPYC-Milan Processor", "Zen 3 (EPYC Milan)"},
                         {"AMD Ryzen Threadripper 1950X 16-Core Processor", "Zen and Zen+ (Ryzen 1000 to 3000; Threadripper)"}};
  for (const Named& c : cases) {
    CpuIdentity cpu;
    cpu.name = c.name;
    EXPECT_EQ(microarchitecture(cpu), c.label) << c.name;
  }
  CpuIdentity unknown;
  unknown.name = "Intel Xeon Processor";
  EXPECT_EQ(microarchitecture(unknown), "") << "an Intel server of unknown age is no microarchitecture";
}

struct Numbered {
  const char* vendor;
  int family, model, stepping;
  const char* label;
};

TEST(Microarchitecture, ByFamilyModelAndStepping) {
  const Numbered cases[] = {{"GenuineIntel", 6, 85, 4, "Skylake-SP (Xeon Scalable)"},
                            {"GenuineIntel", 6, 85, 7, "Cascade Lake (Xeon Scalable 2nd gen)"},
                            {"GenuineIntel", 6, 85, 11, "Cooper Lake (Xeon Scalable 3rd gen)"},
                            {"GenuineIntel", 6, 106, 6, "Ice Lake-SP (Xeon Scalable 3rd gen)"},
                            {"GenuineIntel", 6, 143, 8, "Sapphire Rapids (Xeon Scalable 4th gen)"},
                            {"GenuineIntel", 6, 175, 3, "Sierra Forest (Xeon 6 E-cores)"},
                            {"AuthenticAMD", 23, 1, 2, "Zen (EPYC Naples)"},
                            {"AuthenticAMD", 23, 1, 1, "Zen and Zen+ (Ryzen 1000 to 3000; Threadripper)"},
                            {"AuthenticAMD", 23, 49, 0, "Zen 2 (EPYC Rome)"},
                            {"AuthenticAMD", 25, 1, 1, "Zen 3 (EPYC Milan)"},
                            {"AuthenticAMD", 25, 17, 1, "Zen 4 (EPYC Genoa)"},
                            {"AuthenticAMD", 25, 160, 2, "Zen 4c (EPYC Bergamo and Siena)"},
                            {"AuthenticAMD", 25, 97, 2, "Zen 4 (Ryzen 7000 and 8000; EPYC 4004)"},
                            {"AuthenticAMD", 26, 17, 0, "Zen 5c (EPYC Turin Dense)"},
                            {"ARM", 0x41, 0xd4f, 1, "Neoverse V2 (Grace; Graviton4; Axion)"}};
  for (const Numbered& c : cases) {
    CpuIdentity cpu;
    cpu.vendor = c.vendor;
    cpu.family = c.family;
    cpu.model = c.model;
    cpu.stepping = c.stepping;
    EXPECT_EQ(microarchitecture(cpu), c.label) << c.vendor << " " << c.family << " " << c.model;
  }
}

}  // namespace
}  // namespace gramwatt::sense
