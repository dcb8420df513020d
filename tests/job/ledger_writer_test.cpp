// What a reader sees while a run is being written.
#include <gtest/gtest.h>

#include "fakes/temp_tree.hpp"
#include "job/ledger_writer.hpp"
#include "ledger/make.hpp"

namespace gramwatt::job {
namespace {

namespace make = ledger::make;

TEST(LedgerWriter, whoever_reads_meanwhile_sees_every_second_once) {
  const testing::TempTree t;
  const auto path = t / "ledger.db";
  LedgerWriter writer(path, make::channels(2), [] { return make::run("01A"); });
  (void)writer.begun();
  for (std::int64_t i = 0; i < 200; ++i) {
    writer.push(make::intervals(i, i + 1, 2));
    const auto reader = ledger::Ledger::open_read_only(path);
    const auto seen = reader->intervals("01A");
    // Until the row is there, what was pushed waits in memory.
    if (!seen || seen->empty()) continue;
    EXPECT_EQ(*seen, make::intervals(0, static_cast<std::int64_t>(seen->size()), 2)) << i;
  }
  ledger::RunRecord done = make::run("01A");
  done.state = ledger::State::finished;
  EXPECT_FALSE(writer.finish(done));
  const auto after = ledger::Ledger::open_read_only(path);
  EXPECT_EQ(after->intervals("01A"), make::intervals(0, 200, 2));
  EXPECT_EQ(after->get("01A")->state, ledger::State::finished);
  EXPECT_TRUE(ledger::read_tail(path, "01A").empty());
}

TEST(LedgerWriter, without_a_ledger_only_the_record_is_prepared) {
  LedgerWriter writer(std::nullopt, make::channels(), [] { return make::run("01A"); });
  writer.push(make::intervals(0, 100));
  EXPECT_EQ(writer.begun().id, "01A");
  EXPECT_FALSE(writer.finish(make::run("01A")));
}

TEST(LedgerWriter, a_ledger_that_cannot_be_opened_is_told_at_the_end) {
  const testing::TempTree t;
  t.write("ledger.db", "somebody's thesis");
  LedgerWriter writer(t / "ledger.db", make::channels(), [] { return make::run("01A"); });
  writer.push(make::intervals(0, 100));
  EXPECT_TRUE(writer.finish(make::run("01A")));
}

}  // namespace
}  // namespace gramwatt::job
