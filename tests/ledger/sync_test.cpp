// When the ledger waits for the disk. SQLite is linked statically, so its fdatasync and fsync are the ones defined here.
#include <gtest/gtest.h>

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "fakes/temp_tree.hpp"
#include "ledger/ledger.hpp"
#include "ledger/make.hpp"

namespace {
std::atomic<int> syncs = 0;
}

extern "C" int fdatasync(int fd) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}
extern "C" int fsync(int fd) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace gramwatt::ledger {
namespace {

using testing::TempTree;

TEST(LedgerSync, appends_never_wait_for_the_disk_and_sync_does) {
  const TempTree t;
  Ledger l = std::move(Ledger::open(t / "ledger.db").value());
  ASSERT_TRUE(l.begin(make::run("01A"), make::channels()));
  for (std::int64_t minute = 0; minute < 90; ++minute) {  // beyond the first merging of old blobs
    const int before = syncs;
    for (std::int64_t s = minute * 60; s < minute * 60 + 60; ++s) ASSERT_TRUE(l.append("01A", make::intervals(s, s + 1)));
    ASSERT_EQ(syncs, before) << "minute " << minute;
    ASSERT_TRUE(l.sync());
    ASSERT_GT(syncs, before);
  }
  EXPECT_LT(std::filesystem::file_size(t / "ledger.db-wal"), 2'000'000U) << "synced once a minute, the log does not grow";
}

TEST(LedgerSync, a_short_run_on_a_ledger_that_is_there_seldom_waits_for_the_disk) {
  const TempTree t;
  int waited = 0;
  for (int k = 0; k < 60; ++k) {
    const int before = syncs;
    RunRecord r = make::run("01A" + std::to_string(k));
    Ledger l = std::move(Ledger::open(t / "ledger.db").value());
    ASSERT_TRUE(l.begin(r, make::channels()));
    ASSERT_TRUE(l.append(r.id, make::intervals(0, 1)));
    r.state = State::finished;
    ASSERT_TRUE(l.finish(r));
    { const Ledger closed = std::move(l); }
    waited += syncs != before ? 1 : 0;
  }
  EXPECT_GT(waited, 0) << "the log is folded now and then";
  EXPECT_LT(waited, 15);
}

TEST(LedgerSync, on_a_network_disk_every_commit_waits) {
  const TempTree t;
  Ledger l = std::move(Ledger::open(t / "ledger.db", {.is_network_folder = [](const auto&) { return true; }}).value());
  ASSERT_TRUE(l.begin(make::run("01A"), make::channels()));
  const int before = syncs;
  ASSERT_TRUE(l.append("01A", make::intervals(0, 1)));
  EXPECT_GT(syncs, before);
}

}  // namespace
}  // namespace gramwatt::ledger
