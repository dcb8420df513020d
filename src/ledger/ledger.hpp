#pragma once
// The ledger: what has been measured so far. One SQLite file, one row a run, intervals packed in blobs. See ledger.cpp.

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/account.hpp"
#include "base/error.hpp"
#include "ledger/record.hpp"

namespace gramwatt::ledger {

struct Filter {
  std::optional<std::string> project, stage, name;
  std::map<std::string, std::string> tags;
  Nanoseconds since{};   ///< started at or after
  std::size_t limit = 0; ///< newest first; 0 = all
};

class Ledger {
 public:
  /// Opens, makes or migrates. A foreign, damaged or unwritable file is an Error with a remedy and is left untouched.
  [[nodiscard]] static Result<Ledger> open(const std::filesystem::path& path);
  /// For reading only: works on a read-only file or folder. A missing file is an empty ledger.
  [[nodiscard]] static Result<Ledger> open_read_only(const std::filesystem::path& path);
  Ledger(Ledger&&) noexcept;
  Ledger& operator=(Ledger&&) noexcept;
  ~Ledger();

  /// Writes the row of a run that starts now. `owner_pid` and its start time tell later whether it still lives.
  [[nodiscard]] Result<void> begin(const RunRecord& record, std::span<const Channel> channels);
  /// Appends closed intervals (one commit). Never falls behind: old seconds are merged into minutes on long runs.
  [[nodiscard]] Result<void> append(const std::string& id, std::span<const Interval> intervals);
  /// Replaces the row with the finished record.
  [[nodiscard]] Result<void> finish(const RunRecord& record);
  /// Forces what was written to the disk (at most once a minute is enough).
  [[nodiscard]] Result<void> sync();

  /// Rows marked running whose process is gone become `interrupted`; what they had measured is kept. Returns their ids.
  [[nodiscard]] Result<std::vector<std::string>> mark_interrupted();

  [[nodiscard]] Result<std::vector<RunRecord>> list(const Filter& filter = {}) const;
  /// By id, unique prefix or suffix of an id, or "last"/"@1" (newest), "@2" …; kind `missing` or `usage` (ambiguous) otherwise.
  [[nodiscard]] Result<RunRecord> get(std::string_view id_or_prefix) const;
  [[nodiscard]] Result<std::vector<Channel>> channels(const std::string& id) const;
  [[nodiscard]] Result<std::vector<Interval>> intervals(const std::string& id) const;
  [[nodiscard]] Result<void> set_tags(const std::string& id, const std::map<std::string, std::string>& tags);
  [[nodiscard]] Result<void> remove(const std::string& id);

 private:
  struct Impl;
  explicit Ledger(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// --ledger, else GRAMWATT_LEDGER, else XDG data home / gramwatt / ledger.db.
[[nodiscard]] std::filesystem::path default_path();

}  // namespace gramwatt::ledger
