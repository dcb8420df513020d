// Seconds between two commits.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "fakes/temp_tree.hpp"
#include "ledger/ledger.hpp"
#include "ledger/make.hpp"
#include "ledger/tail.hpp"

namespace gramwatt::ledger {
namespace {

using testing::TempTree;
using namespace std::chrono_literals;

void push_all(Tail& tail, std::int64_t from, std::int64_t to, std::size_t channels = 1) {
  for (std::int64_t i = from; i < to; ++i) ASSERT_TRUE(tail.push(make::interval(i, channels)));
}

/// A tail in a plain file, whose bytes can be looked at and damaged.
class TailTest : public ::testing::Test {
 protected:
  [[nodiscard]] Tail tail(std::size_t channels) const {
    return {Fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)), channels};
  }
  [[nodiscard]] std::string bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] std::vector<Interval> kept() const { return parse_tail(bytes()); }

  TempTree tree_;
  std::filesystem::path path_ = tree_ / "tail";
};

TEST_F(TailTest, keeps_what_was_pushed_and_drops_what_was_committed) {
  Tail t = tail(3);
  push_all(t, 0, 70, 3);
  EXPECT_EQ(kept(), make::intervals(0, 70, 3));
  t.forget(make::at(60s).monotonic);
  EXPECT_EQ(kept(), make::intervals(60, 70, 3));
  push_all(t, 70, 73, 3);
  EXPECT_EQ(kept(), make::intervals(60, 73, 3));
  t.forget(make::at(73s).monotonic);
  EXPECT_EQ(t.count(), 0U);
  EXPECT_EQ(bytes(), "");
}

TEST_F(TailTest, rewrites_only_what_a_kill_cannot_cut) {
  Tail t = tail(1);
  push_all(t, 0, 300);
  t.forget(make::at(100s).monotonic);
  EXPECT_EQ(t.count(), 300U) << "200 that are still needed are more than a page";
  t.forget(make::at(299s).monotonic);
  EXPECT_EQ(kept(), make::intervals(299, 300));
}

TEST_F(TailTest, a_reader_takes_only_what_lies_behind_its_own) {
  Tail t = tail(1);
  push_all(t, 0, 10);
  EXPECT_EQ(with_tail(make::intervals(0, 7), kept()), make::intervals(0, 10));
  EXPECT_EQ(with_tail(make::intervals(0, 10), kept()), make::intervals(0, 10));
  EXPECT_EQ(with_tail({}, kept()), make::intervals(0, 10));
}

TEST_F(TailTest, torn_or_damaged_bytes_end_it_and_never_invent_anything) {
  Tail t = tail(2);
  push_all(t, 0, 6, 2);
  const std::string whole = bytes();
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const auto some = parse_tail(std::string_view(whole).substr(0, cut));
    ASSERT_EQ(some, make::intervals(0, static_cast<std::int64_t>(some.size()), 2)) << cut;
    std::string flipped = whole;
    flipped[cut] = static_cast<char>(flipped[cut] ^ 0x15);
    const auto rest = parse_tail(flipped);
    ASSERT_LT(rest.size(), 6U) << cut;
    ASSERT_EQ(rest, make::intervals(0, static_cast<std::int64_t>(rest.size()), 2)) << cut;
  }
}

TEST_F(TailTest, remains_behind_a_cut_that_did_not_happen_count_once) {
  Tail t = tail(1);
  push_all(t, 0, 20);
  const std::string before = bytes();
  t.forget(make::at(12s).monotonic);
  const std::string after = bytes();
  EXPECT_EQ(parse_tail(after + before.substr(after.size())), make::intervals(12, 20));
}

TEST_F(TailTest, asks_for_a_commit_where_it_cannot_write) {
  Tail nowhere("", 1);
  EXPECT_FALSE(nowhere.push(make::interval(0)));
  Tail full(Fd(::open("/dev/full", O_WRONLY | O_CLOEXEC)), 1);
  EXPECT_FALSE(full.push(make::interval(0)));
}

/// The tail of a run in a ledger.
class TailOfARun : public ::testing::TestWithParam<bool> {
 protected:
  [[nodiscard]] Ledger open() const {
    Ledger l = std::move(Ledger::open(path_, {.is_network_folder = [](const auto&) { return GetParam(); },
                                              .is_alive = [](const Owner&) { return false; }})
                             .value());
    EXPECT_TRUE(l.begin(make::run("01A"), make::channels()));
    return l;
  }
  TempTree tree_;
  std::filesystem::path path_ = tree_ / "ledger.db";
};
INSTANTIATE_TEST_SUITE_P(LocalAndNetworkDisk, TailOfARun, ::testing::Bool());

TEST_P(TailOfARun, is_read_with_it_and_goes_when_it_is_finished) {
  Ledger l = open();
  Tail tail = l.open_tail("01A", 1);
  push_all(tail, 0, 90);
  ASSERT_TRUE(l.append("01A", make::intervals(0, 60)));
  EXPECT_EQ(l.intervals("01A"), make::intervals(0, 90)) << "committed and kept: once";
  EXPECT_EQ(Ledger::open_read_only(l.path())->intervals("01A"), make::intervals(0, 90));

  ASSERT_TRUE(l.append("01A", make::intervals(60, 90)));
  RunRecord run = make::run("01A");
  run.state = State::finished;
  ASSERT_TRUE(l.finish(run));
  EXPECT_EQ(l.intervals("01A"), make::intervals(0, 90));
  EXPECT_TRUE(read_tail(l.path(), "01A").empty());
}

TEST_P(TailOfARun, is_taken_in_when_it_was_interrupted) {
  Ledger l = open();
  Tail tail = l.open_tail("01A", 1);
  push_all(tail, 0, 150);
  ASSERT_TRUE(l.append("01A", make::intervals(0, 7)));
  EXPECT_EQ(l.mark_interrupted(), std::vector<std::string>{"01A"});
  EXPECT_TRUE(read_tail(l.path(), "01A").empty());
  EXPECT_EQ(l.intervals("01A"), make::intervals(0, 150));
  EXPECT_EQ(l.get("01A")->end_utc, make::at(150s).utc);
}

TEST_P(TailOfARun, goes_with_a_removed_run) {
  Ledger l = open();
  Tail tail = l.open_tail("01A", 1);
  push_all(tail, 0, 3);
  EXPECT_EQ(read_tail(l.path(), "01A").size(), 3U);
  ASSERT_TRUE(l.remove("01A"));
  EXPECT_TRUE(read_tail(l.path(), "01A").empty());
}

TEST_P(TailOfARun, of_somebody_else_is_not_believed) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to own a file as another user";
  Ledger l = open();
  Tail tail = l.open_tail("01A", 1);
  push_all(tail, 0, 3);
  const std::string name = "/dev/shm" + tail_name(l.path(), "01A");
  ASSERT_EQ(::chown(name.c_str(), 65534, 65534), 0);
  EXPECT_TRUE(read_tail(l.path(), "01A").empty());
  remove_tail(l.path(), "01A");
}

}  // namespace
}  // namespace gramwatt::ledger
