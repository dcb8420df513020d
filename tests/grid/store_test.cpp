// The store: what is put is what is got, however it is cut and in whatever order it comes; and a file that is damaged, foreign
// or newer is said to be so and left alone.

#include "grid/store.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "fakes/temp_tree.hpp"
#include "grid/point_block.hpp"

namespace gramwatt::grid {
namespace {

using namespace std::chrono_literals;
using testing::TempTree;

/// 2021-01-01T00:00:00Z
constexpr Nanoseconds kNewYear = 1'609'459'200s;
constexpr Window kAllTime{-1'000'000h, 1'000'000h};

Point point(Nanoseconds start, double value, PointKind kind = PointKind::observed) {
  return {start, GramsPerKwh(value), kind, {}};
}

Series hourly(std::vector<Point> points) {
  Series s;
  s.resolution = 1h;
  s.points = std::move(points);
  s.signal.kind = SignalKind::marginal;
  s.signal.factor = "direct";
  s.signal.year = 2021;
  s.signal.source = "somebody 2021";
  s.signal.licence = "CC0";
  s.signal.fit_for = {"accounting", "scheduling"};
  s.terms["source"] = {-0.1, 0.2};
  s.method = Method::measured;
  return s;
}

Store open(const TempTree& tree, const std::string& name = "grid.sqlite") {
  auto store = Store::open(tree / name);
  if (!store) throw std::runtime_error(store.error().message());
  return std::move(*store);
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

const SeriesKey kKey{"US-CAL-CISO", SignalKind::marginal, "watttime"};

TEST(Store, GivesBackWhatWasPut) {
  const TempTree tree;
  const Series s =
      hourly({point(kNewYear, 221.125), point(kNewYear + 1h, 0), point(kNewYear + 5h, -3.5, PointKind::estimated)});
  {
    Store store = open(tree);
    ASSERT_EQ(store.put(kKey, s).value(), (Store::Change{3, 0, 0, 0}));
  }
  const auto got = open(tree).get(kKey, kAllTime);
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_EQ(got->points, s.points);
  EXPECT_EQ(got->resolution, 1h);
  EXPECT_EQ(got->terms, s.terms);
  EXPECT_EQ(got->method, Method::measured);
  EXPECT_EQ(got->signal.kind, SignalKind::marginal);
  EXPECT_EQ(got->signal.source, "somebody 2021");
  EXPECT_EQ(got->signal.licence, "CC0");
  EXPECT_EQ(got->signal.year, 2021);
  EXPECT_TRUE(got->signal.is_fit_for("scheduling"));
}

TEST(Store, AWindowHasThePointsThatHoldInIt) {
  const TempTree tree;
  Store store = open(tree);
  ASSERT_TRUE(store.put(kKey, hourly({point(kNewYear - 1h, 1), point(kNewYear, 2), point(kNewYear + 4h, 3)})));
  const auto starts = [&](Window w) {
    std::vector<double> values;
    const Series got = store.get(kKey, w).value();
    for (const Point& p : got.points) values.push_back(p.value.value());
    return values;
  };
  EXPECT_EQ(starts({kNewYear, kNewYear + 1h}), std::vector<double>({2}));           // half-open on both sides
  EXPECT_EQ(starts({kNewYear - 1ns, kNewYear + 1h}), std::vector<double>({1, 2}));  // and across a month
  EXPECT_EQ(starts({kNewYear + 59min, kNewYear + 5h}), std::vector<double>({2, 3}));
  EXPECT_EQ(starts({kNewYear + 1h, kNewYear + 4h}), std::vector<double>());  // a gap is nothing
  EXPECT_EQ(starts({kNewYear + 5h, kNewYear + 9h}), std::vector<double>());
  EXPECT_EQ(starts({kNewYear - 9h, kNewYear - 1h}), std::vector<double>());
}

TEST(Store, AnnualMeansHoldUntilTheNextAndTheFirstBeforeItsStart) {
  const TempTree tree;
  Store store = open(tree);
  Series s = hourly({point(kNewYear, 1), point(kNewYear + 24h * 365, 2)});
  s.resolution = 0ns;
  ASSERT_TRUE(store.put(kKey, s));
  for (const Nanoseconds at : {kNewYear - 9000h, kNewYear, kNewYear + 700h, kNewYear + 24h * 365, kNewYear + 99999h}) {
    const auto got = store.get(kKey, {at, at + 1h}).value();
    ASSERT_EQ(got.points.size(), 1U);
    EXPECT_EQ(got.at(at)->value, s.at(at)->value);
  }
}

TEST(Store, ABetterKindReplacesAWorseAndNeverTheOtherWayRound) {
  const TempTree tree;
  Store store = open(tree);
  const auto put = [&](double value, PointKind kind) {
    return store.put(kKey, hourly({point(kNewYear, value, kind)})).value();
  };
  const auto value = [&] { return store.get(kKey, kAllTime).value().points.at(0).value.value(); };
  EXPECT_EQ(put(100, PointKind::forecast), (Store::Change{1, 0, 0, 0}));
  EXPECT_EQ(put(110, PointKind::forecast), (Store::Change{0, 1, 0, 0}));  // of the same kind the later
  EXPECT_EQ(put(120, PointKind::observed), (Store::Change{0, 1, 0, 0}));
  EXPECT_EQ(put(130, PointKind::estimated), (Store::Change{0, 0, 1, 0}));
  EXPECT_EQ(value(), 120);
}

TEST(Store, ForecastsKeepTheirBands) {
  const TempTree tree;
  Store store = open(tree);
  Point p = point(kNewYear, 300, PointKind::forecast);
  p.band = {-0.123456, 0.5};
  ASSERT_TRUE(store.put(kKey, hourly({p, point(kNewYear + 1h, 10)})));
  EXPECT_EQ(store.get(kKey, kAllTime).value().points.at(0), p);
}

TEST(Store, ASecondPutChangesNothingAndTheFileStaysTheSame) {
  const TempTree tree;
  std::vector<Point> points;
  for (int i = 0; i < 20'000; ++i) points.push_back(point(kNewYear + i * 1h, 300 + 200 * std::sin(i * 0.26)));
  Nanoseconds changed{};
  {
    Store store = open(tree);
    ASSERT_EQ(store.put(kKey, hourly(points)).value().added, 20'000U);
    changed = store.list().value().at(0).changed;
  }
  const std::string before = bytes_of(tree / "grid.sqlite");
  {
    Store store = open(tree);
    EXPECT_EQ(store.put(kKey, hourly(points)).value(), (Store::Change{0, 0, 20'000, 0}));
    EXPECT_EQ(store.list().value().at(0).changed, changed);
  }
  EXPECT_TRUE(bytes_of(tree / "grid.sqlite") == before);
}

TEST(Store, AnotherResolutionIsAnotherSeries) {
  const TempTree tree;
  Store store = open(tree);
  ASSERT_TRUE(store.put(kKey, hourly({point(kNewYear, 1)})));
  Series s = hourly({point(kNewYear + 1h, 2)});
  s.resolution = 5min;
  const auto put = store.put(kKey, s);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().kind, Error::Kind::usage);
  EXPECT_EQ(store.get(kKey, kAllTime).value().points.size(), 1U) << "nothing of what was refused stays";
}

TEST(Store, WhatIsNoNumberIsRefusedAndNothingStays) {
  const TempTree tree;
  Store store = open(tree);
  EXPECT_FALSE(store.put(kKey, hourly({point(kNewYear, 1), point(kNewYear + 1h, std::nan(""))})));
  EXPECT_EQ(store.get(kKey, kAllTime).error().kind, Error::Kind::missing);
}

TEST(Store, ListsWhatItHoldsAndRemoves) {
  const TempTree tree;
  Store store = open(tree);
  const SeriesKey other{"DE", SignalKind::average, "pack"};
  ASSERT_TRUE(store.put(kKey, hourly({point(kNewYear, 1), point(kNewYear + 3h, 1), point(kNewYear + 2000h, 1)})));
  ASSERT_TRUE(store.put(other, hourly({point(kNewYear, 1)})));
  const auto held = store.list().value();
  ASSERT_EQ(held.size(), 2U);
  EXPECT_EQ(held[0].key, other);
  EXPECT_EQ(held[1].key, kKey);
  EXPECT_EQ(held[1].points, 3U);
  EXPECT_EQ(held[1].window, (Window{kNewYear, kNewYear + 2001h}));
  EXPECT_EQ(held[1].resolution, 1h);
  EXPECT_EQ(held[1].signal.source, "somebody 2021");
  EXPECT_GT(held[1].changed, kNewYear);
  ASSERT_TRUE(store.remove(kKey));
  EXPECT_EQ(store.remove(kKey).error().kind, Error::Kind::missing);
  EXPECT_EQ(store.get(kKey, kAllTime).error().kind, Error::Kind::missing);
  EXPECT_EQ(store.list().value().size(), 1U);
}

TEST(Store, ReadingMakesNoFile) {
  const TempTree tree;
  EXPECT_FALSE(Store::open_read_only(tree / "grid.sqlite").value());
  EXPECT_FALSE(std::filesystem::exists(tree / "grid.sqlite"));
  ASSERT_TRUE(open(tree).put(kKey, hourly({point(kNewYear, 1)})));
  const auto store = Store::open_read_only(tree / "grid.sqlite").value();
  EXPECT_EQ(store->get(kKey, kAllTime).value().points.size(), 1U);
}

TEST(Store, AFolderThatCannotBeWrittenCanBeRead) {
  using std::filesystem::perms;
  const TempTree tree;
  const auto path = tree / "folder/a %23?.sqlite";
  ASSERT_TRUE(open(tree, "folder/a %23?.sqlite").put(kKey, hourly({point(kNewYear, 1)})));
  std::filesystem::permissions(path, perms(0444));
  std::filesystem::permissions(tree / "folder", perms(0555));
  std::filesystem::permissions(tree.root(), perms(0755));
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && setuid(65534) != 0) _exit(2);  // no permission binds root
    if (access((tree / "folder").c_str(), W_OK) == 0) _exit(3);
    const auto store = Store::open_read_only(path);
    _exit(store && *store && (*store)->get(kKey, kAllTime).value().points.size() == 1 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << WEXITSTATUS(status);
  std::filesystem::permissions(tree / "folder", perms(0755));
}

TEST(Store, WhatIsNotCommittedIsGone) {
  const TempTree tree;
  Store store = open(tree);
  {
    auto w = store.writer();
    const auto id = w.series(kKey);
    ASSERT_TRUE(w.add(id, std::vector{point(kNewYear, 1)}));
    EXPECT_EQ(w.seen(id).value().points, 1U);  // in the file by now
  }
  EXPECT_TRUE(store.list().value().empty());
}

TEST(Store, TheWriterTellsStepAndGaps) {
  const TempTree tree;
  Store store = open(tree);
  auto w = store.writer();
  const auto id = w.series(kKey);
  // 2021-01-31T20Z on: a gap across the end of the month, and a gap of two hours.
  const Nanoseconds t = kNewYear + 30 * 24h + 20h;
  for (const int hour : {9, 0, 1, 2, 5, 6, 7, 10}) ASSERT_TRUE(w.add(id, std::vector{point(t + hour * 1h, 1)}));
  EXPECT_EQ(w.seen(id).value().step, 1h);
  const auto gaps = w.gaps(id, 1h).value();
  EXPECT_EQ(gaps.count, 2U);
  EXPECT_EQ(gaps.length, 3h);
  EXPECT_EQ(gaps.first, (std::vector<Window>{{t + 3h, t + 5h}, {t + 8h, t + 9h}}));
}

void same_whatever_order_and_cuts(Store& store, const SeriesKey& whole, const SeriesKey& pieces) {
  std::vector<Point> points;
  Nanoseconds at = kNewYear + *rc::gen::inRange(-100'000, 100'000) * 1h;
  for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 400))) {
    const double value = *rc::gen::inRange(-1000, 1'000'000) / kThousandths;
    points.push_back(point(at += step * 1h, value, static_cast<PointKind>(*rc::gen::inRange(0, 4))));
  }
  RC_ASSERT(store.put(whole, hourly(points)).value().added == points.size());
  RC_ASSERT(store.put(pieces, hourly({})).value().added == 0U);

  auto shuffled = points;
  for (std::size_t i = shuffled.size(); i > 1; --i) std::swap(shuffled[i - 1], shuffled[*rc::gen::inRange<std::size_t>(0, i)]);
  for (std::size_t i = 0; i < shuffled.size();) {
    const std::size_t n = std::min(shuffled.size() - i, *rc::gen::inRange<std::size_t>(1, 60));
    const auto first = shuffled.begin() + static_cast<std::ptrdiff_t>(i);
    RC_ASSERT(store.put(pieces, hourly({first, first + static_cast<std::ptrdiff_t>(n)})).value().added == n);
    i += n;
  }
  RC_ASSERT(store.put(pieces, hourly(points)).value().unchanged == points.size());
  RC_ASSERT(store.get(whole, kAllTime).value().points == points);
  RC_ASSERT(store.get(pieces, kAllTime).value().points == points);

  // A window of the store weighs as the whole series does, gaps included.
  const Nanoseconds from = kNewYear + *rc::gen::inRange(-110'000, 110'000) * 30min;
  const Nanoseconds to = from + *rc::gen::inRange(1, 5000) * 30min;
  const auto a = store.get(pieces, {from, to}).value().mean(from, to);
  const auto b = hourly(points).mean(from, to);
  RC_ASSERT(a.value == b.value);
  RC_ASSERT(a.covered == b.covered);
}

TEST(Store, GivesTheSameWhateverTheOrderAndTheCutsOfWhatComesIn) {
  const TempTree tree;
  Store store = open(tree);
  int cases = 0;  // each has series of its own: making a file waits for the disk
  EXPECT_TRUE(rc::check([&] {
    const std::string origin = std::to_string(++cases);
    same_whatever_order_and_cuts(store, {"whole", SignalKind::average, origin}, {"pieces", SignalKind::average, origin});
  }));
}

RC_GTEST_PROP(PointBlock, UnpacksWhatWasPacked, ()) {
  std::vector<Point> points;
  auto at = Nanoseconds(*rc::gen::inRange<std::int64_t>(-4'000'000'000'000'000'000, 4'000'000'000'000'000'000));
  for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 4))) {
    Point p{at += Nanoseconds(step), GramsPerKwh(*rc::gen::arbitrary<int>() / kThousandths), PointKind::observed, {}};
    if (*rc::gen::inRange(0, 3) == 0) p.kind = static_cast<PointKind>(*rc::gen::inRange(0, 4));
    if (*rc::gen::inRange(0, 9) == 0) p.band = {*rc::gen::arbitrary<int>() / kMillionths, 0.25};
    points.push_back(p);
  }
  const auto block = pack(points);
  RC_ASSERT(block);
  std::vector<Point> again;
  RC_ASSERT(unpack(*block, again));
  RC_ASSERT(again == points);
  // Bytes that were cut are damage, never other points.
  if (!points.empty()) {
    const auto cut = *rc::gen::inRange<std::size_t>(0, block->size());
    RC_ASSERT(!unpack(std::string_view(*block).substr(0, cut), again));
    RC_ASSERT(again == points);
  }
  std::size_t told = 0;
  const auto runs = start_runs(*block).value();
  for (const StartRun& run : runs) told += run.count;
  RC_ASSERT(told == points.size());
}

TEST(PointBlock, AMonthOfFiveMinutesIsSmall) {
  std::vector<Point> points;
  for (int i = 0; i < 8928; ++i) points.push_back(point(kNewYear + i * 5min, std::round(250 + 200 * std::sin(i * 0.02))));
  EXPECT_LT(pack(points).value().size(), 8928U + 64U);
}

TEST(StoreFile, OneThatIsNoStoreIsLeftAsItIs) {
  const TempTree tree;
  tree.write("text", std::string(5000, 'x'));
  tree.write("short", "SQLite format 3");
  for (const char* name : {"text", "short"}) {
    const std::string before = bytes_of(tree / name);
    const auto store = Store::open(tree / name);
    ASSERT_FALSE(store);
    EXPECT_NE(store.error().what.find("no grid store"), std::string::npos) << store.error().message();
    EXPECT_FALSE(store.error().remedy.empty());
    EXPECT_EQ(bytes_of(tree / name), before);
  }
  EXPECT_FALSE(Store::open(tree.root()));  // a folder
}

TEST(StoreFile, ANewerVersionIsRefusedWithTheRemedy) {
  const TempTree tree;
  ASSERT_TRUE(open(tree).put(kKey, hourly({point(kNewYear, 1)})));
  std::string bytes = bytes_of(tree / "grid.sqlite");
  bytes[63] = 2;  // user_version, big endian at 60: sqlite.org/fileformat.html
  tree.write("grid.sqlite", bytes);
  const auto store = Store::open(tree / "grid.sqlite");
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().what.find("newer gramwatt"), std::string::npos) << store.error().message();
  EXPECT_NE(store.error().remedy.find("update gramwatt"), std::string::npos);
}

TEST(StoreFile, DamageAnywhereIsAnErrorAndNeverACrash) {
  const TempTree tree;
  std::vector<Point> points;
  for (int i = 0; i < 9000; ++i) points.push_back(point(kNewYear + i * 1h, 300 + i % 97));
  ASSERT_TRUE(open(tree).put(kKey, hourly(points)));
  const std::string good = bytes_of(tree / "grid.sqlite");
  int errors = 0;
  for (std::size_t at = 100; at < good.size(); at += 611) {
    std::string bad = good;
    for (std::size_t i = at; i < std::min(at + 48, bad.size()); ++i) bad[i] = static_cast<char>(~bad[i]);
    std::filesystem::remove(tree / "bad.sqlite-wal");
    std::filesystem::remove(tree / "bad.sqlite-shm");
    tree.write("bad.sqlite", bad);
    auto store = Store::open(tree / "bad.sqlite");
    const auto got = store ? store->get(kKey, kAllTime) : tl::unexpected(store.error());
    if (store) (void)store->list();
    if (store) (void)store->put(kKey, hourly(points));
    if (got && got->points == points) continue;  // it hit bytes that nobody uses
    if (!got) {
      ++errors;
      EXPECT_FALSE(got.error().what.empty());
    }
  }
  EXPECT_GT(errors, 10);
}

TEST(StoreFile, TwoProcessesWriteAtOnceAndNothingIsLost) {
  const TempTree tree;
  constexpr int kEach = 50;
  const auto write = [&](int who) {
    auto store = Store::open(tree / "grid.sqlite");
    if (!store) return false;
    for (int i = 0; i < kEach; ++i) {
      if (!store->put(kKey, hourly({point(kNewYear + (2 * i + who) * 1h, i)}))) return false;
    }
    return true;
  };
  const pid_t child = fork();
  if (child == 0) _exit(write(1) ? 0 : 1);
  EXPECT_TRUE(write(0));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(open(tree).get(kKey, kAllTime).value().points.size(), 2U * kEach);
}

}  // namespace
}  // namespace gramwatt::grid
