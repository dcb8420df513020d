#pragma once
// What the surroundings tell: relocated roots, environment, XDG folders, run ids.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace gramwatt {

/// Where the kernel's file systems are. Tests build a tree and point here (GRAMWATT_SYSFS, GRAMWATT_PROCFS).
struct Roots {
  std::filesystem::path sysfs = "/sys";
  std::filesystem::path procfs = "/proc";

  /// From the environment, else the real ones.
  static Roots from_environment();
};

/// An environment variable; an empty one counts as unset.
[[nodiscard]] std::optional<std::string> environment(const char* name);

[[nodiscard]] std::filesystem::path xdg_config_home();  ///< $XDG_CONFIG_HOME, else ~/.config
[[nodiscard]] std::filesystem::path xdg_data_home();    ///< $XDG_DATA_HOME, else ~/.local/share
[[nodiscard]] std::filesystem::path xdg_cache_home();   ///< $XDG_CACHE_HOME, else ~/.cache

/// A new run id: a ULID (48 bits of UTC milliseconds, 80 random bits, 26 characters of Crockford's base 32). Ids sort by time
/// and are unique without a coordinator, so that ledgers of many machines merge.
[[nodiscard]] std::string new_run_id();

}  // namespace gramwatt
