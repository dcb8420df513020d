// What holding a program costs, and how soon it runs on when its holder is killed: docs/validation.md.
//
//   hold [PROCESSES THREADS]    of the program that is held (tests/fakes/thicket.c); default 8 and 4

#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "base/system.hpp"
#include "job/child.hpp"
#include "job/held_tree.hpp"
#include "job/hold.hpp"
#include "meter/tree_cpu.hpp"

using namespace gramwatt;
using namespace gramwatt::job;
using gramwatt::job::testing::HeldTree;

namespace {

using Clock = std::chrono::steady_clock;

double us_since(Clock::time_point begin) { return std::chrono::duration<double, std::micro>(Clock::now() - begin).count(); }

struct Times {
  std::vector<double> us;
  void say(const char* what) {
    std::sort(us.begin(), us.end());
    if (!us.empty())
      std::printf("  %-44s fastest %6.0f us  median %6.0f us  slowest %6.0f us  of %zu\n", what, us.front(), us[us.size() / 2],
                  us.back(), us.size());
  }
};

/// A line of /proc/PID/smaps_rollup, kB.
long rollup(pid_t pid, std::string_view key) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/smaps_rollup").value_or("");
  const auto at = text.find(std::string(key) + ":");
  return at == std::string::npos ? -1 : std::atol(text.c_str() + at + key.size() + 1);
}

void guardians() {
  std::printf("guardian\n");
  Times start;
  for (int i = 0; i < 200; ++i) {
    const auto begin = Clock::now();
    const auto guardian = Guardian::start();
    start.us.push_back(us_since(begin));
    if (i + 1 < 200 || !guardian || !(*guardian)->arm()) continue;
    const pid_t pid = (*guardian)->pid();
    std::printf("  memory: Rss %ld kB, Pss %ld kB, of its own (private) %ld kB\n", rollup(pid, "Rss"), rollup(pid, "Pss"),
                rollup(pid, "Private_Dirty") + rollup(pid, "Private_Clean"));
  }
  start.say("start, in gramwatt's time");
}

/// One way, in this process.
void hold_and_release(HoldWay way, const std::vector<std::string>& command, const SignalGate& gate) {
  auto guardian = Guardian::start();
  const auto tree = meter::make_tree_cpu(new_run_id());
  auto child = Child::spawn({command, {}, tree->birth_cgroup()}, gate);
  int code = 0;
  if (!guardian || !child || !child->release(code)) return;
  auto hold = make_hold({child->pid(), child->born_in_cgroup() ? cgroup_folder(tree->birth_cgroup()) : ""}, **guardian, way);
  if (!hold) {
    std::printf("  %s\n", hold.error().message().c_str());
  } else {
    Times set, release;
    const timespec pause{0, 20'000'000};
    for (int i = 0; i < 100; ++i) {
      ::nanosleep(&pause, nullptr);
      auto begin = Clock::now();
      if (const auto done = (*hold)->set(); !done) std::printf("  %s\n", done.error().message().c_str());
      set.us.push_back(us_since(begin));
      begin = Clock::now();
      if (const auto done = (*hold)->release(); !done) std::printf("  %s\n", done.error().message().c_str());
      release.us.push_back(us_since(begin));
    }
    set.say("hold");
    release.say("release");
  }
  ::kill(child->pid(), SIGKILL);
  ::waitpid(child->pid(), nullptr, 0);
  for (const auto& [pid, stat] : job::testing::session_of(::getsid(0)))
    if (process_stat(pid) && read_line_or_empty("/proc/" + std::to_string(pid) + "/comm") == "thicket") ::kill(pid, SIGKILL);
}

/// `members`: before the kill; what is held forks no more.
bool is_held(const HeldTree& tree, const std::vector<pid_t>& members) {
  if (tree.cgroup != "-" && contains(read_file(tree.cgroup + "/cgroup.events").value_or(""), "frozen 1")) return true;
  return std::any_of(members.begin(), members.end(), [](pid_t pid) {
    const auto stat = process_stat(pid);
    return stat && (stat->state == 'T' || stat->state == 't');
  });
}

void kill_holders(HoldWay way, const std::vector<std::string>& command) {
  Times killed;
  for (int i = 0; i < 20; ++i) {
    HeldTree tree(std::string(name_of(way)), 600'000, command);
    if (!tree.skipped.empty() || tree.ask("set") != "ok") return;
    std::vector<pid_t> members;
    for (const auto& [pid, stat] : tree.members()) members.push_back(pid);
    const auto begin = Clock::now();
    ::kill(tree.holder, SIGKILL);
    const timespec look{0, 100'000};  // on a machine of two cores this program must not take one of them
    while (is_held(tree, members)) ::nanosleep(&look, nullptr);
    killed.us.push_back(us_since(begin));
  }
  killed.say("from kill -9 until nothing is held any more");
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> command{THICKET, argc > 1 ? argv[1] : "8", argc > 2 ? argv[2] : "4"};
  ::setsid();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  guardians();
  for (const HoldWay way : {HoldWay::freeze, HoldWay::trace, HoldWay::stop}) {
    std::printf("%s, %s processes of %s threads and two that fork\n", std::string(name_of(way)).c_str(), command[1].c_str(),
                command[2].c_str());
    kill_holders(way, command);
    const SignalGate gate;
    hold_and_release(way, command, gate);
  }
  return 0;
}
