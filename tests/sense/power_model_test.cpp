#include "sense/power_model.hpp"

#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/file.hpp"
#include "base/text.hpp"
#include "sense/power_curves.hpp"

namespace gramwatt::sense {
namespace {

using Rung = PowerModel::Rung;

/// A guest of this kind: "AMD EPYC" and numbers, nothing else.
CpuIdentity genoa_guest(int threads, double memory_gb) {
  CpuIdentity cpu;
  cpu.name = "AMD EPYC";
  cpu.vendor = "AuthenticAMD";
  cpu.family = 25;
  cpu.model = 17;
  cpu.threads = threads;
  cpu.cores = threads;
  cpu.memory_gb = memory_gb;
  cpu.machine_class = MachineClass::guest;
  return cpu;
}

CpuIdentity named(const std::string& name, MachineClass machine_class = MachineClass::server) {
  CpuIdentity cpu;
  cpu.name = name;
  cpu.machine_class = machine_class;
  return cpu;
}

double width(const Estimate<Watts>& e) { return (e.high() - e.low()) / e.value; }

TEST(PowerModel, GuestKnownByFamilyAndModelOnly) {
  const PowerModel m = power_model(genoa_guest(2, 24));
  EXPECT_EQ(m.rung, Rung::microarchitecture);
  EXPECT_EQ(m.description, "2 of 384 threads of a server with Zen 4 (EPYC Genoa)");
  EXPECT_NE(m.source.find("SPECpower_ssj2008"), std::string::npos);
  EXPECT_NE(m.source.find("Zen 4"), std::string::npos);
  EXPECT_EQ(m.fixed.method, Method::modelled);
  EXPECT_EQ(m.fixed.boundary, Boundary::node);
  // Two of 384 threads of a server of 120..800 W.
  const double two_threads_full = (m.fixed.value + m.active(1)).value();
  EXPECT_GT(two_threads_full, 2);
  EXPECT_LT(two_threads_full, 9);
  for (const char* id : {"spec-spread", "production", "host-load", "shape", "memory"})
    EXPECT_TRUE(m.fixed.terms.contains(id)) << id;
  for (const char* id : {"spec-spread", "production", "host-load", "shape"}) EXPECT_TRUE(m.active_terms.contains(id)) << id;
  EXPECT_FALSE(m.active_terms.contains("memory"));
}

TEST(PowerModel, GuestsThatFillAHostAtItsTypicalLoadSumToTheHost) {
  // Whatever the split into guests: their fixed shares plus 40 % busy threads are the host's power on its busy-core curve at 40
  // %.
  for (const char* name :
       {"AMD EPYC 7763", "AMD EPYC 9654", "Intel(R) Xeon(R) Platinum 8380", "Intel(R) Xeon(R) Platinum 8259CL"}) {
    CpuIdentity guest = named(name, MachineClass::guest);
    guest.threads = 1;
    const int host_threads = power_model(guest).host_threads;
    ASSERT_GT(host_threads, 1);
    const double host = in_production(server_model(named(name), 2, host_threads)).at_load(0.4).value.value();
    double sum = 0;
    int left = host_threads;
    for (int size = 1; left > 0; size = size * 2 % 31 + 1) {
      guest.threads = std::min(size, left);
      left -= guest.threads;
      sum += power_model(guest).at_load(0.4).value.value();
    }
    EXPECT_NEAR(sum / host, 1, 0.01) << name;
  }
}

RC_GTEST_PROP(PowerModelLaws, FixedAndActiveGrowWithTheGuestsThreads, ()) {
  const int threads = *rc::gen::inRange(1, 96);
  const PowerModel one = power_model(genoa_guest(1, 0));
  const PowerModel many = power_model(genoa_guest(threads, 0));
  RC_ASSERT(std::abs(many.fixed.value / one.fixed.value - threads) < 1e-6 * threads);
  RC_ASSERT(std::abs(many.active(1) / one.active(1) - threads) < 1e-6 * threads);
}

RC_GTEST_PROP(PowerModelLaws, PowerNeverFallsWithLoad, ()) {
  const auto name = *rc::gen::element<std::string>("AMD EPYC 7742", "AMD EPYC 7443", "Intel Xeon Gold 6338", "Intel Xeon 6780E",
                                                   "Intel Xeon Platinum 8480+", "AMD Ryzen 9 7950X", "an unheard-of CPU", "");
  const auto kind = *rc::gen::element(MachineClass::guest, MachineClass::server, MachineClass::desktop, MachineClass::laptop);
  CpuIdentity cpu = named(name, kind);
  cpu.threads = *rc::gen::inRange(1, 500);
  cpu.packages = *rc::gen::inRange(1, 5);
  cpu.memory_gb = *rc::gen::inRange(0, 4000);
  const PowerModel m = power_model(cpu);
  RC_ASSERT(m.fixed.value.value() > 0);
  RC_ASSERT(m.active(0).value() == 0);
  for (int k = 1; k <= 10; ++k) RC_ASSERT(m.active(k / 10.0) >= m.active((k - 1) / 10.0));
  for (const double load : {0.0, 0.3, 1.0}) {
    const auto total = m.at_load(load);
    RC_ASSERT(std::isfinite(total.value.value()));
    RC_ASSERT(total.low() < total.value && total.value < total.high());
  }
  RC_ASSERT(m.active(1.7) == m.active(1));
  RC_ASSERT(m.active(-1) == m.active(0));
}

TEST(PowerModel, ActiveInterpolatesBetweenSteps) {
  const PowerModel m = server_model(named("AMD EPYC 7742"), 2, 256);
  EXPECT_NEAR(m.active(0.25).value(), (m.active(0.2) + m.active(0.3)).value() / 2, 1e-9);
}

TEST(PowerModel, ShapeShiftsFixedAndActiveAgainstEachOther) {
  const PowerModel m = power_model(genoa_guest(2, 0));
  const Shift fixed = m.fixed.terms.at("shape");
  const Shift active = m.active_terms.at("shape");
  EXPECT_LT(fixed.minus * active.minus, 0);
  EXPECT_LT(fixed.plus * active.plus, 0);
  // So part of it cancels in a guest's total: less than if both parts erred the same way.
  const double fixed_part = m.fixed.value / m.at_load(0.4).value;
  const Terms total = m.at_load(0.4).terms;
  EXPECT_LT(total.at("shape").size(), fixed_part * fixed.size() + (1 - fixed_part) * active.size());
  EXPECT_LT(total.at("host-load").size(),
            std::min(m.fixed.terms.at("host-load").size(), m.active_terms.at("host-load").size()));
}

TEST(PowerModel, ProductionIsLopsided) {
  for (const auto& m : {power_model(genoa_guest(2, 0)), in_production(server_model(named("AMD EPYC 7742"), 2, 256))}) {
    const Shift s = m.fixed.terms.at("production");
    EXPECT_GT(s.plus, -s.minus);
    EXPECT_EQ(s, m.active_terms.at("production"));
  }
}

TEST(PowerModel, MemoryBeyondTheReferenceIsAddedOnceAndWide) {
  const PowerModel usual = power_model(genoa_guest(2, 4));
  const PowerModel less = power_model(genoa_guest(2, 1));
  const PowerModel more = power_model(genoa_guest(2, 24));
  EXPECT_EQ(usual.fixed.value, less.fixed.value) << "the reference's own memory is in the wall power already";
  EXPECT_FALSE(usual.fixed.terms.contains("memory"));
  const double added = (more.fixed.value - usual.fixed.value).value();
  EXPECT_NEAR(added, 20 * 0.1, 1e-9);
  const Shift s = more.fixed.terms.at("memory");
  EXPECT_NEAR(s.plus * more.fixed.value.value(), 20 * (0.392 - 0.1), 1e-6);
  EXPECT_NEAR(s.minus * more.fixed.value.value(), -added, 1e-6);
  EXPECT_EQ(more.active(1), usual.active(1));
}

TEST(PowerModel, RungsInOrderAndLowerOnesAreWider) {
  const auto by_cpu = server_model(named("AMD EPYC 7763 64-Core Processor"), 2, 256);
  const auto by_kin = server_model(named("AMD EPYC 7443 24-Core Processor"), 2, 96);
  CpuIdentity milan;
  milan.vendor = "AuthenticAMD";
  milan.family = 25;
  milan.model = 1;
  const auto by_numbers = server_model(milan, 2, 96);
  const auto by_nothing = server_model(named("an unheard-of server"), 2, 96);
  EXPECT_EQ(by_cpu.rung, Rung::cpu_model);
  EXPECT_EQ(by_kin.rung, Rung::microarchitecture);
  EXPECT_EQ(by_numbers.rung, Rung::microarchitecture);
  EXPECT_EQ(by_nothing.rung, Rung::all_servers);
  EXPECT_LT(width(by_cpu.at_load(0.5)), width(by_kin.at_load(0.5)));
  EXPECT_LT(width(by_kin.at_load(0.5)), width(by_numbers.at_load(0.5)));
  EXPECT_LT(width(by_numbers.at_load(0.5)), width(by_nothing.at_load(0.5)));
}

TEST(PowerModel, SpellingDoesNotMatter) {
  const auto a = server_model(named("Intel(R) Xeon(R) Platinum 8280 CPU @ 2.70GHz"), 2, 112);
  const auto b = server_model(named("xeon 8280"), 2, 112);
  EXPECT_EQ(a.fixed.value, b.fixed.value);
  EXPECT_EQ(a.active_at_load, b.active_at_load);
  EXPECT_EQ(normalise_cpu_name("Intel Xeon 6 Processor 6980P"), normalise_cpu_name("INTEL(R) XEON(R) 6980P"));
  EXPECT_EQ(normalise_cpu_name("NVIDIA Grace CPU Superchip"), "grace superchip");
}

TEST(PowerModel, ServersThatNobodyMeasuredAreKnownByName) {
  // Name, threads of the server, TDP: makers' specifications.
  const std::vector<std::tuple<const char*, int, double>> parts{{"AMD EPYC 7643P", 96, 225},
                                                                {"AMD EPYC 9565 72-Core Processor", 288, 400},
                                                                {"Intel(R) Xeon(R) Gold 6544Y", 64, 270},
                                                                {"Intel(R) Xeon(R) CPU Max 9480", 224, 350},
                                                                {"Intel(R) Xeon(R) Platinum 8468H", 192, 330},
                                                                {"Intel Xeon 6741P", 96, 300},
                                                                {"Intel(R) Xeon(R) Gold 6240R CPU @ 2.40GHz", 96, 165},
                                                                {"Ampere Altra Q80-33", 160, 250}};
  for (const auto& [name, threads, tdp] : parts) {
    const auto facts = server_facts(named(name), 0, 0);
    EXPECT_TRUE(facts.cpu_known) << name;
    EXPECT_EQ(facts.tdp.value(), tdp) << name;
    EXPECT_EQ(server_model(named(name), 0, 0).host_threads, threads) << name;
  }
}

TEST(PowerModel, SocketsAndThreadsAreFoundWhereNotGiven) {
  EXPECT_EQ(server_model(named("AMD EPYC 7443"), 0, 0).host_threads, 96);      // 2 × 24 cores × 2
  EXPECT_EQ(server_model(named("AMD EPYC 9654P"), 0, 0).host_threads, 192);    // a part for one socket
  EXPECT_EQ(server_model(named("Intel Xeon 6780E"), 0, 0).host_threads, 288);  // no SMT
}

TEST(PowerModel, BareMetalIsTheServerInProduction) {
  CpuIdentity cpu = named("AMD EPYC 7742 64-Core Processor");
  cpu.threads = 256;
  cpu.packages = 2;
  cpu.memory_gb = 256;
  const PowerModel here = power_model(cpu);
  const PowerModel server = in_production(server_model(cpu, 2, 256));
  EXPECT_EQ(here.fixed.value, server.fixed.value);
  EXPECT_EQ(here.active_at_load, server.active_at_load);
  EXPECT_EQ(here.host_threads, 256);
  EXPECT_FALSE(here.fixed.terms.contains("host-load")) << "its load is known";
}

TEST(PowerModel, DesktopsAndLaptopsByTdpAndWide) {
  CpuIdentity desktop = named("Intel(R) Core(TM) i7-8700K CPU @ 3.70GHz", MachineClass::desktop);
  desktop.threads = 12;
  const PowerModel m = power_model(desktop);
  EXPECT_EQ(m.rung, Rung::tdp_table);
  EXPECT_NE(m.description.find("TDP 95 W"), std::string::npos) << m.description;
  EXPECT_EQ(m.fixed.method, Method::modelled);
  EXPECT_GT(m.at_load(1).value.value(), 70);
  EXPECT_LT(m.at_load(1).value.value(), 160);
  EXPECT_GT(width(m.at_load(1)), 0.8);

  const PowerModel laptop = power_model(named("a CPU that nobody lists", MachineClass::laptop));
  EXPECT_EQ(laptop.fixed.method, Method::assumed);
  EXPECT_TRUE(laptop.fixed.terms.contains("tdp"));
  EXPECT_LT(laptop.fixed.value.value(), 15);
}

TEST(PowerModel, GivesWhatTheFitGives) {
  // tools/build_power_tables.py writes what its own fit predicts; the shipped tables must lead here to the same.
  const auto text = read_file(GRAMWATT_POWER_MODEL_EXPECTED);
  ASSERT_TRUE(text.has_value());
  std::string_view rest = *text;
  (void)next_line(rest);
  int cases = 0;
  while (const auto line = next_line(rest)) {
    const auto f = csv_fields(*line);
    ASSERT_EQ(f.size(), 15U);
    CpuIdentity cpu = named(std::string(f[0]));
    cpu.memory_gb = parse_number<double>(f[3]).value();
    const PowerModel m = server_model(cpu, parse_number<int>(f[1]).value(), parse_number<int>(f[2]).value());
    for (std::size_t k = 0; k <= 10; ++k) {
      const double expected = parse_number<double>(f[4 + k]).value();
      EXPECT_NEAR((m.fixed.value + m.active_at_load[k]).value() / expected, 1, 0.002) << f[0] << " at " << 10 * k << " %";
    }
    ++cases;
  }
  EXPECT_GE(cases, 10);
}

// ---- SMT siblings
// -------------------------------------------------------------------------------------------------------------

struct Cores {
  std::vector<int> core_of_thread;
  std::vector<double> scratch;
  [[nodiscard]] double used(const std::vector<double>& busy) { return core_capacity_used(busy, core_of_thread, scratch); }
};

TEST(CoreCapacity, SiblingsShareACore) {
  Cores smt{{0, 1, 0, 1}, std::vector<double>(2)};
  EXPECT_DOUBLE_EQ(smt.used({0, 0, 0, 0}), 0);
  EXPECT_DOUBLE_EQ(smt.used({1, 1, 1, 1}), 1);
  EXPECT_DOUBLE_EQ(smt.used({1, 0, 0, 0}), 0.39);  // one lone sibling of two cores
  EXPECT_DOUBLE_EQ(smt.used({1, 1, 0, 0}), 0.78);  // spread over cores
  EXPECT_DOUBLE_EQ(smt.used({1, 0, 1, 0}), 0.50);  // packed on one
}

TEST(CoreCapacity, CountsALoneSiblingAsTheFitOfTheBusyCoreShapesDoes) {
  Cores one{{0, 0}, std::vector<double>(1)};
  EXPECT_DOUBLE_EQ(one.used({1, 0}), power_constant("lone_sibling"));
}

TEST(CoreCapacity, WithoutSmtItIsTheMeanLoad) {
  Cores plain{{0, 1, 2, 3}, std::vector<double>(4)};
  EXPECT_DOUBLE_EQ(plain.used({1, 0.5, 0.25, 0}), 1.75 / 4);
}

TEST(CoreCapacity, OfflineCpusAndOddInputsDoNotCount) {
  Cores odd{{0, -1, 1}, std::vector<double>(2)};
  EXPECT_DOUBLE_EQ(odd.used({1, 1, 0}), 0.5);
  EXPECT_DOUBLE_EQ(odd.used({1.5, 1, -0.5}), 0.5);
  EXPECT_DOUBLE_EQ(odd.used({}), 0);
  Cores none;
  EXPECT_DOUBLE_EQ(none.used({}), 0);
}

RC_GTEST_PROP(CoreCapacityLaws, GrowsWithEveryThreadAndStaysWithinOne, ()) {
  const int cores = *rc::gen::inRange(1, 33);
  const int threads_per_core = *rc::gen::inRange(1, 9);
  Cores machine{{}, std::vector<double>(static_cast<std::size_t>(cores))};
  std::vector<double> busy;
  for (int n = 0; n < cores * threads_per_core; ++n) {
    machine.core_of_thread.push_back(n % cores);
    busy.push_back(*rc::gen::inRange(0, 101) / 100.0);
  }
  const double before = machine.used(busy);
  RC_ASSERT(before >= 0 && before <= 1 + 1e-12);
  auto& one = busy[*rc::gen::inRange<std::size_t>(0, busy.size())];
  one = std::min(1.0, one + 0.2);
  RC_ASSERT(machine.used(busy) >= before - 1e-9);
}

}  // namespace
}  // namespace gramwatt::sense
