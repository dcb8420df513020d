#include "base/text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/system.hpp"
#include "fakes/temp_tree.hpp"

namespace gramwatt {
namespace {

TEST(Duration, ReadsWhatPeopleWrite) {
  EXPECT_EQ(parse_duration("90s")->count(), 90'000'000'000);
  EXPECT_EQ(parse_duration("1h30m")->count(), 5'400'000'000'000);
  EXPECT_EQ(parse_duration("2d")->count(), 172'800'000'000'000);
  EXPECT_EQ(parse_duration("100ms")->count(), 100'000'000);
  EXPECT_EQ(parse_duration("1.5h")->count(), 5'400'000'000'000);
  EXPECT_EQ(parse_duration("10min")->count(), 600'000'000'000);
}

TEST(Duration, RefusesWhatHasNoUnitOrIsNoDuration) {
  for (const char* wrong : {"", "10", "s", "1x", "-5s", "1h-", "nan s", "1e400s"}) {
    const auto r = parse_duration(wrong);
    ASSERT_FALSE(r) << wrong;
    EXPECT_EQ(r.error().kind, Error::Kind::usage);
    EXPECT_FALSE(r.error().remedy.empty());
  }
}

TEST(Energy, ReadsWhatPeopleWrite) {
  EXPECT_DOUBLE_EQ(parse_energy("37.3kWh")->value(), 37.3 * 3.6e6);
  EXPECT_DOUBLE_EQ(parse_energy("500J")->value(), 500);
  EXPECT_DOUBLE_EQ(parse_energy("2 MWh")->value(), 7.2e9);
  EXPECT_FALSE(parse_energy("5"));
  EXPECT_FALSE(parse_energy("5kwh"));  // units are case sensitive: MWh and mWh differ by a factor of 1e9
}

TEST(Csv, KeepsQuotedCommasAndQuotes) {
  EXPECT_EQ(csv_fields(R"(a,"b, ""c""",,d)"), (std::vector<std::string>{"a", "b, \"c\"", "", "d"}));
}

RC_GTEST_PROP(CsvProperty, WhatIsQuotedIsReadBack, ()) {
  auto field = *rc::gen::string<std::string>();
  std::erase_if(field, [](char c) { return c == '\n' || c == '\r'; });
  RC_ASSERT(csv_fields(csv_quote(field) + ",x").front() == field);
}

TEST(DidYouMean, FindsTheNearestAndKeepsSilentOtherwise) {
  EXPECT_EQ(did_you_mean("zoen", {"zone", "name"}), "zone");
  EXPECT_EQ(did_you_mean("elephant", {"zone", "name"}), std::nullopt);
}

TEST(Time, IsPrintedInUtc) {
  EXPECT_EQ(iso8601(Nanoseconds(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso8601(std::chrono::seconds(1709210096) + std::chrono::milliseconds(7)), "2024-02-29T12:34:56.007Z");
}

TEST(Time, IsReadInTheFormsThatServicesWrite) {
  const Nanoseconds midnight = std::chrono::seconds(1'577'836'800);  // 2020-01-01
  for (const char* form : {"2020-01-01", "2020-01-01T00", "2020-01-01T00Z", "2020-01-01T00:00Z", "2020-01-01T00:00:00Z",
                           "2020-01-01T00:00:00.000Z", "2020-01-01T01:30:00+01:30", "2019-12-31T19:00:00.0000000-05:00",
                           "2020-01-01T02:00+02:00"}) {
    EXPECT_EQ(parse_iso8601(form), midnight) << form;
  }
  EXPECT_EQ(parse_iso8601("1970-01-01T00:00:01Z"), std::chrono::seconds(1));
  EXPECT_EQ(parse_iso8601("1970-01-01T00:00:00.000000001Z"), Nanoseconds(1));
  EXPECT_EQ(parse_iso8601("2022-05-17T20:45:11.5092741+00:00"), std::chrono::seconds(1'652'820'311) + Nanoseconds(509'274'100));
  EXPECT_EQ(parse_iso8601("1970-01-01T00:00:00.1234567899Z"), Nanoseconds(123'456'789));
}

TEST(Time, IsNotGuessed) {
  for (const char* other : {"",
                            "Z",
                            "T",
                            "1970",
                            "1970-01",
                            "1970-01-01Z",
                            "1970-01-01T",
                            "1970-01-01T0",
                            "1970-01-01T00:",
                            "1970-01-01T00:00",
                            "1970-01-01T00:00:00",
                            "1970-01-01T00:00:00.Z",
                            "1970-02-30",
                            "1970-02-30T00:00:00Z",
                            "1970-01-01 00:00:00Z",
                            "1970-01-01T24:00:00Z",
                            "1970-01-01T00:60Z",
                            "1970-01-01T00:00:61Z",
                            "1970-01-01T00:00:00+01",
                            "1970-01-01T00:00:00+0100",
                            "1970-01-01T00:00:00+24:00",
                            "0001-01-01T00:00:00Z",
                            "1970-01-01T00:00:00.1e3Z",
                            "19x0-01-01T00:00:00Z",
                            "1970-01-01T00:00:00Zx",
                            "1970-01-01T00:00:00z",
                            "+970-01-01",
                            "1970-01-01T00.5Z"}) {
    EXPECT_FALSE(parse_iso8601(other)) << other;
  }
}

TEST(Time, SuspendIsTheLeadOfTheBootClock) {
  VirtualClock clock(std::chrono::seconds(1'700'000'000));
  const Instant a = clock.now();
  clock.advance(std::chrono::seconds(5));
  clock.suspend(std::chrono::hours(2));
  clock.step_utc(-std::chrono::hours(1));
  const Instant b = clock.now();
  EXPECT_EQ(elapsed(a, b), std::chrono::seconds(5));
  EXPECT_EQ(suspended(a, b), std::chrono::hours(2));
}

TEST(RunId, SortsByTimeAndNeverRepeats) {
  std::set<std::string> ids;
  std::string last_time;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = new_run_id();
    ASSERT_EQ(id.size(), 26U);
    EXPECT_GE(id.substr(0, 10), last_time);
    last_time = id.substr(0, 10);
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 1000U);
}

TEST(Files, AreReplacedWholeOrNotAtAll) {
  const testing::TempTree tree;
  ASSERT_TRUE(write_file_atomically(tree / "a/b/c.txt", "one", 0600));
  ASSERT_TRUE(write_file_atomically(tree / "a/b/c.txt", "two", 0600));
  EXPECT_EQ(*read_file(tree / "a/b/c.txt"), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(tree / "a/b"), std::filesystem::directory_iterator{}), 1);
}

TEST(Files, MissingIsSaidAsSuch) {
  const auto r = read_file("/nonexistent/file");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, Error::Kind::missing);
  EXPECT_EQ(r.error().where, "/nonexistent/file");
}

}  // namespace
}  // namespace gramwatt
