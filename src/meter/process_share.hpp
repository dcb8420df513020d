#pragma once
// The machine's active energy, split over its processes by CPU time.
//
// processes + unattributed = active, to the microjoule, whatever the books say: each process gets its share of the machine's
// CPU time, rounded down, and what is left is unattributed: kernel work that no process is charged for, last moments that
// nobody waited for, rounding. Where the books are ahead of /proc/stat (which is known to 10 ms) all shares shrink alike, so
// that none is invented. Idle energy belongs to no process and is not split. The error of splitting by CPU time is that of
// meter.cpp (kCpuTimeShareError): frequency, SMT and the kind of instructions are ignored.

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "base/quantity.hpp"
#include "meter/process_books.hpp"
#include "meter/process_table.hpp"
#include "meter/workload.hpp"

namespace gramwatt::meter {

/// Splits `active` by CPU time: `out[i]` for `cpu[i]`. Returns what is left.
[[nodiscard]] Microjoules split_by_cpu(Microjoules active, Nanoseconds machine_cpu, std::span<const Nanoseconds> cpu,
                                       std::vector<Microjoules>& out);

/// One process and what it has used since it was first seen.
struct ProcessUse {
  ProcessLook look;
  std::string name;     ///< comm
  std::string command;  ///< command line; the name in brackets for a kernel thread; empty before the second look
  uid_t user = 0;
  Workload workload;
  Nanoseconds cpu{};   ///< since the look before
  Microjoules energy;  ///< since the look before
  Microjoules total;   ///< since watching began
};

class ProcessShare {
 public:
  /// Looks for the first time.
  [[nodiscard]] static Result<ProcessShare> open();

  /// What came of the interval since the last look.
  struct Split {
    Microjoules active;        ///< what was to be split
    Microjoules attributed;    ///< to processes
    Microjoules unattributed;  ///< active − attributed
  };
  /// Looks, and splits: `active` of what follows CPU time, `machine_cpu` of everything on the machine.
  Split take(Microjoules active, Nanoseconds machine_cpu);

  /// Live processes, in no order.
  [[nodiscard]] const std::vector<const ProcessUse*>& processes() const { return live_; }
  /// Of processes that have ended since watching began.
  [[nodiscard]] Microjoules ended() const { return ended_; }
  [[nodiscard]] Microjoules unattributed() const { return unattributed_; }

 private:
  explicit ProcessShare(ProcessTable table) : table_(std::move(table)) {}
  void learn(ProcessUse& use, bool second_look);
  void forget_the_ended();

  struct Kept {
    ProcessUse use;
    int looks = 0;
  };
  ProcessTable table_;
  ProcessBooks books_;
  std::unordered_map<pid_t, Kept> kept_;
  std::vector<const ProcessUse*> live_;
  std::vector<Kept*> order_;
  std::vector<Nanoseconds> cpu_;
  std::vector<Microjoules> energy_;
  Microjoules ended_, unattributed_;
};

}  // namespace gramwatt::meter
