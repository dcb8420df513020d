// How big a long run becomes and what a short one costs. Sizes are asserted; times are printed, because they depend on the
// machine (run alone: test_ledger --gtest_filter='LedgerCost*').
#include <gtest/gtest.h>

#include <time.h>

#include <algorithm>
#include <iostream>

#include "fakes/temp_tree.hpp"
#include "ledger/ledger.hpp"
#include "ledger/make.hpp"

namespace gramwatt::ledger {
namespace {

using testing::TempTree;

double cpu_ms() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}

void thirty_days(std::size_t channels) {
  const TempTree t;
  Ledger l = std::move(Ledger::open(t / "ledger.db").value());
  ASSERT_TRUE(l.begin(make::run("01A"), make::channels(channels)));
  constexpr std::int64_t kSeconds = 30LL * 24 * 3600;
  for (std::int64_t s = 0; s < kSeconds; s += 600) {
    ASSERT_TRUE(l.append("01A", make::intervals(s, s + 600, channels)));
    if (s % 36000 == 0) {
      ASSERT_TRUE(l.sync());
    }
  }
  ASSERT_TRUE(l.sync());
  const auto size = std::filesystem::file_size(t / "ledger.db");
  const double before = cpu_ms();
  const auto kept = l.intervals("01A");
  const double took = cpu_ms() - before;
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(elapsed(kept->front().start, kept->back().end), std::chrono::seconds(kSeconds));
  std::cout << "30 days of seconds, " << channels << " channels: " << size / 1000 << " kB, " << kept->size()
            << " intervals read in " << took << " ms\n";
  EXPECT_LT(size, 2'000'000U);
}

TEST(LedgerCost, thirty_days_stay_below_two_megabytes) { thirty_days(1); }
TEST(LedgerCost, thirty_days_of_eight_devices_too) { thirty_days(8); }

TEST(LedgerCost, a_short_run_and_an_append) {
  const TempTree t;
  constexpr int kRuns = 100;
  std::vector<double> opening, whole;
  for (int k = 0; k < kRuns; ++k) {
    RunRecord r = make::run("01A" + std::to_string(1000 + k));
    r.energy.components.resize(2);
    for (auto* e : {&r.energy.total, &r.energy.active, &r.energy.idle, &r.energy.facility, &r.energy.machine}) {
      for (int i = 0; i < 8; ++i) e->terms["source-of-error-" + std::to_string(i)] = {-0.1, 0.2};
    }
    const double start = cpu_ms();
    {
      Ledger l = std::move(Ledger::open(t / "ledger.db").value());
      opening.push_back(cpu_ms() - start);
      ASSERT_TRUE(l.begin(r, make::channels(2)));
      r.state = State::finished;
      ASSERT_TRUE(l.append(r.id, make::intervals(0, 1, 2)));
      ASSERT_TRUE(l.finish(r));
    }
    whole.push_back(cpu_ms() - start);
  }
  const auto median = [](std::vector<double> v) {
    std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
    return v[v.size() / 2];
  };
  std::cout << "open: " << median(opening) << " ms CPU; open + begin + append + finish + close: " << median(whole)
            << " ms CPU (worst " << *std::max_element(whole.begin(), whole.end()) << ")\n";
  EXPECT_LT(std::filesystem::file_size(t / "ledger.db-wal"), 1'500'000U) << "the log is folded now and then";

  Ledger l = std::move(Ledger::open(t / "ledger.db").value());
  ASSERT_TRUE(l.begin(make::run("01B"), make::channels(2)));
  const double before = cpu_ms();
  for (std::int64_t i = 0; i < 3000; ++i) ASSERT_TRUE(l.append("01B", make::intervals(i, i + 1, 2)));
  std::cout << "append: " << (cpu_ms() - before) / 3000 * 1e3 << " us CPU\n";
}

}  // namespace
}  // namespace gramwatt::ledger
