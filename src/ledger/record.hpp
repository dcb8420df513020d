#pragma once
// What is known of a run. The JSON of the contract ("gramwatt.run/1") is this struct, field by field (record_json.cpp).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/account.hpp"
#include "base/error.hpp"
#include "base/estimate.hpp"
#include "grid/intensity.hpp"

namespace gramwatt::ledger {

enum class State { running, finished, interrupted };
[[nodiscard]] std::string_view to_string(State s);
[[nodiscard]] std::optional<State> parse_state(std::string_view text);

struct Host {
  std::string hostname, cpu;
  int cpus = 0;
  double memory_gb = 0;
  bool is_virtual = false;
  std::optional<std::string> cloud_provider, cloud_instance, cloud_region;
  std::vector<std::string> gpus;
  std::string machine;  ///< "shared" | "owned" | "rented"
};

struct PlaceFacts {
  std::optional<std::string> zone;
  std::string how, name;
};

struct ComponentEnergy {
  Component component = Component::other;
  std::string device;
  Estimate<Joules> energy, active, idle;  ///< the program's
  Estimate<Joules> machine;               ///< the whole machine's
};

struct Energy {
  Estimate<Joules> total, active, idle;  ///< the program's, boundary node
  IdleOwner idle_owner = IdleOwner::job;
  Estimate<Joules> facility;  ///< total × pue
  Estimate<Ratio> pue;
  std::vector<ComponentEnergy> components;
  Estimate<Joules> machine, unattributed;
};

struct Carbon {
  Estimate<Grams> average, embodied, total;
  std::optional<Estimate<Grams>> marginal;
};

struct IntensityFacts {
  Estimate<GramsPerKwh> value;
  grid::Signal signal;
};

/// One line of the derivation that `show --explain` prints: "what = formula = value", with where its inputs came from.
struct Derivation {
  std::string figure, formula, inputs, source;
};

/// Regions whose energy nobody can tell, and why: their time is known, theirs alone.
struct NotAttributable {
  std::int64_t count = 0;
  Seconds time;
  std::string why;
};

/// All regions of one name that the program marked (include/gramwatt/gramwatt.h). Regions may overlap: their energies do not
/// add up to the run's.
struct RegionEnergy {
  std::string name;
  std::int64_t count = 0;  ///< of those that energy and time are of
  Seconds time;
  std::optional<Estimate<Joules>> energy;  ///< what the whole program used meanwhile; nothing when count is 0
  Seconds shortest, mean, longest;         ///< of all that ended
  std::optional<NotAttributable> not_attributable;
};

/// All marks of one name.
struct MarkEnergy {
  std::string name;
  std::int64_t count = 0;
  Seconds time;                            ///< from the first to the last
  std::optional<Estimate<Joules>> energy;  ///< what the whole program used meanwhile
  std::optional<std::string> why;          ///< there is no energy
};

/// What a run weighed before it was weighed again with better data.
struct EarlierWeighing {
  Nanoseconds replaced_utc{};
  Estimate<Grams> average;
  std::optional<Estimate<Grams>> marginal;
  std::optional<IntensityFacts> average_intensity, marginal_intensity;
};

struct RunRecord {
  std::string id;
  std::optional<std::string> parent;  ///< id of the run this one is nested in; nested runs are left out of sums
  State state = State::running;
  std::optional<std::string> name, project, stage;
  std::map<std::string, std::string> tags;
  std::vector<std::string> command;
  std::optional<int> exit_code, signal;
  std::optional<std::string> stopped_by;
  Nanoseconds start_utc{}, end_utc{};
  Seconds duration{}, waited{}, running{}, paused{};
  Host host;
  PlaceFacts place;
  Energy energy;
  Carbon carbon;
  std::vector<EarlierWeighing> earlier;  ///< oldest first
  std::optional<IntensityFacts> average_intensity, marginal_intensity;
  Estimate<Grams>
      embodied_per_hour;  ///< of the whole machine; with the intensities and the PUE it lets an interrupted run be settled
  std::vector<RegionEnergy> regions;  ///< in order of energy, largest first
  std::vector<MarkEnergy> marks;
  std::vector<Gap> gaps;
  std::vector<std::string> advice;  ///< what would make the figures more certain
  std::vector<std::string> notes;   ///< what was assumed, which mechanism counted the tree, …
  std::vector<Derivation> derivations;
  std::string version;
  Seconds own_cpu{};  ///< CPU time of gramwatt itself
  double own_max_rss_mb = 0;
};

/// One JSON object, schema gramwatt.run/1, unrounded; `indent` < 0: one line. Never fails: bytes that are not UTF-8 (a command
/// line may hold any) become U+FFFD, numbers that are not finite become null.
[[nodiscard]] std::string to_json(const RunRecord& record, int indent = 2);
/// Reads what to_json wrote, and any other object that keeps the contract. Whatever is wrong is an Error that names the field.
[[nodiscard]] Result<RunRecord> from_json(std::string_view text);

}  // namespace gramwatt::ledger
