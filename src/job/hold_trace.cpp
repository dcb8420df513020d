// Every thread of the tree traced by the guardian and brought to a ptrace stop. This side finds the threads, the guardian
// seizes them (guardian_process.cpp says why it must be the tracer), and a look at the tree that finds nothing new ends it.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <string>

#include "base/file.hpp"
#include "base/process.hpp"
#include "base/text.hpp"
#include "job/hold_tree.hpp"
#include "job/hold_ways.hpp"

namespace gramwatt::job {
namespace {

using Name = std::pair<pid_t, std::int64_t>;

class TraceHold final : public Hold {
 public:
  TraceHold(HoldScope scope, Guardian& guardian) : scope_(std::move(scope)), guardian_(guardian) {}
  ~TraceHold() override { (void)release(); }

  Result<void> set() override;
  Result<void> release() override;
  bool verified_held() override { return !seized_.empty() && look(true).at_rest && seized_by() == guardian_.pid(); }
  [[nodiscard]] HoldWay way() const override { return HoldWay::trace; }

 private:
  struct Look {
    std::vector<Member> fresh;  ///< threads that are not seized
    bool at_rest = true;        ///< nothing fresh, and all in their stops
  };
  [[nodiscard]] Look look(bool sleepers) const;
  [[nodiscard]] Result<void> seize_all();
  [[nodiscard]] Result<void> check_refusals();
  [[nodiscard]] pid_t seized_by() const;

  HoldScope scope_;
  Guardian& guardian_;
  std::set<Name> seized_;
  pid_t guardian_pid_ = -1;  // who seized them
};

/// Field TracerPid of /proc/ID/status; 0: nobody.
pid_t tracer_of(pid_t id) {
  const auto status = read_file("/proc/" + std::to_string(id) + "/status", 4096);
  if (!status) return 0;
  std::string_view text = *status;
  while (const auto line = next_line(text)) {
    if (line->starts_with("TracerPid:")) return parse_number<pid_t>(trim(line->substr(10))).value_or(0);
  }
  return 0;
}

TraceHold::Look TraceHold::look(bool sleepers) const {
  Look look;
  for (const Member& process : processes_of(scope_, guardian_.pid())) {
    for (const Member& thread : threads_of(process.id)) {
      if (!seized_.contains({thread.id, thread.start_ticks})) look.fresh.push_back(thread);
      else if (thread.state != 't' && (thread.state != 'D' || !sleepers)) look.at_rest = false;
    }
  }
  look.at_rest = look.at_rest && look.fresh.empty();
  return look;
}

/// Of the first that lives still: threads that were seized once may have been let go by a guardian's death or an expired lease.
pid_t TraceHold::seized_by() const {
  for (const Name& name : seized_) {
    if (const pid_t tracer = tracer_of(name.first); tracer != 0) return tracer;
  }
  return 0;
}

Result<void> TraceHold::set() {
  if (!seized_.empty() && (guardian_.released() || guardian_pid_ != guardian_.pid())) (void)release();
  if (const auto armed = guardian_.arm(); !armed) return tl::unexpected(armed.error());
  guardian_pid_ = guardian_.pid();
  auto done = seize_all();
  if (done && guardian_.released()) done = fail(kInterrupted);
  if (!done) (void)release();
  return done;
}

Result<void> TraceHold::seize_all() {
  Patience patience(kRestWithin);
  if (!seized_.empty()) {  // what could not be let go last time, for one
    if (const auto seized = guardian_.seize(); !seized) return seized;
  }
  for (;;) {
    const Look now = look(patience.waited() > kSleepersAfter);
    if (now.at_rest) return {};
    for (const Member& thread : now.fresh) {
      if (const auto noted = guardian_.want_thread(thread.id, thread.start_ticks); !noted) return noted;
      seized_.insert({thread.id, thread.start_ticks});
    }
    if (!now.fresh.empty()) {
      if (const auto seized = guardian_.seize(); !seized) return seized;
      if (const auto allowed = check_refusals(); !allowed) return allowed;
    } else if (!patience.wait()) {
      return fail("some thread of the program did not stop within 2 s");
    }
    if (patience.waited() > kRestWithin) return fail("the program starts processes faster than they can be held");
  }
}

Result<void> TraceHold::check_refusals() {
  for (const Guardian::Refusal& refusal : guardian_.take_refusals()) {
    // EPERM is what the kernel says of a thread that is ending, too.
    const auto stat = process_stat(refusal.tid);
    if (!stat || stat->state == 'Z' || stat->state == 'X' || stat->start_ticks != refusal.start_ticks) continue;
    const std::string where = "thread " + std::to_string(refusal.tid);
    if (const pid_t tracer = tracer_of(refusal.tid); tracer != 0)
      return fail("is traced already, by process " + std::to_string(tracer), where);
    return fail(std::string("cannot be traced: ") + std::strerror(refusal.error), where);
  }
  return {};
}

Result<void> TraceHold::release() {
  if (seized_.empty()) return {};
  // The kernel has let go what a dead guardian held, and what an expired lease held is let go as well.
  if (guardian_pid_ != guardian_.pid() || guardian_.health() == Guardian::Health::dead) {
    seized_.clear();
    guardian_.clear();
    return {};
  }
  Patience patience(kRestWithin);
  for (;;) {
    const auto left = guardian_.let_go();
    if (!left) {
      // Stopped, or worse: its death lets all run on.
      seized_.clear();
      guardian_.clear();
      return guardian_.restart();
    }
    if (*left == 0) break;
    if (!patience.wait()) {
      return fail(std::to_string(*left) +
                  " threads sleep on a disk or network that does not answer; they run on when they wake");
    }
  }
  seized_.clear();
  guardian_.clear();
  return {};
}

bool may_trace_anybody() {
  const auto status = read_file("/proc/self/status", 8192);
  if (!status) return false;
  constexpr std::string_view key = "\nCapEff:";
  constexpr unsigned kSysPtrace = 19;  // CAP_SYS_PTRACE, linux/capability.h
  const auto at = status->find(key);
  if (at == std::string::npos) return false;
  const std::string_view rest = std::string_view(*status).substr(at + key.size());
  const auto mask = std::strtoull(std::string(trim(rest.substr(0, rest.find('\n')))).c_str(), nullptr, 16);
  return ((mask >> kSysPtrace) & 1U) != 0;
}

}  // namespace

Result<std::unique_ptr<Hold>> make_trace_hold(const HoldScope& scope, Guardian& guardian) {
  if (const auto told = check_children_are_told(); !told) return tl::unexpected(told.error());
  // Documentation/admin-guide/LSM/Yama.rst. No such file: no such restriction.
  const auto yama = parse_number<int>(read_line_or_empty("/proc/sys/kernel/yama/ptrace_scope")).value_or(0);
  if (yama >= 3 || (yama > 0 && !may_trace_anybody())) {
    return fail("kernel.yama.ptrace_scope is " + std::to_string(yama) + ", which does not let the guardian trace", {},
                yama >= 3 ? "" : "sudo sysctl kernel.yama.ptrace_scope=0");
  }
  if (const pid_t tracer = tracer_of(scope.root); tracer != 0 && tracer != guardian.pid())
    return fail("the program is traced already, by process " + std::to_string(tracer));
  return std::make_unique<TraceHold>(scope, guardian);
}

}  // namespace gramwatt::job
