#include "sense/side_poll.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>

#include "sense/board_input.hpp"

namespace gramwatt::sense {
namespace {

using std::chrono::milliseconds;

class Counting final : public SidePoll::Client {
 public:
  explicit Counting(Nanoseconds every) : every_(every) {}
  Nanoseconds poll(const Clock&) override {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    const std::scoped_lock lock(mutex_);
    takes_signals = sigismember(&mask, SIGTERM) == 0;
    ++polls_;
    changed_.notify_all();
    return every_;
  }
  void wait_for(int polls) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return polls_ >= polls; });
  }
  [[nodiscard]] int polls() {
    const std::scoped_lock lock(mutex_);
    return polls_;
  }
  bool takes_signals = true;

 private:
  Nanoseconds every_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int polls_ = 0;
};

TEST(SidePoll, PollsEachClientWhenItWants) {
  VirtualClock clock{std::chrono::seconds(1)};
  SidePoll side(clock, SidePoll::Mode::by_hand);
  Counting fast(milliseconds(10)), slow(milliseconds(100));
  side.add(fast);
  side.add(slow);
  for (int ms = 0; ms < 1000; ms += 5) {
    (void)side.run_due();
    clock.advance(milliseconds(5));
  }
  EXPECT_EQ(fast.polls(), 100);
  EXPECT_EQ(slow.polls(), 10);
}

TEST(SidePoll, ItsThreadTakesNoSignalsAndPollsNoMoreAfterRemoval) {
  const SystemClock clock;
  Counting client(milliseconds(1));
  SidePoll side(clock);
  side.add(client);
  client.wait_for(3);
  side.remove(client);
  EXPECT_FALSE(client.takes_signals);
  const int polls = client.polls();
  Counting other(milliseconds(1));
  side.add(other);
  other.wait_for(5);
  EXPECT_EQ(client.polls(), polls);
  side.remove(other);
}

TEST(BoardInput, SamplesOfBothThreadsComeOnceAndInOrder) {
  const SystemClock clock;
  auto side = std::make_shared<SidePoll>(clock);
  std::atomic<std::uint64_t> count{0};
  BoardReader reader;
  reader.counter = [&](RawSample& s) -> Result<void> {
    s.values[kNvidiaEnergy] = ++count;
    return {};
  };
  BoardInput input(reader, {}, side);
  std::uint64_t last = 0, seen = 0;
  Nanoseconds at{};
  while (last < 200) {
    const auto samples = input.samples(clock);
    ASSERT_TRUE(samples);
    for (const RawSample& s : *samples) {
      EXPECT_GT(s.values[kNvidiaEnergy], last);
      EXPECT_GT(s.at.monotonic, at);
      last = s.values[kNvidiaEnergy];
      at = s.at.monotonic;
      ++seen;
    }
  }
  EXPECT_GT(seen, 100U);
}

TEST(BoardInput, ASlowCounterIsReadBySidePollsAndAtTheEndOnly) {
  VirtualClock clock{std::chrono::seconds(1)};
  auto side = std::make_shared<SidePoll>(clock, SidePoll::Mode::by_hand);
  int counter_calls = 0, power_calls = 0;
  BoardReader reader;
  reader.counter_cost = milliseconds(10);
  reader.counter = [&](RawSample& s) -> Result<void> {
    s.values[kNvidiaEnergy] = static_cast<std::uint64_t>(++counter_calls);
    return {};
  };
  reader.power = [&](RawSample& s) -> Result<void> {
    s.values[kNvidiaInstant] = static_cast<std::uint64_t>(++power_calls);
    return {};
  };
  BoardInput input(reader, {}, side);
  for (int tick = 0; tick < 10; ++tick) {
    ASSERT_TRUE(input.samples(clock));
    clock.advance(milliseconds(100));
  }
  EXPECT_EQ(counter_calls, 0);
  EXPECT_EQ(power_calls, 10);
  (void)side->run_due();
  EXPECT_EQ(counter_calls, 1);
  const auto last = input.samples_until_now(clock);
  ASSERT_TRUE(last);
  EXPECT_EQ(counter_calls, 2);
  EXPECT_TRUE(last->back().has(kNvidiaEnergy));
}

TEST(BoardInput, SidePollsOfASlowCounterTakeAThousandthOfTheTime) {
  VirtualClock clock{std::chrono::seconds(1)};
  auto side = std::make_shared<SidePoll>(clock, SidePoll::Mode::by_hand);
  int calls = 0;
  std::uint64_t value = 0;
  BoardReader reader;
  reader.counter_cost = std::chrono::microseconds(200);
  reader.counter = [&](RawSample& s) -> Result<void> {
    ++calls;
    s.values[kNvidiaEnergy] = value = static_cast<std::uint64_t>(clock.now().monotonic / milliseconds(100));
    return {};
  };
  BoardInput input(reader, {}, side);
  (void)input.samples(clock);
  for (int ms = 0; ms < 100'000; ms += 1) {
    (void)side->run_due();
    clock.advance(milliseconds(1));
    if (ms % 100 == 0) (void)input.samples(clock);
  }
  // 100 s at one call every 200 ms, and what the timing of edges takes.
  EXPECT_GT(calls, 490);
  EXPECT_LT(calls, 750);
}

}  // namespace
}  // namespace gramwatt::sense
