#pragma once
// Intervals packed small: how a run of thirty days stays below 2 MB. See interval_blob.cpp.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/account.hpp"
#include "base/error.hpp"

namespace gramwatt::ledger {

/// Packs intervals one after another; what it has packed can be read at any time.
class BlobWriter {
 public:
  /// Every interval must carry exactly this many flows.
  explicit BlobWriter(std::size_t channels);
  void push(const Interval& interval);

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t channels() const { return previous_.flows.size(); }
  [[nodiscard]] Nanoseconds end_utc() const { return previous_.end.utc; }

 private:
  std::string bytes_;
  std::size_t count_ = 0;
  Interval previous_;
};

/// Appends the unpacked intervals to `out`; damaged bytes are an Error and leave `out` as it was.
[[nodiscard]] Result<void> unpack(std::string_view bytes, std::vector<Interval>& out);

/// Joins neighbours that start in the same `resolution` of UTC (a multiple of one minute: aligned to UTC minutes). Only
/// neighbours whose clocks join without a hole and that have the same number of flows are joined, so every sum (energy, CPU
/// time, elapsed time) stays what it was, to the microjoule and the nanosecond. Merging twice changes nothing.
[[nodiscard]] std::vector<Interval> merge(std::span<const Interval> intervals, Nanoseconds resolution);

}  // namespace gramwatt::ledger
