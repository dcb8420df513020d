#pragma once
// Which runs are on this machine now? They share what it draws while idle.
//
// Two runs at the same time on one machine must not both pay all of its idle power. A page of shared memory, one for the
// machine, has a slot for each run: process id and start time, which together name a process for ever. Counting the slots is a
// look at memory, cheap enough for every tick; slots of the dead are cleared once a second. Nothing breaks when the page is not
// to be had (another file system, a hostile file in its place): a run then counts itself only.
//
// Thread safety: one thread uses an object; any number of processes share the page.

#include <cstdint>
#include <string>

#include "base/clock.hpp"

namespace gramwatt::job {

class RunRegistry {
 public:
  /// `name`: of the POSIX shared memory object.
  explicit RunRegistry(const std::string& name = "/gramwatt-runs-1");
  ~RunRegistry();
  RunRegistry(const RunRegistry&) = delete;
  RunRegistry& operator=(const RunRegistry&) = delete;

  /// Takes a slot for this process.
  void enter();
  void leave();

  /// Independent runs that are on now, this one included; at least 1.
  [[gnu::hot]] [[nodiscard]] int sharers(Nanoseconds monotonic);

 private:
  void clear_dead();
  void find_scanned();

  struct Page;
  Page* page_ = nullptr;
  std::uint64_t mine_ = 0;
  int slot_ = -1;
  std::size_t scanned_ = 0;  ///< slots that a look has to see
  Nanoseconds next_check_{};
};

}  // namespace gramwatt::job
