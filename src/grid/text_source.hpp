#pragma once
// Text of any size, plain or gzip, a piece at a time: from a file or from memory, with how far it has come.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace gramwatt::grid {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Up to `size` bytes; 0 at the end.
  [[nodiscard]] virtual Result<std::size_t> read(char* into, std::size_t size) = 0;
  /// Bytes of the file (compressed, where it is), for a progress bar. 0: unknown.
  [[nodiscard]] virtual std::uint64_t done() const = 0;
  [[nodiscard]] virtual std::uint64_t total() const = 0;
};

/// What is compressed by gzip is unpacked, whatever its name; other packings are an Error that says what to do.
[[nodiscard]] Result<std::unique_ptr<ByteSource>> open_text(const std::filesystem::path& path);
/// `text` must outlive it.
[[nodiscard]] std::unique_ptr<ByteSource> text_in_memory(std::string_view text);

/// Lines without their end ("\n" or "\r\n") and without a byte order mark. The end of the last line may be missing.
class Lines {
 public:
  explicit Lines(ByteSource& source) : source_(source) {}
  /// The next line, valid until the next call; false at the end and after an error.
  [[nodiscard]] bool next(std::string_view& line);
  /// Counted from 1.
  [[nodiscard]] std::size_t number() const { return number_; }
  /// Why next said false; nothing at the end of the text.
  [[nodiscard]] const Result<void>& status() const { return status_; }

 private:
  [[nodiscard]] bool fill();

  ByteSource& source_;
  std::string buffer_;
  std::size_t at_ = 0, end_ = 0;  ///< what of the buffer is still to be told
  std::size_t number_ = 0;
  bool is_over_ = false;
  Result<void> status_;
};

}  // namespace gramwatt::grid
