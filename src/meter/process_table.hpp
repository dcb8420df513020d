#pragma once
// Looks at all processes of the machine, cheaply: see process_table.cpp.

#include <sys/types.h>

#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "meter/process_books.hpp"

namespace gramwatt::meter {

class ProcessTable {
 public:
  /// Fails where there is no /proc.
  [[nodiscard]] static Result<ProcessTable> open();

  /// Looks. The view is valid until the next look. Processes that cannot be seen (hidepid) are not in it.
  [[nodiscard]] const std::vector<ProcessLook>& look();

  /// What the process calls itself (its `comm`), as of the last look.
  [[nodiscard]] const std::string& name(pid_t pid) const;

  /// The folder /proc.
  [[nodiscard]] int folder() const { return folder_.get(); }

 private:
  struct Known {
    ProcessLook look;
    std::string name;
    clockid_t clock{};
    Nanoseconds probed{};  ///< of the clock when the stat file was last read
    std::uint64_t seen = 0;
    bool needs_stat = true;
  };
  void list();
  void read_changed();
  void settle();
  bool read_stat(Known& k);
  [[nodiscard]] bool is_orphan(const Known& k) const;

  Fd folder_;
  std::unordered_map<pid_t, Known> known_;
  std::vector<ProcessLook> looks_;
  std::array<char, 32768> entries_{};
  std::array<char, 1024> text_{};
  std::uint64_t look_ = 0;
  bool some_vanished_ = false;
};

}  // namespace gramwatt::meter
