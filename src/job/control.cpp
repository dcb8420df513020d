#include "job/control.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/system.hpp"

namespace gramwatt::job {
namespace {

constexpr int kPatienceMs = 5000;
constexpr std::size_t kLongest = 4096;

/// $XDG_RUNTIME_DIR/gramwatt, else /tmp/gramwatt-UID; made with mode 0700, and refused when it is somebody else's.
Result<std::filesystem::path> folder() {
  const auto runtime = environment("XDG_RUNTIME_DIR");
  std::filesystem::path path = runtime && !runtime->empty()
                                   ? std::filesystem::path(*runtime) / "gramwatt"
                                   : std::filesystem::path("/tmp/gramwatt-" + std::to_string(::getuid()));
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return tl::unexpected(errno_error(errno, "cannot make the folder for sockets", path.string()));
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != ::getuid() || (info.st_mode & 0077) != 0)
    return fail("the folder for sockets is not this user's alone", path.string(), "remove it, or set XDG_RUNTIME_DIR");
  return path;
}

Result<sockaddr_un> address_of(const std::string& run_id) {
  const auto where = folder();
  if (!where) return tl::unexpected(where.error());
  const std::string path = (*where / (run_id + ".sock")).string();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail("the path of the socket is too long", path, "set a shorter XDG_RUNTIME_DIR");
  std::memcpy(&address.sun_path[0], path.c_str(), path.size() + 1);
  return address;
}

Fd make_socket() { return Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

const sockaddr* generic(const sockaddr_un& a) { return reinterpret_cast<const sockaddr*>(&a); }

}  // namespace

Result<ControlServer> ControlServer::open(const std::string& run_id) {
  const auto address = address_of(run_id);
  if (!address) return tl::unexpected(address.error());
  Fd fd = make_socket();
  const std::string path = &address->sun_path[0];
  ::unlink(path.c_str());  // of the same run, before its gramwatt was killed
  if (!fd || ::bind(fd.get(), generic(*address), sizeof *address) != 0)
    return tl::unexpected(errno_error(errno, "cannot listen for pause, resume, now and cancel", path));
  return ControlServer(std::move(fd), path);
}

ControlServer::~ControlServer() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void ControlServer::serve(const std::function<Result<std::string>(const std::string&)>& answer) {
  for (int n = 0; n < 100; ++n) {  // a flood must not keep us from the rest
    std::array<char, kLongest> buffer{};
    sockaddr_un from{};
    socklen_t size = sizeof from;
    const ssize_t got = ::recvfrom(fd_.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return;
    const auto said = answer(std::string(buffer.data(), static_cast<std::size_t>(got)));
    const std::string text = said ? "+" + *said : "-" + said.error().message();
    if (size > sizeof(sa_family_t))
      (void)::sendto(fd_.get(), text.data(), std::min(text.size(), kLongest), MSG_NOSIGNAL, generic(from), size);
  }
}

void tell_job(const std::string& run_id, const std::string& word) {
  const auto address = address_of(run_id);
  const Fd fd = make_socket();
  if (address && fd) (void)::sendto(fd.get(), word.data(), word.size(), MSG_NOSIGNAL, generic(*address), sizeof *address);
}

Result<void> ResourceLock::try_take(const std::string& resource) {
  if (fd_) return {};
  const auto where = folder();
  if (!where) return tl::unexpected(where.error());
  std::string name = "resource-";
  for (const char c : resource) name += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '-' ? c : '_';
  const std::string path = (*where / (name + ".lock")).string();
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return tl::unexpected(errno_error(errno, "cannot open the lock of a resource", path));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) fd_ = std::move(fd);
  return {};
}

Result<std::string> ask_job(const std::string& run_id, const std::string& question) {
  const auto address = address_of(run_id);
  if (!address) return tl::unexpected(address.error());
  const Fd fd = make_socket();
  const sa_family_t family = AF_UNIX;  // a name of the kernel's choice, for the answer: unix(7), "Autobind feature"
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&family), sizeof family) != 0)
    return tl::unexpected(errno_error(errno, "cannot make a socket", {}));
  if (::connect(fd.get(), generic(*address), sizeof *address) != 0 ||
      ::send(fd.get(), question.data(), question.size(), MSG_NOSIGNAL) < 0)
    return fail("nobody steers this job any more", run_id, "gramwatt recover", Error::Kind::missing);
  pollfd wait{fd.get(), POLLIN, 0};
  if (::poll(&wait, 1, kPatienceMs) != 1)
    return fail("its gramwatt does not answer: it is stopped, or very busy", run_id, "gramwatt jobs tells its process");
  std::array<char, kLongest> buffer{};
  const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
  if (got < 1) return fail("its gramwatt ended", run_id);
  std::string text(&buffer[1], static_cast<std::size_t>(got - 1));
  if (buffer[0] != '+') return fail(text);
  return text;
}

}  // namespace gramwatt::job
