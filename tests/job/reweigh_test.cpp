#include "job/reweigh.hpp"

#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

#include "fakes/temp_tree.hpp"
#include "job/account.hpp"
#include "job/fetcher.hpp"

namespace gramwatt::job {
namespace {

using namespace std::chrono_literals;

Interval hour(int at, double kilowatthours) {
  Interval i;
  i.start.utc = i.start.monotonic = std::chrono::hours(at);
  i.end.utc = i.end.monotonic = std::chrono::hours(at + 1);
  i.flows = {{Microjoules(kwh(kilowatthours)), {}, Microjoules(kwh(kilowatthours)), {}}};
  return i;
}

/// A finished run of two hours, 1 and 3 kWh, weighed at 400 g/kWh, PUE 1.
struct Kept {
  testing::TempTree tree;
  ledger::Ledger ledger;
  ledger::RunRecord record;

  Kept() : ledger(ledger::Ledger::open(tree.root() / "ledger.db").value()) {
    record.id = new_run_id();
    record.command = {"train"};
    record.host.machine = "owned";
    record.place = {"DE", "option", "Germany"};
    record.start_utc = 0h;
    record.end_utc = 2h;
    Weights w;
    w.pue = {Ratio(1), Method::assumed, "test", std::nullopt, {}};
    w.average = grid::one_value(GramsPerKwh(400));
    w.average.rungs[0].signal.source = "annual";
    w.embodied_per_hour = {Grams(10), Method::assumed, "parts", std::nullopt, {}};
    set_weights(w, record);
    Measured m;
    m.channels = {{Component::cpu, "cpu", Boundary::node, Method::measured, "sensor", {}, {}}};
    const std::vector<Interval> intervals{hour(0, 1), hour(1, 3)};
    EXPECT_TRUE(ledger.begin(record, m.channels));
    EXPECT_TRUE(ledger.append(record.id, intervals));
    m.totals = {intervals[0].flows[0]};
    m.totals[0] += intervals[1].flows[0];
    m.slices = slices_of(intervals);
    m.duration = Seconds(7200);
    fill_account(m, w, record);
    record.state = ledger::State::finished;
    EXPECT_TRUE(ledger.finish(record));
  }
};

/// 100 g/kWh in the first hour, 500 in the second.
Result<grid::Intensities> better(const ledger::RunRecord&, grid::Window window) {
  EXPECT_EQ(window, (grid::Window{0h, 2h}));
  grid::Intensities known;
  known.average = grid::one_value(GramsPerKwh(1000));
  grid::Series hourly;
  hourly.signal.source = "feed";
  hourly.resolution = 1h;
  hourly.points = {{0h, GramsPerKwh(100)}, {1h, GramsPerKwh(500)}};
  known.average.rungs.insert(known.average.rungs.begin(), hourly);
  return known;
}

TEST(Reweigh, EachHourMeetsItsOwnIntensityAndTheOldFigureStays) {
  Kept kept;
  ASSERT_NEAR(kept.record.carbon.average.value.value(), 4 * 400, 1e-6);
  const auto changed = reweigh(kept.ledger, kept.record, better, 5h);
  ASSERT_TRUE(changed) << changed.error().message();
  EXPECT_TRUE(*changed);
  const auto r = kept.ledger.get(kept.record.id);
  ASSERT_TRUE(r);
  EXPECT_NEAR(r->carbon.average.value.value(), 1 * 100 + 3 * 500, 1e-6);
  EXPECT_NEAR(r->carbon.total.value.value(), 1600 + 20, 1e-6);
  EXPECT_NEAR(r->average_intensity->value.value.value(), 400, 1e-6);
  EXPECT_EQ(r->average_intensity->signal.source, "feed");
  EXPECT_EQ(r->energy.total.value, kept.record.energy.total.value);
  ASSERT_EQ(r->earlier.size(), 1U);
  EXPECT_NEAR(r->earlier[0].average.value.value(), 1600, 1e-6);
  EXPECT_EQ(r->earlier[0].average_intensity->value.source, "annual");
  EXPECT_EQ(r->earlier[0].replaced_utc, 5h);
}

TEST(Reweigh, TwiceWithTheSameKnowledgeChangesNothing) {
  Kept kept;
  ASSERT_TRUE(reweigh(kept.ledger, kept.record, better, 5h));
  const auto again = reweigh(kept.ledger, kept.record, better, 6h);
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again);
  EXPECT_EQ(kept.ledger.get(kept.record.id)->earlier.size(), 1U);
}

TEST(Reweigh, ARunThatGoesOnIsLeftAlone) {
  Kept kept;
  kept.record.state = ledger::State::running;
  EXPECT_EQ(reweigh(kept.ledger, kept.record, better, 5h).error().kind, Error::Kind::usage);
}

TEST(Reweigh, ARunWithoutIntervalsKeepsItsFigures) {
  Kept kept;
  ledger::RunRecord other = kept.record;
  other.id = new_run_id();
  ASSERT_TRUE(kept.ledger.finish(other));
  EXPECT_EQ(reweigh(kept.ledger, other, better, 5h).error().kind, Error::Kind::missing);
}

/// A server that answers when the test says so.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  int asked = 0;
};

TEST(Fetcher, TellsWhatFailedInTheFirstRound) {
  Fetcher fetcher([] { return std::vector<std::string>{"watttime was not used: no"}; });
  const auto outcome = fetcher.end(10s);
  EXPECT_TRUE(outcome.in_time);
  EXPECT_EQ(outcome.failed, std::vector<std::string>{"watttime was not used: no"});
}

TEST(Fetcher, ARunDoesNotWaitForASlowServer) {
  const auto gate = std::make_shared<Gate>();
  {
    Fetcher fetcher([gate] {
      std::unique_lock lock(gate->mutex);
      gate->changed.wait(lock, [&] { return gate->open; });
      ++gate->asked;
      gate->changed.notify_all();
      return std::vector<std::string>{};
    });
    EXPECT_FALSE(fetcher.end(0ms).in_time);
  }
  std::unique_lock lock(gate->mutex);  // the request that was under way ends, and no other begins
  gate->open = true;
  gate->changed.notify_all();
  gate->changed.wait(lock, [&] { return gate->asked == 1; });
}

TEST(Fetcher, AsksAgainAsLongAsTheRunGoesOn) {
  const auto gate = std::make_shared<Gate>();
  Fetcher fetcher(
      [gate] {
        const std::lock_guard lock(gate->mutex);
        ++gate->asked;
        gate->changed.notify_all();
        return std::vector<std::string>{};
      },
      1ms);
  std::unique_lock lock(gate->mutex);
  gate->changed.wait(lock, [&] { return gate->asked >= 3; });
}

}  // namespace
}  // namespace gramwatt::job
