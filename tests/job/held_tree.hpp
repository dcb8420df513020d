#pragma once
// A holder (holder.cpp) with its guardian and its program, as a test sees them from outside.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/process.hpp"
#include "base/text.hpp"

namespace gramwatt::job::testing {

/// Looks until something holds; a minute stands for never.
inline bool await(const std::function<bool()>& holds) {
  for (int i = 0; i < 60'000; ++i) {
    if (holds()) return true;
    const timespec pause{0, 1'000'000};
    ::nanosleep(&pause, nullptr);
  }
  return false;
}

/// CPU time of a process, ns; 0 when it is gone.
inline std::int64_t cpu_of(pid_t pid) {
  clockid_t clock{};
  timespec t{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0) return 0;
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

/// This machine has had time to run others: what we ourselves burn meanwhile.
inline void burn_some() {
  const auto until = cpu_of(getpid()) + 20'000'000;
  while (cpu_of(getpid()) < until) {}
}

/// Fields 1 (id) and those of process_stat of every process of a session.
inline std::map<pid_t, ProcessStat> session_of(pid_t leader) {
  std::map<pid_t, ProcessStat> members;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ec)) {
    const auto pid = parse_number<pid_t>(entry.path().filename().string());
    if (!pid) continue;
    const auto stat = process_stat(*pid);
    if (stat && stat->session == leader && stat->state != 'Z' && stat->state != 'X') members[*pid] = *stat;
  }
  return members;
}

class HeldTree {
 public:
  HeldTree(const std::string& way, int lease_ms, const std::vector<std::string>& command = {THICKET, "2", "3"}) {
    std::array<int, 2> in{}, out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) std::abort();
    std::vector<std::string> words{HOLDER, way, std::to_string(lease_ms)};
    words.insert(words.end(), command.begin(), command.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    holder = ::fork();
    if (holder == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    in_ = Fd(in[1]);
    out_ = Fd(out[0]);
    Fd(in[0]).reset();
    Fd(out[1]).reset();
    // Two lines, in any order: the holder's own, and the program's "ready".
    for (int i = 0; i < 2 && skipped.empty(); ++i) {
      const std::string text = line();
      if (text == "ready") continue;
      if (!text.starts_with("skip ")) std::istringstream(text) >> program >> guardian >> cgroup;
      else skipped = text.substr(5);
    }
  }
  ~HeldTree() {
    kill_holder();
    // What is left of the program ends here, held or not.
    await([&] {
      const auto members = session_of(holder);
      for (const auto& [pid, stat] : members) ::kill(pid, SIGKILL);
      return members.empty();
    });
    if (!cgroup.empty() && cgroup != "-") await([&] { return ::rmdir(cgroup.c_str()) == 0 || errno == ENOENT; });
  }
  HeldTree(const HeldTree&) = delete;
  HeldTree& operator=(const HeldTree&) = delete;

  void kill_holder() {
    if (dead_) return;
    dead_ = true;
    ::kill(holder, SIGKILL);
    ::waitpid(holder, nullptr, 0);
  }

  void tell(const std::string& word) const { (void)!::write(in_.get(), (word + "\n").c_str(), word.size() + 1); }
  std::string ask(const std::string& word) {
    tell(word);
    return line();
  }
  /// The next line of holder or program; empty when there is none for a minute.
  std::string line() {
    for (;;) {
      if (const auto end = buffer_.find('\n'); end != std::string::npos) {
        std::string text = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return text;
      }
      pollfd source{out_.get(), POLLIN, 0};
      std::array<char, 4096> bytes;
      if (::poll(&source, 1, 60'000) != 1) return {};
      const ssize_t n = ::read(out_.get(), bytes.data(), bytes.size());
      if (n <= 0) return {};
      buffer_.append(bytes.data(), static_cast<std::size_t>(n));
    }
  }

  /// The program's processes.
  [[nodiscard]] std::map<pid_t, ProcessStat> members() const {
    auto all = session_of(holder);
    all.erase(holder);
    return all;
  }
  [[nodiscard]] std::map<pid_t, std::int64_t> cpu() const {
    std::map<pid_t, std::int64_t> times;
    for (const auto& [pid, stat] : members()) times[pid] = cpu_of(pid);
    return times;
  }
  /// All of it gets on: each process that lives on has used CPU time since, or has ended.
  [[nodiscard]] bool runs_on() const {
    const auto before = cpu();
    return await([&] {
      for (const auto& [pid, time] : before) {
        const auto stat = process_stat(pid);
        if (stat && stat->state != 'Z' && cpu_of(pid) == time) return false;
      }
      return true;
    });
  }
  /// The kernel calls a task frozen, or stopped, just before it leaves its processor: on a busy machine that may take a moment
  /// of CPU time more. What runs never stands still.
  [[nodiscard]] bool stands_still() const {
    for (int look = 0; look < 5; ++look) {
      const auto before = cpu();
      if (before.empty()) return false;
      burn_some();
      if (cpu() == before) return true;
    }
    return false;
  }

  pid_t holder = -1, program = -1, guardian = -1;
  std::string cgroup, skipped;

 private:
  Fd in_, out_;
  std::string buffer_;
  bool dead_ = false;
};

}  // namespace gramwatt::job::testing
