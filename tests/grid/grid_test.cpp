#include "grid/grid.hpp"

#include <gtest/gtest.h>

#include "fakes/http_server.hpp"
#include "fakes/temp_tree.hpp"

namespace gramwatt::grid {
namespace {

using namespace std::chrono_literals;

/// 2021-06-01T00:00Z
constexpr Nanoseconds kDay = std::chrono::seconds(1622505600);

Series feed(double value, int from_hour, int hours, const std::string& source) {
  Series s;
  s.signal.source = source;
  s.signal.data_kind = "observed";
  s.resolution = 1h;
  for (int h = from_hour; h < from_hour + hours; ++h)
    s.points.push_back({kDay + std::chrono::hours(h), GramsPerKwh(value), PointKind::observed, {}});
  return s;
}

struct GridOfDe : ::testing::Test {
  testing::TempTree tree;
  GridSettings settings;

  GridOfDe() {
    settings.store = tree.root() / "grid.sqlite";
    settings.now = [] { return kDay + 12h; };
  }
  void put(const std::string& origin, const Series& s, SignalKind kind = SignalKind::average) {
    auto store = Store::open(settings.store);
    ASSERT_TRUE(store) << store.error().message();
    ASSERT_TRUE(store->put({"DE", kind, origin}, s));
  }
  [[nodiscard]] Intensities look(int from_hour, int to_hour) const {
    auto known = Grid(settings).look("DE", {kDay + std::chrono::hours(from_hour), kDay + std::chrono::hours(to_hour)});
    EXPECT_TRUE(known) << known.error().message();
    return std::move(*known);
  }
};

TEST_F(GridOfDe, WithoutAStoreThereIsWhatIsBuiltIn) {
  const auto known = look(0, 24);
  EXPECT_FALSE(std::filesystem::exists(settings.store));  // looking makes no file
  EXPECT_EQ(known.average.last().signal.data_kind, "annual mean");
  EXPECT_TRUE(known.average.last().covers({Nanoseconds{0}, kDay}));
}

TEST_F(GridOfDe, WhatWasImportedComesBeforeWhatIsBuiltIn) {
  put("pack", feed(123, 0, 24, "pack"));
  const auto steps = grid::steps(look(0, 48).average, {kDay, kDay + 48h}, 1h);
  ASSERT_EQ(steps.size(), 48U);
  EXPECT_EQ(steps[23].value, GramsPerKwh(123));
  EXPECT_EQ(steps[23].kind, PointKind::observed);
  EXPECT_EQ(steps[24].kind, PointKind::profile);  // half-open: the 25th hour is not the pack's
}

TEST_F(GridOfDe, TheOrderOfTrustIsTheUsers) {
  put("first", feed(100, 0, 24, "first"));
  put("second", feed(200, 0, 24, "second"));
  settings.order = {"second", "first"};
  EXPECT_EQ(look(0, 24).average.rungs.front().signal.source, "second");
  settings.order = {"first"};
  EXPECT_EQ(look(0, 24).average.rungs.front().signal.source, "first");
}

TEST_F(GridOfDe, AForecastStandsBehindWhatWasObserved) {
  Series forecast = feed(300, 0, 24, "forecast");
  for (Point& p : forecast.points) p.kind = PointKind::forecast;
  put(forecasts_of("energycharts"), forecast);
  put("energycharts", feed(100, 0, 6, "observed"));
  settings.order = {"energycharts"};
  const auto steps = grid::steps(look(0, 24).average, {kDay, kDay + 24h}, 1h);
  EXPECT_EQ(steps[5].value, GramsPerKwh(100));
  EXPECT_EQ(steps[6].value, GramsPerKwh(300));
  EXPECT_EQ(steps[6].kind, PointKind::forecast);
}

TEST_F(GridOfDe, AnImportedMarginalSeriesIsKnownWhereNoneIsBuiltIn) {
  auto none = Grid(settings).look("NO", {kDay, kDay + 1h});
  ASSERT_TRUE(none);
  if (none->marginal) GTEST_SKIP() << "Norway has a built-in margin";
  auto store = Store::open(settings.store);
  Series s = feed(450, 0, 24, "margin");
  s.signal.kind = SignalKind::marginal;
  ASSERT_TRUE(store->put({"NO", SignalKind::marginal, "margin"}, s));
  const auto known = Grid(settings).look("NO", {kDay, kDay + 1h});
  ASSERT_TRUE(known && known->marginal);
  EXPECT_EQ(known->marginal->rungs.front().signal.source, "margin");
}

/// Energy-Charts with one value an hour for the day so far.
std::string day_so_far() {
  std::string times, values;
  for (int h = 0; h < 12; ++h) {
    times += (h > 0 ? "," : "") + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(kDay).count() + h * 3600);
    values += (h > 0 ? "," : "") + std::to_string(400 + h);
  }
  return "{\"unix_seconds\":[" + times + "],\"co2eq\":[" + values + "],\"co2eq_forecast\":null,\"deprecated\":false}";
}

TEST_F(GridOfDe, WhatAProviderSaidIsKeptAndNotAskedForAgain) {
  std::atomic<int> asked{0};
  testing::HttpServer server([&](const std::string&) {
    ++asked;
    return testing::HttpServer::ok(day_so_far());
  });
  settings.order = {"energycharts"};
  settings.network = true;
  settings.providers["energycharts"].base_url = server.url();
  settings.providers["energycharts"].now = settings.now;
  settings.providers["energycharts"].wait = [](auto) {};
  const Grid grid(settings);
  EXPECT_EQ(grid.fetch({"DE", {}, {}, {}, {}, {}}, {kDay, kDay + 11h}), std::vector<std::string>{});
  EXPECT_EQ(look(0, 11).average.rungs.front().points.front().value, GramsPerKwh(400));
  const int once = asked;
  EXPECT_GT(once, 0);
  EXPECT_EQ(grid.fetch({"DE", {}, {}, {}, {}, {}}, {kDay, kDay + 11h}), std::vector<std::string>{});
  EXPECT_EQ(asked, once);
}

TEST_F(GridOfDe, AProviderThatFailsIsNamedAndTheNextRungHolds) {
  testing::HttpServer server([](const std::string&) { return std::string("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"); });
  settings.order = {"energycharts"};
  settings.network = true;
  settings.providers["energycharts"].base_url = server.url();
  settings.providers["energycharts"].wait = [](auto) {};
  const auto failed = Grid(settings).fetch({"DE", {}, {}, {}, {}, {}}, {kDay, kDay + 11h});
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].rfind("energycharts was not used: ", 0), 0U) << failed[0];
  EXPECT_TRUE(look(0, 11).average.last().covers({kDay, kDay + 11h}));
}

TEST_F(GridOfDe, NobodyIsAskedWhereTheNetworkIsForbidden) {
  std::atomic<int> asked{0};
  testing::HttpServer server([&](const std::string&) {
    ++asked;
    return testing::HttpServer::not_found();
  });
  settings.order = {"energycharts"};
  settings.providers["energycharts"].base_url = server.url();
  EXPECT_TRUE(Grid(settings).fetch({"DE", {}, {}, {}, {}, {}}, {kDay, kDay + 11h}).empty());
  EXPECT_EQ(asked, 0);
}

}  // namespace
}  // namespace gramwatt::grid
