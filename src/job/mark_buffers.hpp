#pragma once
// The shared memory through which a measured program says where it is, as gramwatt sees it. See mark_buffers.cpp.

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/system.hpp"
#include "meter/regions.hpp"

namespace gramwatt::job {

/// What the times of events count; see mark/protocol.h.
enum class MarkClock : std::uint32_t { monotonic = 0, counter = 1 };

/// The processor's counter where the kernel keeps its own time by it, so that it is steady and the same on all processors.
[[nodiscard]] MarkClock mark_clock(const Roots& roots);

/// The name of the shared memory of a run.
[[nodiscard]] std::string mark_path(const std::string& run_id);

/// Thread safety: one thread uses an object; any number of threads of any number of processes write.
class MarkBuffers {
 public:
  /// Makes the file of this run (mode 0600), or says why not.
  [[nodiscard]] static Result<MarkBuffers> make(const std::string& run_id, MarkClock kind, const Clock& clock);
  /// Takes this file as it is, whatever is in it.
  MarkBuffers(Fd file, MarkClock kind, const Clock& clock);
  MarkBuffers(MarkBuffers&&) noexcept = default;
  MarkBuffers& operator=(MarkBuffers&&) = delete;
  ~MarkBuffers();

  /// Hangs up (POLLHUP) once a program has attached; -1 after `attached` has told, and where there is no such thing.
  [[nodiscard]] int bell_fd() const { return bell_.get(); }
  /// Has a program attached? One poll(2) as long as none has.
  [[nodiscard]] bool attached();

  /// Adds what was written since the last call to `out`, each thread's events in their order. Never waits; bounded by the size
  /// of the rings, whatever the program wrote.
  void drain(std::vector<meter::MarkEvent>& out);

  /// The text of a name, on one line.
  [[nodiscard]] std::string name(std::uint32_t id) const;

  /// Events that found no room, as the program counted them.
  [[nodiscard]] std::uint64_t dropped() const;
  /// Events, and whole rings, that made no sense.
  [[nodiscard]] std::uint64_t damaged() const { return damaged_; }

 private:
  struct Ring {
    std::uint64_t tail = 0;
    std::uint64_t dropped = 0;
    Nanoseconds last{};
  };
  /// One instant on both clocks.
  struct Anchor {
    std::uint64_t time = 0;
    Nanoseconds at{};
  };

  bool look_at_header();
  [[nodiscard]] Anchor look_at_clocks() const;
  void drain_ring(std::size_t index);
  [[nodiscard]] Nanoseconds when(std::uint64_t time) const;
  [[nodiscard]] bool read_at(void* into, std::size_t size, std::uint64_t offset) const;

  Fd file_, bell_;
  bool attached_ = false;
  std::string path_;  ///< to remove at the end; empty: not ours
  MarkClock kind_;
  const Clock* clock_;
  std::vector<Ring> rings_;
  std::deque<Anchor> anchors_;
  std::uint64_t refused_ = 0, damaged_ = 0;
  struct Raw {
    std::uint64_t time = 0, what = 0;
    std::uint32_t ring = 0;
  };
  std::vector<Raw> raw_;
};

/// Removes the shared memory of a run that was killed.
void remove_marks(const std::string& run_id);

}  // namespace gramwatt::job
