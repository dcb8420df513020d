#include "meter/tree_members.hpp"

#include <gtest/gtest.h>

#include "fakes/temp_tree.hpp"

namespace gramwatt::meter {
namespace {

class TreeMembers : public ::testing::Test {
 protected:
  void process(int pid, int parent, const std::string& cgroup) {
    tree_.write(std::to_string(pid) + "/status", "Name:\tx\nPPid:\t" + std::to_string(parent) + "\n");
    tree_.write(std::to_string(pid) + "/cgroup", "0::" + cgroup + "\n");
  }
  testing::TempTree tree_;
};

TEST_F(TreeMembers, WhatWasStartedAndWhatLivesInTheRunsCgroupBelongs) {
  process(10, 1, "/a");
  process(11, 10, "/a");
  process(12, 11, "/a");
  process(20, 1, "/a/gramwatt-RUN");
  process(21, 1, "/a/gramwatt-RUN/worker");
  process(22, 1, "/a/gramwatt-RUNNER");
  const auto is_job = tree_members("RUN", {10}, tree_.root());
  EXPECT_TRUE(is_job(10));
  EXPECT_TRUE(is_job(12));
  EXPECT_TRUE(is_job(20));
  EXPECT_TRUE(is_job(21));
  EXPECT_FALSE(is_job(22));
  EXPECT_FALSE(is_job(99));  // gone
}

TEST_F(TreeMembers, ALoopOfRecycledIdsEnds) {
  process(10, 11, "/");
  process(11, 10, "/");
  EXPECT_FALSE(tree_members("", {5}, tree_.root())(10));
}

}  // namespace
}  // namespace gramwatt::meter
