// Plays gramwatt for hold_test and guardian_test, in a process that may be killed: starts a guardian and a program, and does
// what its input says, a word a line, answering each with a line.
//
//   holder WAY LEASE_MS COMMAND…    first line: "PROGRAM GUARDIAN CGROUP" (pids; "-" for no cgroup), or "skip REASON"
//   set release held renew released restart loop

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <iostream>
#include <random>
#include <string>

#include "base/system.hpp"
#include "job/child.hpp"
#include "job/hold.hpp"
#include "meter/tree_cpu.hpp"

namespace gramwatt::job {
namespace {

void say(const std::string& text) { (void)!::write(STDOUT_FILENO, (text + "\n").c_str(), text.size() + 1); }

std::string told(const Result<void>& result) { return result ? "ok" : "error " + result.error().message(); }

void nap(std::mt19937& random) {
  const timespec t{0, static_cast<long>(random() % 3'000'000)};
  ::nanosleep(&t, nullptr);
}

/// Until it is killed.
[[noreturn]] void loop(Hold& hold) {
  std::mt19937 random(static_cast<unsigned>(getpid()));
  for (;;) {
    say(told(hold.set()));
    nap(random);
    if (const auto released = hold.release(); !released) say(told(released));
    nap(random);
  }
}

std::string obey(const std::string& word, Hold& hold, Guardian& guardian) {
  if (word == "set") return told(hold.set());
  if (word == "release") return told(hold.release());
  if (word == "held") return hold.verified_held() ? "yes" : "no";
  if (word == "renew") return told(guardian.renew());
  if (word == "released") return guardian.released() ? "yes" : "no";
  if (word == "restart") return told(guardian.restart());
  if (word == "loop") loop(hold);
  return "what?";
}

int play(HoldWay way, Nanoseconds lease, const std::vector<std::string>& command) {
  ::setsid();
  auto guardian = Guardian::start(lease);
  if (!guardian) {
    say("skip " + guardian.error().message());
    return 0;
  }
  SignalGate gate;
  const auto tree = meter::make_tree_cpu(new_run_id());
  auto child = Child::spawn({command, {}, tree->birth_cgroup()}, gate);
  int code = 0;
  if (!child || !child->release(code)) return 1;
  auto hold = make_hold({child->pid(), child->born_in_cgroup() ? cgroup_folder(tree->birth_cgroup()) : ""}, **guardian, way);
  if (!hold) {
    ::kill(child->pid(), SIGKILL);
    say("skip " + hold.error().message());
    return 0;
  }
  // Some containers forbid ptrace.
  if (const auto tried = (*hold)->set(); !tried && tried.error().message().find("cannot be traced") != std::string::npos) {
    ::kill(child->pid(), SIGKILL);
    say("skip " + tried.error().message());
    return 0;
  }
  (void)(*hold)->release();
  const std::string folder = cgroup_folder(tree->birth_cgroup());
  say(std::to_string(child->pid()) + " " + std::to_string((*guardian)->pid()) + " " + (folder.empty() ? "-" : folder));
  for (std::string word; std::getline(std::cin, word);) say(obey(word, **hold, **guardian));
  return 0;
}

}  // namespace
}  // namespace gramwatt::job

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const auto way = gramwatt::job::parse_hold_way(argv[1]);
  if (!way) return 2;
  return gramwatt::job::play(*way, std::chrono::milliseconds(std::stoi(argv[2])), {argv + 3, argv + argc});
}
