#pragma once
// One SQLite file of the ledger: recognised, opened, upgraded; and every exception of the SQLite library turned into an Error.

#include <filesystem>
#include <memory>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "base/error.hpp"

namespace SQLite {
class Database;
class Statement;
class Transaction;
}  // namespace SQLite

namespace gramwatt::ledger {

/// How commits are made safe: a write-ahead log on a local disk, a rollback journal on a network file system.
enum class Journal { write_ahead, rollback };

/// A prepared statement, lent for one use; giving it back resets it, so that no read stays open and blocks a checkpoint.
class Lent {
 public:
  explicit Lent(SQLite::Statement& s) : s_(s) {}
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent();
  SQLite::Statement* operator->() const { return &s_; }
  SQLite::Statement& operator*() const { return s_; }

 private:
  SQLite::Statement& s_;
};

/// Not thread safe; other processes and other connections may use the same file at the same time.
class Database {
 public:
  /// Opens for writing; makes the file (mode 0600) and its folders when missing, and takes over an empty file.
  [[nodiscard]] static Result<std::unique_ptr<Database>> open(const std::filesystem::path& path, Journal journal);
  /// Opens for reading; null when there is nothing yet.
  [[nodiscard]] static Result<std::unique_ptr<Database>> open_read_only(const std::filesystem::path& path);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  /// Prepares `sql` once and keeps it; `sql` must be a literal. Throws SQLite::Exception: call inside guarded().
  [[nodiscard]] Lent statement(const char* sql);
  [[nodiscard]] SQLite::Database& sqlite() { return *db_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Begins a transaction that may write; rolled back unless committed. Throws as above.
  [[nodiscard]] std::unique_ptr<SQLite::Transaction> begin_write();

  /// Everything committed so far reaches the disk (fsync).
  [[nodiscard]] Result<void> sync();

 private:
  Database(std::filesystem::path path, Journal journal);
  [[nodiscard]] Result<void> check_header();
  void set_up();
  void make_schema();

  std::filesystem::path path_;
  Journal journal_;
  std::unique_ptr<SQLite::Database> db_;
  std::unordered_map<const char*, std::unique_ptr<SQLite::Statement>> statements_;  // destroyed before db_
  bool write_ahead_already_ = false;  ///< the file was in write-ahead mode when we opened it
  int log_pages_ = 0;                 ///< pages in the write-ahead log after our last commit
};

/// The exception that is being handled, as an Error about `path` with a remedy. Only inside a catch block.
[[nodiscard]] Error error_of_current_exception(const std::filesystem::path& path);

/// Runs `body`, which returns a Result; exceptions become Errors.
template <class F>
[[nodiscard]] auto guarded(const std::filesystem::path& path, F&& body) -> std::invoke_result_t<F> {
  try {
    return std::forward<F>(body)();
  } catch (...) {
    return tl::unexpected(error_of_current_exception(path));
  }
}

}  // namespace gramwatt::ledger
