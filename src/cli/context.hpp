#pragma once
// Options, environment and configuration, brought together: where the machine is, who owns its idle power, what energy is
// weighed with.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/config.hpp"
#include "job/run.hpp"
#include "place/place.hpp"

namespace gramwatt::cli {

/// What every command may need, from the command line, the environment and the configuration, in this order of weight.
struct Settings {
  Config config;
  bool quiet = false;
  bool verbose = false;
  bool network = true;
  std::filesystem::path ledger;
  std::optional<std::string> json;  ///< file, or "-"
};
[[nodiscard]] Settings settings_of(const Invocation& invocation);

/// Where, and how it is weighed: what `run` needs beyond the command.
struct Surroundings {
  place::Said said;           ///< --zone, --lat and --lon, --place
  std::optional<double> pue;  ///< given by the user
  std::string pue_origin;     ///< "--pue", "GRAMWATT_PUE", "config"
  std::optional<std::string> machine;
  std::optional<IdleOwner> idle_owner;
  bool elsewhere = false;             ///< another machine than this one is meant: its cloud and firmware say nothing
  std::optional<place::Cloud> cloud;  ///< of that other machine
  std::vector<std::string> gpus;      ///< beyond those that sensors see: names, one a board
};
[[nodiscard]] Result<Surroundings> surroundings_of(const Invocation& invocation, const Config& config);

[[nodiscard]] place::Query place_query(const Surroundings& s, const Settings& settings);

/// "rented" in a guest, else "owned", unless told.
[[nodiscard]] std::string machine_kind(const Surroundings& s, const sense::CpuIdentity& cpu);
[[nodiscard]] IdleOwner idle_owner(const Surroundings& s, const sense::CpuIdentity& cpu);
[[nodiscard]] Estimate<Ratio> pue_of(const Surroundings& s, const place::Place& place, const sense::CpuIdentity& cpu);

/// All of it for one run. May read files and, where allowed, ask the cloud's metadata service. `since`: intensities are wanted
/// from then on; else from now.
[[nodiscard]] job::Context make_context(const Surroundings& s, const Settings& settings, const job::Machine& machine,
                                        std::optional<Nanoseconds> since = {});

/// Text to a file, or to standard output for "-".
[[nodiscard]] Result<void> write_output(const std::string& target, const std::string& text);

inline constexpr const char* kVersion = GRAMWATT_VERSION;

}  // namespace gramwatt::cli
