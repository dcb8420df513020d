#pragma once
// Asking a carbon service, as all providers do it.
//
// Services fail in known ways: for a moment (429, 5xx, silence: ask again, later and later, or when they say), for a reason
// (other 4xx: never again with the same words), or by answering with something else than agreed (an Error, never a guess).
// Whatever happens, the text of an Error names the service and what to do, and holds no key: not even where the service repeats
// the request in its answer, or where the key is a part of the address.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "grid/provider.hpp"
#include "net/http.hpp"

namespace gramwatt::grid {

struct Ask {
  std::string path;                                        ///< below the base address: "/v3/forecast"
  std::vector<std::pair<std::string, std::string>> query;  ///< encoded here
  std::vector<std::pair<std::string, std::string>> headers;
  int patience = 1;         ///< times the deadline, for answers that are long tables
  bool may_be_void = true;  ///< false: a 200 with "{}" is a failure of the moment, too
};

class Service {
 public:
  struct Identity {
    std::string title;        ///< for people: "WattTime"
    std::string default_url;  ///< empty: self-hosted
    std::string key_remedy;   ///< what to do when it refuses the key
  };
  Service(Identity identity, ProviderSettings settings);

  /// The answer, after as many tries as the settings allow: any status but 429 and 5xx. An Error says what the last try met.
  [[nodiscard]] Result<net::Response> ask(const Ask& ask);
  /// The body of a 200; anything else is an Error (see `refusal`).
  [[nodiscard]] Result<std::string> fetch(const Ask& ask);
  /// What an answer that is no 200 means, with the service's own words where it has any.
  [[nodiscard]] Error refusal(const net::Response& answer) const;
  /// An answer that is not of the agreed shape.
  [[nodiscard]] Error odd(std::string_view what) const;
  /// A request that this service cannot be asked.
  [[nodiscard]] Error usage(std::string what, std::string remedy = {}) const;
  [[nodiscard]] Error unavailable(std::string_view what, std::string remedy = {}) const;

  [[nodiscard]] const std::string& title() const { return identity_.title; }
  [[nodiscard]] const ProviderSettings& settings() const { return settings_; }
  [[nodiscard]] std::string secret(const std::string& name) const;
  /// A secret that came up on the way (a session's token): it stays out of texts like the others.
  void keep_secret(const std::string& name, std::string value) { settings_.secrets[name] = std::move(value); }
  /// Our clock, UTC.
  [[nodiscard]] Nanoseconds now() const;
  /// How far our clock is ahead of the service's, by the last answer that said.
  [[nodiscard]] std::optional<Nanoseconds> lead() const { return lead_; }
  /// `text` without any secret, in one printable line of at most 200 bytes.
  [[nodiscard]] std::string clean(std::string_view text) const;

 private:
  [[nodiscard]] net::Request request_for(const Ask& ask) const;
  void look_at_clock(const net::Response& answer);
  void wait(std::chrono::milliseconds time) const;

  Identity identity_;
  ProviderSettings settings_;
  std::optional<Nanoseconds> lead_;
};

/// A text as a query holds it (RFC 3986: all but unreserved characters by percent).
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// How long a Retry-After asks to wait: seconds, or a date (RFC 9110, 10.2.3) seen from `now`. Nothing where it is neither.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view text, Nanoseconds now);
/// "Wed, 21 Oct 2015 07:28:00 GMT".
[[nodiscard]] std::optional<Nanoseconds> parse_http_date(std::string_view text);

/// The longest wait that is taken before a service counts as unavailable: somebody is waiting.
inline constexpr std::chrono::seconds kLongestWait{60};

}  // namespace gramwatt::grid
