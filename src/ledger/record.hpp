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

/// What a run that was moved in time did in a stretch of it.
enum class Doing {
  running,
  checkpointing,  ///< asked to save and exit, until it had
  held,           ///< paused in place
  off,            ///< paused by exit
};
[[nodiscard]] std::string_view to_string(Doing d);
[[nodiscard]] std::optional<Doing> parse_doing(std::string_view text);

struct Stretch {
  Doing doing = Doing::running;
  Nanoseconds start{}, end{};  ///< UTC
  Seconds length;              ///< by a clock that nobody sets, and that stands while the machine sleeps
  Joules active, idle;         ///< the program's, metered, boundary node
};

/// What was expected when the first plan was made.
struct Expectation {
  std::string signal;              ///< "average: …", with why this one
  std::string why;                 ///< of the first decision
  std::optional<Ratio> saving{};   ///< of carbon
  std::optional<Ratio> p_worse{};  ///< how likely starting at once would have been better
};

/// Actual against counterfactual by one signal, operational, at the building's boundary.
struct SavingFacts {
  Estimate<Grams> actual, counterfactual;
  Ratio saving, low, high;  ///< 1 − actual ÷ counterfactual; errors that both share have cancelled
  std::string kind;         ///< "attributed" (average intensity), "avoided" (marginal), "not verifiable"
  std::string why;          ///< of the kind
  std::string gas{"CO2e"};  ///< of the signal
};

/// Planned against actual, of a run that was moved in time: job/receipt.hpp tells how.
struct Receipt {
  Nanoseconds handed_in{};  ///< UTC: when it would have started at once
  Expectation planned;
  std::vector<Stretch> stretches;  ///< from the first start to the end
  Seconds restart_time;            ///< running without progress, after each pause by exit
  Joules restart_energy;           ///< what a pause by exit was said to cost (--restart-energy), boundary node
  Estimate<Watts> waiting_power;   ///< of the machine that waits and is this run's; 0: somebody else's

  // What follows from these, made anew by every weighing. Boundary node; running to off add up to what was metered.
  std::int64_t pauses = 0, restarts = 0;
  Seconds waited, paused;
  Estimate<Joules> running;         ///< with progress
  Estimate<Joules> restarting;      ///< without: coming back from exits
  Estimate<Joules> checkpointing;   ///< from being asked to exit until it had
  Estimate<Joules> held, off;       ///< while paused
  Estimate<Joules> waiting;         ///< before the first start, modelled: no sensor is open while gramwatt waits
  Estimate<Joules> waited_instead;  ///< by a machine of one's own, behind the end of a run at once
  SavingFacts average;
  std::optional<SavingFacts> marginal;
  std::vector<std::string> notes;
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
  std::optional<Receipt> receipt;        ///< of a run that was moved in time
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
