// Whose work a package did, by socket, core and cycle.
#include "meter/package_share.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>
#include <fstream>

#include "meter/bench.hpp"
#include "meter/tree_cpu.hpp"

namespace gramwatt::meter {
namespace {

/// Two sockets of two cores with two threads each, numbered as Linux does: siblings are n and n + 4.
sense::CpuIdentity two_sockets() {
  sense::CpuIdentity cpu;
  cpu.threads = 8;
  cpu.cores = 4;
  cpu.packages = 2;
  cpu.core_of_thread = {0, 1, 2, 3, 0, 1, 2, 3};
  cpu.package_of_thread = {0, 0, 1, 1, 0, 0, 1, 1};
  return cpu;
}

TEST(PackageShare, AJobOnOneSocketDoesNotPayForTheOther) {
  std::vector<CpuWork> work(8);
  work[0] = {1e9, 1e9};
  work[2] = {0, 2e9};  // somebody else, on the other socket
  EXPECT_DOUBLE_EQ(*package_share(work, two_sockets(), 0), 1);
  EXPECT_DOUBLE_EQ(*package_share(work, two_sockets(), 1), 0);
}

TEST(PackageShare, ASiblingThreadAddsLittleAndPaysAccordingly) {
  std::vector<CpuWork> work(8);
  work[0] = {1e9, 1e9};  // the job has a core of its own
  work[1] = {0, 1e9};    // two others share the second
  work[5] = {0, 1e9};
  // By CPU time the job did a third. The others' core draws 1 / 0.78 of what the job's draws.
  EXPECT_NEAR(*package_share(work, two_sockets(), 0), 0.78 / 1.78, 1e-12);
  work[4] = {0, 1e9};  // now another is the job's sibling: it pays half of that core
  EXPECT_NEAR(*package_share(work, two_sockets(), 0), 0.25, 1e-12);
}

TEST(PackageShare, NobodyDidAnythingIsNothingNotZero) {
  EXPECT_FALSE(package_share(std::vector<CpuWork>(8), two_sockets(), 0));
  EXPECT_FALSE(package_share({}, {}, 0));
}

RC_GTEST_PROP(PackageShareProperty, SharesOfAllJobsSumToOne, ()) {
  std::vector<CpuWork> mine(8), theirs(8);
  bool any = false;
  for (std::size_t n = 0; n < 8; ++n) {
    const double a = *rc::gen::inRange(0, 1000), b = *rc::gen::inRange(0, 1000);
    mine[n] = {a, a + b};
    theirs[n] = {b, a + b};
    any = any || (n % 4 < 2 && a + b > 0);
  }
  const auto one = package_share(mine, two_sockets(), 0), other = package_share(theirs, two_sockets(), 0);
  RC_ASSERT(one.has_value() == any);
  if (any) RC_ASSERT(std::abs(*one + *other - 1) < 1e-9);
}

TEST(PackageNumber, IsReadFromTheDevicesName) {
  EXPECT_EQ(package_number("package-1"), 1);
  EXPECT_EQ(package_number("dram of package-12-die-3"), 12);
  EXPECT_EQ(package_number("CPU socket"), -1);
}

/// Counters that the test moves; what may be counted is the test's choice.
struct FakePerf {
  std::map<std::pair<int, bool>, double> counts;  ///< CPU, of the job
  bool cycles = true, allowed = true;
  CpuCounterOpener opener() {
    return [this](CpuUnit unit, int cpu, int cgroup) -> Result<CpuCounter> {
      if (!allowed || (unit == CpuUnit::cycles && !cycles)) return fail("not here");
      return [this, key = std::pair(cpu, cgroup >= 0)]() -> Result<double> { return counts[key]; };
    };
  }
};

TEST(WorkByCpu, WithoutCyclesCpuTimeStillTellsSocketsApart) {
  FakePerf perf;
  perf.cycles = false;
  auto work = WorkByCpu::open(two_sockets(), 3, perf.opener());
  ASSERT_TRUE(work);
  EXPECT_FALSE((*work)->counts_cycles());
  perf.counts[{0, true}] = 5e8;
  std::vector<Nanoseconds> busy(8);
  busy[0] = std::chrono::milliseconds(500);
  busy[3] = std::chrono::milliseconds(900);
  std::span<const CpuWork> done;
  ASSERT_TRUE((*work)->read(busy, done));
  EXPECT_DOUBLE_EQ(*package_share(done, two_sockets(), 0), 1);
  EXPECT_DOUBLE_EQ(*package_share(done, two_sockets(), 1), 0);
  // One socket and no cycles: CPU time as a whole tells as much, and costs less.
  sense::CpuIdentity one;
  one.core_of_thread = one.package_of_thread = {0};
  EXPECT_FALSE(WorkByCpu::open(one, 3, perf.opener()));
  perf.allowed = false;
  EXPECT_FALSE(WorkByCpu::open(two_sockets(), 3, perf.opener()));
}

TEST(WorkByCpu, TheMeterSharesEachPackageByItsOwnWork) {
  testing_bench::Bench bench(8);
  FakePerf perf;
  meter::Setup setup = bench.setup();
  setup.cpu = two_sockets();
  setup.work_by_cpu = std::move(*WorkByCpu::open(setup.cpu, 3, perf.opener()));
  for (const char* name : {"package-0", "package-1"}) {
    sense::Description d;
    d.id = d.device = name;
    d.component = Component::cpu;
    d.idle_power = Watts(20);
    setup.sensors.push_back(std::make_unique<testing_bench::FakeSensor>(d, bench.clock));  // 100 W each
  }
  Meter m(std::move(setup));
  m.start(bench.job);
  for (int second = 0; second < 10; ++second) {
    bench.run(std::chrono::seconds(1), 1, 3);  // by CPU time the job did a quarter
    perf.counts[{0, true}] += 3e9;             // all of it on socket 0, where nobody else was
    perf.counts[{0, false}] += 3e9;
    for (const int cpu : {2, 3, 6}) perf.counts[{cpu, false}] += 2e9;
    m.sample([&] { return bench.job; }, 1);
  }
  m.finish(bench.job, 1);
  EXPECT_NEAR(m.totals()[0].job_active.joules().value(), 800, 1e-3);
  EXPECT_EQ(m.totals()[1].job_active.count(), 0);
  EXPECT_FALSE(m.channels()[0].active_terms.contains("cpu-time-share"));
}

/// The kernel's own counters: a process in the run's cgroup, bound to one CPU, works there and nowhere else.
TEST(WorkByCpu, TheKernelCountsACgroupCpuByCpu) {
  const auto tree = make_tree_cpu("package-share-test");
  if (tree->birth_cgroup() < 0) GTEST_SKIP() << "no cgroup of our own may be made here";
  sense::CpuIdentity cpu;
  cpu.cores = cpu.packages = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  if (cpu.cores < 2) GTEST_SKIP() << "one CPU";
  for (int n = 0; n < cpu.cores; ++n) {
    cpu.core_of_thread.push_back(n);
    cpu.package_of_thread.push_back(n);  // every CPU a socket of its own
  }
  auto work = WorkByCpu::open(cpu, tree->birth_cgroup());
  if (!work) GTEST_SKIP() << work.error().message();
  const pid_t child = fork();
  if (child == 0) {
    const std::string procs = "/proc/self/fd/" + std::to_string(tree->birth_cgroup()) + "/cgroup.procs";
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(1, &one);
    std::ofstream(procs) << getpid();
    if (sched_setaffinity(0, sizeof one, &one) != 0) _exit(1);
    timespec spent{};
    while (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent) == 0 && spent.tv_sec == 0 && spent.tv_nsec < 200'000'000) {}
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  std::span<const CpuWork> done;
  ASSERT_TRUE((*work)->read({}, done));
  EXPECT_GT(done[1].job, 0);
  EXPECT_LT(done[0].job, 0.1 * done[1].job);  // the moment before it was bound
  if (!(*work)->counts_cycles()) {
    EXPECT_NEAR(done[1].job, 2e8, 4e7);
  }
}

}  // namespace
}  // namespace gramwatt::meter
