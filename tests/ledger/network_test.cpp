#include <gtest/gtest.h>

#include <sys/stat.h>

#include "base/text.hpp"
#include "fakes/temp_tree.hpp"
#include "ledger/ledger.hpp"
#include "ledger/location.hpp"
#include "ledger/make.hpp"

namespace gramwatt::ledger {
namespace {

using namespace std::chrono_literals;
using testing::TempTree;

Surroundings on_network(std::string host) {
  return {.host = std::move(host), .is_network_folder = [](const std::filesystem::path&) { return true; }};
}

class NetworkLedger : public ::testing::Test {
 protected:
  TempTree home_;
  std::filesystem::path path_ = home_ / "ledger.db";

  Ledger on(const char* host) { return std::move(Ledger::open(path_, on_network(host)).value()); }
};

TEST_F(NetworkLedger, each_host_writes_its_own_file_and_reads_all) {
  Ledger a = on("node1");
  ASSERT_TRUE(a.begin(make::run("01A", 1s), make::channels()));
  ASSERT_TRUE(a.append("01A", make::intervals(0, 100)));
  ASSERT_TRUE(on("node2").begin(make::run("01B", 2s), {}));
  EXPECT_EQ(a.path(), home_ / "ledger-node1.db");
  EXPECT_TRUE(std::filesystem::exists(home_ / "ledger-node2.db"));
  EXPECT_FALSE(std::filesystem::exists(path_));

  Ledger c = on("login");
  const auto all = c.list();
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0].id, "01B");
  EXPECT_EQ(c.list({.limit = 1})->size(), 1U);
  EXPECT_EQ(c.get("@2")->id, "01A");
  EXPECT_EQ(c.intervals("01A"), make::intervals(0, 100));
  EXPECT_EQ(c.channels("01A")->size(), 1U);
  EXPECT_TRUE(c.skipped().empty());
}

TEST_F(NetworkLedger, no_write_ahead_log_is_ever_made) {
  Ledger a = on("node1");
  ASSERT_TRUE(a.begin(make::run("01A"), make::channels()));
  ASSERT_TRUE(a.append("01A", make::intervals(0, 3)));
  ASSERT_TRUE(a.sync());
  EXPECT_FALSE(std::filesystem::exists(home_ / "ledger-node1.db-wal"));
  EXPECT_FALSE(std::filesystem::exists(home_ / "ledger-node1.db-shm"));
}

TEST_F(NetworkLedger, a_run_of_another_host_is_read_but_not_written) {
  ASSERT_TRUE(on("node1").begin(make::run("01A"), {}));
  Ledger here = on("node2");
  EXPECT_EQ(here.set_tags("01A", {{"k", "v"}}).error().kind, Error::Kind::usage);
  EXPECT_EQ(here.remove("01A").error().kind, Error::Kind::usage);
  EXPECT_EQ(here.remove("01X").error().kind, Error::Kind::missing);
  EXPECT_TRUE(here.get("01A")->tags.empty());
}

TEST_F(NetworkLedger, a_damaged_file_of_another_host_is_named_and_hides_nothing_else) {
  ASSERT_TRUE(on("node1").begin(make::run("01A"), {}));
  home_.write("ledger-node9.db", std::string(5000, 'x'));
  Ledger here = on("node2");
  EXPECT_EQ(here.list()->size(), 1U);
  ASSERT_EQ(here.skipped().size(), 1U);
  EXPECT_TRUE(contains(here.skipped()[0].where, "ledger-node9.db"));
}

TEST_F(NetworkLedger, a_local_file_of_before_is_read_too) {
  {
    Ledger local = std::move(Ledger::open(path_, {.is_network_folder = [](const auto&) { return false; }}).value());
    ASSERT_TRUE(local.begin(make::run("01A"), {}));
  }
  EXPECT_EQ(on("node1").list()->size(), 1U);
}

TEST(Location, host_names_make_safe_file_names) {
  EXPECT_EQ(path_of_host("/h/ledger.db", "node7.cluster"), "/h/ledger-node7.cluster.db");
  EXPECT_EQ(path_of_host("/h/ledger.db", "../x"), "/h/ledger-.._x.db");
  EXPECT_EQ(path_of_host("my.sqlite", "n"), "my-n.sqlite");
}

TEST(Location, only_ledgers_of_this_name_are_taken_for_other_hosts) {
  const TempTree t;
  for (const char* name : {"ledger.db", "ledger-b.db", "ledger-a.db", "ledger-a.db-journal", "ledgers.db", "other-a.db"})
    t.write(name, "");
  EXPECT_EQ(paths_of_other_hosts(t / "ledger.db", t / "ledger-a.db"),
            (std::vector<std::filesystem::path>{t / "ledger-b.db", t / "ledger.db"}));
}

TEST(Location, a_folder_that_is_not_there_yet_is_judged_by_the_one_above) {
  EXPECT_FALSE(is_network_folder("/proc/self/no/such/folder"));
}

}  // namespace
}  // namespace gramwatt::ledger
