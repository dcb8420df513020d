#pragma once
// File descriptors and small files.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace gramwatt {

/// Owns a file descriptor. Move only.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Fd& operator=(Fd&& o) noexcept {
    if (this != &o) {
      reset();
      fd_ = std::exchange(o.fd_, -1);
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// Opens for reading, close-on-exec. The error carries errno's text and the remedy for EACCES.
[[nodiscard]] Result<Fd> open_read(const std::filesystem::path& path);

/// Whole text of a small file (sysfs, procfs, config): up to `limit` bytes, trailing newline kept.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit = 16U << 20U);

/// First line without surrounding white space; empty on any failure. For facts that may be absent.
[[nodiscard]] std::string read_line_or_empty(const std::filesystem::path& path);

/// pread from offset 0 into `buffer` without allocating; the text that was there.
[[gnu::hot]] [[nodiscard]] Result<std::string_view> pread_text(int fd, char* buffer, std::size_t size);

/// The whole number that stands in a small sysfs file: pread from offset 0, no allocation when it succeeds. `path`: for the
/// error.
[[gnu::hot]] [[nodiscard]] Result<std::uint64_t> pread_number(const Fd& fd, const std::filesystem::path& path);

/// Writes a file and renames it into place; parents are made.
[[nodiscard]] Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text,
                                                 unsigned mode = 0644);

/// Is `folder` (or, where it does not exist yet, the nearest folder above it) on a file system that several machines share?
[[nodiscard]] bool is_network_folder(const std::filesystem::path& folder);

}  // namespace gramwatt
