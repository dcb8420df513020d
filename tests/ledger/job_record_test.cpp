#include "ledger/job_record.hpp"

#include <gtest/gtest.h>

#include "fakes/temp_tree.hpp"
#include "ledger/ledger.hpp"
#include "ledger/make.hpp"

namespace gramwatt::ledger {
namespace {

using namespace std::chrono_literals;

class JobRecords : public ::testing::Test {
 protected:
  testing::TempTree folder_;
  std::filesystem::path path_ = folder_ / "ledger.db";

  Ledger open(bool everybody_lives = true) {
    Surroundings s;
    s.is_alive = [everybody_lives](const Owner&) { return everybody_lives; };
    return std::move(*Ledger::open(path_, std::move(s)));
  }

  static JobRecord job(const std::string& id) {
    JobRecord j;
    j.id = id;
    j.state = JobState::waiting;
    j.name = "night";
    j.resource = "gpu:0";
    j.command = {"python", "train.py", "--name", "a 'b' \xff"};
    j.resume = {"python", "train.py", "--resume"};
    j.options = {"--zone", "DE"};
    j.folder = "/home/somebody";
    j.created = make::kNoon;
    j.since = make::kNoon + 1s;
    j.latest_start = make::kNoon + 24h;
    j.runs = {{make::kNoon + 2h, make::kNoon + 3h}, {make::kNoon + 5h, make::kNoon + 6h}};
    j.until = make::kNoon + 2h;
    j.why = "cleaner then";
    j.saving = 0.25;
    j.duration = 2h;
    j.done = 30min;
    j.power = Watts(250);
    return j;
  }
};

TEST_F(JobRecords, WhatWasWrittenIsReadByAnotherProcessWithItsStory) {
  {
    Ledger ledger = open();
    JobRecord j = job("01JOB");
    ASSERT_TRUE(ledger.write_job(j, {make::kNoon, "waiting", "cleaner at 14:00"}));
    j.state = JobState::running;
    ASSERT_TRUE(ledger.write_job(j, {make::kNoon + 2h, "started", "as planned"}));
  }
  const Ledger ledger = open();
  const auto read = ledger.job("1job");
  ASSERT_TRUE(read) << read.error().message();
  const JobRecord wanted = job("01JOB");
  EXPECT_EQ(read->state, JobState::running);
  EXPECT_EQ(read->name, wanted.name);
  EXPECT_EQ(read->resource, wanted.resource);
  EXPECT_EQ(read->command.at(1), "train.py");
  EXPECT_EQ(read->resume, wanted.resume);
  EXPECT_EQ(read->options, wanted.options);
  EXPECT_EQ(read->folder, wanted.folder);
  EXPECT_EQ(read->created, wanted.created);
  EXPECT_EQ(read->since, wanted.since);
  EXPECT_EQ(read->latest_start, wanted.latest_start);
  EXPECT_EQ(read->runs, wanted.runs);
  EXPECT_EQ(read->until, wanted.until);
  EXPECT_EQ(read->why, wanted.why);
  EXPECT_EQ(read->saving, wanted.saving);
  EXPECT_EQ(read->duration, wanted.duration);
  EXPECT_EQ(read->done, wanted.done);
  EXPECT_EQ(read->power.value(), 250);
  EXPECT_EQ(read->owner.pid, getpid());
  EXPECT_TRUE(read->alive);
  const auto events = ledger.events("01JOB");
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 2U);
  EXPECT_EQ(events->at(0).what, "waiting");
  EXPECT_EQ(events->at(1).utc, make::kNoon + 2h);
  EXPECT_EQ(events->at(1).why, "as planned");
}

TEST_F(JobRecords, AJobWhoseGramwattIsGoneIsNotAlive) {
  ASSERT_TRUE(open().write_job(job("01JOB"), {make::kNoon, "waiting", ""}));
  EXPECT_FALSE(open(false).jobs()->front().alive);
}

TEST_F(JobRecords, ALedgerWithoutJobsHasNoneAndStaysAsItWas) {
  ASSERT_TRUE(open().begin(make::run("01A"), make::channels()));
  const Ledger ledger = std::move(*Ledger::open_read_only(path_));
  EXPECT_TRUE(ledger.jobs()->empty());
  EXPECT_TRUE(ledger.events("01A")->empty());
  EXPECT_EQ(ledger.job("01A").error().kind, Error::Kind::missing);
}

TEST_F(JobRecords, RemovingTheRunRemovesTheJobAndItsStory) {
  Ledger ledger = open(false);
  ASSERT_TRUE(ledger.begin(make::run("01A"), make::channels()));
  ASSERT_TRUE(ledger.write_job(job("01A"), {make::kNoon, "waiting", ""}));
  ASSERT_TRUE(ledger.remove("01A"));
  EXPECT_TRUE(ledger.jobs()->empty());
  EXPECT_TRUE(ledger.events("01A")->empty());
}

}  // namespace
}  // namespace gramwatt::ledger
