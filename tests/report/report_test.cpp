#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "base/text.hpp"
#include "report/compare.hpp"
#include "report/explain.hpp"
#include "report/live.hpp"
#include "report/runs.hpp"
#include "report/sample_record.hpp"
#include "report/summary.hpp"
#include "report/trace.hpp"

namespace gramwatt::report {
namespace {

using ::testing::Test;

Estimate<Joules> joules(double value, double low, double high) {
  return {Joules(value), Method::measured, "s", Boundary::node, {{"t", Shift::range(value, low, high)}}};
}

TEST(Significant, RoundsToDigitsWithoutExponent) {
  EXPECT_EQ(significant(1234.5, 2), "1200");
  EXPECT_EQ(significant(0.0012345, 3), "0.00123");
  EXPECT_EQ(significant(9.96, 2), "10");
  EXPECT_EQ(significant(99.96, 3), "100");
  EXPECT_EQ(significant(0, 3), "0");
  EXPECT_EQ(significant(1e-7, 2), "0.00000010");
}

RC_GTEST_PROP(SignificantProperty, ReadsBackWithinHalfOfItsLastDigit, ()) {
  const double value = *rc::gen::inRange(1, 1'000'000) * std::pow(10.0, *rc::gen::inRange(-8, 8));
  const int digits = *rc::gen::inRange(2, 5);
  const auto back = parse_number<double>(significant(value, digits));
  RC_ASSERT(back.has_value());
  RC_ASSERT(std::abs(*back - value) <= 0.5000001 * std::pow(10.0, std::floor(std::log10(value)) - digits + 1) + 1e-300);
}

TEST(Figures, TakeAUnitThatSuitsAndDigitsThatTheIntervalCarries) {
  const Style style;
  EXPECT_EQ(text(joules(15, 7.8, 34), style), "15 J (7.8–34)");
  EXPECT_EQ(text(joules(4000, 3990, 4010), style), "1.111 Wh (1.108–1.114)");
  EXPECT_EQ(text(joules(5e9, 4e9, 7e9), style), "1.4 MWh (1.1–1.9)");
  EXPECT_EQ(text(joules(7.2e6, 7.2e6, 7.2e6), style), "2.000 kWh");
  EXPECT_EQ(figure(Estimate<Grams>{}, style).value, "0 g CO2e");
}

TEST(Figures, AreAsciiWhereTheTerminalIs) {
  Style style;
  style.unicode = false;
  EXPECT_EQ(text(joules(15, 7.8, 34), style), "15 J (7.8-34)");
}

TEST(Summary, SaysEverythingThatMattersAndFitsAScreen) {
  const auto r = testing::sample_record();
  for (const std::size_t width : {60, 72, 80, 132}) {
    const std::string s = summary(r, Style{}, width);
    std::string_view rest = s;
    int lines = 0;
    while (const auto line = next_line(rest)) {
      ++lines;
      EXPECT_LE(columns(*line), std::max<std::size_t>(width, 60)) << *line;
    }
    EXPECT_LE(lines, 24);
    for (const char* word :
         {"energy", "active", "idle", "PUE", "carbon", "average", "marginal", "embodied", "Germany", "exit 0", "SPECpower"}) {
      EXPECT_NE(s.find(word), std::string::npos) << word << "\n" << s;
    }
  }
}

TEST(Summary, UnknownMarginalIsCalledUnknownNeverZero) {
  const std::string s = summary(testing::sample_record(), Style{}, 80);
  const auto at = s.find("marginal");
  EXPECT_NE(s.find("unknown", at), std::string::npos);
  EXPECT_EQ(s.substr(at, s.find('\n', at) - at).find("0 g"), std::string::npos);
}

TEST(Summary, NamesInterruptionGapsAndWhoPaysForIdle) {
  auto r = testing::sample_record();
  r.state = ledger::State::interrupted;
  r.energy.idle_owner = IdleOwner::host;
  r.gaps = {{"cpu", Seconds(5), "read failed"}};
  const std::string s = summary(r, Style{}, 80);
  EXPECT_NE(s.find("interrupted"), std::string::npos);
  EXPECT_NE(s.find("host pays"), std::string::npos);
  EXPECT_NE(s.find("cpu 5.00 s: read failed"), std::string::npos);
}

TEST(Summary, RegionsHaveAShareOrNoFigureAndAReason) {
  auto r = testing::sample_record();
  ledger::RegionEnergy epoch{"epoch", 3, Seconds(30), r.energy.total * 0.5, Seconds(9), Seconds(10), Seconds(11), {}};
  epoch.not_attributable = {2, Seconds(0.2), "shorter than 0.2 s"};
  const ledger::RegionEnergy step{
      "step", 0, {}, {}, Seconds(0.01), Seconds(0.01), Seconds(0.01), {{50, Seconds(0.5), "too short"}}};
  r.regions = {epoch, step};
  r.marks = {{"lap", 1, Seconds(0), {}, "there is one only"}};
  const std::string s = summary(r, Style{}, 100);
  EXPECT_NE(s.find("50 %  epoch: 3 of 10.0 s, 2 more of"), std::string::npos) << s;
  EXPECT_NE(s.find("step: 50 of 10 ms, too short"), std::string::npos) << s;
  EXPECT_EQ(s.find("0 J"), std::string::npos) << "no figure is not zero\n" << s;
  EXPECT_NE(s.find("lap: 1 in 0 ms, there is one only"), std::string::npos) << s;
  r.regions.assign(20, step);
  EXPECT_NE(summary(r, Style{}, 100).find("and 12 more: gramwatt show --json"), std::string::npos);
  EXPECT_NE(explain(r, Style{}).find("not attributable: 50 regions"), std::string::npos);
}

TEST(Summary, ColourIsForTerminalsOnly) {
  EXPECT_EQ(summary(testing::sample_record(), Style{}, 80).find('\x1b'), std::string::npos);
  EXPECT_NE(summary(testing::sample_record(), Style{true, true}, 80).find('\x1b'), std::string::npos);
}

TEST(CommandLine, CannotBreakTheScreen) {
  EXPECT_EQ(command_line({"echo", "a\nb\x1b[2J"}, 80, Style{}), "echo 'a b [2J'");
  EXPECT_LE(columns(command_line({"x", std::string(500, 'y')}, 40, Style{})), 40U);
}

TEST(Explain, DerivesEveryFigureAndChecksItself) {
  const std::string s = explain(testing::sample_record(), Style{});
  for (const char* word :
       {"total = active + idle agrees", "facility = total x PUE agrees", "carbon = energy x intensity agrees", "spec-spread",
        "intensity:DE", "of the variance", "2024", "boundary facility"}) {
    EXPECT_NE(s.find(word), std::string::npos) << word;
  }
  auto broken = testing::sample_record();
  broken.energy.facility.value = Joules(1);
  EXPECT_NE(explain(broken, Style{}).find("DISAGREES"), std::string::npos);
}

TEST(Runs, NestedRunsStandBelowTheirOuterRunAndAreNotSummed) {
  auto outer = testing::sample_record();
  outer.name = "outer";
  auto inner = testing::sample_record();
  inner.id = "01HF4E8G9W000000000INNERRR";
  inner.parent = outer.id;
  inner.name = "inner";
  auto other = testing::sample_record();
  other.id = "01HF4E8G9W000000000OTHERRR";
  other.name = "other";
  const std::string s = runs_table({inner, outer, other}, Style{}, 120);
  EXPECT_LT(s.find("outer"), s.find("└ inner"));
  EXPECT_NE(s.find("sum of 2"), std::string::npos);
  EXPECT_NE(s.find("sum of 2: 28 Wh"), std::string::npos) << s;  // 2 × 50 kJ
}

TEST(Compare, RunsThatDifferOnlyByACommonErrorAreToldApart) {
  auto base = testing::sample_record();
  auto more = testing::sample_record();
  more.name = "more";
  more.energy.active = more.energy.active * 1.1;
  more.energy.total = more.energy.active + more.energy.idle;
  const std::string s = compare({base, more}, Style{});
  EXPECT_NE(s.find("10 % more"), std::string::npos) << s;
  EXPECT_NE(compare({base, base}, Style{}).find("no difference"), std::string::npos);
}

TEST(Trace, LeavesWhatIsUnknownEmpty) {
  const std::vector<Channel> channels{{Component::cpu, "p0", Boundary::chip, Method::measured, "s", {}, {}},
                                      {Component::cpu, "p1", Boundary::chip, Method::measured, "s", {}, {}}};
  EXPECT_EQ(
      trace_header(channels),
      "utc,seconds,machine_w,job_w,job_active_w,job_idle_w,cpu_w,cpu1_w,job_cores,average_g_per_kwh,marginal_g_per_kwh\n");
  TraceRow row;
  row.job_by_channel = {Watts(1), Watts(2)};
  row.average = GramsPerKwh(300);
  EXPECT_TRUE(trace_row(row).ends_with(",1.000,2.000,0.000,300.0,\n")) << trace_row(row);
}

TEST(Live, NeverWraps) {
  LiveState s;
  s.elapsed = Seconds(3600);
  s.power = Watts(123);
  s.energy = joules(1e5, 9e4, 2e5);
  for (const std::size_t width : {1, 10, 40, 80}) EXPECT_LT(columns(live_line(s, width)), std::max<std::size_t>(width, 2));
}

}  // namespace
}  // namespace gramwatt::report
