#pragma once
// Who can tell the carbon intensity over the network. One file a provider; each turns its own shapes, labels and units into a
// Series and never lets a caller see them.
//
// A provider answers for a window that has passed (history) or lies ahead (forecast). What it cannot tell is an Error: kind
// unavailable when the service fails or refuses (the ladder goes on to the next rung and says so), usage when the configuration
// is wrong (a key that is missing, a zone that the provider does not know). Keys are in the settings only: no Error, note or
// source ever holds one.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "grid/intensity.hpp"

namespace gramwatt::grid {

/// Where the power is drawn, in all the ways that a provider may want it.
struct Where {
  std::string zone;                           ///< "DE", "US-CAL-CISO"; may be empty
  std::optional<double> latitude, longitude;  ///< degrees north and east
  std::optional<std::string> postcode;        ///< as people write it: "RG10 9NX"
  std::string cloud_provider, cloud_region;   ///< "azure", "eastus"; may be empty
};

struct ProviderSettings {
  std::string base_url;                        ///< empty: the provider's own
  std::map<std::string, std::string> secrets;  ///< "user", "password", "token", "key"
  std::string factor = "lifecycle";            ///< "direct" | "lifecycle", where a provider has both
  /// What the source behind a Carbon Aware SDK tells, which its answers do not say. Others know what they tell.
  SignalKind signal = SignalKind::average;
  std::chrono::milliseconds deadline{5000};  ///< for one request
  int tries = 4;                             ///< a request that fails for a passing reason is made again, after a growing wait
  /// Waits between tries; a test hands in one that only counts. Empty: sleeps.
  std::function<void(std::chrono::milliseconds)> wait;
  /// The wall clock (UTC since 1970), for skew and forecast starts. Empty: the system's.
  std::function<Nanoseconds()> now;
};

/// One thread at a time.
class Provider {
 public:
  virtual ~Provider() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;  ///< "watttime"
  [[nodiscard]] virtual SignalKind signal() const = 0;
  /// Values of [window.start, window.end) as far as there are any; gaps stay gaps.
  [[nodiscard]] virtual Result<Series> history(const Where& where, Window window) = 0;
  /// Values from now on for up to `length`. Kind missing: this provider makes no forecasts.
  [[nodiscard]] virtual Result<Series> forecast(const Where& where, std::chrono::hours length) = 0;
  /// What the reader of the last answer should know: another endpoint that stood in, a part that could not be had, a clock that
  /// is wrong, warnings of the service. For people, one a line.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 protected:
  std::vector<std::string> notes_;
};

/// What `grid providers` prints, and what the configuration may name.
struct ProviderFacts {
  std::string name;    ///< "watttime"
  std::string covers;  ///< for people: "US marginal (all with a plan), …"
  SignalKind signal = SignalKind::average;
  bool has_forecast = false;
  std::vector<std::string> secrets;       ///< which settings it needs: {"user", "password"}; empty: no key
  std::string default_url, url_variable;  ///< "https://api.watttime.org" (empty: self-hosted), "GRAMWATT_WATTTIME_URL"
  std::string terms;                      ///< licence and limits in a line
};
[[nodiscard]] const std::vector<ProviderFacts>& provider_facts();

/// Kind missing for a name that is no provider (with the near match as remedy), usage for a secret that is absent, an address
/// that is none, and a factor that is neither.
[[nodiscard]] Result<std::unique_ptr<Provider>> make_provider(std::string_view name, ProviderSettings settings);

}  // namespace gramwatt::grid
