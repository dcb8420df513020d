#pragma once
// The ledger's own thread: the sampling thread never waits for a disk.

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/account.hpp"
#include "ledger/ledger.hpp"

namespace gramwatt::job {

/// Writes one run: begins it, keeps closed intervals in the ledger's tail as they come (one write each, in the thread that
/// pushes), appends them once a minute and forces them to the disk, and finishes it. Where there is no tail, every push is a
/// commit. What fails is remembered and told at the end; it never disturbs the run.
class LedgerWriter {
 public:
  /// `prepare` runs first, in the new thread, and gives the record to begin with (it may read files or ask a cloud's metadata).
  /// No path: nothing is written, only `prepare` runs.
  LedgerWriter(std::optional<std::filesystem::path> path, std::vector<Channel> channels,
               std::function<ledger::RunRecord()> prepare);
  ~LedgerWriter();
  LedgerWriter(const LedgerWriter&) = delete;
  LedgerWriter& operator=(const LedgerWriter&) = delete;

  /// Does not wait; wakes the ledger's thread once a minute (where there is no tail, every time).
  void push(std::vector<Interval> intervals);

  /// Blocks until `prepare` has run; the record that it gave.
  [[nodiscard]] const ledger::RunRecord& begun();
  /// True once `begun` would not block.
  [[nodiscard]] bool has_begun();

  /// Writes the finished record and waits for the thread. The first error that occurred, if any.
  [[nodiscard]] std::optional<Error> finish(const ledger::RunRecord& record);

 private:
  void work();
  void note(const Result<void>& result);

  std::optional<std::filesystem::path> path_;
  std::vector<Channel> channels_;
  std::function<ledger::RunRecord()> prepare_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<ledger::RunRecord> begun_, finished_;
  std::vector<Interval> waiting_;         ///< not yet appended; the tail holds them too
  std::optional<ledger::Tail> tail_;      ///< from `begin` on
  std::optional<Nanoseconds> committed_;  ///< end of what was appended since the tail was last told
  bool commit_now_ = false;
  bool ending_ = false;
  std::optional<Error> error_;
  std::thread thread_;
};

}  // namespace gramwatt::job
