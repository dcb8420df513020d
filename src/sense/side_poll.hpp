#pragma once
// One thread beside the sampling thread, for reads that are slow or that must come at their own instants.
//
// The sampling thread wakes ten times a second, serves every sensor and the program's signals, and must not stand still: an
// NVML energy counter that takes 2.4 ms (6.6 at worst; public measurement on driver 610) does not belong there. Nor can it wake
// every 5 ms for the few moments in which a counter's steps are timed. Both are done here, by one thread that all such inputs
// share. It starts with the first client, which is after gramwatt has forked the program, takes no signal, and sleeps between
// polls; each client says after a poll when it wants the next one.
//
// Thread safety: add, remove and run_due from any thread; `poll` of one client never runs twice at once, and never after
// `remove` has returned.

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.hpp"

namespace gramwatt::sense {

class SidePoll {
 public:
  class Client {
   public:
    virtual ~Client() = default;
    /// Reads; the time until it wants to read again.
    [[nodiscard]] virtual Nanoseconds poll(const Clock& clock) = 0;
  };
  enum class Mode { thread, by_hand };

  /// `clock` outlives the object. `by_hand`: no thread; somebody calls run_due.
  explicit SidePoll(const Clock& clock, Mode mode = Mode::thread) : clock_(clock), mode_(mode) {}
  ~SidePoll();
  SidePoll(const SidePoll&) = delete;
  SidePoll& operator=(const SidePoll&) = delete;

  /// Polls it as soon as may be, and then as it wishes.
  void add(Client& client);
  void remove(Client& client);

  /// Polls whoever is due. When the next one is, on the monotonic clock; the far future without clients.
  Nanoseconds run_due();

 private:
  void work();
  [[nodiscard]] Nanoseconds poll_due();

  struct Entry {
    Client* client;
    Nanoseconds due;
  };
  const Clock& clock_;
  Mode mode_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Entry> clients_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace gramwatt::sense
