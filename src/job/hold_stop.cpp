// SIGSTOP to every process of the tree, until a look finds nothing that runs. What is stopped by somebody else before we come
// to it is left alone; each of ours is noted for the guardian before it is sent its signal.

#include "job/hold_tree.hpp"
#include "job/hold_ways.hpp"
#include "job/stopped.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace gramwatt::job {
namespace {

class StopHold final : public Hold {
 public:
  StopHold(HoldScope scope, Guardian& guardian) : scope_(std::move(scope)), guardian_(guardian) {}
  ~StopHold() override { (void)release(); }

  Result<void> set() override;
  Result<void> release() override;
  bool verified_held() override { return all_at_rest(processes_of(scope_, guardian_.pid()), true); }
  [[nodiscard]] HoldWay way() const override { return HoldWay::stop; }

 private:
  [[nodiscard]] Result<void> stop_all();
  [[nodiscard]] Result<void> stop(const Member& process, bool first);
  [[nodiscard]] bool all_at_rest(const std::vector<Member>& processes, bool sleepers) const;
  [[nodiscard]] bool at_rest(const Member& process, bool sleepers) const;

  HoldScope scope_;
  Guardian& guardian_;
  bool ours_ = false;
  bool complete_ = false;  // the last `set` had gone to its end
};

Result<void> StopHold::set() {
  if (const auto armed = guardian_.arm(); !armed) return tl::unexpected(armed.error());
  ours_ = true;
  auto stopped = stop_all();
  if (stopped && guardian_.released()) stopped = fail(kInterrupted);
  if (!stopped) (void)release();
  complete_ = ours_;
  return stopped;
}

Result<void> StopHold::stop_all() {
  Patience patience(kRestWithin);
  std::set<pid_t> sent;
  for (;;) {
    const bool again = patience.waited() > kSleepersAfter;
    for (const Member& process : processes_of(scope_, guardian_.pid())) {
      if (process.state == 'T' || process.state == 't') continue;  // on its way, or somebody else's
      const bool first = sent.insert(process.id).second;
      if (!first && !again) continue;
      if (const auto done = stop(process, first); !done) return done;
    }
    // A look later than the last signal: what is at rest now and was listed before forks no more.
    if (all_at_rest(processes_of(scope_, guardian_.pid()), again)) return {};
    if (!patience.wait()) return fail("some process of the program did not stop within 2 s");
  }
}

/// `first`: of this attempt to hold. One that is ours from an earlier complete one and runs was continued by somebody, and that
/// took all pending stops off its queue.
Result<void> StopHold::stop(const Member& process, bool first) {
  if (!guardian_.watches(process.id, process.start_ticks)) {
    if (const auto noted = guardian_.watch_process(process.id, process.start_ticks); !noted) return noted;
  } else {
    guardian_.doubt(process.id, process.start_ticks, !first || !complete_);
  }
  if (stop_process(process.id, process.start_ticks) == Stopped::denied)
    return fail("may not be stopped: it belongs to another user", "process " + std::to_string(process.id));
  return {};
}

bool StopHold::all_at_rest(const std::vector<Member>& processes, bool sleepers) const {
  return std::all_of(processes.begin(), processes.end(), [&](const Member& p) { return at_rest(p, sleepers); });
}

bool StopHold::at_rest(const Member& process, bool sleepers) const {
  const auto threads = threads_of(process.id);
  return std::all_of(threads.begin(), threads.end(), [&](const Member& t) {
    if (t.state == 'T' || t.state == 't') return true;
    // Asleep on a disk, or in vfork until a child that we hold calls exec: SIGSTOP waits for it.
    return t.state == 'D' && sleepers && guardian_.watches(process.id, process.start_ticks);
  });
}

Result<void> StopHold::release() {
  if (!ours_) return {};
  ours_ = complete_ = false;
  std::string denied;
  guardian_.unwatch_processes([&](const Guardian::Watched& w) {
    if (continue_process(w.pid, w.start_ticks, w.doubted) == Stopped::denied) denied = "process " + std::to_string(w.pid);
  });
  guardian_.clear();
  if (!denied.empty()) return fail("may not be continued: it belongs to another user by now", denied);
  return {};
}

}  // namespace

Result<std::unique_ptr<Hold>> make_stop_hold(const HoldScope& scope, Guardian& guardian) {
  if (const auto told = check_children_are_told(); !told) return tl::unexpected(told.error());
  return std::make_unique<StopHold>(scope, guardian);
}

}  // namespace gramwatt::job
