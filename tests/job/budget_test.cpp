#include "job/budget.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gramwatt::job {
namespace {

using namespace std::chrono_literals;

Budget grams(double g, double before = 0) {
  Budget b;
  b.of = Budget::Of::carbon;
  b.carbon = Grams(g);
  b.name = "so much";
  b.before.carbon = Grams(before);
  return b;
}

Used carbon(double g) { return {Joules(0), Joules(0), Grams(g)}; }

struct Heard {
  std::vector<std::string> lines;
  std::function<void(const std::string&)> say = [this](const std::string& line) { lines.push_back(line); };
};

TEST(Budget, IsSaidAtFourFifthsOnceAndEndsAtTheWhole) {
  Heard heard;
  BudgetWatch watch({grams(100)}, std::nullopt, heard.say);
  EXPECT_FALSE(watch.feed(carbon(79), 1h));
  EXPECT_TRUE(heard.lines.empty());
  EXPECT_FALSE(watch.feed(carbon(80), 1h));
  EXPECT_FALSE(watch.feed(carbon(99), 2h));
  ASSERT_EQ(heard.lines.size(), 1U);
  EXPECT_NE(heard.lines[0].find("80 % of the budget of so much"), std::string::npos);
  EXPECT_TRUE(watch.feed(carbon(100), 3h));
  EXPECT_FALSE(watch.feed(carbon(200), 4h));  // the program is asked once
}

TEST(Budget, EachKindCountsItsOwnFigure) {
  Budget plug, building;
  plug.energy = building.energy = kwh(1);
  building.of = Budget::Of::facility;
  const Used used{kwh(0.5), kwh(0.75), Grams(0)};
  EXPECT_DOUBLE_EQ(plug.spent(used).value(), 0.5);
  EXPECT_DOUBLE_EQ(building.spent(used).value(), 0.75);
}

TEST(Budget, WhatOthersUsedCounts) {
  Heard heard;
  BudgetWatch watch({grams(100, 70)}, std::nullopt, heard.say);
  EXPECT_FALSE(watch.feed(carbon(5), 1h));
  EXPECT_TRUE(heard.lines.empty());
  EXPECT_TRUE(watch.feed(carbon(30), 2h));
  const auto told = watch.told(carbon(31));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_NE(told[0].find("101 % of so much"), std::string::npos);
  EXPECT_NE(told[0].find("70 % of it before"), std::string::npos);
}

TEST(Budget, AnOverrunIsForetoldOnceItCanBeSeen) {
  Heard heard;
  BudgetWatch watch({grams(100)}, 10h, heard.say);
  EXPECT_FALSE(watch.feed(carbon(20), 10s));  // too soon to say
  EXPECT_TRUE(heard.lines.empty());
  EXPECT_FALSE(watch.feed(carbon(20), 1h));
  EXPECT_FALSE(watch.feed(carbon(40), 2h));
  ASSERT_EQ(heard.lines.size(), 1U);
  EXPECT_NE(heard.lines[0].find("200 %"), std::string::npos);
}

TEST(Budget, ARunThatKeepsWithinItIsNotSpokenTo) {
  Heard heard;
  BudgetWatch watch({grams(100)}, 10h, heard.say);
  for (int h = 1; h < 8; ++h) EXPECT_FALSE(watch.feed(carbon(h * 9.9), h * 1h));
  EXPECT_TRUE(heard.lines.empty());
}

TEST(Budget, TheFirstOfSeveralEndsIt) {
  Budget energy;
  energy.energy = Joules(10);
  energy.name = "10J";
  Heard heard;
  BudgetWatch watch({grams(100), energy}, std::nullopt, heard.say);
  EXPECT_TRUE(watch.feed({Joules(11), Joules(12), Grams(1)}, 1h));
  ASSERT_EQ(heard.lines.size(), 1U);
  EXPECT_NE(heard.lines[0].find("10J"), std::string::npos);
}

RC_GTEST_PROP(BudgetProperty, ItEndsExactlyWhenItIsSpent, ()) {
  const double limit = *rc::gen::inRange(1, 1000), before = *rc::gen::inRange(0, 1000);
  BudgetWatch watch({grams(limit, before)}, 1h, {});
  double used = 0;
  for (int i = 0; i < 50; ++i) {
    const bool ends = watch.feed(carbon(used), i * 1min);
    RC_ASSERT(ends == (before + used >= limit));
    if (ends) return;
    used += *rc::gen::inRange(0, 100);
  }
}

}  // namespace
}  // namespace gramwatt::job
