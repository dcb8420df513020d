#pragma once
// Who writes a run: enough about a process to tell later, from another process, whether it still lives.

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace gramwatt::ledger {

/// A pid alone is reused after a while and means nothing after a reboot or in another container. The boot, the pid namespace
/// and the start time (field 22 of /proc/PID/stat, in clock ticks since boot) make it unique.
struct Owner {
  std::string host;
  std::string boot_id;        ///< /proc/sys/kernel/random/boot_id
  std::string pid_namespace;  ///< the link /proc/self/ns/pid
  pid_t pid = 0;
  std::int64_t start_ticks = 0;
};

/// This process. Always the real /proc: GRAMWATT_PROCFS is for sensors only.
[[nodiscard]] Owner this_process(std::string host);

/// False only when the process is surely gone (or a zombie): another boot of the same host, no such pid, or a pid that started
/// at another time. From within another pid namespace of the same boot nobody can tell: true.
[[nodiscard]] bool is_alive(const Owner& owner);

[[nodiscard]] std::string this_host();

}  // namespace gramwatt::ledger
