#pragma once
// What the providers share once an answer is read: chunks of a long window, what is kept of the points, clocks that disagree,
// and the interval of a forecast.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grid/provider.hpp"
#include "grid/provider_answers.hpp"
#include "grid/provider_http.hpp"

namespace gramwatt::grid {

class WebProvider : public Provider {
 public:
  [[nodiscard]] Result<Series> history(const Where& where, Window window) final;
  [[nodiscard]] Result<Series> forecast(const Where& where, std::chrono::hours length) final;

 protected:
  explicit WebProvider(Service service) : service_(std::move(service)) {}

  /// Values of a window that is neither empty nor beyond our clock's day.
  [[nodiscard]] virtual Result<Series> observed(const Where& where, Window window) = 0;
  /// Values for the window from now on.
  [[nodiscard]] virtual Result<Series> ahead(const Where& where, Window window);

  Service service_;

  /// Asks for `window` in pieces of `length`, oldest first, and joins what came. A piece that fails ends it: what came before
  /// it is kept with a note, and with nothing in hand the failure is the Error.
  [[nodiscard]] Result<Answer> in_pieces(Window window, Nanoseconds length, const std::function<Result<Answer>(Window)>& ask);

  /// A pure parser's failure becomes the service's odd answer.
  template <class T>
  [[nodiscard]] Result<T> read(Result<T> parsed) const {
    if (!parsed) return tl::unexpected(service_.odd(parsed.error().what));
    return parsed;
  }

  /// `answer` as a series of `signal`: source and year completed, points sorted.
  [[nodiscard]] Series series_of(Answer answer, Signal signal, Terms terms, Nanoseconds usual_resolution);

 private:
  void drop_impossible(Series& series);
  void judge_future(Series& series);
  [[nodiscard]] Result<Series> only(Series series, Window window, const char* what);
};

/// Relative 90 % interval of a forecast that is `ahead` old when it comes true; `signal` decides whose errors.
[[nodiscard]] Shift forecast_band(SignalKind signal, Nanoseconds ahead);

/// How many deadlines a table of `window` may take: services put a quarter together in tens of seconds.
[[nodiscard]] inline int patience_for(Window window) { return window.length() > std::chrono::hours(48) ? 8 : 1; }

/// "2020-01-01T00:00Z", as these services take times.
[[nodiscard]] std::string to_minute(Nanoseconds utc);

// One maker a provider.
[[nodiscard]] std::unique_ptr<Provider> make_watttime(ProviderSettings settings);
[[nodiscard]] std::unique_ptr<Provider> make_electricitymaps(ProviderSettings settings);
[[nodiscard]] std::unique_ptr<Provider> make_uk(ProviderSettings settings);
[[nodiscard]] std::unique_ptr<Provider> make_entsoe(ProviderSettings settings);
[[nodiscard]] std::unique_ptr<Provider> make_eia(ProviderSettings settings);
[[nodiscard]] std::unique_ptr<Provider> make_energycharts(ProviderSettings settings);
[[nodiscard]] std::unique_ptr<Provider> make_carbonawaresdk(ProviderSettings settings);

}  // namespace gramwatt::grid
