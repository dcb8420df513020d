#pragma once
// All that is known of the intensity at a place, in order of trust: what configured providers said, what was imported, what is
// built in.
//
// Looking never waits for a network: it reads the local store and the tables. Fetching asks the providers for what the store
// lacks, and is done by whoever may wait (the ledger's thread of a run, the `grid` commands). What was fetched stays in the
// store under the provider's name; forecasts stand apart ("watttime:forecast"), so that they never pass for what was observed.

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "grid/intensity.hpp"
#include "grid/provider.hpp"
#include "grid/store.hpp"

namespace gramwatt::grid {

struct GridSettings {
  std::filesystem::path store;                        ///< an absent file holds nothing; empty: no store
  std::vector<std::string> order;                     ///< providers and origins of imports, most trusted first
  std::map<std::string, ProviderSettings> providers;  ///< those that may be asked
  bool network = false;                               ///< may anybody be asked?
  std::function<Nanoseconds()> now;                   ///< UTC; empty: the system's clock
};

/// Name of the store's series of forecasts by an origin.
[[nodiscard]] std::string forecasts_of(const std::string& origin);

class Grid {
 public:
  explicit Grid(GridSettings settings) : settings_(std::move(settings)) {}

  /// Both signals over the window, without asking anybody. Fails only on a zone that does not exist. Thread-safe.
  [[nodiscard]] Result<Intensities> look(const std::string& zone, Window window) const;
  /// The world's range, for a place that is unknown.
  [[nodiscard]] static Intensities unknown_place();

  /// Asks the providers, in order, for what the store lacks of the window: history up to now, forecasts from there. What failed
  /// is in the answer, and what a reader of theirs should know; nothing else is lost by it.
  [[nodiscard]] std::vector<std::string> fetch(const Where& where, Window window) const;

 private:
  [[nodiscard]] Nanoseconds now() const;
  /// Origins in order of trust: as the settings say, then imports, the newest first.
  [[nodiscard]] std::vector<SeriesKey> keys(const std::vector<Held>& held, const std::string& zone, SignalKind kind) const;
  [[nodiscard]] Result<void> ask(Provider& provider, const Where& where, Window window, Store& store) const;

  GridSettings settings_;
};

/// What holds in one step of time.
struct Step {
  Nanoseconds start{};
  GramsPerKwh value, low, high;  ///< mean over the step, with its 90 % interval
  PointKind kind = PointKind::observed;
  std::size_t rung = 0;  ///< of the ladder
};
/// The ladder as a row of steps: each takes the first rung that covers its middle. Steps that no rung covers are left out.
[[nodiscard]] std::vector<Step> steps(const Ladder& ladder, Window window, Nanoseconds step);

}  // namespace gramwatt::grid
