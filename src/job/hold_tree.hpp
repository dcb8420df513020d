#pragma once
// Who belongs to the program at this moment.

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "base/quantity.hpp"
#include "job/hold.hpp"

namespace gramwatt::job {

struct Member {
  pid_t id = 0;  ///< of a process or a thread
  std::int64_t start_ticks = 0;
  char state = '?';  ///< field 3 of its stat
  auto operator<=>(const Member&) const = default;
};

/// All live processes of the scope, parents before their children. Zombies are left out, and so are this process and
/// `guardian`.
[[nodiscard]] std::vector<Member> processes_of(const HoldScope& scope, pid_t guardian);
/// Does the kernel tell who is whose child (CONFIG_PROC_CHILDREN)? Without it a tree cannot be followed.
[[nodiscard]] Result<void> check_children_are_told();
/// All live threads of one process.
[[nodiscard]] std::vector<Member> threads_of(pid_t pid);

/// Waits between two looks at something that sends no event when it changes: 50 µs at first, doubling to 10 ms.
class Patience {
 public:
  explicit Patience(Nanoseconds limit);
  /// False when the limit is over.
  [[nodiscard]] bool wait();
  [[nodiscard]] Nanoseconds waited() const;

 private:
  Nanoseconds begin_, limit_, step_ = std::chrono::microseconds(50);
};

}  // namespace gramwatt::job
