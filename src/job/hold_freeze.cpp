// The freezer of cgroup 2: Documentation/admin-guide/cgroup-v2.rst, "cgroup.freeze" and "cgroup.events". The file says what is
// wanted, `frozen` in cgroup.events what is reached, and that file is pollable. A cgroup is frozen when it or one above it
// wants it; so what somebody froze further up stays frozen when we let go, and what was frozen here before is not ours to thaw.

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <set>

#include "base/file.hpp"
#include "base/text.hpp"
#include "job/hold_tree.hpp"
#include "job/hold_ways.hpp"

namespace gramwatt::job {
namespace fs = std::filesystem;
namespace {

class FreezeHold final : public Hold {
 public:
  FreezeHold(const HoldScope& scope, Guardian& guardian, Fd freeze, Fd events)
      : scope_(scope), folder_(scope.cgroup), guardian_(guardian), freeze_(std::move(freeze)), events_(std::move(events)) {}
  ~FreezeHold() override { (void)release(); }

  Result<void> set() override;
  Result<void> release() override;
  bool verified_held() override;
  [[nodiscard]] HoldWay way() const override { return HoldWay::freeze; }

 private:
  [[nodiscard]] bool wanted() const;
  [[nodiscard]] bool frozen() const;
  [[nodiscard]] bool write_wanted(bool on) const { return ::pwrite(freeze_.get(), on ? "1" : "0", 1, 0) == 1; }
  [[nodiscard]] bool await(bool state) const;
  [[nodiscard]] bool frozen_above() const;
  [[nodiscard]] bool somebody_outside() const;

  HoldScope scope_;
  fs::path folder_;
  Guardian& guardian_;
  Fd freeze_, events_;
  bool ours_ = false;
  bool complete_ = false;  // set() had gone to its end
};

bool FreezeHold::wanted() const {
  std::array<char, 16> buffer;
  const auto text = pread_text(freeze_.get(), buffer.data(), buffer.size());
  return text && text->starts_with('1');
}

bool FreezeHold::frozen() const {
  std::array<char, 256> buffer;
  const auto text = pread_text(events_.get(), buffer.data(), buffer.size());
  return text && contains(*text, "frozen 1");
}

bool FreezeHold::await(bool state) const {
  const Patience patience(kRestWithin);
  // POLLPRI says that the file changed since it was last read; so read, then poll.
  while (frozen() != state) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(kRestWithin - patience.waited()).count();
    if (left <= 0) return false;
    pollfd source{events_.get(), POLLPRI, 0};
    ::poll(&source, 1, static_cast<int>(left) + 1);
  }
  return true;
}

/// Is a cgroup above ours frozen? Then it is somebody else's, and stays.
bool FreezeHold::frozen_above() const {
  for (fs::path above = folder_.parent_path(); above.has_relative_path(); above = above.parent_path()) {
    if (read_line_or_empty(above / "cgroup.freeze") == "1") return true;
  }
  return false;
}

/// Processes may be moved out of the cgroup by what starts them (systemd-run, a container's daemon).
bool FreezeHold::somebody_outside() const {
  HoldScope inside, family = scope_;
  inside.cgroup = scope_.cgroup;
  family.cgroup.clear();
  std::set<pid_t> ids;
  for (const Member& m : processes_of(inside, guardian_.pid())) ids.insert(m.id);
  const auto members = processes_of(family, guardian_.pid());
  return std::any_of(members.begin(), members.end(), [&](const Member& m) { return !ids.contains(m.id); });
}

Result<void> FreezeHold::set() {
  const bool before = wanted();
  if (before && (!ours_ || guardian_.released())) {
    ours_ = false;
    // By somebody else, who will thaw it.
    return await(true) ? Result<void>{} : fail("somebody froze it, and it does not come to rest", folder_.string());
  }
  complete_ = false;
  if (const auto armed = guardian_.arm(); !armed) return tl::unexpected(armed.error());
  if (const auto noted = guardian_.watch_cgroup(folder_.string()); !noted) {
    guardian_.clear();
    return tl::unexpected(noted.error());
  }
  ours_ = true;
  if (!write_wanted(true)) {
    auto error = errno_error(errno, "cannot freeze", (folder_ / "cgroup.freeze").string());
    (void)release();
    return tl::unexpected(std::move(error));
  }
  if (!await(true)) {
    (void)release();
    return fail("did not freeze within 2 s: something sleeps on a disk or network that does not answer", folder_.string());
  }
  if (somebody_outside()) {
    (void)release();
    return fail("a process of the program was moved out of its cgroup", folder_.string());
  }
  if (guardian_.released()) {
    (void)release();
    return fail(kInterrupted);
  }
  complete_ = true;
  return {};
}

Result<void> FreezeHold::release() {
  if (!ours_) return {};
  ours_ = false;
  // The guardian has thawed it when the lease ran out: a 1 that stands there now is somebody else's. Unless we were stopped on
  // our way, between the guardian's note and our write.
  const bool thawed_before = guardian_.released() && complete_;
  const bool written = !thawed_before && write_wanted(false);
  const int why = errno;
  guardian_.clear();
  if (thawed_before || (!written && (why == ENODEV || why == ENOENT))) return {};
  if (!written) return tl::unexpected(errno_error(why, "cannot thaw", (folder_ / "cgroup.freeze").string()));
  if (!await(false) && !frozen_above()) return fail("does not thaw", folder_.string());
  return {};
}

bool FreezeHold::verified_held() { return frozen(); }

}  // namespace

Result<std::unique_ptr<Hold>> make_freeze_hold(const HoldScope& scope, Guardian& guardian) {
  if (scope.cgroup.empty()) return fail("the run has no cgroup of its own");
  const fs::path folder = scope.cgroup;
  Fd freeze(::open((folder / "cgroup.freeze").c_str(), O_RDWR | O_CLOEXEC));
  if (!freeze) return tl::unexpected(errno_error(errno, "cannot use the freezer", (folder / "cgroup.freeze").string()));
  auto events = open_read(folder / "cgroup.events");
  if (!events) return tl::unexpected(events.error());
  return std::make_unique<FreezeHold>(scope, guardian, std::move(freeze), std::move(*events));
}

}  // namespace gramwatt::job
