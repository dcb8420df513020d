// A trace as it is written, and what is said of one that is not.

#include "plan/trace.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gramwatt::plan {
namespace {

using ::testing::HasSubstr;

Result<std::vector<TracedJob>> read(std::string_view text) {
  const auto source = grid::text_in_memory(text);
  return read_trace(*source, "jobs.csv");
}

TEST(Trace, HoursBecomeSecondsInOrderOfArrival) {
  const auto jobs = read("arrival_time,length,cpus\r\n2.5,0.155,4\r\n\r\n0,25.4080555555,1\r\n0.0,0,2.0\n");
  ASSERT_TRUE(jobs) << jobs.error().message();
  EXPECT_EQ(*jobs, (std::vector<TracedJob>{{0, 91469, 1}, {0, 1, 2}, {9000, 558, 4}}));
}

TEST(Trace, ColumnsAreFoundByName) {
  const auto jobs = read("job, CPUS ,user,length,Arrival_Time\na,2,\"x, y\",1,3\n");
  ASSERT_TRUE(jobs) << jobs.error().message();
  EXPECT_EQ(*jobs, (std::vector<TracedJob>{{10800, 3600, 2}}));
}

TEST(Trace, AWrongRowIsNamedWithItsLine) {
  struct Case {
    const char *row, *what;
  };
  for (const Case& c : {Case{"1,2", "2 fields, where 3 are needed"}, Case{"-1,2,1", "\"-1\" is no arrival"},
                        Case{"1e9,2,1", "\"1e9\" is no arrival"}, Case{"1,nan,1", "\"nan\" is no length"},
                        Case{"1,two,1", "\"two\" is no length"}, Case{"1,2,0", "\"0\" is no number of CPUs"},
                        Case{"1,2,1.5", "\"1.5\" is no number of CPUs"}, Case{"1,2,", "\"\" is no number of CPUs"}}) {
    const auto jobs = read(std::string("arrival_time,length,cpus\n0,1,1\n") + c.row + "\n");
    ASSERT_FALSE(jobs) << c.row;
    EXPECT_THAT(jobs.error().what, HasSubstr(c.what));
    EXPECT_EQ(jobs.error().where, "jobs.csv:3");
    EXPECT_FALSE(jobs.error().remedy.empty());
  }
}

TEST(Trace, WhatIsNoTraceIsSaid) {
  EXPECT_THAT(read("time,length,cpus\n1,2,3\n").error().message(), HasSubstr("no column \"arrival_time\""));
  EXPECT_THAT(read("arrival_time,length,cpus\n").error().message(), HasSubstr("no job"));
  EXPECT_FALSE(read(""));
}

}  // namespace
}  // namespace gramwatt::plan
