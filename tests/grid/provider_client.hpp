#pragma once
// A provider before a server on loopback, and what tests of providers say all the time.

#include <gtest/gtest.h>

#include "fakes/api_server.hpp"
#include "grid/provider.hpp"

namespace gramwatt::grid {

using std::chrono::milliseconds;

inline const std::string kSamples = GRAMWATT_API_SAMPLES;
inline const std::string kSecret = "s3cret/key+&";

inline std::string sample(const std::string& name) { return testing::file_text(kSamples + "/" + name); }
inline Nanoseconds at(const std::string& time) { return *parse_iso8601(time); }

/// A provider before a server, with a clock that stands and waits that are only counted.
struct Client {
  std::vector<milliseconds> waits;
  std::unique_ptr<Provider> provider;

  Client(
      const std::string& name, const std::string& url, const std::string& now,
      std::map<std::string, std::string> secrets = {{"user", "freddo"},
                                                    {"password", kSecret},
                                                    {"token", kSecret},
                                                    {"key", kSecret}},
      const std::function<void(ProviderSettings&)>& change = [](ProviderSettings&) {}) {
    ProviderSettings s;
    s.base_url = url;
    s.secrets = std::move(secrets);
    s.wait = [this](milliseconds time) { waits.push_back(time); };
    s.now = [utc = at(now)] { return utc; };
    s.deadline = std::chrono::seconds(20);  // generous: only silence waits for it
    change(s);
    auto made = make_provider(name, std::move(s));
    EXPECT_TRUE(made) << made.error().message();
    provider = std::move(*made);
  }
  Result<Series> history(const Where& where, const std::string& start, const std::string& end) {
    return provider->history(where, {at(start), at(end)});
  }
};

inline Where zone(const std::string& name) {
  Where w;
  w.zone = name;
  return w;
}
inline Where coordinates(double latitude, double longitude) {
  Where w;
  w.latitude = latitude;
  w.longitude = longitude;
  return w;
}

inline std::string text_of(const std::vector<std::string>& notes) {
  std::string all;
  for (const std::string& note : notes) all += note + "\n";
  return all;
}

/// An answer of GB's service, the simplest of all.
inline std::string gb(const std::string& from, const std::string& to, const std::string& actual) {
  return R"({"data":[{"from":")" + from + R"(","to":")" + to + R"(","intensity":{"forecast":266,"actual":)" + actual + "}}]}";
}
inline const std::string kGbBody = gb("2018-01-20T12:00Z", "2018-01-20T12:30Z", "263");

inline Result<Series> ask_gb(Client& client) { return client.history(zone("GB"), "2018-01-20T12:00Z", "2018-01-20T12:30Z"); }

}  // namespace gramwatt::grid
