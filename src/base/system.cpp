#include "base/system.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>

namespace gramwatt {
namespace {

std::filesystem::path home() {
  if (const auto h = environment("HOME")) return *h;
  if (const passwd* entry = getpwuid(getuid()); entry != nullptr && entry->pw_dir != nullptr) return entry->pw_dir;
  return "/";
}

std::filesystem::path xdg(const char* variable, const char* below_home) {
  // The XDG rule: a relative path in the variable is invalid and is ignored.
  if (const auto v = environment(variable); v && v->front() == '/') return *v;
  return home() / below_home;
}

}  // namespace

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

Roots Roots::from_environment() {
  Roots roots;
  if (const auto v = environment("GRAMWATT_SYSFS")) roots.sysfs = *v;
  if (const auto v = environment("GRAMWATT_PROCFS")) roots.procfs = *v;
  return roots;
}

std::filesystem::path xdg_config_home() { return xdg("XDG_CONFIG_HOME", ".config"); }
std::filesystem::path xdg_data_home() { return xdg("XDG_DATA_HOME", ".local/share"); }
std::filesystem::path xdg_cache_home() { return xdg("XDG_CACHE_HOME", ".cache"); }

std::string new_run_id() {
  static constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::array<std::uint8_t, 10> entropy{};
  if (getrandom(entropy.data(), entropy.size(), 0) != static_cast<ssize_t>(entropy.size())) {
    // Only on kernels before 3.17: mix what differs between processes.
    auto seed = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) ^
                (static_cast<std::uint64_t>(getpid()) << 40U);
    for (auto& byte : entropy) {
      seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
      byte = static_cast<std::uint8_t>(seed >> 56U);
    }
  }
  auto ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
  std::string id(26, '0');
  for (int i = 9; i >= 0; --i, ms >>= 5U) id[static_cast<std::size_t>(i)] = kAlphabet[ms & 31U];
  std::uint32_t bits = 0;
  int have = 0;
  std::size_t out = 10;
  for (const std::uint8_t byte : entropy) {
    bits = (bits << 8U) | byte;
    have += 8;
    while (have >= 5) id[out++] = kAlphabet[(bits >> static_cast<unsigned>(have -= 5)) & 31U];
  }
  return id;
}

}  // namespace gramwatt
