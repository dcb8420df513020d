// The guardian by itself: what kind of process it is, and how its death, its stop and a lease are seen. That it lets programs
// run on is in hold_test.cpp.

#include <gtest/gtest.h>
#include <sys/prctl.h>

#include <thread>

#include "held_tree.hpp"
#include "job/guardian.hpp"
#include "job/hold.hpp"

namespace gramwatt::job {
namespace {

using testing::await;
namespace fs = std::filesystem;

std::unique_ptr<Guardian> started(Nanoseconds lease = kLease) {
  auto guardian = Guardian::start(lease);
  EXPECT_TRUE(guardian) << (guardian ? "" : guardian.error().message());
  return guardian ? std::move(*guardian) : nullptr;
}

fs::path proc_of(const Guardian& guardian) { return "/proc/" + std::to_string(guardian.pid()); }

/// How often it has gone to sleep, from its status.
std::int64_t sleeps_of(const Guardian& guardian) {
  const auto status = read_file(proc_of(guardian) / "status").value_or("");
  std::string_view text = status;
  while (const auto line = next_line(text)) {
    if (line->starts_with("voluntary_ctxt_switches:")) return parse_number<std::int64_t>(trim(line->substr(24))).value_or(-1);
  }
  return -1;
}

TEST(GuardianProcess, KeepsNothingOfItsParent) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd read(ends[0]);
  Fd write(ends[1]);
  const auto guardian = started();
  ASSERT_TRUE(guardian->arm());  // it answers: it has set itself up
  write.reset();
  pollfd source{read.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&source, 1, 60'000), 1);  // nobody else holds the other end
  std::error_code ec;
  std::size_t descriptors = 0;
  for ([[maybe_unused]] const auto& each : fs::directory_iterator(proc_of(*guardian) / "fd", ec)) ++descriptors;
  EXPECT_EQ(descriptors, 4U);
  EXPECT_EQ(fs::read_symlink(proc_of(*guardian) / "cwd", ec), "/");
  const auto stat = process_stat(guardian->pid());
  ASSERT_TRUE(stat);
  EXPECT_NE(stat->session, getsid(0));
  EXPECT_NE(stat->parent, getpid());
}

TEST(GuardianProcess, IsNotFoundByItsParentsName) {
  const auto guardian = started();
  ASSERT_TRUE(guardian->arm());
  EXPECT_EQ(read_line_or_empty(proc_of(*guardian) / "comm"), "gw-guardian");
  EXPECT_EQ(command_line_of(guardian->pid()).front(), "gw-guardian");
  const auto text = read_file(proc_of(*guardian) / "cmdline").value_or("");
  EXPECT_EQ(text.find("test_job"), std::string::npos);
  EXPECT_NE(read_file("/proc/self/cmdline").value_or("").find("test_job"), std::string::npos);
}

TEST(GuardianProcess, NoSignalButKillEndsIt) {
  const auto guardian = started();
  for (const int s : {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGPIPE, SIGTSTP}) kill(guardian->pid(), s);
  EXPECT_TRUE(guardian->arm());
  EXPECT_EQ(guardian->health(), Guardian::Health::well);
}

TEST(GuardianProcess, EndsWithItsObject) {
  auto guardian = started();
  const pid_t pid = guardian->pid();
  guardian.reset();
  EXPECT_TRUE(await([&] {
    const auto stat = process_stat(pid);
    return !stat || stat->state == 'Z';
  }));
}

TEST(GuardianProcess, SleepsWhileNothingIsAskedAndWakesOnceARenewal) {
  const auto guardian = started();
  ASSERT_TRUE(guardian->arm());
  ASSERT_TRUE(await([&] { return process_stat(guardian->pid())->state == 'S'; }));
  const auto before = sleeps_of(*guardian);
  testing::burn_some();
  EXPECT_EQ(sleeps_of(*guardian), before);
  for (int i = 1; i <= 5; ++i) {
    ASSERT_TRUE(guardian->renew());
    EXPECT_TRUE(await([&] { return sleeps_of(*guardian) >= before + i; }));
  }
  EXPECT_EQ(sleeps_of(*guardian), before + 5);
  EXPECT_GE(guardian->renew_every(), std::chrono::minutes(2));  // two processes: once a minute together
}

TEST(GuardianHealth, DeathIsSeen) {
  const auto guardian = started();
  EXPECT_EQ(guardian->health(), Guardian::Health::well);
  kill(guardian->pid(), SIGKILL);
  pollfd source{guardian->pidfd(), POLLIN, 0};
  ASSERT_EQ(::poll(&source, 1, 60'000), 1);
  EXPECT_EQ(guardian->health(), Guardian::Health::dead);
  EXPECT_FALSE(guardian->renew());
  EXPECT_FALSE(guardian->arm());
  ASSERT_TRUE(guardian->restart());
  EXPECT_EQ(guardian->health(), Guardian::Health::well);
  EXPECT_TRUE(guardian->arm());
}

TEST(GuardianHealth, AStopIsSeen) {
  const auto guardian = started();
  const pid_t before = guardian->pid();
  kill(before, SIGSTOP);
  EXPECT_TRUE(await([&] { return guardian->health() == Guardian::Health::stopped; }));
  EXPECT_FALSE(guardian->renew());
  ASSERT_TRUE(guardian->restart());
  EXPECT_NE(guardian->pid(), before);
  EXPECT_EQ(guardian->health(), Guardian::Health::well);
  EXPECT_TRUE(await([&] { return !process_stat(before) || process_stat(before)->state == 'Z'; }));
}

TEST(GuardianLease, RunsOutWhenItIsNotRenewed) {
  const auto guardian = started(std::chrono::milliseconds(700));
  ASSERT_TRUE(guardian->arm());
  EXPECT_FALSE(guardian->released());
  EXPECT_TRUE(await([&] { return guardian->released(); }));
  EXPECT_FALSE(guardian->renew());
  ASSERT_TRUE(guardian->arm());  // the next hold begins anew
  EXPECT_FALSE(guardian->released());
  EXPECT_TRUE(guardian->renew());
  guardian->clear();
  EXPECT_TRUE(guardian->renew());  // nothing is held: nothing to renew
}

TEST(GuardianRestart, InAProcessWithThreadsThatIsASubReaperItIsNoChildThatWaitSees) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  while (waitpid(-1, nullptr, 0) > 0) {}  // what earlier tests left below us
  std::atomic<bool> stop = false;
  std::thread busy([&] {
    while (!stop) std::vector<std::string> kept(100, std::string(100, 'x'));  // holds malloc's lock often
  });
  {
    const auto guardian = started();
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(guardian->restart());
      ASSERT_TRUE(guardian->arm());
      int status = 0;
      EXPECT_EQ(waitpid(-1, &status, WNOHANG), -1);
      EXPECT_EQ(errno, ECHILD);
    }
  }
  stop = true;
  busy.join();
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG | __WALL), -1) << "a guardian was left behind";
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

}  // namespace
}  // namespace gramwatt::job
