#include "job/receipt.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "fakes/temp_tree.hpp"
#include "job/account.hpp"
#include "job/reweigh.hpp"
#include "ledger/ledger.hpp"

namespace gramwatt::job {
namespace {

using namespace std::chrono_literals;
using footprint::Slice;
using ledger::Doing;
using ledger::Stretch;

constexpr Nanoseconds kDay = 480'000h;  // a midnight of UTC

Stretch stretch(Doing doing, Nanoseconds from, Nanoseconds to, double active, double idle = 0) {
  return {doing, kDay + from, kDay + to, seconds(to - from), Joules(active), Joules(idle)};
}

Slice slice_of(const Stretch& s) { return {s.start, s.end, Microjoules(s.active + s.idle)}; }

std::vector<Slice> slices_of(const std::vector<Stretch>& all) {
  std::vector<Slice> out;
  for (const Stretch& s : all) out.push_back(slice_of(s));
  return out;
}

/// What was seen: one value an hour from `kDay` on; nothing afterwards.
grid::Ladder hourly(const std::vector<double>& values, grid::PointKind kind = grid::PointKind::observed) {
  grid::Ladder ladder = grid::one_value(GramsPerKwh(1000));
  grid::Series s;
  s.resolution = 1h;
  s.signal.source = "feed";
  s.terms["feed"] = Shift::symmetric(0.1);
  for (std::size_t i = 0; i < values.size(); ++i) s.points.push_back({kDay + i * 1h, GramsPerKwh(values[i]), kind, {}});
  ladder.rungs.insert(ladder.rungs.begin(), std::move(s));
  return ladder;
}

/// A record whose energy is what the stretches used: PUE 1.2, the terms of a modelled machine.
ledger::RunRecord record_of(const std::vector<Stretch>& all, const ReceiptTerms& terms, std::string machine = "shared") {
  double active = 0, idle = 0;
  for (const Stretch& s : all) active += s.active.value(), idle += s.idle.value();
  ledger::RunRecord r;
  r.host.machine = std::move(machine);
  r.energy.active = {Joules(active), Method::modelled, "model", Boundary::node, {{"spread", {-0.2, 0.3}}}};
  r.energy.idle = {Joules(idle), Method::modelled, "model", Boundary::node, {{"idle", {-0.3, 0.6}}}};
  r.energy.total = r.energy.active + r.energy.idle;
  r.energy.pue = {Ratio(1.2), Method::assumed, "PUE", std::nullopt, {{"pue", Shift::symmetric(0.1)}}};
  r.receipt = begin_receipt(terms, all);
  return r;
}

ReceiptTerms handed_in(Nanoseconds at) {
  ReceiptTerms t;
  t.handed_in = kDay + at;
  return t;
}

Estimate<Watts> watts(double power) {
  return {Watts(power), Method::modelled, "model", Boundary::node, {{"idle", {-0.3, 0.6}}}};
}

constexpr double kGram = 1.2 / 3.6e6;  ///< of a joule at 1 g/kWh

ledger::Receipt settled(const std::vector<Stretch>& all, const ReceiptTerms& terms, const grid::Ladder& ladder,
                        std::string machine = "shared") {
  ledger::RunRecord r = record_of(all, terms, std::move(machine));
  settle_receipt(slices_of(all), ladder, std::nullopt, r);
  return *r.receipt;
}

TEST(Receipt, ALateStartSavesWhatTheHoursDiffer) {
  const auto r = settled({stretch(Doing::running, 3h, 4h, 1000)}, handed_in(0h), hourly({500, 400, 300, 100}));
  EXPECT_NEAR(r.average.actual.value.value(), 1000 * 100 * kGram, 1e-9);
  EXPECT_NEAR(r.average.counterfactual.value.value(), 1000 * 500 * kGram, 1e-9);
  EXPECT_NEAR(r.average.saving.value(), 0.8, 1e-9);
  EXPECT_EQ(r.average.kind, "attributed");
  EXPECT_EQ(r.waited, Seconds(3 * 3600));
  EXPECT_EQ(r.pauses, 0);
  // Sensor, PUE and feed err the same way on both sides: nothing of them is left.
  EXPECT_NEAR(r.average.low.value(), 0.8, 1e-9);
  EXPECT_NEAR(r.average.high.value(), 0.8, 1e-9);
}

TEST(Receipt, APausedRunIsLaidWithoutItsPause) {
  const auto r = settled(
      {stretch(Doing::running, 0h, 1h, 1000), stretch(Doing::held, 1h, 3h, 0, 60), stretch(Doing::running, 3h, 4h, 2000)},
      handed_in(0h), hourly({100, 500, 300, 200}));
  EXPECT_NEAR(r.average.actual.value.value(), (1000 * 100 + 30 * 500 + 30 * 300 + 2000 * 200) * kGram, 1e-9);
  EXPECT_NEAR(r.average.counterfactual.value.value(), (1000 * 100 + 2000 * 500) * kGram, 1e-9);
  EXPECT_EQ(r.pauses, 1);
  EXPECT_EQ(r.paused, Seconds(2 * 3600));
  EXPECT_DOUBLE_EQ(r.held.value.value(), 60);
  // Holding draws idle power only, whose error running does not share.
  EXPECT_LT(r.average.low, r.average.saving);
  EXPECT_GT(r.average.high, r.average.saving);
  EXPECT_LT((r.average.high - r.average.low).value(), 0.1);
}

TEST(Receipt, ARunThatWentWronglySaysSo) {
  const auto r = settled({stretch(Doing::running, 1h, 2h, 1000)}, handed_in(0h), hourly({200, 300}));
  EXPECT_NEAR(r.average.saving.value(), -0.5, 1e-9);
}

TEST(Receipt, ComingBackIsNoProgress) {
  ReceiptTerms t = handed_in(0h);
  t.restart_time = 6min;           // a tenth of the second run
  t.restart_energy = Joules(150);  // of which saving the checkpoint used 50
  const auto r = settled({stretch(Doing::running, 0h, 1h, 1000), stretch(Doing::checkpointing, 1h, 1h + 1min, 50),
                          stretch(Doing::off, 1h + 1min, 3h, 0, 10), stretch(Doing::running, 3h, 4h, 1000)},
                         t, hourly({100, 500, 300, 200}));
  EXPECT_NEAR(r.restarting.value.value(), 100 + 100, 1e-6);
  EXPECT_NEAR(r.running.value.value(), 1000 + 800, 1e-6);
  EXPECT_DOUBLE_EQ(r.checkpointing.value.value(), 50);
  EXPECT_DOUBLE_EQ(r.off.value.value(), 10);
  EXPECT_EQ(r.restarts, 1);
  EXPECT_NEAR(r.average.counterfactual.value.value(), (1000 * 100 + 800 * 500) * kGram, 1e-7);
  EXPECT_TRUE(r.average.counterfactual.terms.contains("restart-cost"));
}

TEST(Receipt, ARentedMachineIsPaidWhileItWaits) {
  ReceiptTerms t = handed_in(0h);
  t.waiting_power = watts(0.1);
  const std::vector<Stretch> late{stretch(Doing::running, 1h, 2h, 1000)};
  const auto rented = settled(late, t, hourly({500, 100}), "rented");
  EXPECT_NEAR(rented.waiting.value.value(), 360, 1e-9);
  EXPECT_EQ(rented.waited_instead.value.value(), 0);
  EXPECT_NEAR(rented.average.actual.value.value(), (1000 * 100 + 360 * 500) * kGram, 1e-9);
  EXPECT_NEAR(rented.average.counterfactual.value.value(), 1000 * 500 * kGram, 1e-9);
  EXPECT_TRUE(rented.average.actual.terms.contains("idle"));
  ASSERT_EQ(rented.notes.size(), 1U);
  EXPECT_NE(rented.notes[0].find("not metered"), std::string::npos);
  // One's own machine would have idled behind the end of a run at once.
  const auto owned = settled(late, t, hourly({500, 100}), "owned");
  EXPECT_NEAR(owned.waited_instead.value.value(), 360, 1e-9);
  EXPECT_NEAR(owned.average.counterfactual.value.value(), (1000 * 500 + 360 * 100) * kGram, 1e-9);
  // What was metered is the same, whoever has the machine.
  EXPECT_EQ(owned.running.value, rented.running.value);
}

TEST(Receipt, ATypicalDayOrAForecastVerifiesNothing) {
  const std::vector<Stretch> late{stretch(Doing::running, 3h, 4h, 1000)};
  const auto day = settled(late, handed_in(0h), hourly({500, 400, 300, 100}, grid::PointKind::profile));
  EXPECT_EQ(day.average.kind, "not verifiable");
  EXPECT_NE(day.average.why.find("typical day"), std::string::npos);
  EXPECT_NEAR(day.average.saving.value(), 0.8, 1e-9);  // what the profile would say
  const auto forecast = settled(late, handed_in(0h), hourly({500, 400, 300, 100}, grid::PointKind::forecast));
  EXPECT_EQ(forecast.average.kind, "not verifiable");
  EXPECT_NE(forecast.average.why.find("reweigh"), std::string::npos);
  // An annual mean stands for all of the counterfactual.
  const auto half = settled(late, handed_in(-5h), hourly({500, 400, 300, 100}));
  EXPECT_EQ(half.average.kind, "not verifiable");
}

TEST(Receipt, AMarginalSaveIsAvoided) {
  ledger::RunRecord r = record_of({stretch(Doing::running, 1h, 2h, 1000)}, handed_in(0h));
  settle_receipt(slices_of(r.receipt->stretches), hourly({100, 100}), hourly({800, 600}), r);
  ASSERT_TRUE(r.receipt->marginal);
  EXPECT_EQ(r.receipt->marginal->kind, "avoided");
  EXPECT_NEAR(r.receipt->marginal->saving.value(), 0.25, 1e-9);
  EXPECT_EQ(r.receipt->average.saving.value(), 0);
}

TEST(Receipt, SlicesThatReachOverAPauseAreCutAtIt) {
  // The ledger merges old seconds: one slice holds running and held alike.
  const std::vector<Stretch> all{stretch(Doing::running, 0min, 30min, 900), stretch(Doing::held, 30min, 60min, 0, 100)};
  ledger::RunRecord r = record_of(all, handed_in(0h));
  const std::vector<Slice> merged{{kDay, kDay + 1h, Microjoules(Joules(1000))}};
  settle_receipt(merged, hourly({100}), std::nullopt, r);
  EXPECT_NEAR(r.receipt->running.value.value(), 900, 1e-9);
  EXPECT_NEAR(r.receipt->average.counterfactual.value.value(), 900 * 100 * kGram, 1e-9);
  EXPECT_NEAR(r.receipt->average.actual.value.value(), 1000 * 100 * kGram, 1e-9);
}

TEST(Receipt, SleepOfTheMachineIsNoRunningTime) {
  // 30 minutes awake within three hours of UTC: laid at once it would have ended within the first hour.
  Stretch s = stretch(Doing::running, 1h, 4h, 1000);
  s.length = Seconds(1800);
  const auto r = settled({s}, handed_in(0h), hourly({500, 100, 100, 100}));
  EXPECT_NEAR(r.average.counterfactual.value.value(), 1000 * 500 * kGram, 1e-6);
}

/// A run of random stretches, cut into random slices.
struct Random {
  std::vector<Stretch> stretches;
  std::vector<Slice> slices;
  ReceiptTerms terms;
};

Random random_run() {
  Random out;
  Nanoseconds at = *rc::gen::inRange(0, 7200) * 1s;
  out.terms = handed_in(std::max(Nanoseconds{0}, at - *rc::gen::inRange(0, 7200) * 1s));
  out.terms.restart_time = *rc::gen::inRange(0, 600) * 1s;
  out.terms.restart_energy = Joules(*rc::gen::inRange(0, 500));
  out.terms.waiting_power = watts(*rc::gen::inRange(0, 50));
  for (int n = *rc::gen::inRange(1, 9); n > 0; --n) {
    const Doing doing = *rc::gen::element(Doing::running, Doing::running, Doing::checkpointing, Doing::held, Doing::off);
    const Nanoseconds to = at + *rc::gen::inRange(1, 4000) * 1s + Nanoseconds(*rc::gen::inRange(0, 1'000'000'000));
    out.stretches.push_back(
        stretch(doing, at, to, *rc::gen::inRange(0, 1'000'000) * 1e-3, *rc::gen::inRange(0, 100'000) * 1e-3));
    const Stretch& s = out.stretches.back();
    const int pieces = *rc::gen::inRange(1, 5);
    for (int i = 0; i < pieces; ++i) {
      const Nanoseconds length = s.end - s.start;
      out.slices.push_back(
          {s.start + length * i / pieces, s.start + length * (i + 1) / pieces, Microjoules((s.active + s.idle) / pieces)});
    }
    at = to;
  }
  return out;
}

std::vector<double> random_grid() {
  std::vector<double> values;
  for (int i = 0; i < 16; ++i) values.push_back(*rc::gen::inRange(1, 900));
  return values;
}

RC_GTEST_PROP(ReceiptProperty, ThePartsAreWhatWasMetered, ()) {
  const Random run = random_run();
  ledger::RunRecord r = record_of(run.stretches, run.terms, *rc::gen::element<std::string>("shared", "owned", "rented"));
  settle_receipt(run.slices, hourly(random_grid()), std::nullopt, r);
  const ledger::Receipt& receipt = *r.receipt;
  const double parts = receipt.running.value.value() + receipt.restarting.value.value() + receipt.checkpointing.value.value() +
                       receipt.held.value.value() + receipt.off.value.value();
  RC_ASSERT(std::abs(parts - r.energy.total.value.value()) <= 1e-9 * std::max(1.0, r.energy.total.value.value()));
  for (const auto* part : {&receipt.running, &receipt.restarting, &receipt.checkpointing, &receipt.held, &receipt.off})
    RC_ASSERT(part->value.value() >= -1e-9);
  RC_ASSERT(receipt.average.low <= receipt.average.saving);
  RC_ASSERT(receipt.average.high >= receipt.average.saving);
}

RC_GTEST_PROP(ReceiptProperty, ActualIsTheAccountAndWaiting, ()) {
  Random run = random_run();
  run.terms.waiting_power = {};
  ledger::RunRecord r = record_of(run.stretches, run.terms);
  const grid::Ladder ladder = hourly(random_grid());
  RC_PRE(r.energy.total.value.value() > 0);
  settle_receipt(run.slices, ladder, std::nullopt, r);
  r.energy.facility = r.energy.total * r.energy.pue;
  weigh_carbon(run.slices, ladder, std::nullopt, r);
  const double account = r.carbon.average.value.value(), actual = r.receipt->average.actual.value.value();
  RC_ASSERT(std::abs(account - actual) <= 1e-6 * account + 1e-9);
}

RC_GTEST_PROP(ReceiptProperty, ARunAtOnceThatNeverPausedSavedExactlyNothing, ()) {
  Random run = random_run();
  Stretch s = run.stretches.front();
  s.doing = Doing::running;
  s.active += Joules(1);
  run.terms.handed_in = s.start;
  const std::string machine = *rc::gen::element<std::string>("shared", "owned", "rented");
  ledger::RunRecord r = record_of({s}, run.terms, machine);
  settle_receipt(run.slices, hourly(random_grid()), hourly(random_grid()), r);
  for (const ledger::SavingFacts& saving : {r.receipt->average, *r.receipt->marginal}) {
    RC_ASSERT(saving.saving.value() == 0);
    RC_ASSERT(saving.low.value() == 0);
    RC_ASSERT(saving.high.value() == 0);
  }
}

RC_GTEST_PROP(ReceiptProperty, AConstantGridGivesNothingButTheCostOfMoving, ()) {
  const Random run = random_run();
  ledger::RunRecord r = record_of(run.stretches, run.terms, "rented");
  settle_receipt(run.slices, hourly(std::vector<double>(30, 300)), std::nullopt, r);
  const ledger::Receipt& receipt = *r.receipt;
  RC_PRE(receipt.running.value.value() > 1);
  const Joules cost =
      receipt.restarting.value + receipt.checkpointing.value + receipt.held.value + receipt.off.value + receipt.waiting.value;
  const double expected = -(cost / receipt.running.value);
  RC_ASSERT(std::abs(receipt.average.saving.value() - expected) <= 1e-5 * (1 + std::abs(expected)));
}

TEST(Receipt, IsMadeAnewWhenBetterIntensitiesArrive) {
  testing::TempTree tree;
  auto ledger = ledger::Ledger::open(tree.root() / "ledger.db").value();
  const std::vector<Stretch> late{stretch(Doing::running, 1h, 2h, 1000)};
  ledger::RunRecord r = record_of(late, handed_in(0h));
  r.id = new_run_id();
  r.command = {"train"};
  r.start_utc = kDay + 1h;
  r.end_utc = kDay + 2h;
  r.energy.facility = r.energy.total * r.energy.pue;
  const Channel channel{Component::cpu, "cpu", Boundary::node, Method::measured, "sensor", {}, {}};
  ASSERT_TRUE(ledger.begin(r, std::vector<Channel>{channel}));
  Interval i;
  i.start.utc = r.start_utc;
  i.end.utc = r.end_utc;
  i.start.monotonic = 0h;
  i.end.monotonic = 1h;
  i.flows = {{Microjoules(Joules(1000)), {}, Microjoules(Joules(1000)), {}}};
  ASSERT_TRUE(ledger.append(r.id, std::vector<Interval>{i}));
  const grid::Ladder typical = hourly({300, 300}, grid::PointKind::profile);
  weigh_carbon(slices_of(late), typical, std::nullopt, r);
  settle_receipt(slices_of(late), typical, std::nullopt, r);
  r.state = ledger::State::finished;
  ASSERT_TRUE(ledger.finish(r));
  ASSERT_EQ(r.receipt->average.kind, "not verifiable");

  std::optional<grid::Window> asked;
  const Knowledge seen = [&](const ledger::RunRecord&, grid::Window window) -> Result<grid::Intensities> {
    asked = window;
    return grid::Intensities{hourly({400, 300}), std::nullopt, {}};
  };
  const auto changed = reweigh(ledger, r, seen, kDay + 5h);
  ASSERT_TRUE(changed) << changed.error().message();
  EXPECT_TRUE(*changed);
  EXPECT_EQ(asked, (grid::Window{kDay, kDay + 2h}));  // also the hours in which it waited
  const auto kept = ledger.get(r.id);
  ASSERT_TRUE(kept);
  ASSERT_TRUE(kept->receipt);
  EXPECT_EQ(kept->receipt->average.kind, "attributed");
  EXPECT_NEAR(kept->receipt->average.saving.value(), 0.25, 1e-9);
  EXPECT_FALSE(reweigh(ledger, r, seen, kDay + 6h).value());
}

}  // namespace
}  // namespace gramwatt::job
