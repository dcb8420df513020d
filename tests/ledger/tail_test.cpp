// Seconds between two commits.
#include <gtest/gtest.h>

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

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class TailTest : public ::testing::Test {
 protected:
  TempTree tree_;
  std::filesystem::path ledger_ = tree_ / "ledger.db";
  std::filesystem::path path_ = tail_path(ledger_, "01A");
};

TEST_F(TailTest, keeps_what_was_pushed_and_drops_what_was_committed) {
  Tail tail(path_, 3);
  push_all(tail, 0, 70, 3);
  EXPECT_EQ(read_tail(ledger_, "01A"), make::intervals(0, 70, 3));
  tail.forget(make::at(60s).monotonic);
  EXPECT_EQ(read_tail(ledger_, "01A"), make::intervals(60, 70, 3));
  push_all(tail, 70, 73, 3);
  EXPECT_EQ(read_tail(ledger_, "01A"), make::intervals(60, 73, 3));
  tail.forget(make::at(73s).monotonic);
  EXPECT_EQ(tail.count(), 0U);
  EXPECT_EQ(std::filesystem::file_size(path_), 0U);
}

TEST_F(TailTest, rewrites_only_what_a_kill_cannot_cut) {
  Tail tail(path_, 1);
  push_all(tail, 0, 300);
  tail.forget(make::at(100s).monotonic);
  EXPECT_EQ(tail.count(), 300U) << "200 that are still needed are more than a page";
  tail.forget(make::at(299s).monotonic);
  EXPECT_EQ(read_tail(ledger_, "01A"), make::intervals(299, 300));
}

TEST_F(TailTest, a_reader_takes_only_what_lies_behind_its_own) {
  Tail tail(path_, 1);
  push_all(tail, 0, 10);
  EXPECT_EQ(with_tail(make::intervals(0, 7), read_tail(ledger_, "01A")), make::intervals(0, 10));
  EXPECT_EQ(with_tail({}, read_tail(ledger_, "01A")), make::intervals(0, 10));
  EXPECT_TRUE(read_tail(ledger_, "01B").empty());
}

TEST_F(TailTest, torn_or_damaged_bytes_end_it_and_never_invent_anything) {
  Tail tail(path_, 2);
  push_all(tail, 0, 6, 2);
  const std::string whole = bytes_of(path_);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    write_bytes(path_, whole.substr(0, cut));
    const auto kept = read_tail(ledger_, "01A");
    ASSERT_EQ(kept, make::intervals(0, static_cast<std::int64_t>(kept.size()), 2)) << cut;
    std::string flipped = whole;
    flipped[cut] = static_cast<char>(flipped[cut] ^ 0x15);
    write_bytes(path_, flipped);
    const auto some = read_tail(ledger_, "01A");
    ASSERT_LT(some.size(), 6U) << cut;
    ASSERT_EQ(some, make::intervals(0, static_cast<std::int64_t>(some.size()), 2)) << cut;
  }
}

TEST_F(TailTest, remains_behind_a_cut_that_did_not_happen_count_once) {
  std::string before;
  {
    Tail tail(path_, 1);
    push_all(tail, 0, 20);
    before = bytes_of(path_);
    tail.forget(make::at(12s).monotonic);
  }
  const std::string after = bytes_of(path_);
  write_bytes(path_, after + before.substr(after.size()));
  EXPECT_EQ(read_tail(ledger_, "01A"), make::intervals(12, 20));
}

TEST_F(TailTest, asks_for_a_commit_where_it_cannot_write) {
  Tail nowhere(tree_ / "no/such/folder/tail", 1);
  EXPECT_FALSE(nowhere.push(make::interval(0)));
  Tail full("/dev/full", 1);
  EXPECT_FALSE(full.push(make::interval(0)));
}

TEST_F(TailTest, belongs_to_its_run_in_the_ledger) {
  Ledger l = std::move(Ledger::open(ledger_).value());
  RunRecord run = make::run("01A");
  ASSERT_TRUE(l.begin(run, make::channels()));
  auto tail = l.open_tail("01A", 1);
  ASSERT_TRUE(tail.has_value());
  push_all(*tail, 0, 90);
  ASSERT_TRUE(l.append("01A", make::intervals(0, 60)));
  EXPECT_EQ(l.intervals("01A"), make::intervals(0, 90)) << "committed and kept: once";
  EXPECT_EQ(Ledger::open_read_only(ledger_)->intervals("01A"), make::intervals(0, 90));

  ASSERT_TRUE(l.append("01A", make::intervals(60, 90)));
  run.state = State::finished;
  ASSERT_TRUE(l.finish(run));
  EXPECT_EQ(l.intervals("01A"), make::intervals(0, 90));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(TailTest, goes_with_a_removed_run) {
  Ledger l = std::move(Ledger::open(ledger_, {.is_alive = [](const Owner&) { return false; }}).value());
  ASSERT_TRUE(l.begin(make::run("01A"), make::channels()));
  auto tail = l.open_tail("01A", 1);
  push_all(*tail, 0, 3);
  ASSERT_TRUE(l.remove("01A"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(TailTest, is_not_for_network_disks) {
  Ledger l = std::move(Ledger::open(ledger_, {.is_network_folder = [](const auto&) { return true; }}).value());
  ASSERT_TRUE(l.begin(make::run("01A"), make::channels()));
  EXPECT_FALSE(l.open_tail("01A", 1).has_value());
}

}  // namespace
}  // namespace gramwatt::ledger
