#include "ledger/owner.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/file.hpp"
#include "base/process.hpp"

namespace gramwatt::ledger {
namespace {

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
