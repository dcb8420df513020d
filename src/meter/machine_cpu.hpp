#pragma once
// How busy the whole machine was, between two instants.
//
// /proc/stat's busy columns are tick samples: 2 ms of work every 4 ms showed as 0.02 s or as 6.05 s of 3.03. Its idle columns
// are accounted exactly on tickless kernels. So busy = CPUs × elapsed − Δ(idle + iowait) − Δsteal, from the summed line, whose
// resolution is one clock tick (10 ms) for the machine rather than for each CPU.

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/system.hpp"
#include "sense/cpu_identity.hpp"

namespace gramwatt::meter {

/// Parsed counters of /proc/stat, in clock ticks.
struct CpuTicks {
  std::uint64_t idle = 0;  ///< idle + iowait
  std::uint64_t steal = 0;
};

struct ProcStat {
  CpuTicks all;
  std::vector<CpuTicks> cpus;  ///< by position in the file
  std::size_t online = 0;      ///< "cpuN" lines
};

/// Parses the head of /proc/stat into `out` (its vector is reused). `each`: also the lines of single CPUs.
[[nodiscard]] bool parse_proc_stat(std::string_view text, bool each, ProcStat& out);

/// Where CPU times come from: fills `out`; `each`: single CPUs are wanted too. False: they cannot be read now.
using StatSource = std::function<bool(bool each, ProcStat& out)>;

class MachineCpu {
 public:
  /// `source`: in place of /proc/stat, for replays.
  MachineCpu(const Roots& roots, const sense::CpuIdentity& cpu, StatSource source = {});

  struct Use {
    Nanoseconds busy{};  ///< CPU time of everything on the machine since the previous read, steal excluded
    Nanoseconds steal{};
    double capacity = 1;  ///< what one busy hardware thread was worth, in threads of a fully loaded machine (SMT: up to 1.5)
  };

  /// Since the previous read; nothing when /proc/stat cannot be read. The first call returns zeros.
  [[nodiscard]] std::optional<Use> read(const Instant& now);

  /// Every CPU by itself is wanted too: `busy_by_cpu`.
  void want_each_cpu() { each_ = true; }
  /// CPU time of everything by position in /proc/stat (CPU number, where none is offline) since the previous read; empty where
  /// it is not known.
  [[nodiscard]] std::span<const Nanoseconds> busy_by_cpu() const { return busy_by_cpu_; }

  /// What the last read saw; null when it failed.
  [[nodiscard]] const ProcStat* last_stat() const { return read_well_ ? &last_ : nullptr; }

  /// Resolution of `busy`: one clock tick.
  [[nodiscard]] Nanoseconds tick() const { return tick_; }

 private:
  double capacity_of_busy_thread(Nanoseconds passed);
  void take_busy_by_cpu(Nanoseconds passed);

  [[nodiscard]] bool read_file();

  StatSource source_;
  bool read_well_ = false;
  Fd fd_;
  Nanoseconds tick_;
  bool smt_ = false;
  bool each_ = false;
  std::vector<int> core_of_thread_;
  std::vector<char> buffer_;
  std::vector<double> busy_fraction_, scratch_;
  std::vector<Nanoseconds> busy_by_cpu_;
  ProcStat last_, now_;
  std::optional<Instant> last_at_;
};

}  // namespace gramwatt::meter
