#pragma once
// The markers of one run: read at its ticks, weighed by its meter, told in its record.
//
//   program ─ mark_buffers ─► meter::Regions ─► regions of the record
//
// A run whose program uses none pays one system call a tick. The first marker makes the run look closely from then
// on (ten times a second), because what is read once a second could not tell much about parts of a program.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "job/mark_buffers.hpp"
#include "ledger/record.hpp"
#include "meter/meter.hpp"
#include "meter/regions.hpp"

namespace gramwatt::job {

/// Single-threaded. Nothing here fails: without shared memory there are no markers, and a note says why.
class Markers {
 public:
  /// Makes the shared memory; before the program starts.
  Markers(const std::string& run_id, const Roots& roots, const Clock& clock);

  /// Hangs up (POLLHUP) when the program is about to use markers; -1: it does, or ticks find out.
  [[nodiscard]] int fd() const { return buffers_ ? buffers_->bell_fd() : -1; }

  /// To be called after each sample of the meter. `bell_rang`: poll(2) says something of `fd`. True: the program uses markers,
  /// and wants to be looked at closely.
  [[gnu::hot]] [[nodiscard]] bool tick(const meter::Meter& meter, bool bell_rang);

  /// To be called for each interval that closed, after `tick`.
  void settle(const Interval& interval, const meter::Meter& meter);

  /// After the meter has finished and its last interval was settled: regions, marks, and what was lost.
  void finish(const std::vector<Channel>& channels, ledger::RunRecord& record);

 private:
  std::optional<MarkBuffers> buffers_;
  std::string problem_;  ///< why there are no buffers
  std::optional<meter::Regions> regions_;
  std::vector<meter::MarkEvent> events_;
  bool used_ = false;
};

/// What was summed by name, as the record tells it; `names` gives a name's text.
void tell_regions(const meter::Regions& sums, const std::vector<Channel>& channels,
                  const std::function<std::string(std::uint32_t)>& names, ledger::RunRecord& record);

}  // namespace gramwatt::job
