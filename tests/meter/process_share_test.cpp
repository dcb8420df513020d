#include "meter/process_share.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

namespace gramwatt::meter {
namespace {

RC_GTEST_PROP(SplitByCpu, processes_and_unattributed_are_the_machine_to_the_microjoule, ()) {
  const Microjoules active(*rc::gen::inRange<std::int64_t>(0, 10'000'000'000'000));  // up to 10 MJ
  std::vector<Nanoseconds> cpu;
  for (const auto c : *rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(0, 400'000'000'000)))
    cpu.emplace_back(c);
  const Nanoseconds machine(*rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000));
  std::vector<Microjoules> out;
  const Microjoules left = split_by_cpu(active, machine, cpu, out);
  Microjoules sum = left;
  RC_ASSERT(out.size() == cpu.size());
  for (const Microjoules e : out) {
    RC_ASSERT(e.count() >= 0);
    sum += e;
  }
  RC_ASSERT(sum == active);
  RC_ASSERT(left.count() >= 0);
}

TEST(SplitByCpu, IsInProportionAndLeavesWhatNobodyUsed) {
  std::vector<Microjoules> out;
  using std::chrono::seconds;
  const std::vector<Nanoseconds> cpu{seconds(1), seconds(2)};
  EXPECT_EQ(split_by_cpu(Microjoules(400), seconds(4), cpu, out).count(), 100);
  EXPECT_EQ(out[0].count(), 100);
  EXPECT_EQ(out[1].count(), 200);
  // The books are ahead of the machine's clock: shares shrink, nothing is invented.
  EXPECT_EQ(split_by_cpu(Microjoules(300), seconds(1), cpu, out).count(), 0);
  EXPECT_EQ(out[1].count(), 200);
}

/// Real processes: one that burns CPU time until it is told to end.
struct Burner {
  pid_t pid = -1;
  explicit Burner(double seconds) {
    pid = fork();
    if (pid != 0) return;
    timespec t{};
    volatile unsigned x = 0;
    do {
      for (int i = 0; i < 100'000; ++i) x = x + 1;
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    } while (static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec) < seconds);
    raise(SIGSTOP);
    _exit(0);
  }
  void await_stop() const {
    int status = 0;
    waitpid(pid, &status, WUNTRACED);
  }
  void end() const {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
};

const ProcessUse* find(const ProcessShare& share, pid_t pid) {
  for (const ProcessUse* p : share.processes()) {
    if (p->look.pid == pid) return p;
  }
  return nullptr;
}

TEST(ProcessShare, GivesARealProcessTheEnergyOfItsCpuTimeAndKeepsTheSumWhenItEnds) {
  auto share = ProcessShare::open();
  ASSERT_TRUE(share);
  const Burner burner(0.2);
  burner.await_stop();
  auto split = share->take(Microjoules(1'000'000), std::chrono::seconds(1'000));  // 1 mJ a CPU second
  const ProcessUse* p = find(*share, burner.pid);
  ASSERT_NE(p, nullptr);
  EXPECT_GE(p->energy.count(), 200);
  EXPECT_LT(p->energy.count(), 400);
  EXPECT_EQ(p->user, geteuid());
  EXPECT_EQ(p->look.parent, getpid());
  EXPECT_EQ((split.attributed + split.unattributed).count(), 1'000'000);
  const std::int64_t used = p->total.count();

  split = share->take(Microjoules(0), std::chrono::seconds(1));
  EXPECT_NE(find(*share, burner.pid)->command.find("test_meter"), std::string::npos);
  burner.end();
  split = share->take(Microjoules(500'000), std::chrono::seconds(1'000));
  EXPECT_EQ(find(*share, burner.pid), nullptr);
  EXPECT_GE(share->ended().count(), used);
  // We have waited for it: its time, seen before, must not count again as ours.
  EXPECT_LT(find(*share, getpid())->energy.count(), used / 2);
  Microjoules all = share->ended() + share->unattributed();
  for (const ProcessUse* each : share->processes()) all += each->total;
  EXPECT_EQ(all.count(), 1'500'000);
}

}  // namespace
}  // namespace gramwatt::meter
