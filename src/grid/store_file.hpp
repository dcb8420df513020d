#pragma once
// The SQLite file of the store: recognised, opened, made; and every exception of the SQLite library turned into an Error. The
// rules are the ledger's (src/ledger/database.cpp tells why); what differs is said in store_file.cpp.

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

namespace gramwatt::grid {

/// A prepared statement, lent for one use; giving it back resets it, so that no read stays open.
class Lent {
 public:
  explicit Lent(SQLite::Statement& s) : s_(s) {}
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent();
  SQLite::Statement* operator->() const { return &s_; }

 private:
  SQLite::Statement& s_;
};

/// Not thread safe; other processes and other connections may use the same file at the same time.
class StoreFile {
 public:
  /// Opens for writing; makes the file (mode 0600) and its folders when missing, and takes over an empty file.
  [[nodiscard]] static Result<std::unique_ptr<StoreFile>> open(const std::filesystem::path& path);
  /// Opens for reading; null when there is nothing yet.
  [[nodiscard]] static Result<std::unique_ptr<StoreFile>> open_read_only(const std::filesystem::path& path);
  StoreFile(const StoreFile&) = delete;
  StoreFile& operator=(const StoreFile&) = delete;
  ~StoreFile();

  /// Prepares `sql` once and keeps it; `sql` must be a literal. Throws SQLite::Exception: call inside guarded().
  [[nodiscard]] Lent statement(const char* sql);
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Begin a transaction, rolled back unless committed. Throw as above.
  [[nodiscard]] std::unique_ptr<SQLite::Transaction> begin_write();
  [[nodiscard]] std::unique_ptr<SQLite::Transaction> begin_read();

 private:
  StoreFile(std::filesystem::path path, std::unique_ptr<SQLite::Database> db);
  [[nodiscard]] Result<void> check_header() const;
  void set_up();

  std::filesystem::path path_;
  std::unique_ptr<SQLite::Database> db_;
  std::unordered_map<const char*, std::unique_ptr<SQLite::Statement>> statements_;  // destroyed before db_
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

/// What to do about a file whose content makes no sense.
[[nodiscard]] std::string remedy_for_damage(const std::filesystem::path& path);

}  // namespace gramwatt::grid
