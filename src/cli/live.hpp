#pragma once
// The live line: one line about the run that is on, where it cannot disturb. See live.cpp.

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/file.hpp"

namespace gramwatt::cli {

enum class LiveMode { automatic, line, title, off };
[[nodiscard]] Result<LiveMode> parse_live_mode(const std::string& text);

class LiveLine {
 public:
  explicit LiveLine(LiveMode mode);
  ~LiveLine();
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;

  /// False: there is nothing to draw on, ever.
  [[nodiscard]] bool on() const { return form_ != Form::none; }
  /// Is it time to draw again? Once a second at most, and only while this job is in the terminal's foreground.
  [[nodiscard]] bool due(Nanoseconds monotonic);
  [[nodiscard]] std::size_t width() const;
  void draw(const std::string& text);
  /// Takes the line away.
  void clear();

 private:
  [[nodiscard]] bool in_foreground() const;
  void write(const std::string& bytes) const;

  enum class Form { none, line, title };
  Form form_ = Form::none;
  Fd terminal_;  ///< opened by us
  int fd_ = -1;
  bool drawn_ = false;
  Nanoseconds next_{};
};

}  // namespace gramwatt::cli
