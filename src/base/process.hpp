#pragma once
// What the kernel tells about one process.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gramwatt {

/// The fields of /proc/PID/stat that are used here; proc(5). Ticks are of sysconf(_SC_CLK_TCK), 10 ms.
struct ProcessStat {
  char state = '?';               ///< field 3: 'R', 'S', 'T' (stopped), 'Z' (zombie), …
  std::int64_t reaped_ticks = 0;  ///< fields 16 and 17: CPU time of children that it has waited for
  std::int64_t start_ticks = 0;   ///< field 22: after boot; with the pid it names a process for ever
  pid_t parent = 0;               ///< field 4
  pid_t session = 0;              ///< field 6; 0: a kernel thread
};

/// Nothing when there is no such process, or it is hidden from us (mount option hidepid).
[[nodiscard]] std::optional<ProcessStat> process_stat(pid_t pid);
/// Does not allocate.
[[nodiscard]] std::optional<ProcessStat> parse_process_stat(std::string_view text);

/// Field 2, without its parentheses: what the process calls itself, 15 bytes at most. A view into `text`.
[[nodiscard]] std::string_view process_name(std::string_view text);

/// Does it ignore SIGCHLD? The kernel then throws its children's CPU times away. False when it cannot be seen.
[[nodiscard]] bool ignores_sigchld(pid_t pid);

/// Its command line, one word an argument; of a kernel thread or a zombie its name in brackets. Empty when it cannot be seen.
[[nodiscard]] std::vector<std::string> command_line_of(pid_t pid);

}  // namespace gramwatt
