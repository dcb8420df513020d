#include "base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/text.hpp"

namespace gramwatt {

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<Fd> open_read(const std::filesystem::path& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return tl::unexpected(errno_error(errno, "cannot open", path.string()));
  return fd;
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
  const auto fd = open_read(path);
  if (!fd) return tl::unexpected(fd.error());
  std::string text;
  std::array<char, 16384> buffer;
  while (text.size() < limit) {
    const ssize_t n = ::read(fd->get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return tl::unexpected(errno_error(errno, "cannot read", path.string()));
    if (n == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return text;
}

std::string read_line_or_empty(const std::filesystem::path& path) {
  const auto text = read_file(path, 65536);
  if (!text) return {};
  const std::string_view all = *text;
  return std::string(trim(all.substr(0, all.find('\n'))));
}

Result<std::string_view> pread_text(int fd, char* buffer, std::size_t size) {
  for (;;) {
    const ssize_t n = ::pread(fd, buffer, size, 0);
    if (n >= 0) return std::string_view(buffer, static_cast<std::size_t>(n));
    if (errno != EINTR) return tl::unexpected(errno_error(errno, "cannot read", {}));
  }
}

Result<std::uint64_t> pread_number(const Fd& fd, const std::filesystem::path& path) {
  std::array<char, 64> buffer;
  const auto text = pread_text(fd.get(), buffer.data(), buffer.size());
  if (!text) {
    Error e = text.error();
    e.where = path.string();
    return tl::unexpected(std::move(e));
  }
  if (const auto number = parse_number<std::uint64_t>(*text)) return *number;
  return fail("not a number: \"" + std::string(trim(*text)) + "\"", path.string());
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text, unsigned mode) {
  std::error_code ec;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ec);
  std::string temporary = path.string() + ".XXXXXX";
  Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return tl::unexpected(errno_error(errno, "cannot write", path.string()));
  const auto give_up = [&](const char* doing) {
    const int why = errno;
    ::unlink(temporary.c_str());
    return tl::unexpected(errno_error(why, doing, path.string()));
  };
  while (!text.empty()) {
    const ssize_t n = ::write(fd.get(), text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return give_up("cannot write");
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fchmod(fd.get(), mode) != 0) return give_up("cannot set the mode of");
  if (::rename(temporary.c_str(), path.c_str()) != 0) return give_up("cannot replace");
  return {};
}

}  // namespace gramwatt
