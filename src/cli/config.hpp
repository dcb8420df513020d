#pragma once
// The configuration file: TOML, few keys, all optional.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/account.hpp"
#include "base/error.hpp"

namespace gramwatt::cli {

struct Config {
  std::optional<std::string> zone, machine, project, stage, ledger;
  std::optional<std::string> place, lat, lon;  ///< where the machine is, where no zone is named
  std::optional<std::string> rapl_tree;        ///< folder of RAPL zones that the host gives this guest
  /// The BMC of this node: URL, account, and the SHA-256 of its certificate.
  std::optional<std::string> redfish, redfish_user, redfish_password, redfish_fingerprint;
  std::vector<std::string> grid_providers;  ///< who is asked for carbon intensity, most trusted first; imports may be named too
  /// By "PROVIDER-WHAT": "watttime-user", "eia-key", "carbonawaresdk-url".
  std::map<std::string, std::string, std::less<>> grid_access;
  std::optional<std::string> electricity_price;             ///< "0.25/kWh"
  std::map<std::string, std::string, std::less<>> budgets;  ///< table [budgets]: by project, "5kg/month"
  std::optional<double> pue;
  std::optional<IdleOwner> idle_owner;
  std::optional<Nanoseconds> interval;
  bool network = true;
  std::vector<std::string> problems;  ///< what could not be understood, one line each with its remedy; the rest counts
};

/// GRAMWATT_CONFIG, else gramwatt/config.toml in XDG_CONFIG_HOME.
[[nodiscard]] std::filesystem::path config_path();

/// A missing file is an empty configuration. Never fails: what is wrong is in `problems`.
[[nodiscard]] Config load_config(const std::filesystem::path& path);

/// Every key with its value as it stands in the file; empty where unset. A password is "(set)".
[[nodiscard]] std::vector<std::pair<std::string, std::string>> config_values(const Config& config);

/// Sets one key, keeping comments and everything else in the file; an empty value removes the key. Checked before it is
/// written.
[[nodiscard]] Result<void> set_config(const std::filesystem::path& path, const std::string& key, const std::string& value);

/// Keys of accounts, tokens and addresses of carbon-intensity providers.
[[nodiscard]] const std::vector<std::string>& grid_access_keys();

/// The checks that options and configuration share.
[[nodiscard]] Result<std::string> check_latitude(const std::string& text);
[[nodiscard]] Result<std::string> check_longitude(const std::string& text);
[[nodiscard]] Result<double> check_pue(const std::string& text);
[[nodiscard]] Result<Nanoseconds> check_interval(const std::string& text);
[[nodiscard]] Result<std::string> check_price(const std::string& text);
[[nodiscard]] Result<std::string> check_redfish(const std::string& text);
[[nodiscard]] Result<std::string> check_fingerprint(const std::string& text);
[[nodiscard]] Result<IdleOwner> check_idle_owner(const std::string& text);
[[nodiscard]] Result<std::string> check_machine(const std::string& text);

}  // namespace gramwatt::cli
