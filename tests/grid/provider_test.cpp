// What providers share: tries, waits, odd answers, clocks and keys, before servers on loopback that fail as services do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/api_server.hpp"
#include "grid/provider_client.hpp"

namespace gramwatt::grid {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ApiServer;
using testing::Call;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::in_turn;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::reply;

// ---- what all share, driven through the simplest of them

TEST(Providers, TryAgainAfterAGrowingWaitWhatFailsForAMoment) {
  const ApiServer server(in_turn({reply(500, ""), reply(503, ""), reply(502, "<html>"), reply(200, kGbBody)}));
  Client client("uk", server.url(), "2018-01-20T13:00Z");
  const auto series = ask_gb(client);
  ASSERT_TRUE(series) << series.error().message();
  EXPECT_EQ(series->points.at(0).value, GramsPerKwh(263));
  EXPECT_THAT(client.waits, ElementsAre(milliseconds(500), milliseconds(1000), milliseconds(2000)));
}

TEST(Providers, GiveUpAfterTheirTriesAndSayWhatTheLastOneMet) {
  const ApiServer server(in_turn({reply(500, R"({"error":{"code":"500","message":"out of order"}})")}));
  Client client("uk", server.url(), "2018-01-20T13:00Z");
  const auto series = ask_gb(client);
  ASSERT_FALSE(series);
  EXPECT_EQ(series.error().kind, Error::Kind::unavailable);
  EXPECT_THAT(series.error().message(), HasSubstr("GB Carbon Intensity: fails: status 500: out of order"));
  EXPECT_EQ(server.calls().size(), 4U);
}

TEST(Providers, WaitAsLongAsTheServiceAsks) {
  const ApiServer server(in_turn({reply(429, "", "Retry-After: 7\r\n"),
                                  reply(429, "", "Retry-After: Sat, 20 Jan 2018 13:00:30 GMT\r\n"), reply(200, kGbBody)}));
  Client client("uk", server.url(), "2018-01-20T13:00Z");
  ASSERT_TRUE(ask_gb(client));
  EXPECT_THAT(client.waits, ElementsAre(std::chrono::seconds(7), std::chrono::seconds(30)));
}

TEST(Providers, DoNotKeepPeopleWaitingForTenMinutes) {
  const ApiServer server(in_turn({reply(429, "", "Retry-After: 600\r\n")}));
  Client client("uk", server.url(), "2018-01-20T13:00Z");
  const auto series = ask_gb(client);
  ASSERT_FALSE(series);
  EXPECT_THAT(series.error().remedy, HasSubstr("10 min"));
  EXPECT_THAT(client.waits, IsEmpty());
  EXPECT_EQ(server.calls().size(), 1U);
}

TEST(Providers, DoNotAskAgainWhatIsRefused) {
  for (const int status : {400, 401, 403, 404, 422}) {
    const ApiServer server(in_turn({reply(status, sample("uk_error.json"))}));
    Client client("uk", server.url(), "2018-01-20T13:00Z");
    const auto series = ask_gb(client);
    ASSERT_FALSE(series);
    EXPECT_EQ(series.error().kind, Error::Kind::unavailable);
    EXPECT_THAT(series.error().what, HasSubstr("the time is not one that this sample's server reads"));
    EXPECT_EQ(server.calls().size(), 1U) << status;
  }
}

TEST(Providers, SilenceEndsAtTheDeadline) {
  const ApiServer server(in_turn({"hang", "hang"}));
  Client client("uk", server.url(), "2018-01-20T13:00Z", {}, [](ProviderSettings& s) {
    s.deadline = milliseconds(150);
    s.tries = 2;
  });
  const auto series = ask_gb(client);
  ASSERT_FALSE(series);
  EXPECT_EQ(series.error().kind, Error::Kind::unavailable);
  EXPECT_EQ(client.waits.size(), 1U);
}

TEST(Providers, AnAnswerWithoutEndIsNotReadToIt) {
  const ApiServer server(in_turn({reply(200, std::string(std::size_t{33} << 20U, ' '))}));
  Client client("uk", server.url(), "2018-01-20T13:00Z");
  const auto series = ask_gb(client);
  ASSERT_FALSE(series);
  EXPECT_EQ(series.error().kind, Error::Kind::unavailable);
  EXPECT_EQ(server.calls().size(), 1U);  // and not asked for again
}

TEST(Providers, NobodyThereIsUnavailable) {
  Client client("uk", "http://127.0.0.1:1", "2018-01-20T13:00Z");
  const auto series = ask_gb(client);
  ASSERT_FALSE(series);
  EXPECT_EQ(series.error().kind, Error::Kind::unavailable);
  EXPECT_THAT(series.error().message(), HasSubstr("127.0.0.1"));
  EXPECT_EQ(client.waits.size(), 3U);
}

TEST(Providers, OddAnswersAreErrorsThatSayWhose) {
  for (const std::string& body :
       {kGbBody.substr(0, 40), std::string("null"), std::string("<html>"), std::string(R"({"data":3})"),
        gb("soon", "later", "1"), gb("2018-01-20T12:00Z", "2018-01-20T12:30Z", "{}"), std::string("\xff\xfe")}) {
    const ApiServer server(in_turn({reply(200, body)}));
    Client client("uk", server.url(), "2018-01-20T13:00Z");
    const auto series = ask_gb(client);
    ASSERT_FALSE(series) << body;
    EXPECT_EQ(series.error().kind, Error::Kind::unavailable);
    EXPECT_THAT(series.error().message(), HasSubstr("GB Carbon Intensity: odd answer")) << body;
  }
}

TEST(Providers, WhatIsNullIsAGapAndNeverZero) {
  const ApiServer server(in_turn({reply(200, R"({"data":[
    {"from":"2018-01-20T12:00Z","to":"2018-01-20T12:30Z","intensity":{"forecast":null,"actual":null}},
    {"from":"2018-01-20T12:30Z","to":"2018-01-20T13:00Z","intensity":{"forecast":1,"actual":2}}]})")}));
  Client client("uk", server.url(), "2018-01-20T13:00Z");
  const auto series = client.history(zone("GB"), "2018-01-20T12:00Z", "2018-01-20T13:00Z");
  ASSERT_TRUE(series);
  EXPECT_FALSE(series->at(at("2018-01-20T12:10Z")));
  EXPECT_EQ(series->mean(at("2018-01-20T12:00Z"), at("2018-01-20T13:00Z")).covered, minutes(30));
}

TEST(Providers, ValuesThatNoGridCanHaveAreGapsAndSaidToBe) {
  const ApiServer server(in_turn({reply(200, R"({"data":[
    {"from":"2018-01-20T12:00Z","to":"2018-01-20T12:30Z","intensity":{"forecast":1,"actual":-5}},
    {"from":"2018-01-20T12:30Z","to":"2018-01-20T13:00Z","intensity":{"forecast":1,"actual":1e6}},
    {"from":"2018-01-20T13:00Z","to":"2018-01-20T13:30Z","intensity":{"forecast":1,"actual":0}}]})")}));
  Client client("uk", server.url(), "2018-01-20T14:00Z");
  const auto series = client.history(zone("GB"), "2018-01-20T12:00Z", "2018-01-20T14:00Z");
  ASSERT_TRUE(series);
  ASSERT_EQ(series->points.size(), 1U);  // a true zero stays
  EXPECT_THAT(text_of(client.provider->notes()), HasSubstr("2 values that no grid can have"));
}

TEST(Providers, AClockThatIsWrongIsSaid) {
  const ApiServer server(in_turn({reply(200, kGbBody, "Date: Sat, 20 Jan 2018 13:00:00 GMT\r\n")}));
  Client right("uk", server.url(), "2018-01-20T13:00:20Z");
  ASSERT_TRUE(ask_gb(right));
  EXPECT_THAT(right.provider->notes(), IsEmpty());
  Client ahead("uk", server.url(), "2018-01-20T16:00Z");
  ASSERT_TRUE(ask_gb(ahead));
  EXPECT_THAT(text_of(ahead.provider->notes()), HasSubstr("clock is 3 h 0 min ahead of"));
}

TEST(Providers, WhatIsObservedInTheFutureOfOurClockIsNotTrustedAsObserved) {
  const ApiServer server(in_turn({reply(200, R"({"zone":"DE","history":[
    {"carbonIntensity":100,"datetime":"2024-05-01T09:00:00Z"},{"carbonIntensity":200,"datetime":"2024-05-01T12:00:00Z"}]})")}));
  Client client("electricitymaps", server.url(), "2024-05-01T09:30Z");
  const auto series = client.history(zone("DE"), "2024-05-01T09:00Z", "2024-05-01T13:00Z");
  ASSERT_TRUE(series) << series.error().message();
  EXPECT_EQ(series->points.at(0).kind, PointKind::observed);
  EXPECT_EQ(series->points.at(1).kind, PointKind::estimated);
  EXPECT_THAT(text_of(client.provider->notes()), HasSubstr("ahead of this machine's clock"));
}

TEST(Providers, AForecastThatHasPassedByOurClockIsNone) {
  const ApiServer server(in_turn({reply(200, sample("uk_intensity_fw24h.json"), "Date: Sun, 24 May 2020 20:40:00 GMT\r\n")}));
  Client client("uk", server.url(), "2020-05-26T20:40Z");
  const auto series = client.provider->forecast(zone("GB"), hours(24));
  ASSERT_FALSE(series);
  EXPECT_EQ(series.error().kind, Error::Kind::unavailable);
  EXPECT_THAT(series.error().message(), HasSubstr("has passed by this machine's clock"));
  EXPECT_THAT(series.error().remedy, HasSubstr("2 d"));
}

TEST(Providers, AForecastThatBeginsLateSaysSo) {
  const ApiServer server(in_turn({reply(200, sample("uk_intensity_fw24h.json"))}));
  Client client("uk", server.url(), "2020-05-24T18:00Z");
  const auto series = client.provider->forecast(zone("GB"), hours(24));
  ASSERT_TRUE(series);
  EXPECT_THAT(text_of(client.provider->notes()), HasSubstr("begins 2 h 30 min from now"));
}

TEST(Providers, AWindowAheadIsAForecastsAndAnEmptyOneNobodys) {
  Client client("uk", "http://127.0.0.1:1", "2018-01-20T13:00Z");
  EXPECT_THAT(client.history(zone("GB"), "2018-01-21T12:00Z", "2018-01-21T13:00Z").error().remedy, HasSubstr("forecast"));
  EXPECT_EQ(client.history(zone("GB"), "2018-01-20T12:00Z", "2018-01-20T12:00Z").error().kind, Error::Kind::usage);
  EXPECT_THAT(client.waits, IsEmpty());  // nobody was asked
}

TEST(Providers, NoTextEverHoldsAKey) {
  // A service that repeats everything it was told, in every kind of answer.
  for (const int status : {200, 400, 401, 403, 404, 429, 500}) {
    for (const ProviderFacts& facts : provider_facts()) {
      const ApiServer server([&](const Call& call) {
        std::string echo;
        for (const auto& [name, value] : call.query) echo += " " + name + "=" + value;
        for (const auto& [name, value] : call.headers) echo += " " + value;
        if (call.path == "/login" && status != 401) return reply(200, R"({"token":"session-token"})");
        return reply(status, nlohmann::json{{"message", echo.substr(0, 150)}, {"error", echo}}.dump());
      });
      Client client(facts.name, server.url(), "2022-07-15T01:00Z");
      Where where = facts.name == "uk" ? zone("GB") : facts.name == "eia" ? zone("US-CAL-CISO") : zone("DE");
      if (facts.name == "watttime") where = zone("CAISO_NORTH");
      for (const auto& series : {client.provider->history(where, {at("2022-07-15T00:00Z"), at("2022-07-15T01:00Z")}),
                                 client.provider->forecast(where, hours(2))}) {
        ASSERT_FALSE(series) << facts.name << status;
        const std::string text = series.error().message() + text_of(client.provider->notes());
        EXPECT_THAT(text, Not(HasSubstr(kSecret))) << facts.name << status;
        EXPECT_THAT(text, Not(HasSubstr("s3cret"))) << facts.name << status;
        EXPECT_THAT(text, Not(HasSubstr("session-token"))) << facts.name << status;
        EXPECT_FALSE(series.error().where.empty());
      }
    }
  }
  // And where nobody answers, the address is not repeated with the key in it.
  Client client("eia", "http://127.0.0.1:1", "2022-07-15T01:00Z");
  EXPECT_THAT(client.history(zone("US-CAL-CISO"), "2022-07-14T00:00Z", "2022-07-15T00:00Z").error().message(),
              Not(HasSubstr("s3cret")));
}

TEST(Providers, TextsOfServicesCannotWriteOnTheTerminal) {
  const ApiServer server(
      in_turn({reply(400, "{\"message\":\"a\\u001b[31mred\\nline \\u0007" + std::string(1000, 'x') + "\"}")}));
  Client client("uk", server.url(), "2018-01-20T13:00Z");
  const std::string text = ask_gb(client).error().message();
  EXPECT_EQ(text.find_first_of("\x1b\n\x07"), std::string::npos);
  EXPECT_LT(text.size(), 300U);
}

// ---- making them

TEST(MakeProvider, NamesWhatIsMissing) {
  ProviderSettings empty;
  const auto unknown = make_provider("wattime", empty);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, Error::Kind::missing);
  EXPECT_THAT(unknown.error().remedy, HasSubstr("watttime"));

  const auto no_key = make_provider("watttime", empty);
  ASSERT_FALSE(no_key);
  EXPECT_EQ(no_key.error().kind, Error::Kind::usage);
  EXPECT_THAT(no_key.error().message(), HasSubstr("GRAMWATT_WATTTIME_USER"));

  EXPECT_THAT(make_provider("carbonawaresdk", empty).error().message(), HasSubstr("GRAMWATT_CARBONAWARESDK_URL"));
  ProviderSettings wrong;
  wrong.base_url = "ftp://x";
  EXPECT_EQ(make_provider("uk", wrong).error().kind, Error::Kind::usage);
  wrong = {};
  wrong.secrets = {{"token", kSecret}};
  wrong.base_url = "http://example.org";
  EXPECT_THAT(make_provider("entsoe", wrong).error().message(), HasSubstr("unencrypted"));
  wrong.base_url = "https://example.org";
  EXPECT_TRUE(make_provider("entsoe", wrong));
  wrong = {};
  wrong.factor = "both";
  EXPECT_EQ(make_provider("uk", wrong).error().kind, Error::Kind::usage);
  wrong = {};
  wrong.secrets = {{"key", "a\r\nX-Injected: yes"}};
  const auto injected = make_provider("eia", wrong);
  ASSERT_FALSE(injected);
  EXPECT_THAT(injected.error().message(), Not(HasSubstr("Injected")));
}

TEST(MakeProvider, MakesAllThatItNamesAndTheyKnowTheirFacts) {
  for (const ProviderFacts& facts : provider_facts()) {
    Client client(facts.name, "http://127.0.0.1:1", "2022-07-15T01:00Z");
    EXPECT_EQ(client.provider->name(), facts.name);
    EXPECT_EQ(client.provider->signal(), facts.signal);
    Where where = zone(facts.name == "uk"         ? "GB"
                       : facts.name == "eia"      ? "US-CAL-CISO"
                       : facts.name == "watttime" ? "CAISO_NORTH"
                                                  : "DE");
    const auto forecast = client.provider->forecast(where, hours(1));
    ASSERT_FALSE(forecast);
    EXPECT_EQ(forecast.error().kind == Error::Kind::missing, !facts.has_forecast) << facts.name;
    EXPECT_TRUE(facts.url_variable.starts_with("GRAMWATT_") && facts.url_variable.ends_with("_URL"));
  }
}

}  // namespace
}  // namespace gramwatt::grid
