// Books of processes against a simulated machine: fork, run, exit, wait, orphans, autoreaping, and looks in between.

#include "meter/process_books.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <vector>

namespace gramwatt::meter {
namespace {

using std::chrono::milliseconds;
constexpr Nanoseconds kTick = milliseconds(10);

/// A kernel in small: processes by number; 1 is init and reaps at once.
struct Kernel {
  struct Process {
    pid_t parent = 0;
    std::int64_t start = 0;
    Nanoseconds self{}, reaped{};
    bool zombie = false;
    bool ignores = false;  ///< SIGCHLD
  };
  std::map<pid_t, Process> all{{1, {}}};
  pid_t next = 2;
  std::int64_t clock = 1;  ///< processes so far
  Nanoseconds burnt{}, thrown_away{};

  pid_t fork(pid_t parent) {
    all[next] = {parent, ++clock, {}, {}, false, false};
    return next++;
  }
  void run(pid_t pid, Nanoseconds t) {
    all[pid].self += t;
    burnt += t;
  }
  void reap(pid_t pid) {
    const Process p = all[pid];
    Process& parent = all[p.parent];
    if (parent.ignores) thrown_away += p.self + p.reaped;
    else parent.reaped += p.self + p.reaped;
    all.erase(pid);
  }
  void exit(pid_t pid) {
    Process& p = all[pid];
    p.zombie = true;
    std::vector<pid_t> dead;
    for (auto& [child, c] : all) {
      if (c.parent != pid) continue;
      c.parent = 1;
      if (c.zombie) dead.push_back(child);
    }
    for (const pid_t child : dead) reap(child);
    if (p.parent == 1 || all[p.parent].ignores) reap(pid);
  }
  [[nodiscard]] std::vector<ProcessLook> look() const {
    std::vector<ProcessLook> looks;
    for (const auto& [pid, p] : all)
      looks.push_back({pid, p.parent, 1, p.start, p.self, kTick * (p.reaped / kTick), p.zombie});  // as coarse as the real one
    return looks;
  }
};

/// Runs a random history; `autoreap`: some ignore SIGCHLD. Calls `check(kernel, sum of all that was charged)` at every look.
template <class Check>
void history(bool autoreap, bool reuse_numbers, const Check& check) {
  Kernel k;
  ProcessBooks books(kTick);
  Nanoseconds sum{};
  books.take(k.look());
  const int steps = *rc::gen::inRange(1, 300);
  for (int i = 0; i < steps; ++i) {
    std::vector<pid_t> alive, zombies;
    for (const auto& [pid, p] : k.all) (p.zombie ? zombies : alive).push_back(pid);
    const pid_t who = *rc::gen::elementOf(alive);
    switch (*rc::gen::inRange(0, autoreap ? 7 : 6)) {
      case 0:
      case 1: {
        const pid_t child = k.fork(who);
        k.run(child, milliseconds(*rc::gen::inRange(0, 100)));
        if (reuse_numbers && k.next > 8) k.next = 2;
        while (k.all.contains(k.next)) ++k.next;
        break;
      }
      case 2: k.run(who, milliseconds(*rc::gen::inRange(0, 500))); break;
      case 3:
        if (who != 1) k.exit(who);
        break;
      case 4:
        if (!zombies.empty()) k.reap(*rc::gen::elementOf(zombies));
        break;
      case 5:
        books.take(k.look());
        for (const auto& [pid, e] : books.entries()) sum += e.fresh;
        check(k, sum);
        break;
      default: k.all[who].ignores = who != 1;
    }
  }
}

RC_GTEST_PROP(ProcessBooks, lose_nothing_and_count_nothing_twice_where_children_are_waited_for, ()) {
  history(false, false, [](const Kernel& k, Nanoseconds sum) {
    // `reaped` is cut to ticks, which may show twice a process: in what it had reaped, and in who reaped it.
    const Nanoseconds slack = kTick * 2 * k.clock;
    RC_ASSERT(sum >= k.burnt - slack);
    RC_ASSERT(sum <= k.burnt + slack);
  });
}

RC_GTEST_PROP(ProcessBooks, numbers_that_come_again_are_somebody_else, ()) {
  history(false, true, [](const Kernel& k, Nanoseconds sum) {
    const Nanoseconds slack = kTick * 2 * k.clock;
    RC_ASSERT(sum >= k.burnt - slack);
    RC_ASSERT(sum <= k.burnt + slack);
  });
}

RC_GTEST_PROP(ProcessBooks, never_invent_time_where_children_are_not_waited_for, ()) {
  history(true, false, [](const Kernel& k, Nanoseconds sum) { RC_ASSERT(sum <= k.burnt + kTick * 2 * k.clock); });
}

TEST(ProcessBooks, TheLastMomentsOfAChildGoToWhoWaitedForIt) {
  ProcessBooks books(kTick);
  books.take(std::vector<ProcessLook>{
      {1, 0, 1, 0, {}, {}}, {10, 1, 10, 5, milliseconds(50), {}}, {11, 10, 10, 6, milliseconds(300), {}}});
  books.take(std::vector<ProcessLook>{{1, 0, 1, 0, {}, {}}, {10, 1, 10, 5, milliseconds(60), milliseconds(420)}});
  EXPECT_EQ(books.entries().at(10).fresh, milliseconds(10 + 120));
}

TEST(ProcessBooks, AChildThatWasNeverSeenCountsWithItsParent) {
  ProcessBooks books(kTick);
  books.take(std::vector<ProcessLook>{{10, 1, 10, 5, milliseconds(50), {}}});
  books.take(std::vector<ProcessLook>{{10, 1, 10, 5, milliseconds(50), milliseconds(70)}});
  EXPECT_EQ(books.entries().at(10).fresh, milliseconds(70));
}

TEST(ProcessBooks, ADebtThatNobodyPaysIsForgotten) {
  ProcessBooks books(kTick);
  books.take(std::vector<ProcessLook>{{10, 1, 10, 5, {}, {}}, {11, 10, 10, 6, milliseconds(900), {}}});
  books.take(std::vector<ProcessLook>{{10, 1, 10, 5, {}, {}}});  // 10 ignores SIGCHLD: the 900 ms never come
  books.take(std::vector<ProcessLook>{{10, 1, 10, 5, {}, {}}});
  books.take(std::vector<ProcessLook>{{10, 1, 10, 5, {}, milliseconds(500)}});  // another child, long after
  EXPECT_EQ(books.entries().at(10).fresh, milliseconds(480));                   // but for two ticks
}

TEST(ProcessBooks, FollowsTreesThroughForkingAndOrphanhood) {
  ProcessBooks books(kTick);
  books.follow(10);
  const auto at = [](pid_t pid, pid_t parent, pid_t session, int ms) {
    return ProcessLook{pid, parent, session, pid, milliseconds(ms), {}};
  };
  books.take(std::vector{at(1, 0, 1, 0), at(10, 1, 10, 100), at(11, 10, 10, 0), at(20, 1, 20, 0)});
  EXPECT_EQ(books.members_used(), Nanoseconds{0});  // what was used before does not count
  books.take(std::vector{at(1, 0, 1, 0), at(12, 11, 12, 30), at(11, 10, 10, 5), at(10, 1, 10, 101), at(20, 1, 20, 700)});
  EXPECT_EQ(books.members_used(), milliseconds(36));
  // 10 and 11 end; 12 is init's child now and stays; 13 was born and orphaned unseen, in 12's session.
  books.take(std::vector{at(1, 0, 1, 0), at(12, 1, 12, 40), at(13, 1, 12, 7), at(20, 1, 20, 700), at(21, 20, 20, 9)});
  EXPECT_EQ(books.members_used(), milliseconds(53));
}

TEST(ProcessBooks, SomebodyElseWithTheNumberOfARootIsNotFollowed) {
  ProcessBooks books(kTick);
  books.follow(10);
  books.take(std::vector<ProcessLook>{{10, 1, 10, 5, {}, {}}});
  books.take(std::vector<ProcessLook>{{10, 1, 10, 99, milliseconds(500), {}}});
  EXPECT_EQ(books.members_used(), Nanoseconds{0});
}

}  // namespace
}  // namespace gramwatt::meter
