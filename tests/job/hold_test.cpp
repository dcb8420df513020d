// Ways to hold a tree, tried on one that forks, spawns and has threads, from a process that can be killed (holder.cpp).

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#include <random>

#include "fakes/temp_tree.hpp"
#include "held_tree.hpp"
#include "job/hold.hpp"
#include "job/hold_tree.hpp"
#include "job/stopped.hpp"

namespace gramwatt::job {
namespace {

using testing::await;
using testing::HeldTree;

constexpr int kLongLease = 600'000;

char state_of(pid_t pid) {
  const auto stat = process_stat(pid);
  return stat ? stat->state : 0;
}

/// One of the program's processes that lives as long as the program, and is not its first.
pid_t some_child(const HeldTree& tree) {
  for (const auto& [pid, stat] : tree.members()) {
    if (stat.parent == tree.program) return pid;
  }
  return -1;
}

class HoldTest : public ::testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] bool by(const char* way) const { return std::string(GetParam()) == way; }
};

#define HELD_TREE(name, lease)      \
  HeldTree name(GetParam(), lease); \
  if (!name.skipped.empty()) GTEST_SKIP() << name.skipped

TEST_P(HoldTest, NothingOfTheTreeRunsUntilItIsReleased) {
  HELD_TREE(tree, kLongLease);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(tree.ask("set"), "ok");
    EXPECT_EQ(tree.ask("held"), "yes");
    EXPECT_TRUE(tree.stands_still());
    ASSERT_EQ(tree.ask("release"), "ok");
    EXPECT_TRUE(tree.runs_on());
    EXPECT_EQ(tree.ask("held"), "no");
  }
}

TEST_P(HoldTest, SettingAndReleasingTwiceIsOnce) {
  HELD_TREE(tree, kLongLease);
  EXPECT_EQ(tree.ask("release"), "ok");
  EXPECT_EQ(tree.ask("set"), "ok");
  EXPECT_EQ(tree.ask("set"), "ok");
  EXPECT_TRUE(tree.stands_still());
  EXPECT_EQ(tree.ask("release"), "ok");
  EXPECT_EQ(tree.ask("release"), "ok");
  EXPECT_TRUE(tree.runs_on());
}

TEST_P(HoldTest, AStopOfSomebodyElseBeforeItStays) {
  HELD_TREE(tree, kLongLease);
  const pid_t child = some_child(tree);
  kill(child, SIGSTOP);
  ASSERT_TRUE(await([&] { return state_of(child) == 'T'; }));
  ASSERT_EQ(tree.ask("set"), "ok");
  EXPECT_TRUE(tree.stands_still());
  ASSERT_EQ(tree.ask("release"), "ok");
  ASSERT_TRUE(await([&] { return testing::cpu_of(tree.program) > 0 && state_of(child) == 'T'; }));
  const auto time = testing::cpu_of(child);
  testing::burn_some();
  EXPECT_EQ(state_of(child), 'T');
  EXPECT_EQ(testing::cpu_of(child), time);
  kill(child, SIGCONT);
  EXPECT_TRUE(tree.runs_on());
}

TEST_P(HoldTest, AStopOfSomebodyElseMeanwhileStays) {
  HELD_TREE(tree, kLongLease);
  const pid_t child = some_child(tree);
  ASSERT_EQ(tree.ask("set"), "ok");
  kill(child, SIGSTOP);
  ASSERT_EQ(tree.ask("release"), "ok");
  ASSERT_TRUE(await([&] { return state_of(child) == 'T'; }));
  const auto time = testing::cpu_of(child);
  testing::burn_some();
  EXPECT_EQ(state_of(child), 'T');
  EXPECT_EQ(testing::cpu_of(child), time);
  kill(child, SIGCONT);
  EXPECT_TRUE(tree.runs_on());
}

TEST_P(HoldTest, TheirStopStaysWhenTheHolderIsKilledToo) {
  HELD_TREE(tree, kLongLease);
  const pid_t child = some_child(tree);
  ASSERT_EQ(tree.ask("set"), "ok");
  kill(child, SIGSTOP);
  tree.kill_holder();
  ASSERT_TRUE(await([&] { return state_of(tree.program) != 'T' && state_of(tree.program) != 't' && state_of(child) == 'T'; }));
  const auto time = testing::cpu_of(child);
  testing::burn_some();
  EXPECT_EQ(testing::cpu_of(child), time);
  kill(child, SIGCONT);
  EXPECT_TRUE(tree.runs_on());
}

TEST_P(HoldTest, SignalsWaitAndAreNotLost) {
  HELD_TREE(tree, kLongLease);
  for (int i = 0; i < 20; ++i) {
    // Before and while it is being set: one of them may be on its way when the thread is caught.
    if (i % 2 == 0) kill(tree.program, SIGUSR1);
    tree.tell("set");
    if (i % 2 == 1) kill(tree.program, SIGUSR1);
    int said = 0;
    for (int answers = 0; answers < 1;) (tree.line() == "usr1" ? said : answers) += 1;
    tree.tell("release");
    for (int answers = 0; answers < 1 || said < 1;) {
      const std::string line = tree.line();
      ASSERT_FALSE(line.empty()) << "a signal was lost";
      (line == "usr1" ? said : answers) += 1;
    }
    EXPECT_EQ(said, 1);
  }
}

TEST_P(HoldTest, ATerminatingSignalEndsItOnceItIsReleased) {
  HELD_TREE(tree, kLongLease);
  ASSERT_EQ(tree.ask("set"), "ok");
  kill(tree.program, SIGTERM);
  testing::burn_some();
  if (!by("freeze")) {  // what is frozen may be ended
    EXPECT_NE(state_of(tree.program), 'Z');
  }
  ASSERT_EQ(tree.ask("release"), "ok");
  EXPECT_TRUE(await([&] { return state_of(tree.program) == 'Z' || state_of(tree.program) == 0; }));
}

TEST_P(HoldTest, KillingTheProgramWhileItIsHeldEndsIt) {
  HELD_TREE(tree, kLongLease);
  ASSERT_EQ(tree.ask("set"), "ok");
  kill(tree.program, SIGKILL);
  EXPECT_TRUE(await([&] { return state_of(tree.program) == 'Z' || state_of(tree.program) == 0; }));
  EXPECT_EQ(tree.ask("release"), "ok");
  EXPECT_TRUE(tree.runs_on());
}

TEST_P(HoldTest, AContinueOfSomebodyElseIsNoticedAndHeldAgain) {
  HELD_TREE(tree, kLongLease);
  ASSERT_EQ(tree.ask("set"), "ok");
  for (const auto& [pid, stat] : tree.members()) kill(pid, SIGCONT);  // as fg does
  if (by("stop")) {
    EXPECT_EQ(tree.ask("held"), "no");
    EXPECT_EQ(tree.ask("set"), "ok");
  }
  EXPECT_EQ(tree.ask("held"), "yes");
  EXPECT_TRUE(tree.stands_still());
  EXPECT_EQ(tree.ask("release"), "ok");
  EXPECT_TRUE(tree.runs_on());
}

TEST_P(HoldTest, AKilledHolderAtARandomMomentLeavesNothingStopped) {
  std::mt19937 random(20'261'125);
  for (int i = 0; i < 60; ++i) {
    HELD_TREE(tree, kLongLease);
    tree.tell("loop");
    for (auto n = random() % 3; n > 0; --n) EXPECT_EQ(tree.line(), "ok");
    const timespec moment{0, static_cast<long>(random() % 4'000'000)};
    ::nanosleep(&moment, nullptr);
    tree.kill_holder();
    ASSERT_TRUE(tree.runs_on()) << "kill " << i;
    ASSERT_TRUE(await([&] { return process_stat(tree.guardian) == std::nullopt || state_of(tree.guardian) == 'Z'; }));
  }
}

TEST_P(HoldTest, AStoppedHolderLosesItsLeaseAndKnowsAfterwards) {
  HELD_TREE(tree, 1000);
  ASSERT_EQ(tree.ask("set"), "ok");
  kill(tree.holder, SIGSTOP);
  EXPECT_TRUE(tree.runs_on());
  kill(tree.holder, SIGCONT);
  EXPECT_EQ(tree.ask("released"), "yes");
  EXPECT_EQ(tree.ask("held"), "no");
  EXPECT_NE(tree.ask("renew"), "ok");
  EXPECT_EQ(tree.ask("set"), "ok");
  EXPECT_EQ(tree.ask("released"), "no");
  EXPECT_EQ(tree.ask("release"), "ok");
  EXPECT_TRUE(tree.runs_on());
}

TEST_P(HoldTest, AHolderStoppedAtARandomMomentLeavesNothingStopped) {
  std::mt19937 random(6);
  for (int i = 0; i < 10; ++i) {
    HELD_TREE(tree, 50);
    tree.tell("loop");
    EXPECT_NE(tree.line(), "");  // on a busy machine the lease may be over before the hold is set
    const timespec moment{0, static_cast<long>(random() % 4'000'000)};
    ::nanosleep(&moment, nullptr);
    kill(tree.holder, SIGSTOP);
    ASSERT_TRUE(tree.runs_on()) << "stop " << i;
    kill(tree.holder, SIGKILL);  // and killed before it could mend anything
    ASSERT_TRUE(tree.runs_on()) << "kill " << i;
  }
}

TEST_P(HoldTest, ADeadGuardianIsNoticedAndReplaced) {
  HELD_TREE(tree, kLongLease);
  ASSERT_EQ(tree.ask("set"), "ok");
  kill(tree.guardian, SIGKILL);
  ASSERT_TRUE(await([&] { return tree.ask("renew") != "ok"; }));
  EXPECT_EQ(tree.ask("release"), "ok");
  EXPECT_TRUE(tree.runs_on());
  EXPECT_NE(tree.ask("set"), "ok") << "nothing is held without a guardian";
  EXPECT_TRUE(tree.runs_on());
  EXPECT_EQ(tree.ask("restart"), "ok");
  EXPECT_EQ(tree.ask("set"), "ok");
  EXPECT_TRUE(tree.stands_still());
  tree.kill_holder();
  EXPECT_TRUE(tree.runs_on());
}

TEST_P(HoldTest, AStoppedGuardianIsNoticedAndReplaced) {
  HELD_TREE(tree, kLongLease);
  ASSERT_EQ(tree.ask("set"), "ok");
  kill(tree.guardian, SIGSTOP);
  ASSERT_TRUE(await([&] { return tree.ask("renew") != "ok"; }));
  EXPECT_EQ(tree.ask("release"), "ok");
  EXPECT_TRUE(tree.runs_on());
  EXPECT_EQ(tree.ask("restart"), "ok");
  EXPECT_EQ(tree.ask("set"), "ok");
  EXPECT_TRUE(tree.stands_still());
  tree.kill_holder();
  EXPECT_TRUE(tree.runs_on());
}

TEST_P(HoldTest, AStoppedGuardianActsAllTheSameWhenTheHolderIsKilled) {
  HELD_TREE(tree, kLongLease);
  ASSERT_EQ(tree.ask("set"), "ok");
  kill(tree.guardian, SIGSTOP);
  ASSERT_TRUE(await([&] { return state_of(tree.guardian) == 'T'; }));
  tree.kill_holder();
  EXPECT_TRUE(tree.runs_on());
}

INSTANTIATE_TEST_SUITE_P(Ways, HoldTest, ::testing::Values("freeze", "trace", "stop"),
                         [](const auto& each) { return std::string(each.param); });

TEST(Hold, WithHolderAndGuardianKilledTogetherTheKernelLetsTracedProgramsRunOn) {
  HeldTree tree("trace", kLongLease);
  if (!tree.skipped.empty()) GTEST_SKIP() << tree.skipped;
  ASSERT_EQ(tree.ask("set"), "ok");
  kill(tree.guardian, SIGKILL);
  tree.kill_holder();
  EXPECT_TRUE(tree.runs_on());
}

TEST(Hold, AFreezerThatSomebodyElseFrozeStaysFrozen) {
  HeldTree tree("freeze", kLongLease);
  if (!tree.skipped.empty()) GTEST_SKIP() << tree.skipped;
  const auto write = [&](const char* text) {
    const Fd file(::open((tree.cgroup + "/cgroup.freeze").c_str(), O_WRONLY | O_CLOEXEC));
    EXPECT_EQ(::write(file.get(), text, 1), 1);
  };
  write("1");
  ASSERT_EQ(tree.ask("set"), "ok");
  ASSERT_EQ(tree.ask("release"), "ok");
  tree.kill_holder();
  EXPECT_TRUE(tree.stands_still());
  write("0");
  EXPECT_TRUE(tree.runs_on());
}

/// The ladder, in this process.
struct Held {
  pid_t pid = -1;
  Held() {
    pid = ::fork();
    if (pid == 0) {
      ::execlp("sleep", "sleep", "1000", nullptr);  // one thread, whatever this process has
      ::_exit(127);
    }
  }
  ~Held() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, __WALL);
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
};

TEST(HoldLadder, TakesTheNextWayAndSaysWhy) {
  const auto guardian = Guardian::start();
  ASSERT_TRUE(guardian) << guardian.error().message();
  const Held program;
  if (::ptrace(PTRACE_SEIZE, program.pid, nullptr, nullptr) != 0) GTEST_SKIP() << "ptrace is forbidden here";
  const auto hold = make_hold({program.pid, ""}, **guardian);
  ASSERT_TRUE(hold);
  EXPECT_EQ((*hold)->way(), HoldWay::stop);
  ASSERT_EQ((*hold)->refused().size(), 2U);
  EXPECT_THAT((*hold)->refused()[0], ::testing::HasSubstr("no cgroup"));
  const auto forced = make_hold({program.pid, ""}, **guardian, HoldWay::freeze);
  ASSERT_FALSE(forced);
  EXPECT_THAT(forced.error().message(), ::testing::HasSubstr("no cgroup"));
}

TEST(HoldLadder, ADebuggerThatComesLaterCostsOnlyTheWay) {
  const auto guardian = Guardian::start();
  ASSERT_TRUE(guardian) << guardian.error().message();
  const Held program;
  const auto hold = make_hold({program.pid, ""}, **guardian);
  ASSERT_TRUE(hold);
  if ((*hold)->way() != HoldWay::trace) GTEST_SKIP() << (*hold)->refused().back();
  if (::ptrace(PTRACE_SEIZE, program.pid, nullptr, nullptr) != 0) GTEST_SKIP() << "ptrace is forbidden here";
  // The debugger (this process) does not pass SIGSTOP on: a program at its debugger's stop stands still all the same.
  EXPECT_TRUE((*hold)->set());
  EXPECT_EQ((*hold)->way(), HoldWay::stop);
  EXPECT_THAT((*hold)->refused().back(), ::testing::HasSubstr("traced already, by process " + std::to_string(getpid())));
  EXPECT_TRUE((*hold)->verified_held());
  EXPECT_TRUE((*hold)->release());
}

TEST(HoldLadder, ProcessesThatAreSparedAreLeftAlone) {
  const auto guardian = Guardian::start();
  ASSERT_TRUE(guardian) << guardian.error().message();
  const Held program, orphan, other;
  HoldScope scope{program.pid, ""};
  scope.adopted = true;  // this process's children are the program's orphans
  scope.spared = {other.pid};
  const auto hold = make_hold(scope, **guardian, HoldWay::stop);
  ASSERT_TRUE(hold);
  ASSERT_TRUE((*hold)->set());
  EXPECT_EQ(state_of(program.pid), 'T');
  EXPECT_EQ(state_of(orphan.pid), 'T');
  EXPECT_NE(state_of(other.pid), 'T');
  EXPECT_TRUE((*hold)->release());
}

TEST(HoldLadder, AGuardianThatIsThisProcesssChildIsNotHeld) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const auto guardian = Guardian::start();
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  ASSERT_TRUE(guardian) << guardian.error().message();
  const Held program;
  HoldScope scope{program.pid, ""};
  scope.adopted = true;
  const auto hold = make_hold(scope, **guardian, HoldWay::stop);
  ASSERT_TRUE(hold);
  ASSERT_TRUE((*hold)->set());
  EXPECT_EQ((*guardian)->health(), Guardian::Health::well);
  EXPECT_TRUE((*hold)->release());
}

TEST(HoldLadder, AProgramKilledWhileItIsTracedIsReapedByItsParent) {
  const auto guardian = Guardian::start();
  ASSERT_TRUE(guardian) << guardian.error().message();
  const Held program;
  const auto hold = make_hold({program.pid, ""}, **guardian, HoldWay::trace);
  if (!hold) GTEST_SKIP() << hold.error().message();
  if (const auto set = (*hold)->set(); !set) GTEST_SKIP() << set.error().message();
  int status = 0;
  EXPECT_EQ(::waitpid(program.pid, &status, WNOHANG | WUNTRACED), 0) << "a traced stop is none of its parent's";
  kill(program.pid, SIGKILL);
  EXPECT_TRUE(await([&] { return ::waitpid(program.pid, &status, WNOHANG) == program.pid; }));
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE((*hold)->release());
}

TEST(HoldLadder, AnIdThatNamesAnotherProcessByNowIsNotHeld) {
  const auto guardian = Guardian::start();
  ASSERT_TRUE(guardian) << guardian.error().message();
  const Held program;
  auto scope = HoldScope{program.pid, ""};
  scope.root_start = process_stat(program.pid)->start_ticks - 1;  // one that had this id before
  EXPECT_TRUE(processes_of(scope, (*guardian)->pid()).empty());
  scope.root_start += 1;
  EXPECT_EQ(processes_of(scope, (*guardian)->pid()).size(), 1U);
  EXPECT_EQ(stop_process(program.pid, scope.root_start - 1), Stopped::gone);
  EXPECT_EQ(continue_process(program.pid, scope.root_start - 1, false), Stopped::gone);
}

TEST(StopSignals, ThoseThatWaitAreRead) {
  // Bits of SIGSTOP (19) and SIGTSTP (20).
  EXPECT_TRUE(has_stop_pending(parse_signal_masks("Name:\tx\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000040000\n")));
  EXPECT_TRUE(has_stop_pending(parse_signal_masks("Name:\tx\nSigPnd:\t0000000000080000\nShdPnd:\t0000000000000000\n")));
  EXPECT_FALSE(has_stop_pending(parse_signal_masks("Name:\tx\nSigPnd:\t0000000000020000\nShdPnd:\t0000000000000000\n")));
  // Blocked or ignored it stops nothing.
  EXPECT_FALSE(has_stop_pending(parse_signal_masks("Name:\tx\nShdPnd:\t0000000000080000\nSigBlk:\t0000000000080000\n")));
  EXPECT_FALSE(has_stop_pending(parse_signal_masks("Name:\tx\nShdPnd:\t0000000000080000\nSigIgn:\t0000000000080000\n")));
  EXPECT_FALSE(has_stop_pending(parse_signal_masks("")));
}

}  // namespace
}  // namespace gramwatt::job
