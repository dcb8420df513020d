#include "ledger/selection.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"

namespace gramwatt::ledger {
namespace {

const std::vector<std::string> kIds{"01KAR7Q2V8ZZZZZZZZZZZZAAAA", "01KAR7Q2V7YYYYYYYYYYYYBBBB", "01KA00000MXXXXXXXXXXXXCCCC"};

Error::Kind kind_of(std::string_view word) { return select_run(word, kIds).error().kind; }

TEST(SelectRun, by_age) {
  EXPECT_EQ(select_run("last", kIds), kIds[0]);
  EXPECT_EQ(select_run("@1", kIds), kIds[0]);
  EXPECT_EQ(select_run("@3", kIds), kIds[2]);
}

TEST(SelectRun, by_whole_id_unique_beginning_or_end_in_any_case) {
  EXPECT_EQ(select_run(kIds[1], kIds), kIds[1]);
  EXPECT_EQ(select_run("01KAR7Q2V7", kIds), kIds[1]);
  EXPECT_EQ(select_run("01ka0", kIds), kIds[2]);
  EXPECT_EQ(select_run("bbbb", kIds), kIds[1]);
}

TEST(SelectRun, a_whole_id_wins_over_others_that_begin_with_it) { EXPECT_EQ(select_run("ab", {"abc", "ab"}), "ab"); }

TEST(SelectRun, three_characters_of_the_end_are_too_few) { EXPECT_EQ(kind_of("BBB"), Error::Kind::missing); }

TEST(SelectRun, what_fits_several_is_a_wrong_request_that_lists_them) {
  const auto e = select_run("01KAR7", kIds).error();
  EXPECT_EQ(e.kind, Error::Kind::usage);
  EXPECT_TRUE(contains(e.remedy, kIds[0]) && contains(e.remedy, kIds[1])) << e.remedy;
  EXPECT_FALSE(contains(e.remedy, kIds[2])) << e.remedy;
}

TEST(SelectRun, what_fits_none_is_missing_and_near_matches_are_named) {
  EXPECT_EQ(kind_of("01ZZ"), Error::Kind::missing);
  const auto e = select_run("BBXB", kIds).error();
  EXPECT_EQ(e.kind, Error::Kind::missing);
  EXPECT_TRUE(contains(e.remedy, kIds[1])) << e.remedy;
  EXPECT_FALSE(contains(e.remedy, kIds[0])) << e.remedy;
}

TEST(SelectRun, an_age_beyond_the_oldest_is_missing_and_no_age_is_a_wrong_request) {
  EXPECT_EQ(kind_of("@4"), Error::Kind::missing);
  EXPECT_EQ(select_run("last", {}).error().kind, Error::Kind::missing);
  for (const char* word : {"", "@", "@0", "@-1", "@x", "@1x"}) EXPECT_EQ(kind_of(word), Error::Kind::usage) << word;
}

}  // namespace
}  // namespace gramwatt::ledger
