#pragma once
// What every sensor is, whoever made it.
//
// A sensor family (powercap, NVML, …) is one file with one `probe` function: it looks at the machine once, and returns the
// sensors that can be read, and for what exists but cannot be read the reason and the one command that would change it. A
// sensor is a counter of energy: `read` gives the energy since it was opened, unwrapped to 64 bits and never falling, with the
// instant of the read. A source of power readings integrates inside. Most are made of two halves, see raw.hpp. A read that
// fails is an Error, never a zero: the caller names the gap, and because counters accumulate, the next good read usually closes
// it.
//
// Thread safety: a sensor is used by one thread at a time.

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/account.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"

namespace gramwatt::sense {

/// What a sensor measures and how well.
struct Description {
  std::string id;  ///< stable on one machine: "powercap:intel-rapl:0"
  Component component = Component::other;
  std::string device;  ///< for people: "package-0"
  Boundary boundary = Boundary::chip;
  std::string source;      ///< for people: "RAPL (powercap)"
  Terms terms;             ///< gain errors of the sensor itself
  Nanoseconds resolution;  ///< how often the hardware updates the counter
  /// The part of the energy that an idle machine draws here, where the family knows it (0 W: not known).
  Watts idle_power{};
  Terms idle_terms;  ///< error of idle_power, relative to it
  /// May the measured program use this device? A GPU outside CUDA_VISIBLE_DEVICES counts for the machine only.
  bool usable_by_job = true;
  Method method = Method::measured;  ///< modelled: from something that is not power, such as utilisation
  /// What it reads contains the CPU of the same socket (an APU): never counted beside a sensor of the CPU.
  bool holds_cpu = false;
  std::string note;  ///< what a reader should know, for people; may be empty
};

struct Reading {
  Microjoules energy;  ///< since the sensor was opened; never falls
  Instant at;
  /// The counter was lost since the previous good read (reset, or more than one wrap possible) and starts anew here: what
  /// flowed in between is not in `energy`.
  bool resumed = false;
};

/// What is known of a sensor's readings only when the run has ended.
struct Settled {
  Terms terms;
  std::vector<std::string> notes;
  std::vector<std::string> advice;  ///< what would make the figure more certain; printed below the summary
};

struct DecoderSpec;
class RawTap;

class Sensor {
 public:
  virtual ~Sensor() = default;
  [[nodiscard]] virtual const Description& describe() const = 0;
  /// Reads now. No allocation when it succeeds.
  [[nodiscard]] virtual Result<Reading> read(const Clock& clock) = 0;
  /// As `read`, but of this very moment where `read` would give what a side thread saw a little earlier: the end of a run.
  [[nodiscard]] virtual Result<Reading> read_now(const Clock& clock) { return read(clock); }

  /// For a device that several programs may use at once: which part (0..1) of what it did since the last call was done by
  /// processes that `is_job` holds for. Nothing: the device does not tell, or did nothing. Called when an interval closes.
  [[nodiscard]] virtual std::optional<Ratio> activity_share(const std::function<bool(pid_t)>& /*is_job*/) {
    return std::nullopt;
  }

  /// What only the readings could tell: error terms beside those of `describe`, relative to the energy read so far, and words
  /// for people. Asked once, after the last read.
  [[nodiscard]] virtual Settled settled() const { return {}; }

  /// What a recording keeps beside the raw samples (raw.hpp); null for a sensor that cannot be recorded.
  [[nodiscard]] virtual const DecoderSpec* decoder() const { return nullptr; }
  /// Every raw sample goes to `tap` too, from now on; null ends it. `tap` outlives the sensor's last read.
  virtual void record_to(RawTap* /*tap*/) {}
};

/// Something that this machine has or could have, and that cannot be read.
struct Blocked {
  std::string family;  ///< "RAPL (powercap)"
  std::string why;     ///< "energy_uj is readable by root only (CVE-2020-8694)"
  std::string remedy;  ///< one command; empty when nothing helps
};

/// What a family found.
struct Findings {
  std::vector<std::unique_ptr<Sensor>> sensors;
  std::vector<Blocked> blocked;

  void append(Findings more) {
    for (auto& s : more.sensors) sensors.push_back(std::move(s));
    for (auto& b : more.blocked) blocked.push_back(std::move(b));
  }
};

}  // namespace gramwatt::sense
