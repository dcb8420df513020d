#include "sense/side_poll.hpp"

#include <csignal>

#include <algorithm>

namespace gramwatt::sense {
namespace {

constexpr Nanoseconds kFarFuture = Nanoseconds::max();
constexpr Nanoseconds kLongestNap = std::chrono::hours(1);

}  // namespace

SidePoll::~SidePoll() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SidePoll::add(Client& client) {
  const std::scoped_lock lock(mutex_);
  clients_.push_back({&client, clock_.now().monotonic});
  if (mode_ == Mode::thread && !thread_.joinable()) {
    // The signals are the sampling thread's.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { work(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  changed_.notify_all();
}

void SidePoll::remove(Client& client) {
  const std::scoped_lock lock(mutex_);  // a poll holds it: none runs from here on
  std::erase_if(clients_, [&](const Entry& e) { return e.client == &client; });
}

Nanoseconds SidePoll::run_due() {
  const std::scoped_lock lock(mutex_);
  return poll_due();
}

Nanoseconds SidePoll::poll_due() {
  Nanoseconds next = kFarFuture;
  for (Entry& e : clients_) {
    if (e.due <= clock_.now().monotonic) {
      const Nanoseconds delay = std::max(e.client->poll(clock_), Nanoseconds{1});
      e.due = clock_.now().monotonic + delay;
    }
    next = std::min(next, e.due);
  }
  return next;
}

void SidePoll::work() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const Nanoseconds next = poll_due();
    const Nanoseconds now = clock_.now().monotonic;
    // wait_for counts on the monotonic clock.
    if (next > now) changed_.wait_for(lock, next == kFarFuture ? kLongestNap : std::min(next - now, kLongestNap));
  }
}

}  // namespace gramwatt::sense
