#pragma once
// Time: monotonic for durations, UTC for carbon, both stamped at the read.
//
// An Instant holds three clocks. CLOCK_MONOTONIC gives durations and survives clock steps; CLOCK_BOOTTIME runs on while the
// machine sleeps, so that its lead over MONOTONIC is the time spent suspended; UTC tells which hour of the grid it was and is
// used for nothing else. Tests replace the Clock.
//
// Thread safety: Clock::now may be called from any thread.

#include <optional>
#include <string>
#include <string_view>

#include "base/quantity.hpp"

namespace gramwatt {

struct Instant {
  Nanoseconds monotonic{};
  Nanoseconds boottime{};
  Nanoseconds utc{};  ///< since 1970-01-01T00:00:00Z, no leap seconds
};

/// Time that passed while the machine ran.
[[nodiscard]] constexpr Nanoseconds elapsed(const Instant& from, const Instant& to) { return to.monotonic - from.monotonic; }

/// Time that the machine spent suspended between two instants (never negative).
[[nodiscard]] constexpr Nanoseconds suspended(const Instant& from, const Instant& to) {
  const Nanoseconds lead = (to.boottime - from.boottime) - (to.monotonic - from.monotonic);
  return lead > Nanoseconds{0} ? lead : Nanoseconds{0};
}

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
};

/// The kernel's clocks.
class SystemClock final : public Clock {
 public:
  [[gnu::hot]] [[nodiscard]] Instant now() const override;
};

/// A clock that tests move by hand.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(Nanoseconds utc_start) { at_.utc = utc_start; }
  [[nodiscard]] Instant now() const override { return at_; }
  void advance(Nanoseconds by) {
    at_.monotonic += by;
    at_.boottime += by;
    at_.utc += by;
  }
  void suspend(Nanoseconds by) {
    at_.boottime += by;
    at_.utc += by;
  }
  void step_utc(Nanoseconds by) { at_.utc += by; }

 private:
  Instant at_;
};

/// "2026-11-23T13:52:07.123Z": UTC, ISO 8601, milliseconds.
[[nodiscard]] std::string iso8601(Nanoseconds utc);

/// The reverse, in the forms that services and people write: "2026-11-23T13:52:07Z" with any number of decimals (beyond
/// nanoseconds they are cut off), "T13:52Z", "T13Z", with an offset "+02:00" in place of Z; "2026-11-23T13" and a date alone
/// (its midnight) are UTC too. A clock time with minutes but without Z or offset is somebody's local time: refused. Only
/// instants that exist and fit (years 1678 to 2261).
[[nodiscard]] std::optional<Nanoseconds> parse_iso8601(std::string_view text);

}  // namespace gramwatt
