#include "footprint/footprint.hpp"

#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gramwatt::footprint {
namespace {

grid::Ladder day_and_night() {
  grid::Series s;
  s.points = {{Nanoseconds{0}, GramsPerKwh(100)}, {std::chrono::hours(12), GramsPerKwh(500)}};
  s.terms["intensity"] = Shift::symmetric(0.1);
  s.signal.source = "test";
  return {{std::move(s)}, {}};
}

Estimate<Joules> facility(double joules) {
  return {Joules(joules), Method::measured, "sensor", Boundary::facility, {{"gain", Shift::symmetric(0.05)}}};
}

Slice slice(int from_hour, int to_hour, double kilowatthours) {
  return {std::chrono::hours(from_hour), std::chrono::hours(to_hour), Microjoules(kwh(kilowatthours))};
}

TEST(Weigh, EnergyMeetsTheIntensityOfItsOwnTime) {
  // 1 kWh by day, 3 kWh by night; PUE doubles it all.
  const std::vector<Slice> slices{slice(0, 12, 1), slice(12, 24, 3)};
  const auto carbon = weigh(facility(8 * kJoulesPerKwh), mean_intensity(slices, day_and_night()));
  EXPECT_NEAR(carbon.value.value(), 2 * (1 * 100 + 3 * 500), 1e-6);
  EXPECT_TRUE(carbon.terms.contains("gain"));
  EXPECT_TRUE(carbon.terms.contains("intensity"));
}

TEST(Weigh, NoEnergyIsNoCarbonAndStillAnIntensity) {
  const std::vector<Slice> slices{slice(0, 24, 0)};
  EXPECT_DOUBLE_EQ(weigh(facility(0), mean_intensity(slices, day_and_night())).value.value(), 0);
  EXPECT_NEAR(mean_intensity(slices, day_and_night()).value.value.value(), 300, 1e-9);
  EXPECT_NEAR(mean_intensity({}, day_and_night()).value.value.value(), 100, 1e-9);
}

RC_GTEST_PROP(WeighProperty, IsLinearInEnergy, ()) {
  const double a = *rc::gen::inRange(1, 1000);
  const double b = *rc::gen::inRange(1, 1000);
  const std::vector<Slice> slices{slice(6, 7, a), slice(18, 19, b)};
  const double whole = weigh(facility((a + b) * kJoulesPerKwh), mean_intensity(slices, day_and_night())).value.value();
  RC_ASSERT(std::abs(whole - (a * 100 + b * 500)) < 1e-6 * whole);
}

RC_GTEST_PROP(WeighProperty, DoesNotDependOnHowEnergyIsCutWhileIntensityStands, ()) {
  const int cuts = *rc::gen::inRange(1, 50);
  std::vector<Slice> fine;
  for (int i = 0; i < cuts; ++i) fine.push_back({std::chrono::minutes(i), std::chrono::minutes(i + 1), Microjoules(kwh(1))});
  const std::vector<Slice> coarse{{Nanoseconds{0}, std::chrono::minutes(cuts), Microjoules(kwh(cuts))}};
  const auto e = facility(cuts * kJoulesPerKwh);
  RC_ASSERT(std::abs(weigh(e, mean_intensity(fine, day_and_night())).value.value() -
                     weigh(e, mean_intensity(coarse, day_and_night())).value.value()) < 1e-6);
}

/// Hourly values with holes over a constant of 1000.
grid::Ladder holey(const std::vector<int>& hours) {
  grid::Series s;
  s.resolution = std::chrono::hours(1);
  s.signal.source = "feed";
  for (const int h : hours) s.points.push_back({std::chrono::hours(h), GramsPerKwh(100.0 + h)});
  grid::Ladder ladder = grid::one_value(GramsPerKwh(1000));
  ladder.rungs[0].signal.source = "annual";
  ladder.rungs.insert(ladder.rungs.begin(), std::move(s));
  return ladder;
}

TEST(Weigh, AGapIsLeftToTheNextRungAndItsShareIsTold) {
  const std::vector<Slice> slices{slice(0, 4, 4)};  // hours 0, 1 and 3 are known
  const auto mean = mean_intensity(slices, holey({0, 1, 3}));
  EXPECT_NEAR(mean.value.value.value(), (100 + 101 + 1000 + 103) / 4.0, 1e-9);
  EXPECT_NEAR(mean.shares[0], 0.75, 1e-12);
  EXPECT_EQ(mean.signal.source, "feed (75 % of the energy) + annual (25 %)");
}

TEST(Weigh, BeforeAndBehindAFeedTheNextRungHolds) {
  EXPECT_NEAR(mean_intensity(std::vector{slice(0, 2, 1)}, holey({5})).value.value.value(), 1000, 1e-9);
  EXPECT_NEAR(mean_intensity(std::vector{slice(7, 8, 1)}, holey({5})).value.value.value(), 1000, 1e-9);
  EXPECT_NEAR(mean_intensity(std::vector{slice(6, 7, 1)}, holey({5})).shares[1], 1, 1e-12);  // half-open
  EXPECT_NEAR(mean_intensity(std::vector{slice(5, 6, 1)}, holey({5})).shares[0], 1, 1e-12);
}

TEST(Weigh, AClockThatWentBackMeetsTheSameHourAgain) {
  const std::vector<Slice> slices{slice(3, 4, 1), slice(0, 1, 1)};
  EXPECT_NEAR(mean_intensity(slices, holey({0, 1, 2, 3})).value.value.value(), 101.5, 1e-9);
}

RC_GTEST_PROP(WeighProperty, TheSweepFindsWhatASearchOfEachMinuteFinds, ()) {
  std::set<int> hours;
  for (const int h : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 300))) hours.insert(h);
  const grid::Ladder ladder = holey({hours.begin(), hours.end()});
  std::vector<Slice> slices;
  double sum = 0;
  double energy = 0;
  int at = *rc::gen::inRange(0, 600);
  for (const int length : *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 400)))) {
    const int kwhs = *rc::gen::inRange(0, 50);
    slices.push_back({std::chrono::minutes(at), std::chrono::minutes(at + length), Microjoules(kwh(kwhs))});
    for (int m = at; m < at + length; ++m) {
      const auto point = ladder.rungs[0].at(std::chrono::minutes(m));
      sum += kwhs * (point ? point->value.value() : 1000.0) / length;
    }
    energy += kwhs;
    at += length + *rc::gen::inRange(0, 100);
  }
  RC_PRE(energy > 0);
  const auto mean = mean_intensity(slices, ladder);
  RC_ASSERT(std::abs(mean.value.value.value() - sum / energy) < 1e-6 * 1000);
  RC_ASSERT(std::abs(mean.shares[0] + mean.shares[1] - 1) < 1e-9);
}

double kilograms(const Bill& bill) {
  double kg = 0;
  for (const Part& p : bill.parts) kg += p.mass.value.value() / 1000;
  return kg;
}

TEST(Bill, AWholeServerIsBaseFurtherCpuMemoryAndGpusOnce) {
  Machine m;
  m.threads = 128;
  m.packages = 2;
  m.memory_gb = 512;
  m.gpus = {"NVIDIA H100 80GB HBM3", "NVIDIA H100 80GB HBM3"};
  EXPECT_NEAR(kilograms(bill_of_parts(m)), 1000 + 100 + (512 - 16) * 1.39 + 2 * 164, 1e-6);
}

TEST(Bill, GuestsThatFillAHostCarryItsBaseOnce) {
  Machine m;
  m.guest = true;
  m.threads = 4;
  m.host_threads = 128;
  m.memory_gb = 0;
  EXPECT_NEAR(kilograms(bill_of_parts(m)) * 32, 1100, 1e-6);
}

TEST(Bill, ACloudsInstanceTypeNamesTheDisksAndCpusOfItsHost) {
  Machine m;
  m.guest = true;
  m.threads = 2;
  m.host_threads = 96;
  m.memory_gb = 8;
  m.provider = "aws";
  m.instance = "m5.large";  // two CPUs, no disks; the table's total of 1,610.79 kg holds 510.79 of memory
  EXPECT_NEAR(kilograms(bill_of_parts(m)), 1100.0 / 48 + 8 * 1.39, 1e-6);
  m.instance = "m5d.large";  // the same with disks
  EXPECT_NEAR(kilograms(bill_of_parts(m)), 1500.0 / 48 + 8 * 1.39, 1e-6);
  m.provider = "gcp";
  m.instance = "n2-standard-2";
  EXPECT_NEAR(kilograms(bill_of_parts(m)), 1200.0 / 48 + 8 * 1.39, 1e-6);
  m.provider = "azure";
  m.instance = "Standard_D2as_v4";  // one CPU
  EXPECT_NEAR(kilograms(bill_of_parts(m)), 1050.0 / 48 + 8 * 1.39, 1e-6);
  m.instance = "Standard_Unheard_of";
  EXPECT_NEAR(kilograms(bill_of_parts(m)), 1100.0 / 48 + 8 * 1.39, 1e-6);
}

TEST(Bill, GpusOfAnInstanceTypeCountOnceWhetherSeenOrNot) {
  Machine m;
  m.guest = true;
  m.threads = 16;
  m.host_threads = 64;
  m.provider = "aws";
  m.instance = "p3.8xlarge";  // a host of eight GPUs, 200 kg of disks
  EXPECT_NEAR(kilograms(bill_of_parts(m)), (1300.0 + 1200) / 4, 1e-6);
  m.gpus = {"Tesla V100-SXM2-16GB", "Tesla V100-SXM2-16GB"};
  EXPECT_NEAR(kilograms(bill_of_parts(m)), 1300.0 / 4 + 300, 1e-6);
}

TEST(Embodied, IsTheReservedPartOfTheBillOverLifeAndUse) {
  Machine m;
  m.packages = 1;
  m.memory_gb = 16;
  const auto year = embodied(bill_of_parts(m), Seconds(365.25 * 86400), Ratio(1));
  EXPECT_NEAR(year.value.value(), 1e6 / 4 / 0.6, 1);
  EXPECT_NEAR(embodied(bill_of_parts(m), Seconds(365.25 * 86400), Ratio(0.25)).value.value(), year.value.value() / 4, 1e-6);
  EXPECT_NEAR(year.terms.at("life").minus, 4.0 / 3 - 1, 1e-9);  // three years instead of four
  EXPECT_GT(year.terms.at("utilisation").minus, 0.9);           // half as much use: twice the share
}

}  // namespace
}  // namespace gramwatt::footprint
