#include "ledger/ledger.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include "base/text.hpp"
#include "fakes/temp_tree.hpp"
#include "ledger/make.hpp"

namespace gramwatt::ledger {
namespace {

using namespace std::chrono_literals;
using testing::TempTree;

class LedgerTest : public ::testing::Test {
 protected:
  TempTree folder_;
  std::filesystem::path path_ = folder_ / "ledger.db";

  Ledger open(Surroundings s = {}) {
    auto l = Ledger::open(path_, std::move(s));
    if (!l) throw std::runtime_error(l.error().message());
    return std::move(*l);
  }
};

std::vector<std::string> ids(const Result<std::vector<RunRecord>>& records) {
  std::vector<std::string> all;
  for (const auto& r : records.value()) all.push_back(r.id);
  return all;
}

TEST_F(LedgerTest, a_run_is_there_from_its_beginning_to_its_end_with_all_it_measured) {
  const auto channels = make::channels(3);
  const auto measured = make::intervals(0, 200, 3);
  RunRecord r = make::run("01A");
  {
    Ledger l = open();
    ASSERT_TRUE(l.begin(r, channels));
    EXPECT_EQ(l.get("01A")->state, State::running);
    for (const auto& i : measured) ASSERT_TRUE(l.append(r.id, {&i, 1}));
    EXPECT_EQ(l.intervals(r.id), measured);
    r.state = State::finished;
    r.end_utc = make::kNoon + 200s;
    r.exit_code = 3;
    r.energy.total.value = Joules(1234.5);
    ASSERT_TRUE(l.finish(r));
  }
  Ledger l = open();
  EXPECT_EQ(l.get("01A"), r);
  EXPECT_EQ(l.channels(r.id), channels);
  EXPECT_EQ(l.intervals(r.id), measured);
}

TEST_F(LedgerTest, another_reader_sees_each_append_at_once) {
  Ledger writer = open();
  ASSERT_TRUE(writer.begin(make::run("01A"), make::channels()));
  const auto reader = Ledger::open_read_only(path_);
  ASSERT_TRUE(reader.has_value());
  for (std::int64_t i = 0; i < 130; ++i) {
    ASSERT_TRUE(writer.append("01A", make::intervals(i, i + 1)));
    ASSERT_EQ(reader->intervals("01A")->size(), static_cast<std::size_t>(i + 1));
  }
}

TEST_F(LedgerTest, a_run_that_was_closed_can_be_continued) {
  {
    Ledger l = open();
    ASSERT_TRUE(l.begin(make::run("01A"), make::channels()));
    ASSERT_TRUE(l.append("01A", make::intervals(0, 70)));
  }
  Ledger l = open();
  ASSERT_TRUE(l.append("01A", make::intervals(70, 75)));
  EXPECT_EQ(l.intervals("01A"), make::intervals(0, 75));
}

TEST_F(LedgerTest, intervals_that_do_not_fit_the_run_are_refused_and_leave_it_as_it_was) {
  Ledger l = open();
  ASSERT_TRUE(l.begin(make::run("01A"), make::channels(2)));
  EXPECT_EQ(l.append("01A", make::intervals(0, 3, 1)).error().kind, Error::Kind::usage);
  EXPECT_EQ(l.append("01B", make::intervals(0, 3, 1)).error().kind, Error::Kind::missing);
  EXPECT_TRUE(l.intervals("01A")->empty());
  EXPECT_FALSE(l.begin(make::run("01A"), {})) << "an id is taken once";
}

TEST_F(LedgerTest, a_finished_record_is_kept_even_if_its_beginning_was_not) {
  RunRecord r = make::run("01A");
  r.state = State::finished;
  r.tags["k"] = "v";
  Ledger l = open();
  ASSERT_TRUE(l.finish(r));
  EXPECT_EQ(l.get("last"), r);
}

TEST_F(LedgerTest, lists_newest_first_and_by_filter) {
  Ledger l = open();
  const auto add = [&](const char* id, Nanoseconds at, const char* project, std::map<std::string, std::string> tags) {
    RunRecord r = make::run(id, at);
    r.project = project;
    r.stage = "train";
    r.name = std::string("n") + id;
    r.tags = std::move(tags);
    ASSERT_TRUE(l.begin(r, {}));
  };
  add("01B", 2s, "p", {{"lr", "0.1"}, {"seed", "1"}});
  add("01A", 1s, "p", {{"lr", "0.1"}, {"seed", "2"}});
  add("01C", 3s, "q", {});
  EXPECT_EQ(ids(l.list()), (std::vector<std::string>{"01C", "01B", "01A"}));
  EXPECT_EQ(ids(l.list({.project = "p"})), (std::vector<std::string>{"01B", "01A"}));
  EXPECT_EQ(ids(l.list({.stage = "train", .limit = 2})), (std::vector<std::string>{"01C", "01B"}));
  EXPECT_EQ(ids(l.list({.name = "n01A"})), (std::vector<std::string>{"01A"}));
  EXPECT_EQ(ids(l.list({.tags = {{"lr", "0.1"}, {"seed", "2"}}})), (std::vector<std::string>{"01A"}));
  EXPECT_EQ(ids(l.list({.since = make::kNoon + 2s})), (std::vector<std::string>{"01C", "01B"}));
  EXPECT_TRUE(l.list({.project = "r"})->empty());
  EXPECT_EQ(l.get("@2")->id, "01B");
}

TEST_F(LedgerTest, tags_set_while_a_run_goes_on_outlast_its_end) {
  Ledger l = open();
  RunRecord r = make::run("01A");
  r.tags = {{"a", "1"}};
  ASSERT_TRUE(l.begin(r, {}));
  ASSERT_TRUE(open().set_tags("01A", {{"a", "2"}, {"b", "3"}}));
  r.state = State::finished;
  ASSERT_TRUE(l.finish(r));
  EXPECT_EQ(l.get("01A")->tags, (std::map<std::string, std::string>{{"a", "2"}, {"b", "3"}}));
  EXPECT_EQ(l.set_tags("01B", {}).error().kind, Error::Kind::missing);
}

TEST_F(LedgerTest, removing_leaves_nothing_of_the_run_and_all_of_the_others) {
  Ledger l = open({.is_alive = [](const Owner&) { return false; }});
  for (const char* id : {"01A", "01B"}) {
    RunRecord r = make::run(id);
    r.tags = {{"k", id}};
    ASSERT_TRUE(l.begin(r, make::channels()));
    ASSERT_TRUE(l.append(id, make::intervals(0, 5)));
  }
  ASSERT_TRUE(l.remove("01A"));
  EXPECT_EQ(l.get("01A").error().kind, Error::Kind::missing);
  EXPECT_EQ(l.remove("01A").error().kind, Error::Kind::missing);
  EXPECT_EQ(l.intervals("01A").error().kind, Error::Kind::missing);
  EXPECT_EQ(l.intervals("01B"), make::intervals(0, 5));
  // The id is free again, and nothing of before comes back with it.
  ASSERT_TRUE(l.begin(make::run("01A"), {}));
  EXPECT_TRUE(l.get("01A")->tags.empty());
  EXPECT_TRUE(l.channels("01A")->empty());
  EXPECT_TRUE(l.intervals("01A")->empty());
}

TEST_F(LedgerTest, a_run_that_is_being_written_is_not_removed) {
  Ledger l = open();
  ASSERT_TRUE(l.begin(make::run("01A"), {}));
  EXPECT_EQ(l.remove("01A").error().kind, Error::Kind::usage);
  EXPECT_TRUE(l.get("01A"));
}

TEST_F(LedgerTest, a_run_whose_process_is_gone_ends_with_its_last_interval) {
  Ledger l = open();
  ASSERT_TRUE(l.begin(make::run("01A"), make::channels()));
  ASSERT_TRUE(l.append("01A", make::intervals(0, 90)));
  ASSERT_TRUE(l.begin(make::run("01B", 1s), {}));
  EXPECT_TRUE(l.mark_interrupted()->empty()) << "this process lives";

  Ledger later = open({.is_alive = [](const Owner&) { return false; }});
  EXPECT_EQ(later.mark_interrupted()->size(), 2U);
  const auto a = later.get("01A");
  EXPECT_EQ(a->state, State::interrupted);
  EXPECT_EQ(a->end_utc, make::kNoon + 90s);
  EXPECT_DOUBLE_EQ(a->duration.value(), 90);
  EXPECT_DOUBLE_EQ(a->running.value(), 90);
  EXPECT_EQ(later.get("01B")->end_utc, make::kNoon + 1s) << "nothing measured: it ends where it began";
  EXPECT_EQ(later.intervals("01A"), make::intervals(0, 90));
  EXPECT_TRUE(later.mark_interrupted()->empty()) << "once";
}

TEST_F(LedgerTest, runs_of_another_host_are_not_judged_here) {
  Ledger there = open({.host = "there"});
  ASSERT_TRUE(there.begin(make::run("01A"), {}));
  Ledger here = open({.host = "here", .is_alive = [](const Owner&) { return false; }});
  EXPECT_TRUE(here.mark_interrupted()->empty());
}

TEST(Owner, this_process_lives_and_variants_of_it_do_not) {
  const Owner me = this_process("h");
  EXPECT_TRUE(is_alive(me));
  Owner o = me;
  o.boot_id = "another boot";
  EXPECT_FALSE(is_alive(o));
  o = me, o.start_ticks += 1;
  EXPECT_FALSE(is_alive(o)) << "the pid was used again";
  o = me, o.pid = 0x3fffffff;
  EXPECT_FALSE(is_alive(o)) << "no such pid";
  o.pid_namespace = "pid:[1]";
  EXPECT_TRUE(is_alive(o)) << "in another container: nobody can tell";
}

TEST_F(LedgerTest, a_long_run_is_kept_in_minutes_and_five_minutes_with_exact_sums) {
  Ledger l = open();
  ASSERT_TRUE(l.begin(make::run("01A"), make::channels(2)));
  constexpr std::int64_t kSeconds = 60 * 60 * 60;  // 60 h
  for (std::int64_t t = 0; t < kSeconds; t += 900) ASSERT_TRUE(l.append("01A", make::intervals(t, t + 900, 2)));

  const auto kept = l.intervals("01A");
  ASSERT_TRUE(kept.has_value());
  Interval sum = make::interval(0, 2);
  for (std::int64_t t = 1; t < kSeconds; ++t) {
    const Interval i = make::interval(t, 2);
    for (std::size_t c = 0; c < 2; ++c) sum.flows[c] += i.flows[c];
    sum.job_cpu += i.job_cpu, sum.machine_cpu += i.machine_cpu, sum.steal += i.steal;
  }
  Interval kept_sum = kept->front();
  Instant end = kept_sum.end;
  std::size_t seconds = 0;
  std::size_t minutes = 0;
  for (std::size_t k = 0; k < kept->size(); ++k) {
    const Interval& i = (*kept)[k];
    const auto length = elapsed(i.start, i.end);
    seconds += length == 1s ? 1 : 0;
    minutes += length == 60s ? 1 : 0;
    EXPECT_EQ((i.start.utc - make::kNoon) % length, 0ns) << "aligned";
    if (k == 0) continue;
    ASSERT_EQ(i.start, end) << "no hole, no overlap, in order";
    end = i.end;
    for (std::size_t c = 0; c < 2; ++c) kept_sum.flows[c] += i.flows[c];
    kept_sum.job_cpu += i.job_cpu, kept_sum.machine_cpu += i.machine_cpu, kept_sum.steal += i.steal;
  }
  EXPECT_EQ(kept_sum.flows, sum.flows);
  EXPECT_EQ(kept_sum.job_cpu, sum.job_cpu);
  EXPECT_EQ(kept_sum.machine_cpu, sum.machine_cpu);
  EXPECT_EQ(kept_sum.steal, sum.steal);
  EXPECT_EQ(end, make::at(std::chrono::seconds(kSeconds)));
  EXPECT_GE(seconds, 3600U) << "the last hour as measured";
  EXPECT_LE(seconds, 3600U + 1200U);
  EXPECT_GE(minutes, 23U * 60U) << "the last day by minutes";
  EXPECT_LE(kept->size(), 60U * 12U + 36U * 60U + 4800U);
}

TEST_F(LedgerTest, a_clock_that_is_set_while_a_run_goes_on_does_not_mix_up_its_order) {
  Ledger l = open();
  ASSERT_TRUE(l.begin(make::run("01A"), make::channels()));
  for (std::int64_t t = 0; t < 5 * 3600; t += 60) {
    auto some = make::intervals(t, t + 60);
    const Nanoseconds set = t < 3600 ? 0s : t < 2 * 3600 ? 100h : -30h;
    for (auto& i : some) i.start.utc += set, i.end.utc += set;
    ASSERT_TRUE(l.append("01A", some));
  }
  const auto kept = l.intervals("01A");
  Nanoseconds at = kept->front().start.monotonic;
  for (const auto& i : *kept) {
    ASSERT_EQ(i.start.monotonic, at);
    at = i.end.monotonic;
  }
  EXPECT_EQ(at - kept->front().start.monotonic, 5h);
}

TEST_F(LedgerTest, sync_brings_everything_into_the_file_itself) {
  Ledger l = open();
  ASSERT_TRUE(l.begin(make::run("01A"), make::channels()));
  ASSERT_TRUE(l.append("01A", make::intervals(0, 10)));
  ASSERT_TRUE(l.sync());
  const auto alone = folder_ / "alone.db";
  std::filesystem::copy_file(path_, alone);
  EXPECT_EQ(Ledger::open_read_only(alone)->intervals("01A"), make::intervals(0, 10));
}

}  // namespace
}  // namespace gramwatt::ledger
