// Files into the store: what is understood of each format, and what is refused and where.

#include "grid/import.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>

#include "grid/import_fixture.hpp"
#include "grid/import_readers.hpp"

namespace gramwatt::grid {
namespace {

TEST_F(Import, ATidyFileSaysWhatWasUnderstood) {
  const auto r = import("utc_start,g_per_kwh\n2021-01-01T00Z,100\n2021-01-01T01Z,110.5\n2021-01-01T02Z,\n2021-01-01T03Z,130\n",
                        of_zone("DE"), "de_lifecycle.csv");
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(r->format, FileFormat::tidy_csv);
  EXPECT_EQ(r->value_column, "g_per_kwh");
  EXPECT_EQ(r->unit, IntensityUnit::g_per_kwh);
  EXPECT_FALSE(r->unit_was_assumed);
  EXPECT_EQ(r->label, LabelEnd::start);
  EXPECT_EQ(r->rows, 3U);
  EXPECT_EQ(r->blanks, 1U);
  ASSERT_EQ(r->series.size(), 1U);
  const ImportedSeries& s = r->series.front();
  EXPECT_EQ(s.key, (SeriesKey{"DE", SignalKind::average, "file:de_lifecycle"}));
  EXPECT_EQ(s.resolution, 1h);
  EXPECT_EQ(s.window, (Window{utc(2021, 1, 1), utc(2021, 1, 1, 4)}));
  EXPECT_EQ(s.gaps.count, 1U);
  EXPECT_EQ(s.gaps.first, (std::vector<Window>{{utc(2021, 1, 1, 2), utc(2021, 1, 1, 3)}}));
  EXPECT_EQ(s.change, (Store::Change{3, 0, 0, 0}));
  EXPECT_EQ(s.signal.factor, "lifecycle");
  EXPECT_EQ(s.signal.year, 2021);
  EXPECT_EQ(points(*r), (std::vector<Point>{{utc(2021, 1, 1), GramsPerKwh(100), PointKind::observed, {}},
                                            {utc(2021, 1, 1, 1), GramsPerKwh(110.5), PointKind::observed, {}},
                                            {utc(2021, 1, 1, 3), GramsPerKwh(130), PointKind::observed, {}}}));
}

TEST_F(Import, AGapWeighsNothing) {
  for (const char* blank : {"", "nan", "NaN", "null", "n/a", "-"}) {
    const auto r =
        import("time,value\n2021-01-01T00:00Z,100\n2021-01-01T01:00Z," + std::string(blank) + "\n2021-01-01T02:00Z,100\n",
               of_zone("FR"));
    ASSERT_TRUE(r) << blank << ": " << r.error().message();
    const Series s = store_.get(r->series[0].key, kAllTime).value();
    const auto mean = s.mean(utc(2021, 1, 1), utc(2021, 1, 1, 3));
    EXPECT_EQ(mean.value.value(), 100) << blank;
    EXPECT_EQ(mean.covered, 2h) << blank;
  }
}

TEST_F(Import, TheSecondTimeChangesNothing) {
  const std::string text = "time,value\n2021-01-01T00:00Z,100\n2021-01-01T01:00Z,120\n2021-01-01T02:00Z,90\n";
  ASSERT_TRUE(import(text, of_zone("FR")));
  const auto again = import(text, of_zone("FR"));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->series[0].change, (Store::Change{0, 0, 3, 0}));
  const auto other = import("time,value\n2021-01-01T01:00Z,121\n2021-01-01T02:00Z,90\n2021-01-01T03:00Z,90\n", of_zone("FR"));
  ASSERT_TRUE(other);
  EXPECT_EQ(other->series[0].change, (Store::Change{1, 1, 1, 0}));
}

TEST_F(Import, AWideFileHasASeriesAZone) {
  const std::string text =
      "utc_start,AT,US-CAL-CISO,IN-UP,comment\n2022-01-01T00Z,85,300,650,x\n2022-01-01T01Z,76,,640,\n2022-01-01T02Z,74,310,642,"
      "\n";
  const auto r = import(text, {}, "lifecycle_2022.csv");
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(r->format, FileFormat::wide_csv);
  ASSERT_EQ(r->series.size(), 3U);
  EXPECT_EQ(r->series[1].key.zone, "US-CAL-CISO");
  EXPECT_EQ(values(*r, 1), std::vector<double>({300, 310}));
  EXPECT_EQ(r->series[1].blanks, 1U);
  EXPECT_EQ(r->rows, 8U);
  EXPECT_TRUE(has_note(*r, "1 columns are no zones"));
  ImportOptions one = of_zone("AT");
  one.origin = "mine";
  const auto only = import(text, one);
  ASSERT_TRUE(only);
  EXPECT_EQ(only->series.size(), 1U);
  EXPECT_EQ(values(*only), std::vector<double>({85, 76, 74}));
}

TEST_F(Import, ThePortalsExport) {
  // The header of Electricity Maps' data portal, 2024 and 2025.
  const std::string text =
      "\xEF\xBB\xBF"
      "Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO₂eq/kWh (direct),Carbon intensity gCO₂eq/kWh (Life cycle),"
      "Carbon-free energy percentage (CFE%),Renewable energy percentage (RE%),Data source,Data estimated,Data estimation "
      "method\r\n"
      "2024-01-01 00:00:00,Germany,Germany,DE,180.42,230.15,60.1,55.2,entsoe.eu,false,\r\n"
      "2024-01-01 01:00:00,Germany,Germany,DE,170.02,221.00,61.1,56.2,\"entsoe.eu, opendata\",true,TIME_SLICER_AVERAGE\r\n"
      "2024-01-01 02:00:00,Germany,Germany,DE,,,,,,false,\r\n"
      "2024-01-01 00:00:00,\"Korea, Republic of\",South Korea,KR,400,450,30,10,kpx,false,\r\n"
      "2024-01-01 01:00:00,\"Korea, Republic of\",South Korea,KR,401,451,30,10,kpx,false,\r\n";
  const auto r = import(text);
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(r->format, FileFormat::electricitymaps_csv);
  ASSERT_EQ(r->series.size(), 2U);
  EXPECT_EQ(r->series[0].key, (SeriesKey{"DE", SignalKind::average, "electricitymaps"}));
  EXPECT_EQ(values(*r, 0), std::vector<double>({230.15, 221}));
  EXPECT_EQ(points(*r, 0)[1].kind, PointKind::estimated);
  EXPECT_EQ(values(*r, 1), std::vector<double>({450, 451}));
  EXPECT_EQ(r->series[0].signal.factor, "lifecycle");
  EXPECT_EQ(r->series[0].signal.basis, "consumption");
  EXPECT_EQ(r->series[0].signal.licence, "ODbL 1.0");
  ImportOptions direct;
  direct.factor = "direct";
  direct.origin = "direct";
  const auto d = import(text, direct);
  ASSERT_TRUE(d) << d.error().message();
  EXPECT_EQ(values(*d, 0), std::vector<double>({180.42, 170.02}));
  EXPECT_EQ(d->series[0].signal.factor, "direct");
}

TEST_F(Import, DirectAndLifecycleDoNotMixInOneSeries) {
  ImportOptions o = of_zone("DE");
  o.factor = "lifecycle";
  ASSERT_TRUE(import("time,value\n2021-01-01T00:00Z,100\n2021-01-01T01:00Z,110\n", o));
  o.factor = "direct";
  const auto r = import("time,value\n2021-01-01T00:00Z,80\n2021-01-01T01:00Z,90\n", o);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, Error::Kind::usage);
  EXPECT_NE(r.error().remedy.find("origin"), std::string::npos);
  EXPECT_EQ(store_.get({"DE", SignalKind::average, "file:file"}, kAllTime).value().points[0].value.value(), 100);
}

TEST_F(Import, WattTimesPoundsAreGrams) {
  const auto r = import(
      "point_time,value,last_updated,imputed_data_used\n2022-07-15T00:00:00+00:00,870,2023-10-01T00:00:00+00:00,False\n"
      "2022-07-15T00:05:00+00:00,860.0,2023-10-01T00:05:00+00:00,True\n",
      of_zone("US-CAL-CISO"));
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(r->format, FileFormat::watttime_csv);
  EXPECT_EQ(r->unit, IntensityUnit::lb_per_mwh);
  EXPECT_EQ(r->series[0].key, (SeriesKey{"US-CAL-CISO", SignalKind::marginal, "watttime"}));
  EXPECT_EQ(r->series[0].resolution, 5min);
  const auto p = points(*r);
  ASSERT_EQ(p.size(), 2U);
  EXPECT_NEAR(p[0].value.value(), 870 * 0.45359237, 0.0005);
  EXPECT_EQ(p[0].kind, PointKind::observed);
  EXPECT_EQ(p[1].kind, PointKind::estimated);
}

TEST_F(Import, TwoSignalsOrTwoRegionsInAFileAreNotMixed) {
  refuses("point_time,value,signal_type\n2022-07-15T00:00Z,870,co2_moer\n2022-07-15T00:05Z,860,health_damage\n", "line 3",
          of_zone("US-CAL-CISO"));
  refuses("point_time,value,region\n2022-07-15T00:00Z,870,CAISO_NORTH\n2022-07-15T00:05Z,860,PSCO\n", "several zones",
          of_zone("US-CAL-CISO"));
}

TEST_F(Import, TheCarbonAwareSdksFile) {
  const auto r =
      import(R"({"Emissions":[{"Location":"eastus","Time":"2021-09-01T00:00:00+00:00","Rating":65,"Duration":"01:00"},
    {"Location":"eastus","Time":"2021-09-01T01:00:00+00:00","Rating":null,"Duration":"01:00"},
    {"Location":"westus","Time":"2021-09-01T00:00:00+00:00","Rating":72.5,"Duration":"01:00"},
    {"Location":"eastus","Time":"2021-09-01T02:00:00+02:00","Rating":66,"Duration":"01:00"}]})",
             {}, "emissions.json");
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(r->format, FileFormat::carbon_aware_json);
  ASSERT_EQ(r->series.size(), 2U);
  EXPECT_EQ(r->series[0].key.zone, "eastus");
  EXPECT_EQ(r->series[0].resolution, 1h);
  EXPECT_EQ(values(*r, 0), std::vector<double>({66}));  // 02:00+02:00 is 00:00Z again
  EXPECT_EQ(r->series[0].change.repeated, 1U);
  EXPECT_EQ(values(*r, 1), std::vector<double>({72.5}));
  EXPECT_TRUE(has_note(*r, "\"eastus\" is no zone"));
}

TEST_F(Import, DamagedJsonIsAnErrorThatNamesTheRecord) {
  refuses(
      R"({"Emissions":[{"Location":"DE","Time":"2021-09-01T00:00Z","Rating":65},{"Location":"DE","Time":"yesterday","Rating":1}]})",
      "record 1");
  refuses(R"({"Emissions":[{"Location":"DE","Time":"2021-09-01T00:00Z","Rating":65},)", "record 1");
  refuses(R"({"data":[1,2,3]})", "no record with Time and Rating");
  refuses(std::string(100'000, '['), "nested");
}

TEST_F(Import, UnitsAreReadFromHeadersAndOptions) {
  const auto one = [&](const std::string& column, const char* value, std::optional<IntensityUnit> unit = {}) {
    ImportOptions o = of_zone("DE");
    o.origin = column;
    o.unit = unit;
    const auto r = import("utc," + column + "\n2021-01-01T00Z," + value + "\n2021-01-01T01Z," + value + "\n", o);
    return r ? values(*r).front() : throw std::runtime_error(r.error().message());
  };
  EXPECT_EQ(one("intensity_kg_per_kwh", "0.25"), 250);
  EXPECT_EQ(one("kgCO2e/MWh", "250"), 250);
  EXPECT_EQ(one("pge_g_per_kwh", "250"), 250);
  EXPECT_NEAR(one("MOER (lbs CO2/MWh)", "1000"), 453.592, 0.001);
  EXPECT_EQ(one("carbon_intensity", "0.25", IntensityUnit::kg_per_kwh), 250);
  EXPECT_EQ(one("tCO2/MWh", "0.25"), 250);
}

TEST_F(Import, AWrongUnitIsSeenAndTheLikelyOneNamed) {
  refuses("time,value\n2021-01-01T00:00Z,0.25\n2021-01-01T01:00Z,0.31\n", "--unit kg/kWh", of_zone("DE"));
  refuses("time,value\n2021-01-01T00:00Z,250000\n2021-01-01T01:00Z,310000\n", "--unit g/MWh", of_zone("DE"));
  refuses("time,kg_per_kwh\n2021-01-01T00:00Z,250\n2021-01-01T01:00Z,310\n", "--unit g/kWh", of_zone("DE"));
  refuses("utc,moer\n2021-01-01T00:00Z,250\n2021-01-01T01:00Z,310\n", "--unit", of_zone("DE"));
  // A hydro grid's direct emissions are below a gram: said, because the unit is stated.
  const auto hydro = import("utc,direct_g_per_kwh\n2021-01-01T00Z,0\n2021-01-01T01Z,0.2\n2021-01-01T02Z,0.3\n", of_zone("PY"));
  ASSERT_TRUE(hydro) << hydro.error().message();
  EXPECT_TRUE(has_note(*hydro, "below 1 g/kWh"));
}

TEST_F(Import, BelowZeroIsZeroForMarginalAndAnErrorForAverage) {
  const std::string text = "utc,g_per_kwh\n2021-01-01T00Z,250\n2021-01-01T01Z,-3\n2021-01-01T02Z,250\n";
  refuses(text, "line 3", of_zone("DE"));
  ImportOptions marginal = of_zone("DE");
  marginal.kind = SignalKind::marginal;
  const auto r = import(text, marginal);
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(values(*r), std::vector<double>({250, 0, 250}));
  EXPECT_EQ(r->negative, 1U);
}

TEST_F(Import, ErrorsNameTheLineAndKeepNothing) {
  const std::string head = "time,value\n2021-01-01T00:00Z,100\n2021-01-01T01:00Z,100\n";
  refuses(head + "2021-13-01T00:00Z,100\n", "file.csv, line 4", of_zone("DE"));
  refuses(head + "03/04/2021 01:00,100\n", "line 4", of_zone("DE"));
  refuses(head + "2021-01-01T02:00Z,many\n", "\"many\" is no number", of_zone("DE"));
  refuses(head + "2021-01-01T02:00Z\n", "1 of 2 columns", of_zone("DE"));
  refuses(head + "2021-01-01T02:00Z,inf\n", "line 4", of_zone("DE"));
  refuses(head, "--zone");
  refuses("", "is empty", of_zone("DE"));
  refuses("time,value\n", "no value", of_zone("DE"));
  refuses("a,b,c\n1,2,3\n", "no column of times", of_zone("DE"));
  refuses("time,direct_g_per_kwh,other_g_per_kwh\n", "--column", of_zone("DE"));
  refuses("time,value\n2021-01-01T00:00Z,100\n", "--step", of_zone("DE"));
  ImportOptions nowhere = of_zone("DE");
  nowhere.time_zone = "Mars/Olympus";
  refuses(head, "no time zone", nowhere);
}

TEST_F(Import, OtherSeparatorsQuotesAndDecimalCommas) {
  const auto r = import(
      "# of somebody\nDatum;date;\"carbon_intensity\"\nx;01.01.2021 00:00;\"250,5\"\nx;01.01.2021 01:00;251\n", of_zone("DE"));
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(values(*r), std::vector<double>({250.5, 251}));
}

TEST_F(Import, AFileWithoutAHeaderIsTimeAndValue) {
  const auto r = import("2021-01-01T00:00Z,100\n2021-01-01T01:00Z,110\n", of_zone("DE"));
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(values(*r), std::vector<double>({100, 110}));
  EXPECT_TRUE(has_note(*r, "no header"));
}

TEST_F(Import, DoubleAndUnsortedRowsAreCounted) {
  const auto r = import(
      "time,value\n2021-01-01T02:00Z,1\n2021-01-01T00:00Z,100\n2021-01-01T01:00Z,110\n2021-01-01T02:00Z,120\n", of_zone("DE"));
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(values(*r), std::vector<double>({100, 110, 120}));
  EXPECT_EQ(r->unsorted, 1U);
  EXPECT_EQ(r->series[0].change, (Store::Change{3, 0, 0, 1}));
  EXPECT_TRUE(has_note(*r, "tell again"));
}

TEST_F(Import, ACancelledImportKeepsNothing) {
  ImportOptions o = of_zone("DE");
  std::string text = "time,value\n";
  for (int i = 0; i < 20'000; ++i) text += iso8601(utc(2021, 1, 1) + i * 1h) + ",100\n";
  ImportProgress seen;
  o.progress = [&](const ImportProgress& p) {
    seen = p;
    return p.done < p.total / 2;
  };
  EXPECT_FALSE(import(text, o));
  EXPECT_EQ(seen.total, text.size());
  EXPECT_TRUE(store_.list().value().empty());
}

std::string packed(const std::string& text) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(text.size() + 1000, '\0');
  std::string in = text;
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  (void)deflateEnd(&z);
  return out;
}

TEST_F(Import, GzipIsUnpackedAlsoInParts) {
  const auto file = [&](const std::string& bytes) {
    tree_.write("packed", bytes);
    return import_file(store_, tree_ / "packed", of_zone("DE"));
  };
  const std::string head = packed("time,value\n2021-01-01T00:00Z,100\n2021-01-01");
  const auto r = file(head + packed("T01:00Z,110\n"));
  ASSERT_TRUE(r) << r.error().message();
  EXPECT_EQ(values(*r), std::vector<double>({100, 110}));
  EXPECT_NE(file(head.substr(0, head.size() - 9)).error().what.find("middle of its gzip"), std::string::npos);
  std::string bad = head;
  bad[20] = static_cast<char>(~bad[20]);
  EXPECT_FALSE(file(bad));
  EXPECT_NE(file("PK\3\4 and so on").error().what.find("zip"), std::string::npos);
  EXPECT_EQ(import_file(store_, tree_.root(), {}).error().kind, Error::Kind::usage);
  EXPECT_FALSE(import_file(store_, tree_ / "absent", {}));
}

TEST(IntensityUnit, IsFoundInHeaders) {
  using U = IntensityUnit;
  const std::vector<std::pair<const char*, std::optional<U>>> cases{{"g/kWh", U::g_per_kwh},
                                                                    {"gCO2eq/kWh", U::g_per_kwh},
                                                                    {"Carbon intensity gCO₂eq/kWh (direct)", U::g_per_kwh},
                                                                    {"lbs_co2_per_mwh", U::lb_per_mwh},
                                                                    {"lb/MWh", U::lb_per_mwh},
                                                                    {"kg/MWh", U::kg_per_mwh},
                                                                    {"kgCO2/kWh", U::kg_per_kwh},
                                                                    {"t/MWh", U::kg_per_kwh},
                                                                    {"pge_g_per_kwh", U::g_per_kwh},
                                                                    {"grams per kWh", U::g_per_kwh},
                                                                    {"load_mwh", {}},
                                                                    {"kwh", {}},
                                                                    {"value", {}},
                                                                    {"price_eur_per_mwh", {}},
                                                                    {"lb/kWh", {}}};
  for (const auto& [text, unit] : cases) EXPECT_EQ(parse_intensity_unit(text), unit) << text;
}

TEST(TimeSpan, IsDotNets) {
  EXPECT_EQ(parse_time_span("01:00"), 1h);
  EXPECT_EQ(parse_time_span("00:05:00"), 5min);
  EXPECT_EQ(parse_time_span("1.00:00:00"), 24h);
  for (const char* none : {"", "5", "00:00", "a:b", "01:00:00:00", "-1:00", "400.00:00"})
    EXPECT_FALSE(parse_time_span(none)) << none;
}

}  // namespace
}  // namespace gramwatt::grid
