// What the ledger does with files that are not as it wishes.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>

#include "base/text.hpp"
#include "fakes/temp_tree.hpp"
#include "ledger/ledger.hpp"
#include "ledger/make.hpp"

namespace gramwatt::ledger {
namespace {

using testing::TempTree;

std::string content(const std::filesystem::path& p) {
  std::ifstream in(p, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A closed ledger with one run, wholly in the one file.
void make_ledger(const std::filesystem::path& p) {
  Ledger l = std::move(Ledger::open(p).value());
  ASSERT_TRUE(l.begin(make::run("01A"), make::channels()));
  ASSERT_TRUE(l.append("01A", make::intervals(0, 100)));
  ASSERT_TRUE(l.sync());
}

/// Runs `body` in a child process; true when it returned true. For what cannot be taken back, such as limits and mounts.
bool in_child(const std::function<bool()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    bool ok = false;
    try {
      ok = body();
    } catch (const std::exception& e) {
      std::cerr << "child: " << e.what() << "\n";
    }
    std::cerr.flush();
    ::_exit(ok ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// Files without permission are writable for root: be somebody else for a while.
class AsNobody {
 public:
  AsNobody() : root_(::geteuid() == 0) { EXPECT_EQ(root_ ? ::seteuid(65534) : 0, 0); }
  ~AsNobody() { EXPECT_EQ(root_ ? ::seteuid(0) : 0, 0); }

 private:
  bool root_;
};

TEST(LedgerFile, folders_are_made_and_the_file_is_private) {
  const TempTree t;
  const auto p = t / "a/b/ledger.db";
  Ledger l = std::move(Ledger::open(p).value());
  ASSERT_TRUE(l.begin(make::run("01A"), {}));
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat info{};
    ASSERT_EQ(::stat((p.string() + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << suffix;
  }
}

TEST(LedgerFile, an_empty_file_is_a_fresh_ledger) {
  const TempTree t;
  t.write("ledger.db", "");
  EXPECT_TRUE(Ledger::open_read_only(t / "ledger.db")->list()->empty());
  ASSERT_TRUE(Ledger::open(t / "ledger.db")->begin(make::run("01A"), {}));
  EXPECT_TRUE(Ledger::open_read_only(t / "ledger.db")->get("01A"));
}

TEST(LedgerFile, a_missing_file_is_an_empty_ledger_to_a_reader_and_is_not_made) {
  const TempTree t;
  const auto l = Ledger::open_read_only(t / "ledger.db");
  ASSERT_TRUE(l.has_value());
  EXPECT_TRUE(l->list()->empty());
  EXPECT_EQ(l->get("last").error().kind, Error::Kind::missing);
  EXPECT_FALSE(std::filesystem::exists(t / "ledger.db"));
}

TEST(LedgerFile, a_reader_cannot_write) {
  const TempTree t;
  make_ledger(t / "ledger.db");
  Ledger l = std::move(Ledger::open_read_only(t / "ledger.db").value());
  EXPECT_FALSE(l.begin(make::run("01B"), {}));
  EXPECT_FALSE(l.append("01A", make::intervals(100, 101)));
  EXPECT_FALSE(l.set_tags("01A", {}));
  EXPECT_FALSE(l.remove("01A"));
  EXPECT_FALSE(l.mark_interrupted());
  EXPECT_FALSE(l.sync());
}

/// Both ways of opening refuse it, say why and what to do, and change nothing.
void expect_refused(const TempTree& t, std::string_view reason) {
  const std::string before = content(t / "ledger.db");
  for (const auto& opened :
       {Ledger::open(t / "ledger.db").map([](auto&&) {}), Ledger::open_read_only(t / "ledger.db").map([](auto&&) {})}) {
    ASSERT_FALSE(opened.has_value());
    EXPECT_TRUE(contains(opened.error().what, reason)) << opened.error().message();
    EXPECT_FALSE(opened.error().remedy.empty());
  }
  EXPECT_EQ(content(t / "ledger.db"), before);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& e : std::filesystem::directory_iterator(t.root())) ++files;
  EXPECT_EQ(files, 1U) << "nothing is left beside it";
}

TEST(LedgerFile, foreign_files_are_left_as_they_are) {
  for (const std::string& text : {std::string("x"), std::string("notes\n"), std::string(99, 'S'), std::string(10'000, '\0')}) {
    const TempTree t;
    t.write("ledger.db", text);
    expect_refused(t, "no SQLite file");
  }
}

/// Changes bytes of a good ledger.
void patch(const std::filesystem::path& p, std::streamoff at, std::string_view bytes) {
  std::fstream f(p, std::ios::binary | std::ios::in | std::ios::out);
  f.seekp(at);
  f.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

TEST(LedgerFile, a_database_of_another_program_or_of_the_future_is_left_as_it_is) {
  TempTree t;
  make_ledger(t / "ledger.db");
  for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove((t / "ledger.db").string() + suffix);
  const std::string good = content(t / "ledger.db");
  patch(t / "ledger.db", 68, std::string_view("\0\0\0\0", 4));
  expect_refused(t, "another program");
  t.write("ledger.db", good);
  patch(t / "ledger.db", 60, std::string_view("\0\0\0\x02", 4));
  expect_refused(t, "newer gramwatt");
}

TEST(LedgerFile, folders_pipes_and_devices_are_refused) {
  const TempTree t;
  std::filesystem::create_directory(t / "folder");
  ASSERT_EQ(::mkfifo((t / "pipe").c_str(), 0600), 0);
  for (const auto& p : {t / "folder", t / "pipe", std::filesystem::path("/dev/null"), t / "pipe/ledger.db"}) {
    EXPECT_FALSE(Ledger::open(p)) << p;
    EXPECT_FALSE(Ledger::open_read_only(p)) << p;
  }
}

TEST(LedgerFile, a_damaged_ledger_is_an_error_with_the_way_out) {
  const TempTree t;
  make_ledger(t / "ledger.db");
  for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove((t / "ledger.db").string() + suffix);
  const std::string good = content(t / "ledger.db");
  std::size_t refused = 0;
  for (std::size_t page = 0; page < good.size(); page += 4096) {
    std::string damaged = good;
    damaged.replace(page + (page == 0 ? 100 : 0), 2000, std::string(2000, '\xa5'));
    t.write("ledger.db", damaged);
    auto l = Ledger::open(t / "ledger.db");
    const auto all = l.and_then([](const Ledger& open) { return open.list(); });
    const auto measured = l.and_then([](const Ledger& open) { return open.intervals("01A"); });
    for (const auto& e : {all.map([](const auto&) {}), measured.map([](const auto&) {})}) {
      if (e || e.error().kind == Error::Kind::missing) continue;
      ++refused;
      EXPECT_FALSE(e.error().where.empty());
    }
    if (l) (void)l->finish(make::run("01B")), (void)l->mark_interrupted(), (void)l->remove("01A");
  }
  EXPECT_GT(refused, 4U);
  t.write("ledger.db", good.substr(0, good.size() / 2));
  const auto cut = Ledger::open(t / "ledger.db").and_then([](const Ledger& open) { return open.list(); });
  ASSERT_FALSE(cut.has_value());
  EXPECT_TRUE(contains(cut.error().what, "damaged")) << cut.error().message();
  EXPECT_TRUE(contains(cut.error().remedy, ".recover"));
}

TEST(LedgerFile, a_read_only_folder_is_read_but_not_written) {
  const TempTree t;
  make_ledger(t / "ledger.db");
  for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove((t / "ledger.db").string() + suffix);
  ASSERT_EQ(::chmod((t / "ledger.db").c_str(), 0444), 0);
  ASSERT_EQ(::chmod(t.root().c_str(), 0555), 0);
  {
    const AsNobody nobody;
    const auto written = Ledger::open(t / "ledger.db");
    ASSERT_FALSE(written.has_value());
    EXPECT_TRUE(contains(written.error().remedy, "--ledger")) << written.error().message();
    const auto fresh = Ledger::open(t / "new/ledger.db");
    ASSERT_FALSE(fresh.has_value());
    EXPECT_EQ(fresh.error().kind, Error::Kind::failed);
    EXPECT_FALSE(fresh.error().remedy.empty());
    const auto read = Ledger::open_read_only(t / "ledger.db");
    ASSERT_TRUE(read.has_value()) << read.error().message();
    EXPECT_EQ(read->intervals("01A"), make::intervals(0, 100));
  }
  ASSERT_EQ(::chmod(t.root().c_str(), 0755), 0);
}

TEST(LedgerFile, what_a_log_holds_is_read_in_a_read_only_folder_or_refused_but_never_left_out) {
  const TempTree t;
  make_ledger(t / "ledger.db");
  ASSERT_TRUE(Ledger::open(t / "ledger.db")->append("01A", make::intervals(100, 105)));
  for (const char* suffix : {"", "-wal", "-shm"}) (void)::chmod(((t / "ledger.db").string() + suffix).c_str(), 0444);
  ASSERT_EQ(::chmod(t.root().c_str(), 0555), 0);
  {
    const AsNobody nobody;
    const auto read = Ledger::open_read_only(t / "ledger.db").and_then([](const Ledger& l) { return l.intervals("01A"); });
    if (read) {
      EXPECT_EQ(*read, make::intervals(0, 105));
    } else {
      EXPECT_FALSE(read.error().remedy.empty()) << read.error().message();
    }
  }
  ASSERT_EQ(::chmod(t.root().c_str(), 0755), 0);
}

/// Appends until it fails; after `relief`, one more append must bring everything.
bool survives_full_disk(const std::filesystem::path& p, const std::function<void()>& relief) {
  Ledger l = std::move(Ledger::open(p).value());
  if (!l.begin(make::run("01A"), make::channels(8))) return false;
  std::int64_t i = 0;
  Result<void> last;
  for (; i < 100'000 && last; ++i) last = l.append("01A", make::intervals(i, i + 1, 8));
  if (last || last.error().remedy.empty()) {
    std::cerr << "no clear error: " << (last ? "none" : last.error().message()) << "\n";
    return false;
  }
  for (int more = 0; more < 100; ++more, ++i) (void)l.append("01A", make::intervals(i, i + 1, 8));
  relief();
  if (const auto done = l.append("01A", make::intervals(i, i + 1, 8)); !done) {
    std::cerr << "after relief: " << done.error().message() << "\n";
    return false;
  }
  const auto kept = Ledger::open_read_only(p)->intervals("01A");
  if (!kept || kept->size() != static_cast<std::size_t>(i + 1))
    std::cerr << "kept " << (kept ? kept->size() : 0) << " of " << i + 1 << "\n";
  return kept == make::intervals(0, i + 1, 8);
}

TEST(LedgerFile, a_file_size_limit_loses_nothing_that_was_appended) {
  const TempTree t;
  EXPECT_TRUE(in_child([&] {
    (void)::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{400'000, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    return survives_full_disk(t / "ledger.db", [&] {
      limit.rlim_cur = RLIM_INFINITY;
      (void)::setrlimit(RLIMIT_FSIZE, &limit);
    });
  }));
}

TEST(LedgerFile, a_full_disk_loses_nothing_that_was_appended) {
  const TempTree t;
  std::filesystem::create_directory(t / "disk");
  const bool can_mount = in_child([&] {
    return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("tmpfs", (t / "disk").c_str(), "tmpfs", 0, "size=1m") == 0;
  });
  if (!can_mount) GTEST_SKIP() << "a small disk can be mounted by root only";
  EXPECT_TRUE(in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", (t / "disk").c_str(), "tmpfs", 0, "size=1m") != 0)
      return false;
    return survives_full_disk(t / "disk/ledger.db",
                              [&] { (void)::mount("none", (t / "disk").c_str(), nullptr, MS_REMOUNT, "size=64m"); });
  }));
  EXPECT_TRUE(in_child([&] {  // full from the beginning
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", (t / "disk").c_str(), "tmpfs", 0, "size=8k") != 0)
      return false;
    const auto l = Ledger::open(t / "disk/ledger.db");
    if (l || l.error().remedy.empty()) return false;
    return true;
  }));
}

}  // namespace
}  // namespace gramwatt::ledger
