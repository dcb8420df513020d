#pragma once
// A whole terminal screen: keys in, lines out, and the terminal as it was afterwards, whatever happens. See terminal.cpp.

#include <termios.h>

#include <csignal>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"

namespace gramwatt::cli {

enum class Key { none, character, up, down, left, right, page_up, page_down, home, end, enter, escape };

struct KeyPress {
  Key key = Key::none;
  char character = 0;  ///< for Key::character
};

/// Takes the next key off the bytes that a terminal sent (ECMA-48 and xterm's sequences); nothing when there is none or one
/// that is not known, which is taken all the same.
[[nodiscard]] std::optional<KeyPress> take_key(std::string& bytes);

class Terminal {
 public:
  /// Standard input and output are a terminal that can move its cursor.
  [[nodiscard]] static bool usable();

  /// Takes the screen: raw keys, alternate screen, no cursor.
  Terminal();
  /// Gives it back.
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  struct Size {
    std::size_t width = 80, height = 24;
  };
  [[nodiscard]] Size size() const;

  /// Shows these lines: one write, of those only that changed.
  void draw(const std::vector<std::string>& lines);

  /// What was drawn may be gone: the next draw draws all.
  void forget() { shown_.clear(); }

  /// Waits for keys, signals, or one of `other` (readable), until something comes. SIGTSTP and SIGWINCH are seen to here.
  struct Event {
    std::vector<KeyPress> keys;
    bool resized = false;  ///< or continued after a stop: draw anew
    bool end = false;      ///< SIGINT, SIGTERM, SIGHUP, or the terminal is gone
    bool other = false;
  };
  [[nodiscard]] Event wait(int other);

 private:
  void enter();
  void leave();
  void stop();
  void write(const std::string& bytes) const;
  void take_signals(Event& event);

  termios before_{};
  sigset_t mask_before_{};
  Fd signals_;
  std::string pending_;  ///< bytes of keys
  std::vector<std::string> shown_;
  bool inside_ = false;
};

}  // namespace gramwatt::cli
