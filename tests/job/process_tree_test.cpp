// CPU time of real process trees, by every mechanism that works on this machine. The yardstick is `burn`, which spins until its
// own CPU clock says so; nothing here depends on how long that takes.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/file.hpp"
#include "base/system.hpp"
#include "base/text.hpp"
#include "fakes/temp_tree.hpp"
#include "job/child.hpp"
#include "meter/tree_cpu.hpp"

namespace gramwatt::job {
namespace {

using meter::TreeMechanism;

struct Counted {
  double seconds = 0;
  std::string mechanism;
  bool missed = false;
};

/// Runs a command to its end below a mechanism. `linger`: until everything that it left behind has ended too.
Counted count(const std::vector<std::string>& command, TreeMechanism best, bool linger = false) {
  SignalGate gate;
  const std::string id = new_run_id();
  auto tree = meter::make_tree_cpu(id, best);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  auto child = Child::spawn({command, {}, tree->birth_cgroup()}, gate);
  EXPECT_TRUE(child);
  tree->attach(child->pid());
  int code = 0;
  const auto released = child->release(code);
  EXPECT_TRUE(released) << (released ? "" : released.error().message());
  std::optional<Ending> ending;
  pollfd wait{gate.fd(), POLLIN, 0};
  while (!ending || (linger && !child->all_gone())) {
    while (gate.next().number != 0) {}
    if (const auto e = child->reap([&](pid_t, const rusage& u) { tree->reaped(u); })) ending = e;
    (void)tree->read();
    if (!ending || (linger && !child->all_gone())) ::poll(&wait, 1, 200);
  }
  EXPECT_EQ(ending->exit_code, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  return {seconds(tree->read_exactly()).value(), tree->mechanism(), tree->missed_something()};
}

class ProcessTree : public ::testing::TestWithParam<TreeMechanism> {
 protected:
  void SetUp() override {
    while (waitpid(-1, nullptr, 0) > 0) {}  // what earlier tests left below us must not count here
    const auto tree = meter::make_tree_cpu(new_run_id(), GetParam());
    if (GetParam() == TreeMechanism::best && tree->birth_cgroup() < 0)
      GTEST_SKIP() << "no cgroup of one's own here: " << tree->shortfall();
  }
  [[nodiscard]] bool exact() const { return GetParam() == TreeMechanism::best; }
};

/// Seconds in which this machine's processors were taken away by its hypervisor or by interrupts, so far. A perf clock runs on
/// in them, the scheduler's books stand still (sched_clock against rq->clock_task), so the task clock may be ahead by as much.
double taken_away() {
  const std::string line = read_line_or_empty("/proc/stat");  // "cpu  user nice system idle iowait irq softirq steal …"
  const auto fields = split(line, ' ');
  double ticks = 0;
  for (const std::size_t i : {7U, 8U, 9U}) ticks += i < fields.size() ? parse_number<double>(fields[i]).value_or(0) : 0;
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// Counts `burn ARGUMENTS`, which burns at least `least` CPU seconds, and compares with the kernel's own books: starting,
/// forking and ending are work of the tree as well, and how much they cost depends on the machine and on what else it does.
void expect_as_booked(const std::vector<std::string>& arguments, double least, double tolerance, TreeMechanism mechanism) {
  const testing::TempTree tree;
  std::vector<std::string> command{"env", "BURN_REPORT=" + (tree / "report").string(), BURN};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const double taken_before = taken_away();
  const double seconds = count(command, mechanism).seconds;
  const double taken = taken_away() - taken_before + 2.0 / static_cast<double>(sysconf(_SC_CLK_TCK));  // its own granularity
  const double booked = parse_number<double>(read_line_or_empty(tree / "report")).value_or(0);
  EXPECT_GE(booked, least);
  EXPECT_GE(seconds, booked * (1 - tolerance));
  EXPECT_LE(seconds, booked * (1 + tolerance) + (mechanism == TreeMechanism::task_clock ? taken : 0));
}

/// The same where nobody keeps such books: nothing may be lost, and forking costs something.
void expect_nothing_lost(double seconds, double burnt) {
  EXPECT_GE(seconds, burnt * 0.98);
  EXPECT_LE(seconds, burnt * 1.25);
}

TEST_P(ProcessTree, OneProcess) { expect_as_booked({"0.5"}, 0.5, 0.02, GetParam()); }

TEST_P(ProcessTree, EveryThread) { expect_as_booked({"0.25", "threads", "3"}, 0.75, 0.02, GetParam()); }

TEST_P(ProcessTree, ChildrenThatLiveAndDieBetweenTwoLooks) {  // 5 ms each
  expect_as_booked({"0.005", "x200"}, 1, 0.03, GetParam());
}

TEST_P(ProcessTree, AChildThatForksAwayAndEnds) { expect_nothing_lost(count({BURN, "0.4", "away"}, GetParam()).seconds, 0.4); }

TEST_P(ProcessTree, WhatIsLeftBehindWhenWaitedFor) {
  expect_nothing_lost(count({BURN, "0.4", "left"}, GetParam(), true).seconds, 0.4);
}

TEST_P(ProcessTree, ChildrenOfAParentThatIgnoresSigchldAreCountedOrNamed) {
  const Counted c = count({BURN, "0.2", "x6", "ignored"}, GetParam());
  if (c.mechanism == "reaped processes") {
    EXPECT_TRUE(c.missed);
  } else {
    EXPECT_NEAR(c.seconds, 1.2, 1.2 * 0.05);
  }
}

TEST(ProcessTreeOfOthers, IsNotCounted) {
  // A process beside the tree, not below it. The reaper takes everything below gramwatt for its own, so this is the cgroup's.
  const auto tree = meter::make_tree_cpu(new_run_id());
  if (tree->birth_cgroup() < 0) GTEST_SKIP() << "no cgroup of one's own here: " << tree->shortfall();
  SignalGate gate;
  auto other = Child::spawn({{BURN, "0.5"}, {}, -1}, gate);
  ASSERT_TRUE(other);
  int code = 0;
  ASSERT_TRUE(other->release(code));
  EXPECT_LT(count({"true"}, TreeMechanism::best).seconds, 0.05);
  kill(other->pid(), SIGKILL);
  waitpid(other->pid(), nullptr, 0);  // a zombie below us would count in the tests that follow
}

INSTANTIATE_TEST_SUITE_P(Mechanisms, ProcessTree,
                         ::testing::Values(TreeMechanism::best, TreeMechanism::task_clock, TreeMechanism::reaper),
                         [](const auto& each) {
                           return std::string(each.param == TreeMechanism::best         ? "cgroup"
                                              : each.param == TreeMechanism::task_clock ? "task_clock"
                                                                                        : "reaper");
                         });

}  // namespace
}  // namespace gramwatt::job
