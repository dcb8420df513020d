// The tail of a run.
//
// Problem: killed at any moment, a run must be there up to its last second; but a commit is ten page writes, fifteen locks and
// the wake-up of a second thread, 0.03 % of a core when made once a second, as much as all sampling together.
//
// Idea: commit once a minute, and keep the seconds in between in shared memory (shm_open(3)), one pwrite(2) each: memory that
// outlives a killed process, and never a disk, so that the sampling thread may write it. A power cut loses it, which is the
// minute that a power cut may cost anyway. Whoever reads the run reads the tail first and then the blobs, and
// takes of the tail what lies behind them: whenever a writer commits and forgets, no second is lost and none counts twice.
//
//   tail  = entry*
//   entry = length (4 bytes) checksum (4 bytes, FNV-1a of the blob) blob of one interval (interval_blob.cpp)
//
// Forgetting writes what is still needed over the beginning and then cuts the file. A death between the two leaves remains
// behind the end: they fail their checksum, or are older than what was read before them; both end the tail. Numbers are in the
// machine's own byte order, because nobody else reads them. The name tells the ledger's file (device and inode) and the run.
// The folder is everybody's, so only what belongs to the ledger's owner is believed.

#include "ledger/tail.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "ledger/interval_blob.hpp"

namespace gramwatt::ledger {
namespace {

/// A kill may cut a larger write between two pages (seen in tests/ledger/crash_test.cpp), never a smaller one at the beginning
/// of a file.
constexpr std::size_t kWrittenAtOnce = 4096;
/// An hour in which no commit went through (a full disk): from then on every push asks for a commit.
constexpr std::size_t kMostEntries = 3600;
/// Larger than any tail that we write (16 channels make 300 bytes an interval).
constexpr off_t kMostBytes = off_t{64} << 20U;

using Head = std::array<std::uint32_t, 2>;  // length, checksum

/// FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/): tells a torn entry from a whole one.
std::uint32_t checksum(std::string_view bytes) {
  std::uint32_t h = 2166136261U;
  for (const char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 16777619U;
  return h;
}

std::string entry_of(const Interval& interval, std::size_t channels) {
  BlobWriter blob(channels);
  blob.push(interval);
  const Head head{static_cast<std::uint32_t>(blob.bytes().size()), checksum(blob.bytes())};
  std::string bytes(sizeof head, '\0');
  std::memcpy(bytes.data(), head.data(), sizeof head);
  return bytes += blob.bytes();
}

bool write_at(int fd, std::string_view bytes, std::size_t offset) {
  return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes.size());
}

}  // namespace

Tail::Tail(const std::string& name, std::size_t channels) : channels_(channels) {
  if (name.empty()) return;
  (void)::shm_unlink(name.c_str());  // of a run with this id that went wrong; another user's stays, and then so do we without
  file_ = Fd(::shm_open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
}

Tail::Tail(Fd file, std::size_t channels) : channels_(channels), file_(std::move(file)) {}

bool Tail::push(const Interval& interval) {
  if (!file_ || entries_.size() >= kMostEntries || interval.flows.size() != channels_) return false;
  std::string bytes = entry_of(interval, channels_);
  // A torn write is no harm: the next one begins at the same place.
  if (!write_at(file_.get(), bytes, size_)) return false;
  size_ += bytes.size();
  entries_.push_back({interval.end.monotonic, std::move(bytes)});
  return true;
}

void Tail::forget(Nanoseconds committed) {
  const auto still_needed = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.end > committed; });
  if (!file_ || still_needed == entries_.begin()) return;
  std::string rest;
  for (auto e = still_needed; e != entries_.end(); ++e) rest += e->bytes;
  if (rest.size() > kWrittenAtOnce) return;  // the commit took long; the next one will find less behind it
  entries_.erase(entries_.begin(), still_needed);
  if (!write_at(file_.get(), rest, 0)) {
    file_.reset();  // whatever stands there now, pushing on would not make it better
    return;
  }
  size_ = rest.size();
  // Were the cut to fail, the remains would be told apart as after a death.
  (void)!::ftruncate(file_.get(), static_cast<off_t>(size_));
}

std::string tail_name(const std::filesystem::path& ledger, const std::string& id) {
  struct stat info{};
  if (::stat(ledger.c_str(), &info) != 0) return {};
  return fmt::format("/gramwatt-{:x}-{:x}-{}", info.st_dev, info.st_ino, id);
}

void remove_tail(const std::filesystem::path& ledger, const std::string& id) {
  if (const std::string name = tail_name(ledger, id); !name.empty()) (void)::shm_unlink(name.c_str());
}

std::vector<Interval> read_tail(const std::filesystem::path& ledger, const std::string& id) {
  struct stat owner{};
  struct stat info{};
  const std::string name = tail_name(ledger, id);
  if (name.empty() || ::stat(ledger.c_str(), &owner) != 0) return {};
  const Fd file(::shm_open(name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0));
  if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  if (info.st_uid != owner.st_uid || info.st_size > kMostBytes) return {};
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  const ssize_t n = ::pread(file.get(), bytes.data(), bytes.size(), 0);
  return parse_tail(std::string_view(bytes).substr(0, static_cast<std::size_t>(std::max<ssize_t>(n, 0))));
}

std::vector<Interval> parse_tail(std::string_view rest) {
  std::vector<Interval> all;
  for (Head head{}; rest.size() >= sizeof head;) {
    std::memcpy(head.data(), rest.data(), sizeof head);
    rest.remove_prefix(sizeof head);
    if (head[0] > rest.size() || checksum(rest.substr(0, head[0])) != head[1]) break;
    std::vector<Interval> one;
    if (!unpack(rest.substr(0, head[0]), one) || one.size() != 1) break;
    rest.remove_prefix(head[0]);
    if (!all.empty() && one[0].start.monotonic < all.back().end.monotonic) break;
    all.push_back(std::move(one[0]));
  }
  return all;
}

std::vector<Interval> with_tail(std::vector<Interval> committed, const std::vector<Interval>& tail) {
  const Nanoseconds from = committed.empty() ? Nanoseconds::min() : committed.back().end.monotonic;
  for (const Interval& i : tail) {
    if (i.start.monotonic >= from) committed.push_back(i);
  }
  return committed;
}

}  // namespace gramwatt::ledger
