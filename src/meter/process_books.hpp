#pragma once
// Who used how much CPU time between two looks at the processes of a machine, so that nothing counts twice and what ended
// between the looks is not lost. Pure book-keeping: process_table.hpp looks.
//
// A look shows of each live process its own CPU time (exact) and that of the children it has waited for (`reaped`, to a clock
// tick or two). A process that ends between two looks takes the time of its last moments along; the kernel adds all of its time
// to `reaped` of whoever waited for it. Part of that was seen while it lived. So:
//   - what a vanished process was last seen with is *owed* by the growth of its parent's `reaped`, or, where the parent
//   vanished
//     with it, of an ancestor's: orphans go to the nearest sub-reaper above them;
//   - growth beyond what is owed is new: last moments, and children that lived and died between two looks. It is charged to the
//     process that waited for them.
//   - a debt that nobody's growth paid at the next look either (the parent ignores SIGCHLD, so the kernel threw the times away)
//     is forgotten: what was seen stays counted, what was not seen is the machine's, unattributed. Less than two ticks are
//     kept: that is how coarse `reaped` is.
// Over a whole tree whose processes are waited for, the sums are exact to two clock ticks a process.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/quantity.hpp"

namespace gramwatt::meter {

/// One process as a look shows it. `self` must have been read after `reaped` of all processes was, and a process that was gone
/// by then must not be in the look: only so is nothing seen both alive and reaped.
struct ProcessLook {
  pid_t pid = 0, parent = 0, session = 0;
  std::int64_t start_ticks = 0;  ///< with the pid it names a process for ever
  Nanoseconds self{}, reaped{};
  bool zombie = false;  ///< it has ended and is not yet waited for: its children are somebody else's now
};

class ProcessBooks {
 public:
  struct Entry {
    ProcessLook last;
    Nanoseconds fresh{};   ///< charged by the last look
    Nanoseconds used{};    ///< charged since the books were opened
    bool newborn = false;  ///< was not in the look before
    bool member = false;   ///< below one of the followed processes

   private:
    friend class ProcessBooks;
    Nanoseconds owed{};         ///< by children that vanished now
    Nanoseconds owed_above{};   ///< by processes further below that vanished together with their parents
    Nanoseconds owed_before{};  ///< by what vanished at the look before
    Nanoseconds growth{};       ///< of `reaped`, not yet used to pay
    std::uint64_t seen = 0;
  };

  /// `tick`: how coarse `reaped` is.
  explicit ProcessBooks(Nanoseconds tick = std::chrono::milliseconds(10)) : slack_(tick * 2) {}

  /// Processes whose trees are followed; before the first look. Membership is inherited at birth and never lost: daemons that
  /// were seen before their parent ended stay, and so does whoever is in the session of a member.
  void follow(pid_t root);

  /// Takes a look. The first one charges nothing.
  void take(std::span<const ProcessLook> look);

  [[nodiscard]] const std::unordered_map<pid_t, Entry>& entries() const { return entries_; }
  [[nodiscard]] std::uint64_t looks() const { return look_; }
  /// Charged to members, ended ones included.
  [[nodiscard]] Nanoseconds members_used() const { return members_used_; }

 private:
  using Map = std::unordered_map<pid_t, Entry>;
  void enter(const ProcessLook& look);
  void bury();
  void settle();
  Entry* above(const Entry& e);
  void owe(const Entry& gone);
  static Nanoseconds pay(Nanoseconds owed, Entry& by);
  void find_members(std::span<const ProcessLook> look);
  [[nodiscard]] bool belongs(const ProcessLook& look) const;

  Nanoseconds slack_, members_used_{};
  Map entries_;
  std::vector<pid_t> roots_, gone_, member_sessions_;
  std::vector<Entry> replaced_;
  std::uint64_t look_ = 0;
};

}  // namespace gramwatt::meter
