// The store's file. As the ledger's: looked at before any statement runs, so that a foreign, damaged or newer file is left as
// it is; made empty with mode 0600 and filled in one exclusive transaction, so that a crash or a second maker does no harm.
//
// What differs: everything in it can be fetched or imported again, so SQLite's own checkpoints are good enough, and an import
// may hold the file for seconds, so others wait for longer. The write-ahead log lets them read meanwhile; on a network file
// system, where its shared memory would corrupt the file, there is a rollback journal instead and readers wait too.

#include "grid/store_file.hpp"

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

#include "base/file.hpp"

namespace gramwatt::grid {
namespace {

/// "gwgr"; PRAGMA application_id of every store.
constexpr std::uint32_t kApplicationId = 0x67776772;
constexpr std::uint32_t kSchemaVersion = 1;
/// An import of ten million rows takes a few seconds.
constexpr int kBusyTimeoutMs = 30000;

// `about`: signal, terms and method as JSON. `month`: of the blocks' starts, counted from January 1970 UTC. Starts are
// nanoseconds since 1970. The blob stands last, so that a list of what is held never reads one.
constexpr const char* kSchema = R"(
CREATE TABLE series(
  id INTEGER PRIMARY KEY, zone TEXT NOT NULL, kind TEXT NOT NULL, origin TEXT NOT NULL, resolution INTEGER NOT NULL,
  changed INTEGER NOT NULL, about TEXT NOT NULL, UNIQUE(zone, kind, origin));
CREATE TABLE blocks(
  series INTEGER NOT NULL REFERENCES series, month INTEGER NOT NULL, n INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, points BLOB NOT NULL, UNIQUE(series, month));
)";

std::uint32_t big_endian(const unsigned char* p) {
  return std::uint32_t{p[0]} << 24U | std::uint32_t{p[1]} << 16U | std::uint32_t{p[2]} << 8U | std::uint32_t{p[3]};
}

std::string quoted(const std::string& path) { return "'" + path + "'"; }

/// Folders and an empty file of mode 0600 where there is nothing. mknod, because closing a descriptor of ours would drop the
/// locks of other connections of this process (sqlite.org/howtocorrupt.html, 2.2).
Result<void> make_file(const std::filesystem::path& path) {
  std::error_code ec;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ec);
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0) {
    return S_ISREG(info.st_mode) ? Result<void>{} : fail("is no regular file", path.string());
  }
  if (errno != ENOENT) return tl::unexpected(errno_error(errno, "cannot open the grid store", path.string()));
  if (::mknod(path.c_str(), S_IFREG | 0600, 0) != 0 && errno != EEXIST) {
    Error e = errno_error(errno, "cannot make the grid store", path.string());
    if (ec) e.what = "cannot make its folder: " + ec.message();
    e.kind = Error::Kind::failed;
    if (e.remedy.empty()) e.remedy = "choose another place with XDG_DATA_HOME";
    return tl::unexpected(std::move(e));
  }
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

std::string remedy_for_damage(const std::filesystem::path& path) {
  return "move it away (mv " + quoted(path.string()) + " " + quoted(path.string() + ".damaged") +
         ") and import again; what providers told is fetched again";
}

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
        e.what = "no space left for the grid store";
        e.remedy = "free some space; nothing of this import was kept";
        break;
      case SQLITE_READONLY:
      case SQLITE_PERM:
      case SQLITE_CANTOPEN:
        e.what = "cannot open or write the grid store: " + e.what;
        e.remedy = "check the permissions of the file and its folder";
        break;
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
      case SQLITE_ERROR:  // a table that is not as we made it
      case SQLITE_MISMATCH:
        e.what = "the grid store is damaged: " + e.what;
        e.remedy = remedy_for_damage(path);
        break;
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        e.what = "another process keeps the grid store locked";
        e.remedy = "wait for it; `fuser " + quoted(path.string()) + "` names it";
        break;
      case SQLITE_IOERR:
        e.what = "cannot read or write the grid store: " + e.what;
        e.remedy = "check the disk and its quota";
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

StoreFile::StoreFile(std::filesystem::path path, std::unique_ptr<SQLite::Database> db)
    : path_(std::move(path)), db_(std::move(db)) {}
StoreFile::~StoreFile() = default;

Result<void> StoreFile::check_header() const {
  sqlite3_file* file = nullptr;
  struct stat info{};
  if (sqlite3_file_control(db_->getHandle(), "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || file == nullptr ||
      file->pMethods == nullptr || ::stat(path_.c_str(), &info) != 0) {
    return fail("cannot read the grid store", path_.string());
  }
  if (info.st_size == 0) return {};
  std::array<unsigned char, 100> header{};
  static constexpr std::string_view kMagic("SQLite format 3\0", 16);
  if (info.st_size < static_cast<off_t>(header.size()) ||
      file->pMethods->xRead(file, header.data(), header.size(), 0) != SQLITE_OK ||
      std::memcmp(header.data(), kMagic.data(), kMagic.size()) != 0) {
    return fail("is no grid store (no SQLite file at all); it is left as it is", path_.string(), remedy_for_damage(path_));
  }
  // Places of user_version and application_id: sqlite.org/fileformat.html, 1.3.
  if (big_endian(&header[68]) != kApplicationId) {
    return fail("is a database of another program; it is left as it is", path_.string(), remedy_for_damage(path_));
  }
  if (const auto version = big_endian(&header[60]); version > kSchemaVersion) {
    return fail("was written by a newer gramwatt (grid store version " + std::to_string(version) + ", this program knows " +
                    std::to_string(kSchemaVersion) + "); it is left as it is",
                path_.string(), "update gramwatt, or move the file away and import again");
  }
  return {};
}

void StoreFile::set_up() {
  if (db_->execAndGet("PRAGMA user_version").getInt() == 0) {
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
  const bool shared = is_network_folder(path_.has_parent_path() ? path_.parent_path() : ".");
  db_->exec(shared ? "PRAGMA journal_mode=TRUNCATE" : "PRAGMA journal_mode=WAL");
  db_->exec("PRAGMA synchronous=NORMAL");
}

Result<std::unique_ptr<StoreFile>> StoreFile::open(const std::filesystem::path& path) {
  using Opened = Result<std::unique_ptr<StoreFile>>;
  if (const auto made = make_file(path); !made) return tl::unexpected(made.error());
  const auto attempt = [&]() -> Opened {
    auto db = std::make_unique<SQLite::Database>(path, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, kBusyTimeoutMs);
    std::unique_ptr<StoreFile> f(new StoreFile(path, std::move(db)));
    if (const auto known = f->check_header(); !known) return tl::unexpected(known.error());
    if (sqlite3_db_readonly(f->db_->getHandle(), "main") == 1) {
      return fail("the grid store is not writable", path.string(), "check the permissions of the file");
    }
    f->set_up();
    return Opened(std::move(f));
  };
  // Turning the log on while another connection does so is "busy" at once, without the timeout (ledger/database.cpp).
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

Result<std::unique_ptr<StoreFile>> StoreFile::open_read_only(const std::filesystem::path& path) {
  using Opened = Result<std::unique_ptr<StoreFile>>;
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return nullptr;
    return tl::unexpected(errno_error(errno, "cannot open the grid store", path.string()));
  }
  if (!S_ISREG(info.st_mode)) return fail("is no regular file", path.string());
  if (info.st_size == 0) return nullptr;
  const auto attempt = [&](const std::string& name, int flags) {
    return guarded(path, [&]() -> Opened {
      auto db = std::make_unique<SQLite::Database>(name, SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX | flags, kBusyTimeoutMs);
      std::unique_ptr<StoreFile> f(new StoreFile(path, std::move(db)));
      if (const auto known = f->check_header(); !known) return tl::unexpected(known.error());
      if (f->db_->execAndGet("PRAGMA user_version").getInt() == 0) f.reset();  // it is being made just now
      return Opened(std::move(f));
    });
  };
  auto opened = attempt(path.string(), 0);
  if (opened) return opened;
  // In a folder that we cannot write to, the log's index cannot be made. Without a log the file alone is the whole truth.
  std::error_code ec;
  const auto log_size = std::filesystem::file_size(path.string() + "-wal", ec);
  if (ec || log_size == 0) {
    if (auto alone = attempt(immutable_uri(path), SQLite::OPEN_URI)) return alone;
  }
  return opened;
}

Lent StoreFile::statement(const char* sql) {
  auto& kept = statements_[sql];
  if (!kept) kept = std::make_unique<SQLite::Statement>(*db_, sql);
  return Lent(*kept);
}

std::unique_ptr<SQLite::Transaction> StoreFile::begin_write() {
  return std::make_unique<SQLite::Transaction>(*db_, SQLite::TransactionBehavior::IMMEDIATE);
}

std::unique_ptr<SQLite::Transaction> StoreFile::begin_read() {
  return std::make_unique<SQLite::Transaction>(*db_, SQLite::TransactionBehavior::DEFERRED);
}

}  // namespace gramwatt::grid
