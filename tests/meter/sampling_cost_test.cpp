// What a sample costs, counted rather than timed: system calls and allocations.
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "meter/bench.hpp"
#include "sense/powercap.hpp"

namespace {
std::atomic<std::size_t> allocations{0};
}

// Every allocation of this program is counted.
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace gramwatt::meter {
namespace {

using std::chrono::milliseconds;

/// A machine with six counters: four packages, two of them with DRAM.
struct SixCounters {
  SixCounters() {
    for (int package = 0; package < 4; ++package) {
      zone("intel-rapl:" + std::to_string(package), "package-" + std::to_string(package));
      if (package < 2) zone("intel-rapl:" + std::to_string(package) + "/intel-rapl:" + std::to_string(package) + ":0", "dram");
    }
    meter::Setup setup = bench.setup();
    setup.detailed_ticks = false;
    setup.sensors = sense::probe_powercap({bench.tree.root(), "/proc"}, bench.clock, {}).sensors;
    count = setup.sensors.size();
    meter.emplace(std::move(setup));
    meter->start(bench.job);
  }
  void zone(const std::string& folder, const std::string& name) const {
    bench.tree.write("class/powercap/" + folder + "/name", name + "\n");
    bench.tree.write("class/powercap/" + folder + "/energy_uj", "123456\n");
    bench.tree.write("class/powercap/" + folder + "/max_energy_range_uj", "262143328850\n");
  }
  /// `n` ticks between two closings.
  void sample(int n) {
    for (int i = 0; i < n; ++i) {
      bench.clock.advance(std::chrono::microseconds(100));
      meter->sample([this] { return bench.job; }, 1);
    }
  }

  testing_bench::Bench bench;
  std::optional<Meter> meter;
  std::size_t count = 0;
};

TEST(SamplingCost, ASampleAllocatesNothing) {
  SixCounters machine;
  ASSERT_EQ(machine.count, 6U);
  machine.sample(1);
  const std::size_t before = allocations;
  machine.sample(500);
  EXPECT_EQ(allocations, before);
}

/// System calls of `work` in a child of its own, between two calls of getppid that mark its begin and end.
template <class Work>
long system_calls_of(Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(1);
    ::raise(SIGSTOP);
    ::syscall(SYS_getppid);
    work();
    ::syscall(SYS_getppid);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFSTOPPED(status) || ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD) != 0) return -1;
  long calls = 0;
  int marks = 0;
  while (::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) == 0 && ::waitpid(child, &status, 0) == child &&
         WIFSTOPPED(status)) {
    __ptrace_syscall_info info{};
    if (WSTOPSIG(status) != (SIGTRAP | 0x80) || ::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) <= 0) continue;
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY) continue;
    if (info.entry.nr == SYS_getppid) ++marks;
    else if (marks == 1) ++calls;
  }
  return marks == 2 ? calls : -1;
}

TEST(SamplingCost, ASampleReadsEachCounterWithOneCallAndMakesNoOther) {
  SixCounters machine;
  machine.sample(1);
  const long calls = system_calls_of([&] { machine.sample(500); });
  if (calls < 0) GTEST_SKIP() << "processes cannot be traced here";
  EXPECT_EQ(calls, 500 * 6);
}

}  // namespace
}  // namespace gramwatt::meter
