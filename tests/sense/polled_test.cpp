// A slow source, asked from a side thread. Every wait here is for an event; no test looks at how long anything took.
#include "sense/polled.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace gramwatt::sense {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A source that answers when it is let, and remembers who asked.
class Source : public std::enable_shared_from_this<Source> {
 public:
  /// Keeps the source alive: a thread that was let go may still ask.
  SlowRead reader() {
    return [self = shared_from_this()] { return self->answer(); };
  }
  void set(std::uint64_t value, bool failing = false) {
    const std::lock_guard lock(mutex_);
    value_ = value;
    failing_ = failing;
  }
  void let_answer(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }
  void wait_until_asked(int times) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_ >= times; });
  }
  int asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  std::thread::id asker() {
    const std::lock_guard lock(mutex_);
    return asker_;
  }
  bool takes_signals() {
    const std::lock_guard lock(mutex_);
    return takes_signals_;
  }

 private:
  Result<std::uint64_t> answer() {
    std::unique_lock lock(mutex_);
    ++asked_;
    asker_ = std::this_thread::get_id();
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    takes_signals_ = sigismember(&blocked, SIGTERM) == 0;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    if (failing_) return fail("the controller is gone");
    return value_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t value_ = 100;
  bool failing_ = false, open_ = true, takes_signals_ = true;
  int asked_ = 0;
  std::thread::id asker_;
};

constexpr Pace kOnlyWhenOrdered{.shortest = hours(1), .longest = hours(1), .patience = seconds(20)};

std::vector<std::uint64_t> values(const Result<std::span<const RawSample>>& samples) {
  std::vector<std::uint64_t> all;
  if (samples) {
    for (const RawSample& s : *samples) all.push_back(s.values[0]);
  }
  return all;
}

TEST(Polled, TheFirstQuestionIsAskedByTheCallerAndTheThreadComesWithTheSecondReading) {
  const auto source = std::make_shared<Source>();
  const SystemClock clock;
  const auto input = polled(source->reader(), kOnlyWhenOrdered);
  EXPECT_EQ(source->asked(), 0);
  EXPECT_THAT(values(input->samples(clock)), ::testing::ElementsAre(100));
  EXPECT_EQ(source->asker(), std::this_thread::get_id());
  EXPECT_THAT(values(input->samples(clock)), ::testing::ElementsAre(100)) << "held until now";
  source->wait_until_asked(2);
  EXPECT_NE(source->asker(), std::this_thread::get_id());
  EXPECT_FALSE(source->takes_signals());
}

TEST(Polled, AFailureOfTheFirstQuestionIsTold) {
  const auto source = std::make_shared<Source>();
  source->set(0, true);
  const SystemClock clock;
  const auto first = polled(source->reader(), kOnlyWhenOrdered)->samples(clock);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().what, "the controller is gone");
}

TEST(Polled, ReadingNeverWaitsForAnAnswer) {
  const auto source = std::make_shared<Source>();
  const SystemClock clock;
  const auto input = polled(source->reader(), kOnlyWhenOrdered);
  (void)input->samples(clock);
  source->let_answer(false);
  (void)input->samples(clock);
  source->wait_until_asked(2);  // and it hangs there
  EXPECT_THAT(values(input->samples(clock)), ::testing::IsEmpty());
  source->let_answer(true);
}

TEST(Polled, TheEndOfARunIsAnAnswerOfNow) {
  const auto source = std::make_shared<Source>();
  const SystemClock clock;
  const auto input = polled(source->reader(), kOnlyWhenOrdered);
  (void)input->samples(clock);
  (void)input->samples(clock);
  source->wait_until_asked(2);
  source->set(250);
  const auto last = values(input->samples_until_now(clock));
  ASSERT_FALSE(last.empty());
  EXPECT_EQ(last.back(), 250U);
}

TEST(Polled, SamplesComeInOrderOfTime) {
  const auto source = std::make_shared<Source>();
  const SystemClock clock;
  const auto input = polled(source->reader(), kOnlyWhenOrdered);
  Nanoseconds last{};
  for (int i = 0; i < 20; ++i) {
    const auto samples = i % 3 == 2 ? input->samples_until_now(clock) : input->samples(clock);
    ASSERT_TRUE(samples);
    for (const RawSample& s : *samples) {
      EXPECT_GE(s.at.monotonic, last);
      last = s.at.monotonic;
    }
  }
}

TEST(Polled, ASourceThatFailsIsAnErrorUntilItAnswersAgain) {
  const auto source = std::make_shared<Source>();
  const SystemClock clock;
  const auto input = polled(source->reader(), kOnlyWhenOrdered);
  (void)input->samples(clock);
  (void)input->samples(clock);
  source->wait_until_asked(2);
  (void)input->samples_until_now(clock);
  source->set(0, true);
  EXPECT_FALSE(input->samples_until_now(clock));
  EXPECT_FALSE(input->samples(clock));
  source->set(300);
  EXPECT_THAT(values(input->samples_until_now(clock)), ::testing::Contains(300));
}

TEST(Polled, AnInputThatGoesDoesNotWaitForASourceThatHangs) {
  const auto source = std::make_shared<Source>();
  const SystemClock clock;
  {
    const auto input = polled(source->reader(), {.patience = milliseconds(1)});
    (void)input->samples(clock);
    source->let_answer(false);
    (void)input->samples(clock);
    source->wait_until_asked(2);
  }  // would never end
  source->let_answer(true);
}

}  // namespace
}  // namespace gramwatt::sense
