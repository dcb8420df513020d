#include "base/capability.hpp"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>

namespace gramwatt {
namespace {

/// Version 3: 64 capabilities in two words of 32.
using Sets = std::array<__user_cap_data_struct, 2>;

bool get(Sets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  return ::syscall(SYS_capget, &header, sets.data()) == 0;
}

bool set(const Sets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  return ::syscall(SYS_capset, &header, sets.data()) == 0;
}

std::uint32_t bit(int number) { return 1U << (static_cast<unsigned>(number) % 32U); }
std::size_t word(int number) { return static_cast<std::size_t>(number) / 32; }

}  // namespace

RaisedCapability::RaisedCapability(int number) : number_(number) {
  Sets sets{};
  if (!get(sets)) return;
  auto& s = sets[word(number)];
  if ((s.permitted & bit(number)) == 0 || (s.effective & bit(number)) != 0) return;
  s.effective |= bit(number);
  raised_ = set(sets);
}

RaisedCapability::~RaisedCapability() {
  Sets sets{};
  if (!raised_ || !get(sets)) return;
  sets[word(number_)].effective &= ~bit(number_);
  (void)set(sets);
}

std::string setcap_command(std::string_view rights) {
  std::error_code ec;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", ec);
  return "sudo setcap " + std::string(rights) + " " + (ec ? "gramwatt" : path.string());
}

void drop_capabilities() {
  if (::geteuid() == 0) return;
  Sets sets{};
  if (!get(sets)) return;
  if ((sets[0].permitted | sets[1].permitted) == 0) return;
  if (!set(Sets{})) return;
  // A binary with file capabilities starts without a dump and with its /proc files owned by root; both end with the rights.
  (void)::prctl(PR_SET_DUMPABLE, 1);
}

}  // namespace gramwatt
