#pragma once
// The times that people and programs write into files, and the instants they mean.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/quantity.hpp"

namespace gramwatt::grid {

/// A time as written. `local`: what a clock on the wall shows, counted from 1970 as if it were UTC.
struct WrittenTime {
  Nanoseconds local{};
  std::optional<Nanoseconds> ahead;  ///< of UTC, where it is written ("Z", "+02:00"); else the file's zone holds
};

/// "2021-03-28T01:30:00.5Z", "2021-03-28 01:30+0200", "2021-03-28T01Z", "2021-03-28", "28.03.2021 01:30", "202103280130",
/// "2021-03-28 24:00", and seconds (10 digits) or milliseconds (13) since 1970. Years 1900..2199. Nothing for anything else,
/// also for 03/04/2021, which means two days.
[[nodiscard]] std::optional<WrittenTime> parse_written_time(std::string_view text);

/// UTC, a fixed offset, or a place of the IANA database. Cheap to copy; may be used from any thread.
class TimeZone {
 public:
  /// UTC.
  TimeZone() = default;
  /// "UTC", "Z", "+02:00", "-5", "Europe/Berlin". Kind usage for other words; the database is the system's (tzdata).
  [[nodiscard]] static Result<TimeZone> parse(std::string_view text);

  /// What a local time means: one instant; two in the hour that a clock shows twice; none in the hour that it skips (then
  /// `early` and `late` are where it would be by the offset before and after).
  struct Meaning {
    enum class Kind { one, two, none } kind = Kind::one;
    Nanoseconds early{}, late{};
  };
  [[nodiscard]] Meaning of(Nanoseconds local) const;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  class Place;
  std::string name_ = "UTC";
  Nanoseconds ahead_{};
  std::shared_ptr<const Place> place_;  ///< null: a fixed offset
};

}  // namespace gramwatt::grid
