#include "job/fetcher.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace gramwatt::job {

struct Fetcher::State {
  std::mutex mutex;
  std::condition_variable changed;
  bool ending = false;
  bool asking = true;  ///< the first round counts from the start
  std::vector<std::string> failed;
};

Fetcher::Fetcher(std::function<std::vector<std::string>()> fetch, std::chrono::milliseconds every)
    : state_(std::make_shared<State>()) {
  std::thread([state = state_, fetch = std::move(fetch), every] {
    for (;;) {
      auto failed = fetch();
      std::unique_lock lock(state->mutex);
      state->failed = std::move(failed);
      state->asking = false;
      state->changed.notify_all();
      if (state->changed.wait_for(lock, every, [&] { return state->ending; })) return;
      state->asking = true;
    }
  }).detach();
}

Fetcher::~Fetcher() { (void)end(std::chrono::milliseconds(0)); }

Fetcher::Outcome Fetcher::end(std::chrono::milliseconds patience) {
  std::unique_lock lock(state_->mutex);
  state_->ending = true;
  state_->changed.notify_all();
  const bool in_time = state_->changed.wait_for(lock, patience, [this] { return !state_->asking; });
  return {in_time, state_->failed};
}

}  // namespace gramwatt::job
