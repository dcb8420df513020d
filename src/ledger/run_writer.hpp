#pragma once
// Writes runs into one database: rows, channels, and intervals as they close. See run_writer.cpp.

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/account.hpp"
#include "base/error.hpp"
#include "ledger/database.hpp"
#include "ledger/interval_blob.hpp"
#include "ledger/owner.hpp"
#include "ledger/record.hpp"

namespace gramwatt::ledger {

class RunWriter {
 public:
  explicit RunWriter(Database& database) : db_(database) {}

  [[nodiscard]] Result<void> begin(const RunRecord& record, std::span<const Channel> channels, const Owner& owner);
  [[nodiscard]] Result<void> append(const std::string& id, std::span<const Interval> intervals);
  [[nodiscard]] Result<void> finish(const RunRecord& record);

 private:
  /// A blob that is not, or not wholly, in the database yet.
  struct Pending {
    std::int64_t seq;
    BlobWriter blob;
  };
  /// A run that this process writes.
  struct OpenRun {
    std::size_t channels = 0;
    std::vector<Pending> pending;  ///< the last one is the blob that grows
    std::int64_t next_seq = 0;
    bool dirty = false;     ///< pending holds what no commit has taken yet
    Nanoseconds aged_at{};  ///< UTC when old intervals were last merged
  };

  [[nodiscard]] Result<OpenRun*> open_run(const std::string& id);
  void flush(const std::string& id, OpenRun& run);
  void age(const std::string& id, OpenRun& run);
  void merge_older(const std::string& id, const OpenRun& run, std::int64_t from_s, std::int64_t to_s, Nanoseconds before);

  Database& db_;
  std::map<std::string, OpenRun> open_;
};

/// Replaces state, times, figures and record text of a row that exists; false when there is none. Throws SQLite::Exception.
bool update_row(Database& database, const RunRecord& record);

/// update_row in a transaction of its own; kind missing where there is no such row.
[[nodiscard]] Result<void> replace_record(Database& database, const RunRecord& record);

/// Appends intervals to a run that nobody writes any more, within the caller's transaction. Throws SQLite::Exception.
void append_blobs(Database& database, const std::string& id, std::span<const Interval> intervals);

/// Kind `missing`.
[[nodiscard]] tl::unexpected<Error> no_such_run(const std::string& id);

}  // namespace gramwatt::ledger
