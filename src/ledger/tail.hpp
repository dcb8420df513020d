#pragma once
// What a run has measured since its last commit, in memory that outlives a killed process. See tail.cpp.

#include <cstddef>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/account.hpp"
#include "base/error.hpp"
#include "base/file.hpp"

namespace gramwatt::ledger {

/// The tail of one run. Not thread safe, and independent of the Ledger that gave it: it may be used in another thread.
class Tail {
 public:
  /// Makes a shared memory object of this name (mode 0600). When that fails, every push says false.
  Tail(const std::string& name, std::size_t channels);
  /// Writes into this file.
  Tail(Fd file, std::size_t channels);

  /// Adds an interval: one write to memory. False: it is not kept here (no memory, too many already), so commit it now.
  [[nodiscard]] bool push(const Interval& interval);
  /// Drops what ended at or before this instant of the monotonic clock, because a commit has taken it; later, with what another
  /// commit takes, when too much has come since to be rewritten in one piece.
  void forget(Nanoseconds committed);
  /// Intervals pushed and not forgotten.
  [[nodiscard]] std::size_t count() const { return entries_.size(); }

 private:
  struct Entry {
    Nanoseconds end;  ///< monotonic
    std::string bytes;
  };

  std::size_t channels_;
  Fd file_;
  std::size_t size_ = 0;  ///< of what is valid in the file
  std::deque<Entry> entries_;
};

/// The shared memory object of run `id`'s tail; empty when there is no such ledger.
[[nodiscard]] std::string tail_name(const std::filesystem::path& ledger, const std::string& id);

/// Removes it, if there is one.
void remove_tail(const std::filesystem::path& ledger, const std::string& id);

/// The intervals of a tail, oldest first, up to the first damaged one; none when there is none. Never fails: what
/// cannot be read is not there.
[[nodiscard]] std::vector<Interval> read_tail(const std::filesystem::path& ledger, const std::string& id);
[[nodiscard]] std::vector<Interval> parse_tail(std::string_view bytes);

/// `committed`, and what lies behind it in a tail that was read BEFORE it: whatever a writer committed and forgot in between,
/// nothing is missing then and nothing is there twice.
[[nodiscard]] std::vector<Interval> with_tail(std::vector<Interval> committed, const std::vector<Interval>& tail);

}  // namespace gramwatt::ledger
