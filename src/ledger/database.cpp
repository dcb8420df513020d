// The ledger's file: when it is written, when it reaches the disk, and how a file that is not ours is left alone.
//
// Commits. On a local disk the file is in write-ahead mode with synchronous=NORMAL: a commit is a few page writes into the log
// and never an fsync. What a killed process has committed is in the kernel, and the next opener finds it. The log is copied
// into the file (which does fsync) only by sync(), when the log has grown past kLogPagesToFold at the end of a program, or, as
// a last resort for a caller who never syncs, past kLogPagesAtMost. SQLite's own checkpoints (at 1000 pages, and at close) are
// off.
//
// Foreign files. sqlite3_open reads nothing, so we open, read the first 100 bytes through SQLite's own descriptor and look for
// our application_id before any statement runs. Not through a descriptor of ours: closing one would drop the POSIX locks that
// other connections of this process hold on the file (sqlite.org/howtocorrupt.html, 2.2).
//
// Making. A missing file is made empty with mode 0600 (SQLite gives its log the same mode), then filled in one exclusive
// transaction under a rollback journal: a crash leaves it empty, two makers wait for each other. Then it is switched to
// write-ahead mode, so the header of the file itself always tells whose it is.

#include "ledger/database.hpp"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <thread>

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

namespace gramwatt::ledger {
namespace {

/// "gwat"; PRAGMA application_id of every ledger.
constexpr std::uint32_t kApplicationId = 0x67776174;
constexpr std::uint32_t kSchemaVersion = 1;
/// How long a writer waits for another one. Every transaction here takes milliseconds.
constexpr int kBusyTimeoutMs = 5000;
/// 1 MiB: reading the log back at the next start stays below half a millisecond, and one short run in about twenty pays an
/// fsync.
constexpr int kLogPagesToFold = 256;
/// 64 MiB.
constexpr int kLogPagesAtMost = 16384;

constexpr const char* kSchema = R"(
CREATE TABLE runs(
  id TEXT PRIMARY KEY NOT NULL, parent TEXT, state TEXT NOT NULL, start_utc INTEGER NOT NULL, end_utc INTEGER NOT NULL,
  project TEXT, stage TEXT, name TEXT, energy_j REAL NOT NULL, carbon_g REAL NOT NULL,
  owner_host TEXT, boot_id TEXT, pid_namespace TEXT, owner_pid INTEGER, owner_start INTEGER,
  record TEXT NOT NULL);
CREATE INDEX runs_by_start ON runs(start_utc, id);
CREATE INDEX runs_running ON runs(owner_host) WHERE state = 'running';
CREATE TABLE tags(run TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY(run, key)) WITHOUT ROWID;
CREATE TABLE channels(run TEXT NOT NULL, idx INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY(run, idx)) WITHOUT ROWID;
CREATE TABLE blobs(
  run TEXT NOT NULL, seq INTEGER NOT NULL, resolution_s INTEGER NOT NULL, n INTEGER NOT NULL, end_utc INTEGER NOT NULL,
  data BLOB NOT NULL, PRIMARY KEY(run, seq));
)";

constexpr const char* kElsewhere = "choose another place with --ledger PATH";

std::uint32_t big_endian(const unsigned char* p) {
  return std::uint32_t{p[0]} << 24U | std::uint32_t{p[1]} << 16U | std::uint32_t{p[2]} << 8U | std::uint32_t{p[3]};
}

std::string shell_quoted(const std::string& path) { return "'" + path + "'"; }

/// Folders and an empty file of mode 0600 where there is nothing. mknod, because it needs no descriptor (see above).
Result<void> make_file(const std::filesystem::path& path) {
  std::error_code ec;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ec);
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) return tl::unexpected(errno_error(errno, "cannot open the ledger", path.string()));
    if (::mknod(path.c_str(), S_IFREG | 0600, 0) != 0 && errno != EEXIST) {
      Error e = errno_error(errno, "cannot make the ledger", path.string());
      if (ec) e.what = "cannot make its folder: " + ec.message();
      e.kind = Error::Kind::failed;
      if (e.remedy.empty()) e.remedy = kElsewhere;
      return tl::unexpected(std::move(e));
    }
    return {};
  }
  if (!S_ISREG(info.st_mode)) return fail("is no regular file", path.string(), kElsewhere);
  if (info.st_size == 0) (void)::chmod(path.c_str(), 0600);
  return {};
}

/// A path as an SQLite URI that promises that nobody changes the file.
std::string immutable_uri(const std::filesystem::path& path) {
  std::string uri = "file:";
  for (const char c : path.string()) {
    if (c == '?') uri += "%3f";
    else if (c == '#') uri += "%23";
    else if (c == '%') uri += "%25";
    else uri += c;
  }
  return uri + "?immutable=1";
}

}  // namespace

Lent::~Lent() {
  (void)s_.tryReset();
  s_.clearBindings();  // never fails; bound texts and blobs are not ours to keep
}

Error error_of_current_exception(const std::filesystem::path& path) {
  Error e{{}, path.string(), {}};
  try {
    throw;
  } catch (const SQLite::Exception& x) {
    e.what = x.what();
    switch (x.getErrorCode() & 0xFF) {
      case SQLITE_FULL:
        e.what = "no space left for the ledger";
        e.remedy = std::string("free some space, or ") + kElsewhere;
        break;
      case SQLITE_READONLY:
      case SQLITE_PERM:
        e.what = "the ledger is not writable: " + e.what;
        e.remedy = std::string("check the permissions of the file and its folder, or ") + kElsewhere;
        break;
      case SQLITE_CANTOPEN:
        e.what = "cannot open the ledger: " + e.what;
        e.remedy = std::string("check the permissions of the file and its folder, or ") + kElsewhere;
        break;
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
        e.what = "the ledger is damaged: " + e.what;
        e.remedy = "move it away (mv " + shell_quoted(path.string()) + " " + shell_quoted(path.string() + ".damaged") +
                   "); `sqlite3 " + shell_quoted(path.string() + ".damaged") + " .recover` may save its rows";
        break;
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        e.what = "another process keeps the ledger locked";
        e.remedy = "`fuser " + shell_quoted(path.string()) + "` names it";
        break;
      case SQLITE_IOERR:
        e.what = "cannot read or write the ledger: " + e.what;
        e.remedy = std::string("check the disk and its quota, or ") + kElsewhere;
        break;
      default: break;
    }
  } catch (const std::exception& x) {
    e.what = x.what();
  } catch (...) {
    e.what = "unknown failure";
  }
  return e;
}

Database::Database(std::filesystem::path path, Journal journal) : path_(std::move(path)), journal_(journal) {}

Database::~Database() {
  statements_.clear();
  if (!db_ || journal_ != Journal::write_ahead || log_pages_ < kLogPagesToFold) return;
  // Nobody is waited for: if others read or write just now, one of them folds the log later.
  (void)sqlite3_busy_timeout(db_->getHandle(), 0);
  (void)sqlite3_wal_checkpoint_v2(db_->getHandle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

Result<void> Database::check_header() {
  sqlite3_file* file = nullptr;
  struct stat info{};  // SQLite's own xFileSize tells 0 for a file of one byte
  if (sqlite3_file_control(db_->getHandle(), "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || file == nullptr ||
      file->pMethods == nullptr || ::stat(path_.c_str(), &info) != 0) {
    return fail("cannot read the ledger", path_.string());
  }
  if (info.st_size == 0) return {};
  std::array<unsigned char, 100> header{};
  static constexpr std::string_view kMagic("SQLite format 3\0", 16);
  if (info.st_size < static_cast<off_t>(header.size()) ||
      file->pMethods->xRead(file, header.data(), header.size(), 0) != SQLITE_OK ||
      std::memcmp(header.data(), kMagic.data(), kMagic.size()) != 0) {
    return fail("is no gramwatt ledger (no SQLite file at all); it is left as it is", path_.string(), kElsewhere);
  }
  // Places of the write version (2: write-ahead), user_version and application_id: sqlite.org/fileformat.html, 1.3.
  write_ahead_already_ = header[18] == 2;
  if (big_endian(&header[68]) != kApplicationId) {
    return fail("is a database of another program; it is left as it is", path_.string(), kElsewhere);
  }
  if (const auto version = big_endian(&header[60]); version > kSchemaVersion) {
    return fail("was written by a newer gramwatt (ledger version " + std::to_string(version) + ", this program knows " +
                    std::to_string(kSchemaVersion) + "); it is left as it is",
                path_.string(), std::string("update gramwatt, or ") + kElsewhere);
  }
  return {};
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& path, Journal journal) {
  using Opened = Result<std::unique_ptr<Database>>;
  if (const auto made = make_file(path); !made) return tl::unexpected(made.error());
  const auto attempt = [&]() -> Opened {
    std::unique_ptr<Database> d(new Database(path, journal));
    d->db_ = std::make_unique<SQLite::Database>(path, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, kBusyTimeoutMs);
    if (const auto known = d->check_header(); !known) return tl::unexpected(known.error());
    if (sqlite3_db_readonly(d->db_->getHandle(), "main") == 1) {
      return fail("the ledger is not writable", path.string(),
                  std::string("check the permissions of the file, or ") + kElsewhere);
    }
    d->set_up();
    return Opened(std::move(d));
  };
  // Where waiting could be a deadlock (turning the log on while another connection is doing so), SQLite says "busy" at once
  // instead of waiting its timeout. Beginning anew is always safe, and the other is done in milliseconds.
  return guarded(path, [&]() -> Opened {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kBusyTimeoutMs);
    for (;;) {
      try {
        return attempt();
      } catch (const SQLite::Exception& e) {
        if ((e.getErrorCode() & 0xFF) != SQLITE_BUSY || std::chrono::steady_clock::now() > until) throw;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  });
}

void Database::set_up() {
  sqlite3* const handle = db_->getHandle();
  (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  (void)sqlite3_wal_hook(
      handle,
      [](void* self, sqlite3* db, const char*, int pages) {
        auto* d = static_cast<Database*>(self);
        d->log_pages_ = pages;
        // What was committed is safe in the log, so a checkpoint that fails is not the commit's failure.
        if (pages >= kLogPagesAtMost) (void)sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
        return SQLITE_OK;
      },
      this);

  const int version = db_->execAndGet("PRAGMA user_version");
  if (version == 0) make_schema();
  if (journal_ == Journal::rollback) {
    db_->exec("PRAGMA journal_mode=TRUNCATE");
  } else if (!write_ahead_already_) {
    db_->exec("PRAGMA journal_mode=WAL");
  }
  db_->exec("PRAGMA synchronous=NORMAL");
}

void Database::make_schema() {
  db_->exec("BEGIN EXCLUSIVE");
  try {
    if (db_->execAndGet("PRAGMA user_version").getInt() == 0) {  // else another process was faster
      db_->exec("PRAGMA application_id=" + std::to_string(kApplicationId) +
                "; PRAGMA user_version=" + std::to_string(kSchemaVersion) + ";" + kSchema);
    }
    db_->exec("COMMIT");
  } catch (...) {
    (void)db_->tryExec("ROLLBACK");
    throw;
  }
}

Result<std::unique_ptr<Database>> Database::open_read_only(const std::filesystem::path& path) {
  using Opened = Result<std::unique_ptr<Database>>;
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return nullptr;
    return tl::unexpected(errno_error(errno, "cannot open the ledger", path.string()));
  }
  if (!S_ISREG(info.st_mode)) return fail("is no regular file", path.string(), kElsewhere);
  if (info.st_size == 0) return nullptr;

  const auto attempt = [&](const std::string& name, int flags) {
    return guarded(path, [&]() -> Opened {
      std::unique_ptr<Database> d(new Database(path, Journal::rollback));
      d->db_ = std::make_unique<SQLite::Database>(name, SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX | flags, kBusyTimeoutMs);
      if (const auto known = d->check_header(); !known) return tl::unexpected(known.error());
      if (d->db_->execAndGet("PRAGMA user_version").getInt() == 0) d.reset();  // it is being made just now
      return Opened(std::move(d));
    });
  };
  auto opened = attempt(path.string(), 0);
  if (opened) return opened;
  // In a folder that we cannot write to, the log's index cannot be made. Without a log the file alone is the whole truth.
  std::error_code ec;
  const auto log_size = std::filesystem::file_size(path.string() + "-wal", ec);
  if (ec || log_size == 0) {
    auto alone = attempt(immutable_uri(path), SQLite::OPEN_URI);
    if (alone) return alone;
  }
  return opened;
}

Lent Database::statement(const char* sql) {
  auto& kept = statements_[sql];
  if (!kept) kept = std::make_unique<SQLite::Statement>(*db_, sql);
  return Lent(*kept);
}

std::unique_ptr<SQLite::Transaction> Database::begin_write() {
  return std::make_unique<SQLite::Transaction>(*db_, SQLite::TransactionBehavior::IMMEDIATE);
}

Result<void> Database::sync() {
  if (journal_ == Journal::rollback) return {};  // every commit has been synced
  return guarded(path_, [&]() -> Result<void> {
    int in_log = 0;
    int folded = 0;
    const int rc = sqlite3_wal_checkpoint_v2(db_->getHandle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &in_log, &folded);
    if (rc != SQLITE_OK && rc != SQLITE_BUSY) throw SQLite::Exception(db_->getHandle(), rc);
    // The first commit after a whole checkpoint begins the log anew and syncs its header. Let that be this one, which changes
    // nothing, and not the next append.
    if (rc == SQLITE_OK && in_log > 0 && in_log == folded) db_->exec("PRAGMA user_version=" + std::to_string(kSchemaVersion));
    return {};
  });
}

}  // namespace gramwatt::ledger
