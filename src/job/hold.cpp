#include "job/hold.hpp"

#include <array>
#include <filesystem>

#include "base/process.hpp"
#include "job/hold_ways.hpp"

namespace gramwatt::job {
namespace {

constexpr std::array kBestFirst{HoldWay::freeze, HoldWay::trace, HoldWay::stop};

Result<std::unique_ptr<Hold>> make(HoldWay way, const HoldScope& scope, Guardian& guardian) {
  switch (way) {
    case HoldWay::freeze: return make_freeze_hold(scope, guardian);
    case HoldWay::trace: return make_trace_hold(scope, guardian);
    case HoldWay::stop: return make_stop_hold(scope, guardian);
  }
  return fail("no such way");
}

/// Goes down the ladder, and never up again: what did not work once would cost a failed attempt at each pause.
class Ladder final : public Hold {
 public:
  Ladder(HoldScope scope, Guardian& guardian, std::optional<HoldWay> forced)
      : scope_(std::move(scope)), guardian_(guardian), forced_(forced) {}

  /// The next rung that can be made. An Error when there is none.
  [[nodiscard]] Result<void> step_down() {
    hold_.reset();
    while (next_ < kBestFirst.size()) {
      const HoldWay way = kBestFirst[next_++];
      if (forced_ && way != *forced_) continue;
      auto made = make(way, scope_, guardian_);
      if (made) {
        hold_ = std::move(*made);
        return {};
      }
      note(way, made.error());
    }
    return fail("the program cannot be held in place" + (refused_.empty() ? "" : "; " + refused_.back()));
  }

  Result<void> set() override {
    for (;;) {
      if (!hold_) return fail("the program cannot be held in place; " + refused_.back());
      auto done = hold_->set();
      // Without a guardian no way is better than another: nothing is to be learned from that.
      if (done || guardian_.health() != Guardian::Health::well || done.error().what == kInterrupted) return done;
      note(hold_->way(), done.error());
      if (const auto next = step_down(); !next) return next;
    }
  }
  Result<void> release() override { return hold_ ? hold_->release() : Result<void>{}; }
  bool verified_held() override { return hold_ && hold_->verified_held(); }
  [[nodiscard]] HoldWay way() const override { return hold_ ? hold_->way() : HoldWay::stop; }
  [[nodiscard]] std::vector<std::string> refused() const override { return refused_; }

 private:
  void note(HoldWay way, const Error& error) { refused_.push_back(std::string(name_of(way)) + ": " + error.message()); }

  HoldScope scope_;
  Guardian& guardian_;
  std::optional<HoldWay> forced_;
  std::size_t next_ = 0;
  std::unique_ptr<Hold> hold_;
  std::vector<std::string> refused_;
};

}  // namespace

std::string cgroup_folder(int fd) {
  std::error_code ec;
  return fd < 0 ? std::string() : std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), ec).string();
}

std::string_view name_of(HoldWay way) {
  switch (way) {
    case HoldWay::freeze: return "freeze";
    case HoldWay::trace: return "trace";
    case HoldWay::stop: return "stop";
  }
  return "";
}

std::optional<HoldWay> parse_hold_way(std::string_view name) {
  for (const HoldWay way : kBestFirst) {
    if (name == name_of(way)) return way;
  }
  return std::nullopt;
}

Result<std::unique_ptr<Hold>> make_hold(HoldScope scope, Guardian& guardian, std::optional<HoldWay> forced) {
  if (const auto root = process_stat(scope.root)) scope.root_start = root->start_ticks;
  auto ladder = std::make_unique<Ladder>(std::move(scope), guardian, forced);
  if (const auto first = ladder->step_down(); !first) return tl::unexpected(first.error());
  return ladder;
}

}  // namespace gramwatt::job
