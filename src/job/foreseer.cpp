#include "job/foreseer.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <mutex>
#include <thread>

#include "base/file.hpp"

namespace gramwatt::job {

struct Foreseer::State {
  Foresee foresee;
  Fd answered{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::mutex mutex;
  bool asking = false;
  std::optional<Result<Outlook>> answer;
};

Foreseer::Foreseer(Foresee foresee) : state_(std::make_shared<State>()) { state_->foresee = std::move(foresee); }

Foreseer::~Foreseer() = default;

void Foreseer::ask(grid::Window window) {
  const std::lock_guard lock(state_->mutex);
  if (std::exchange(state_->asking, true)) return;
  // No thread waits between questions: there is one an hour.
  std::thread([state = state_, window] {
    Result<Outlook> outlook = state->foresee(window);
    const std::lock_guard in_thread(state->mutex);
    state->answer = std::move(outlook);
    state->asking = false;
    const std::uint64_t one = 1;
    (void)!::write(state->answered.get(), &one, sizeof one);
  }).detach();
}

int Foreseer::fd() const { return state_->answered.get(); }

std::optional<Result<Outlook>> Foreseer::take() {
  std::uint64_t count = 0;
  (void)!::read(state_->answered.get(), &count, sizeof count);
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->answer, std::nullopt);
}

}  // namespace gramwatt::job
