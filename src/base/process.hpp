#pragma once
// What the kernel tells about one process.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace gramwatt {

/// The fields of /proc/PID/stat that are used here; proc(5). Ticks are of sysconf(_SC_CLK_TCK), 10 ms.
struct ProcessStat {
  char state = '?';               ///< field 3: 'R', 'S', 'T' (stopped), 'Z' (zombie), …
  std::int64_t reaped_ticks = 0;  ///< fields 16 and 17: CPU time of children that it has waited for
  std::int64_t start_ticks = 0;   ///< field 22: after boot; with the pid it names a process for ever
};

/// Nothing when there is no such process, or it is hidden from us (mount option hidepid).
[[nodiscard]] std::optional<ProcessStat> process_stat(pid_t pid);
[[nodiscard]] std::optional<ProcessStat> parse_process_stat(std::string_view text);

}  // namespace gramwatt
