// A slow source of power readings.
//
// The sampling thread must never wait for it, so it is asked from a side thread, started at the second reading: the first is
// the probe's, before the program is forked; the second the meter's, afterwards, so that no thread exists while the process
// forks. All signals are blocked in it: they are the sampling thread's.
//
// Its numbers come late and seldom. Power readings are integrated by the instants at which they were asked for, so being late
// costs nothing but the two ends of a run: at the beginning the reading of the probe is held until now, at the end a last
// answer is waited for a little, else the last one is held until now.
//
// It is not the thread of side_poll.hpp: that one keeps appointments of milliseconds, and a question that takes a second would
// make it late for them.
//
// The thread shares one object with the input. An input that goes while a question is open does not wait for the answer long:
// it lets the thread go, which ends by itself.

#include "sense/polled.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace gramwatt::sense {
namespace {

/// An answer older than this says nothing about now.
constexpr Nanoseconds kHoldNoLonger = std::chrono::seconds(10);
constexpr std::size_t kMostWaiting = 64;  ///< answers that nobody fetched; five minutes at the slowest pace

struct Shared {
  SlowRead read;
  Pace pace;
  const Clock* clock = nullptr;

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<RawSample> waiting;
  std::optional<Error> failure;  ///< of the last question
  std::uint64_t wanted = 0;      ///< questions that were ordered before their time
  std::uint64_t served = 0;
  bool stop = false, ended = false;
};

void ask_for_ever(const std::shared_ptr<Shared>& s) {
  std::unique_lock lock(s->mutex);
  while (!s->stop) {
    const std::uint64_t serving = s->wanted;
    lock.unlock();
    const auto begun = std::chrono::steady_clock::now();
    const Instant before = s->clock->now();
    const auto value = s->read();
    const Nanoseconds took = std::chrono::steady_clock::now() - begun;
    lock.lock();
    if (s->stop) break;  // nobody waits any more, and the clock may be gone
    if (value) {
      const Instant after = s->clock->now();
      RawSample sample = RawSample::of(before, {*value});
      const Nanoseconds half = elapsed(before, after) / 2;  // somewhere between question and answer
      sample.at.monotonic += half;
      sample.at.utc += half;
      if (s->waiting.size() == kMostWaiting) s->waiting.erase(s->waiting.begin());
      s->waiting.push_back(sample);
      s->failure.reset();
    } else {
      s->failure = value.error();
    }
    s->served = serving;
    s->changed.notify_all();
    const auto pause = std::clamp(Nanoseconds(std::llround(static_cast<double>(took.count()) / s->pace.most_of_the_time)),
                                  s->pace.shortest, s->pace.longest);
    s->changed.wait_for(lock, pause, [&] { return s->stop || s->wanted != s->served; });
  }
  s->ended = true;
  s->changed.notify_all();
}

class Polled final : public RawInput {
 public:
  Polled(SlowRead read, const Pace& pace) : shared_(std::make_shared<Shared>()) {
    shared_->read = std::move(read);
    shared_->pace = pace;
    shared_->waiting.reserve(kMostWaiting);
    given_.reserve(kMostWaiting + 1);
  }
  ~Polled() override {
    if (!thread_.joinable()) return;
    std::unique_lock lock(shared_->mutex);
    shared_->stop = true;
    shared_->changed.notify_all();
    const bool ended = shared_->changed.wait_for(lock, shared_->pace.patience, [&] { return shared_->ended; });
    lock.unlock();
    if (ended) thread_.join();
    else thread_.detach();
  }
  Polled(const Polled&) = delete;
  Polled& operator=(const Polled&) = delete;

  [[nodiscard]] Result<std::span<const RawSample>> samples(const Clock& clock) override {
    if (shared_->clock == nullptr) return first(clock);
    given_.clear();
    if (!thread_.joinable()) {
      start();
      hold(clock);
      return std::span<const RawSample>(given_);
    }
    const std::lock_guard lock(shared_->mutex);
    return fetch();
  }

  [[nodiscard]] Result<std::span<const RawSample>> samples_until_now(const Clock& clock) override {
    if (shared_->clock == nullptr || !thread_.joinable()) return samples(clock);
    given_.clear();
    std::unique_lock lock(shared_->mutex);
    const std::uint64_t order = ++shared_->wanted;
    shared_->changed.notify_all();
    shared_->changed.wait_for(lock, shared_->pace.patience, [&] { return shared_->served >= order; });
    auto fetched = fetch();
    lock.unlock();
    if (!fetched) return fetched;
    hold(clock);
    return std::span<const RawSample>(given_);
  }

 private:
  Result<std::span<const RawSample>> first(const Clock& clock) {
    const auto value = shared_->read();
    if (!value) return tl::unexpected(value.error());
    shared_->clock = &clock;
    last_ = RawSample::of(clock.now(), {*value});
    return std::span<const RawSample>(&*last_, 1);
  }

  void start() {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread(ask_for_ever, shared_);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  /// With the lock held.
  Result<std::span<const RawSample>> fetch() {
    for (const RawSample& sample : shared_->waiting) {  // what was held already covers the time before it
      if (!last_ || elapsed(last_->at, sample.at) > Nanoseconds{0}) given_.push_back(sample);
    }
    shared_->waiting.clear();
    if (given_.empty() && shared_->failure) return tl::unexpected(*shared_->failure);
    if (!given_.empty()) last_ = given_.back();
    return std::span<const RawSample>(given_);
  }

  /// The last reading once more, as if it were of now.
  void hold(const Clock& clock) {
    const Instant now = clock.now();
    if (!last_ || elapsed(last_->at, now) > kHoldNoLonger || elapsed(last_->at, now) <= Nanoseconds{0}) return;
    last_->at = now;
    given_.push_back(*last_);
  }

  std::shared_ptr<Shared> shared_;
  std::vector<RawSample> given_;
  std::optional<RawSample> last_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<RawInput> polled(SlowRead read, const Pace& pace) { return std::make_unique<Polled>(std::move(read), pace); }

}  // namespace gramwatt::sense
