// A line drawn on the terminal that the program writes to as well would corrupt what it prints. So:
//   - the program's output and error output are both elsewhere (`> log 2>&1`): a line on the controlling terminal;
//   - the program's error output is this terminal: the terminal's title, which nothing else prints on (saved and given back);
//   - no terminal, or another job in its foreground: nothing.
// --live line draws on standard error all the same, for programs that are silent.

#include "cli/live.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace gramwatt::cli {

Result<LiveMode> parse_live_mode(const std::string& text) {
  if (text == "auto") return LiveMode::automatic;
  if (text == "line") return LiveMode::line;
  if (text == "title") return LiveMode::title;
  if (text == "off") return LiveMode::off;
  return fail("\"" + text + "\" is no place for the live line", "--live", "auto, line, title or off", Error::Kind::usage);
}

LiveLine::LiveLine(LiveMode mode) {
  if (mode == LiveMode::off) return;
  const char* term = getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  const bool error_is_terminal = ::isatty(STDERR_FILENO) == 1;
  const bool output_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  if (mode == LiveMode::automatic && !error_is_terminal && !output_is_terminal && !dumb) {
    terminal_ = Fd(::open("/dev/tty", O_WRONLY | O_NOCTTY | O_CLOEXEC));
    if (terminal_) {
      form_ = Form::line;
      fd_ = terminal_.get();
    }
    return;
  }
  if (!error_is_terminal || dumb) return;
  fd_ = STDERR_FILENO;
  form_ = mode == LiveMode::line ? Form::line : Form::title;
}

LiveLine::~LiveLine() { clear(); }

bool LiveLine::in_foreground() const { return ::tcgetpgrp(fd_) == ::getpgrp(); }

bool LiveLine::due(Nanoseconds monotonic) {
  if (form_ == Form::none || monotonic < next_) return false;
  next_ = monotonic + std::chrono::seconds(1);
  return in_foreground();
}

std::size_t LiveLine::width() const {
  winsize size{};
  if (fd_ < 0 || ::ioctl(fd_, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

void LiveLine::write(const std::string& bytes) const { (void)!::write(fd_, bytes.data(), bytes.size()); }

void LiveLine::draw(const std::string& text) {
  if (form_ == Form::none) return;
  if (form_ == Form::line) write("\r" + text + "\x1b[K");
  else write(std::string(drawn_ ? "" : "\x1b[22;2t") + "\x1b]2;" + text + "\x07");  // save the title once, then set it
  drawn_ = true;
}

void LiveLine::clear() {
  if (!std::exchange(drawn_, false) || !in_foreground()) return;
  write(form_ == Form::line ? "\r\x1b[K" : "\x1b[23;2t");
}

}  // namespace gramwatt::cli
