// A frame is compared with the one before it, and only lines that differ are sent, each with its own place, all in one write
// between the marks of a synchronized update (mode 2026; terminals that do not know it ignore it): nothing flickers, and over a
// slow line a second costs a few hundred bytes.
//
// The terminal is given back by the destructor, so also when an exception passes; by SIGTSTP (and taken again by SIGCONT); and
// signals that end the program are taken through a descriptor, so that they end the loop rather than the process. Keys that
// make signals (Ctrl-C, Ctrl-Z, Ctrl-\) keep doing so.

#include "cli/terminal.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

namespace gramwatt::cli {
namespace {

constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J";  // alternate screen, no cursor, empty
constexpr std::string_view kLeave = "\x1b[0m\x1b[?25h\x1b[?1049l";

KeyPress of_sequence(std::string_view body) {
  // What follows ESC [ or ESC O, its final byte included.
  if (body == "A") return {Key::up};
  if (body == "B") return {Key::down};
  if (body == "C") return {Key::right};
  if (body == "D") return {Key::left};
  if (body == "H" || body == "1~" || body == "7~") return {Key::home};
  if (body == "F" || body == "4~" || body == "8~") return {Key::end};
  if (body == "5~") return {Key::page_up};
  if (body == "6~") return {Key::page_down};
  return {};
}

}  // namespace

std::optional<KeyPress> take_key(std::string& bytes) {
  while (!bytes.empty()) {
    std::size_t length = 1;
    KeyPress key;
    const char c = bytes[0];
    if (c == '\x1b' && bytes.size() > 1 && (bytes[1] == '[' || bytes[1] == 'O')) {
      length = 2;
      while (length < bytes.size() && (bytes[length] < '@' || bytes[length] > '~')) ++length;
      length = std::min(length + 1, bytes.size());
      key = of_sequence(std::string_view(bytes).substr(2, length - 2));
    } else if (c == '\x1b') {
      key = {Key::escape};
    } else if (c == '\r' || c == '\n') {
      key = {Key::enter};
    } else if (c >= ' ' && c <= '~') {
      key = {Key::character, c};
    }
    bytes.erase(0, length);
    if (key.key != Key::none) return key;
  }
  return std::nullopt;
}

bool Terminal::usable() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1 && term != nullptr && *term != '\0' &&
         std::string_view(term) != "dumb";
}

Terminal::Terminal() {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH}) sigaddset(&set, s);
  sigprocmask(SIG_BLOCK, &set, &mask_before_);
  signals_ = Fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  enter();
}

Terminal::~Terminal() {
  leave();
  signalfd_siginfo taken{};
  while (::read(signals_.get(), &taken, sizeof taken) == sizeof taken) {}
  sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
}

void Terminal::enter() {
  if (inside_) return;
  ::tcgetattr(STDIN_FILENO, &before_);
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  write(std::string(kEnter));
  shown_.clear();
  inside_ = true;
}

void Terminal::leave() {
  if (!inside_) return;
  inside_ = false;
  write(std::string(kLeave));
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
}

/// Ctrl-Z: the shell gets its terminal back; `fg` gives it to us again.
void Terminal::stop() {
  leave();
  ::raise(SIGSTOP);
  enter();
}

void Terminal::write(const std::string& bytes) const {
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // the terminal is gone: `wait` sees it
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
}

Terminal::Size Terminal::size() const {
  winsize w{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col == 0 || w.ws_row == 0) return {};
  return {w.ws_col, w.ws_row};
}

void Terminal::draw(const std::vector<std::string>& lines) {
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i < shown_.size() && shown_[i] == lines[i]) continue;
    out += fmt::format("\x1b[{};1H{}\x1b[0m\x1b[K", i + 1, lines[i]);
  }
  if (lines.size() < shown_.size()) out += fmt::format("\x1b[{};1H\x1b[J", lines.size() + 1);
  if (!out.empty()) write("\x1b[?2026h" + out + "\x1b[?2026l");
  shown_ = lines;
}

void Terminal::take_signals(Event& event) {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGWINCH) {
      event.resized = true;
    } else if (info.ssi_signo == SIGTSTP) {
      stop();
      event.resized = true;
    } else {
      event.end = true;
    }
  }
  if (event.resized) {  // what a terminal does with its lines when its size changes is its own affair
    write("\x1b[2J");
    forget();
  }
}

Terminal::Event Terminal::wait(int other) {
  std::array<pollfd, 3> sources{{{STDIN_FILENO, POLLIN, 0}, {signals_.get(), POLLIN, 0}, {other, POLLIN, 0}}};
  Event event;
  if (::poll(sources.data(), sources.size(), -1) < 0) {
    event.end = errno != EINTR;
    return event;
  }
  if ((sources[1].revents & POLLIN) != 0) take_signals(event);
  if (sources[0].revents != 0) {
    std::array<char, 256> buffer;
    const ssize_t n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (n > 0) pending_.append(buffer.data(), static_cast<std::size_t>(n));
    else if ((sources[0].revents & (POLLHUP | POLLERR)) != 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) event.end = true;
    while (const auto key = take_key(pending_)) event.keys.push_back(*key);
  }
  event.other = (sources[2].revents & POLLIN) != 0;
  return event;
}

}  // namespace gramwatt::cli
