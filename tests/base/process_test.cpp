#include <gtest/gtest.h>

#include <unistd.h>

#include "base/process.hpp"

namespace gramwatt {
namespace {

TEST(ProcessStat, names_with_blanks_and_parentheses_do_not_shift_the_fields) {
  const auto stat = parse_process_stat(
      "42 (a) R 9 (b)) Z 1 42 42 0 -1 4194304 1 2 3 4 50 60 7 8 20 0 1 0 123456 1000 200 18446744073709551615\n");
  ASSERT_TRUE(stat.has_value());
  EXPECT_EQ(stat->state, 'Z');
  EXPECT_EQ(stat->reaped_ticks, 15);
  EXPECT_EQ(stat->start_ticks, 123456);
}

TEST(ProcessStat, what_is_cut_short_or_not_a_number_is_nothing) {
  EXPECT_FALSE(parse_process_stat(""));
  EXPECT_FALSE(parse_process_stat("42 (sh)"));
  EXPECT_FALSE(parse_process_stat("42 (sh) R 1 42 42 0 -1"));
  EXPECT_FALSE(parse_process_stat("42 (sh) R 1 42 42 0 -1 4194304 1 2 3 4 50 60 x 8 20 0 1 0 123456 1000\n"));
}

TEST(ProcessStat, of_ourselves_and_of_nobody) {
  const auto own = process_stat(::getpid());
  ASSERT_TRUE(own.has_value());
  EXPECT_EQ(own->state, 'R');
  EXPECT_GT(own->start_ticks, 0);
  EXPECT_FALSE(process_stat(0));
}

}  // namespace
}  // namespace gramwatt
