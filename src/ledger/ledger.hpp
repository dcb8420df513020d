#pragma once
// The ledger: what has been measured so far. One SQLite file, one row a run, intervals packed in blobs. See ledger.cpp.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/account.hpp"
#include "base/error.hpp"
#include "ledger/job_record.hpp"
#include "ledger/owner.hpp"
#include "ledger/record.hpp"
#include "ledger/tail.hpp"

namespace gramwatt::ledger {

struct Filter {
  std::optional<std::string> project{}, stage{}, name{};
  std::map<std::string, std::string> tags{};  ///< all of them
  Nanoseconds since{};                        ///< started at or after; 0 = always
  std::size_t limit = 0;                      ///< newest first; 0 = all
};

/// What a ledger asks of the machine it is on. Tests give their own answers; what is left empty is asked of the real machine.
struct Surroundings {
  std::string host{};                                                     ///< else gethostname(2)
  std::function<bool(const std::filesystem::path&)> is_network_folder{};  ///< else statfs(2)
  std::function<bool(const Owner&)> is_alive{};                           ///< else /proc
};

/// Not thread safe: one thread a Ledger. Any number of Ledgers, threads and processes may use the same file.
class Ledger {
 public:
  /// Opens, makes or upgrades; folders are made too. A foreign, damaged or unwritable file is an Error with a remedy and is
  /// left untouched; an empty file is taken. On a network file system every host writes a file of its own beside `path`
  /// ("ledger.db" → "ledger-HOST.db") and reads all of them; commits wait for the disk there, so append from a thread that may
  /// wait.
  [[nodiscard]] static Result<Ledger> open(const std::filesystem::path& path, Surroundings surroundings = {});
  /// For reading only: works on a read-only file or folder. A missing file is an empty ledger.
  [[nodiscard]] static Result<Ledger> open_read_only(const std::filesystem::path& path, Surroundings surroundings = {});
  Ledger(Ledger&&) noexcept;
  Ledger& operator=(Ledger&&) noexcept;
  ~Ledger();

  /// Writes the row of a run that starts now, owned by this process.
  [[nodiscard]] Result<void> begin(const RunRecord& record, std::span<const Channel> channels);
  /// Appends closed intervals (one commit, no fsync on a local disk). Old seconds are merged into minutes, and after a day into
  /// five minutes. After an Error the intervals are kept in memory and go with the next append or finish: do not pass them
  /// again (kinds `usage` and `missing`: nothing was taken).
  [[nodiscard]] Result<void> append(const std::string& id, std::span<const Interval> intervals);
  /// A place for intervals between two commits, so that commits may be a minute apart and a kill still loses nothing; read and
  /// settled with the run. Of a run that has begun here, at most one.
  [[nodiscard]] Tail open_tail(const std::string& id, std::size_t channels) const;
  /// Replaces the row with the finished record (tags set meanwhile stay); makes the row if begin had failed. What a tail holds
  /// must have been appended before.
  [[nodiscard]] Result<void> finish(const RunRecord& record);
  /// Replaces the record of a run that has ended, in the file that holds it (tags stay). Kind missing for one that is not
  /// there.
  [[nodiscard]] Result<void> update(const RunRecord& record);
  /// Forces what was written to the disk; this fsyncs. Once a minute is enough; without it a power cut loses what the kernel
  /// has not written back yet, and the log grows to 64 MiB.
  [[nodiscard]] Result<void> sync();

  /// Rows of this host marked running whose process is gone become `interrupted`: end and duration are those of the last
  /// interval, what they had measured is kept, figures are left to be settled by whoever knows the footprint. Returns their
  /// ids.
  [[nodiscard]] Result<std::vector<std::string>> mark_interrupted();

  /// Where a job stands and what has just become of it, in one commit; this process becomes the one that steers it. Call before
  /// a program is stopped, and after it was let run.
  [[nodiscard]] Result<void> write_job(JobRecord job, const JobEvent& event);
  /// Of all hosts, oldest first.
  [[nodiscard]] Result<std::vector<JobRecord>> jobs() const;
  /// By id or a part of it, as `get`.
  [[nodiscard]] Result<JobRecord> job(std::string_view id_or_part) const;
  /// Oldest first; none for runs that were never planned.
  [[nodiscard]] Result<std::vector<JobEvent>> events(const std::string& id) const;

  /// Newest first.
  [[nodiscard]] Result<std::vector<RunRecord>> list(const Filter& filter = {}) const;
  /// By id, unique prefix, unique suffix of at least 4 characters, or "last"/"@1" (newest), "@2" …; kind `missing` or `usage`
  /// (ambiguous, malformed) otherwise, with near matches in the remedy.
  [[nodiscard]] Result<RunRecord> get(std::string_view id_or_part) const;
  [[nodiscard]] Result<std::vector<Channel>> channels(const std::string& id) const;
  [[nodiscard]] Result<std::vector<Interval>> intervals(const std::string& id) const;
  /// The run has exactly these tags from now on.
  [[nodiscard]] Result<void> set_tags(const std::string& id, const std::map<std::string, std::string>& tags);
  /// Deletes all rows of the run. One that is still being written is refused.
  [[nodiscard]] Result<void> remove(const std::string& id);

  /// The file that this ledger writes, or would write.
  [[nodiscard]] const std::filesystem::path& path() const;
  /// Files of other hosts that could not be read, and why; to be said beside every list.
  [[nodiscard]] const std::vector<Error>& skipped() const;

 private:
  struct Impl;
  explicit Ledger(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// GRAMWATT_LEDGER, else XDG data home / gramwatt / ledger.db (--ledger is the command line's).
[[nodiscard]] std::filesystem::path default_path();

}  // namespace gramwatt::ledger
