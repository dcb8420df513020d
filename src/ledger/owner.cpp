#include "ledger/owner.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include "base/file.hpp"
#include "base/text.hpp"

namespace gramwatt::ledger {
namespace {

struct ProcessStat {
  char state = '?';
  std::int64_t start_ticks = 0;
};

/// Fields 3 and 22 of /proc/PID/stat. The command name (field 2) may hold spaces and parentheses: count from its last ')'.
std::optional<ProcessStat> process_stat(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
  if (!text) return std::nullopt;
  const auto name_end = text->rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text->size()) return std::nullopt;
  const auto fields = split(trim(std::string_view(*text).substr(name_end + 2)), ' ');
  constexpr std::size_t kState = 3 - 3;
  constexpr std::size_t kStartTime = 22 - 3;
  if (fields.size() <= kStartTime || fields[kState].empty()) return std::nullopt;
  const auto start = parse_number<std::int64_t>(fields[kStartTime]);
  if (!start) return std::nullopt;
  return ProcessStat{fields[kState].front(), *start};
}

std::string pid_namespace() {
  std::array<char, 64> link{};
  const ssize_t n = ::readlink("/proc/self/ns/pid", link.data(), link.size());
  return n > 0 ? std::string(link.data(), static_cast<std::size_t>(n)) : std::string();
}

}  // namespace

std::string this_host() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

Owner this_process(std::string host) {
  Owner o;
  o.host = std::move(host);
  o.boot_id = read_line_or_empty("/proc/sys/kernel/random/boot_id");
  o.pid_namespace = pid_namespace();
  o.pid = ::getpid();
  if (const auto stat = process_stat(o.pid)) o.start_ticks = stat->start_ticks;
  return o;
}

bool is_alive(const Owner& owner) {
  if (owner.boot_id != read_line_or_empty("/proc/sys/kernel/random/boot_id")) return false;
  if (owner.pid_namespace != pid_namespace()) return true;
  if (owner.pid <= 0) return false;
  if (const auto stat = process_stat(owner.pid)) {
    return stat->state != 'Z' && stat->state != 'X' && stat->start_ticks == owner.start_ticks;
  }
  // Not in /proc: gone, or hidden from us (mount option hidepid).
  return ::kill(owner.pid, 0) == 0 || errno == EPERM;
}

}  // namespace gramwatt::ledger
