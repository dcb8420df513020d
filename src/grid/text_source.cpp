#include "grid/text_source.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <zlib.h>

#include "base/file.hpp"

namespace gramwatt::grid {
namespace {

constexpr std::size_t kPiece = 256U << 10U;
/// Far above any row (400 zones are 3 kB): a bound for files that are no text.
constexpr std::size_t kLongestLine = 4U << 20U;

class PlainFile final : public ByteSource {
 public:
  PlainFile(Fd fd, std::string name, std::uint64_t total) : fd_(std::move(fd)), name_(std::move(name)), total_(total) {}

  Result<std::size_t> read(char* into, std::size_t size) override {
    for (;;) {
      const ssize_t n = ::read(fd_.get(), into, size);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return tl::unexpected(errno_error(errno, "cannot read", name_));
      done_ += static_cast<std::uint64_t>(n);
      return static_cast<std::size_t>(n);
    }
  }
  [[nodiscard]] std::uint64_t done() const override { return done_; }
  [[nodiscard]] std::uint64_t total() const override { return total_; }

 private:
  Fd fd_;
  std::string name_;
  std::uint64_t total_, done_ = 0;
};

class Memory final : public ByteSource {
 public:
  explicit Memory(std::string_view text) : text_(text) {}
  Result<std::size_t> read(char* into, std::size_t size) override {
    const std::size_t n = std::min(size, text_.size() - at_);
    std::memcpy(into, text_.data() + at_, n);
    at_ += n;
    return n;
  }
  [[nodiscard]] std::uint64_t done() const override { return at_; }
  [[nodiscard]] std::uint64_t total() const override { return text_.size(); }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

/// Some bytes that were looked at already, then the rest.
class Rejoined final : public ByteSource {
 public:
  Rejoined(std::string head, std::unique_ptr<ByteSource> rest) : head_(std::move(head)), rest_(std::move(rest)) {}
  Result<std::size_t> read(char* into, std::size_t size) override {
    if (at_ == head_.size()) return rest_->read(into, size);
    const std::size_t n = std::min(size, head_.size() - at_);
    std::memcpy(into, head_.data() + at_, n);
    at_ += n;
    return n;
  }
  [[nodiscard]] std::uint64_t done() const override { return rest_->done(); }
  [[nodiscard]] std::uint64_t total() const override { return rest_->total(); }

 private:
  std::string head_;
  std::size_t at_ = 0;
  std::unique_ptr<ByteSource> rest_;
};

/// RFC 1952; several members one after another are one text (as of `cat a.gz b.gz`).
class Gzip final : public ByteSource {
 public:
  Gzip(std::unique_ptr<ByteSource> packed, std::string name) : packed_(std::move(packed)), name_(std::move(name)) {
    static constexpr int kGzipOnly = 16 + MAX_WBITS;  // zlib.h, inflateInit2
    ok_ = inflateInit2(&z_, kGzipOnly) == Z_OK;
  }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  ~Gzip() override { (void)inflateEnd(&z_); }

  Result<std::size_t> read(char* into, std::size_t size) override {
    if (!ok_) return fail("cannot unpack: no memory", name_);
    z_.next_out = reinterpret_cast<Bytef*>(into);
    z_.avail_out = static_cast<uInt>(size);
    while (z_.avail_out == size) {
      if (z_.avail_in == 0) {
        auto n = packed_->read(in_.data(), in_.size());
        if (!n) return n;
        if (*n == 0 && is_between_) return std::size_t{0};
        if (*n == 0) return fail("ends in the middle of its gzip data", name_, "fetch it again: the copy is not complete");
        z_.next_in = reinterpret_cast<Bytef*>(in_.data());
        z_.avail_in = static_cast<uInt>(*n);
      }
      if (is_between_) {
        (void)inflateReset(&z_);
        is_between_ = false;
      }
      const int rc = inflate(&z_, Z_NO_FLUSH);
      if (rc == Z_STREAM_END) is_between_ = true;
      else if (rc != Z_OK) return fail("damaged gzip data", name_, "fetch it again");
    }
    return size - z_.avail_out;
  }
  [[nodiscard]] std::uint64_t done() const override { return packed_->done(); }
  [[nodiscard]] std::uint64_t total() const override { return packed_->total(); }

 private:
  std::unique_ptr<ByteSource> packed_;
  std::string name_;
  std::array<char, 65536> in_;
  z_stream z_{};
  bool ok_ = false, is_between_ = false;
};

struct Packing {
  std::string_view magic;
  const char* name;
  const char* remedy;
};
using namespace std::string_view_literals;
constexpr std::array<Packing, 6> kOtherPackings{{
    {"PK\3\4"sv, "a zip archive (or a spreadsheet)", "unpack it, or save it as CSV"},
    {"\xFD"
     "7zXZ"sv,
     "packed by xz", "unxz it first"},
    {"BZh"sv, "packed by bzip2", "bunzip2 it first"},
    {"\x28\xB5\x2F\xFD"sv, "packed by zstd", "unzstd it first"},
    {"PAR1"sv, "a Parquet file", "save it as CSV"},
    {"\xFF\xFE"sv, "UTF-16 text", "save it as UTF-8"},
}};

}  // namespace

Result<std::unique_ptr<ByteSource>> open_text(const std::filesystem::path& path) {
  auto fd = open_read(path);
  if (!fd) return tl::unexpected(fd.error());
  struct stat info{};
  if (::fstat(fd->get(), &info) != 0) return tl::unexpected(errno_error(errno, "cannot read", path.string()));
  if (S_ISDIR(info.st_mode)) return fail("is a folder", path.string(), "name a file", Error::Kind::usage);
  const auto total = S_ISREG(info.st_mode) ? static_cast<std::uint64_t>(info.st_size) : 0;
  std::unique_ptr<ByteSource> file = std::make_unique<PlainFile>(std::move(*fd), path.string(), total);

  std::string head(8, '\0');
  std::size_t have = 0;
  while (have < head.size()) {
    const auto n = file->read(head.data() + have, head.size() - have);
    if (!n) return tl::unexpected(n.error());
    if (*n == 0) break;
    have += *n;
  }
  head.resize(have);
  for (const Packing& p : kOtherPackings) {
    if (head.starts_with(p.magic)) return fail(std::string("is ") + p.name, path.string(), p.remedy, Error::Kind::usage);
  }
  const bool gzip = head.starts_with("\x1F\x8B");
  file = std::make_unique<Rejoined>(std::move(head), std::move(file));
  if (gzip) file = std::make_unique<Gzip>(std::move(file), path.string());
  return file;
}

std::unique_ptr<ByteSource> text_in_memory(std::string_view text) { return std::make_unique<Memory>(text); }

bool Lines::fill() {
  if (is_over_) return false;
  if (at_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + at_, end_ - at_);
    end_ -= at_;
    at_ = 0;
  }
  if (end_ > kLongestLine) {
    status_ = fail("line " + std::to_string(number_ + 1) + " has no end", {}, "is it a text file?", Error::Kind::usage);
    return false;
  }
  if (buffer_.size() < end_ + kPiece) buffer_.resize(end_ + kPiece);
  const auto n = source_.read(buffer_.data() + end_, kPiece);
  if (!n) {
    status_ = tl::unexpected(n.error());
    return false;
  }
  end_ += *n;
  is_over_ = *n == 0;
  return true;
}

bool Lines::next(std::string_view& line) {
  std::size_t looked = 0;
  for (;;) {
    const auto* const newline =
        end_ > at_ + looked ? static_cast<const char*>(std::memchr(buffer_.data() + at_ + looked, '\n', end_ - at_ - looked))
                            : nullptr;
    if (newline != nullptr || (is_over_ && end_ > at_)) {
      const std::size_t length = newline != nullptr ? static_cast<std::size_t>(newline - buffer_.data()) - at_ : end_ - at_;
      line = std::string_view(buffer_.data() + at_, length);
      at_ += length + (newline != nullptr ? 1 : 0);
      break;
    }
    looked = end_ - at_;
    if (!fill()) return false;
  }
  ++number_;
  if (number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return true;
}

}  // namespace gramwatt::grid
