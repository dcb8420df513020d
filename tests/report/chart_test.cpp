#include "report/chart.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "report/run_chart.hpp"

namespace gramwatt::report {
namespace {

const Style kPlain{false, true};
const Style kAscii{false, false};

Trace ramp(std::size_t n) {
  Trace t;
  for (std::size_t i = 0; i < n; ++i) t.emplace_back(static_cast<double>(i));
  return t;
}

TEST(Sparkline, GoesFromTheLowestToTheHighestBlock) {
  EXPECT_EQ(sparkline(ramp(8), 80, kPlain), "▁▂▃▄▅▆▇█");
  EXPECT_EQ(sparkline(ramp(10), 80, kAscii), "0123456789");
}

TEST(Sparkline, AGapIsBlankAndNothingIsNothing) {
  EXPECT_EQ(sparkline({0.0, std::nullopt, 1.0}, 80, kPlain), "▁ █");
  EXPECT_EQ(sparkline({std::nullopt}, 80, kPlain), "");
  EXPECT_EQ(sparkline({}, 80, kPlain), "");
}

TEST(Sparkline, ManyValuesBecomeMeansOfNeighbours) {
  EXPECT_EQ(columns(sparkline(ramp(1000), 40, kPlain)), 40U);
  EXPECT_EQ(sparkline({0.0, 0.0, 9.0, 9.0}, 2, kAscii), "09");
}

TEST(Braille, APlotHasItsSizeAndItsEndsOnTheAxis) {
  Plot plot;
  plot.line = ramp(100);
  plot.labels = {"00:00", "12:00"};
  const auto lines = braille(plot, 40, 5, kPlain);
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines.front().substr(0, 3), " 99");
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(columns(lines[i]), 40U);
  EXPECT_TRUE(lines.back().ends_with("12:00"));
  EXPECT_LE(columns(lines.back()), 40U);
}

TEST(Braille, ALineClimbsFromTheLowerLeftToTheUpperRight) {
  Plot plot;
  plot.line = ramp(32);
  const auto lines = braille(plot, 20, 4, kAscii);  // a margin of three, seventeen cells
  EXPECT_EQ(lines.front().back(), '*');
  EXPECT_EQ(lines.front()[4], ' ');
  EXPECT_EQ(lines.back()[4], '*');
  EXPECT_EQ(lines.back().back(), ' ');
}

TEST(Braille, AGapStaysOpen) {
  Plot plot;
  plot.line = ramp(30);
  for (std::size_t i = 10; i < 20; ++i) plot.line[i].reset();
  const auto lines = braille(plot, 33, 4, kAscii);
  for (const std::string& line : lines) EXPECT_EQ(line.substr(15, 6), "      ") << line;
}

RC_GTEST_PROP(BrailleProperty, NeverWiderThanAskedNorBroken, ()) {
  Plot plot;
  for (const int v : *rc::gen::container<std::vector<int>>(rc::gen::inRange(-1000, 1000))) {
    plot.line.push_back(v % 7 == 0 ? std::nullopt : std::optional(static_cast<double>(v)));
  }
  const auto width = *rc::gen::inRange<std::size_t>(0, 130);
  const auto height = *rc::gen::inRange<std::size_t>(0, 12);
  for (const std::string& line : braille(plot, width, height, kPlain)) RC_ASSERT(columns(line) <= width);
}

Interval second(int at, double watts) {
  Interval i;
  i.start.utc = std::chrono::seconds(at);
  i.end.utc = std::chrono::seconds(at + 1);
  i.flows = {{Microjoules(Joules(2 * watts)), {}, Microjoules(Joules(watts)), {}}};
  return i;
}

TEST(RunChart, ShowsPowerAboveIntensity) {
  std::vector<Interval> intervals;
  for (int s = 0; s < 60; ++s) intervals.push_back(second(s, s < 30 ? 10 : 250));
  const std::string chart = run_chart(intervals, grid::one_value(GramsPerKwh(400)), kPlain, 80);
  EXPECT_NE(chart.find("250"), std::string::npos);
  EXPECT_NE(chart.find("400"), std::string::npos);
  EXPECT_NE(chart.find("00:00:00"), std::string::npos);
}

TEST(RunChart, AMomentHasNoPicture) {
  EXPECT_EQ(run_chart({second(0, 1), second(1, 1)}, grid::one_value(GramsPerKwh(400)), kPlain, 80), "");
}

}  // namespace
}  // namespace gramwatt::report
