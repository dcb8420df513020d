// Times in files.
//
// Problem: an hourly file of a year in local time has one day of 23 hours and one of 25. Read as UTC it is an hour or two wrong
// for ever; read with "the" offset it is wrong for half of the year; and in autumn two rows have one label.
//
// Idea: a label is first what a clock on the wall shows, and becomes an instant only with a zone. The IANA rules come from the
// system's own database through Abseil, which tells the two meanings of the doubled hour and that the skipped one has none; who
// reads rows in order decides (import_rows.cpp). Offsets written in the label always win.

#include "grid/local_time.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include "base/text.hpp"

namespace gramwatt::grid {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

constexpr int kFirstYear = 1900;
constexpr int kLastYear = 2199;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Reader {
  std::string_view rest;

  [[nodiscard]] bool at(char c) const { return !rest.empty() && rest.front() == c; }
  [[nodiscard]] bool at_digit() const { return !rest.empty() && is_digit(rest.front()); }
  bool skip(char c) {
    if (!at(c)) return false;
    rest.remove_prefix(1);
    return true;
  }
  /// Exactly so many digits, else -1 and nothing is taken.
  int number(std::size_t digits) {
    if (rest.size() < digits) return -1;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (!is_digit(rest[i])) return -1;
      value = value * 10 + (rest[i] - '0');
    }
    rest.remove_prefix(digits);
    return value;
  }
};

constexpr bool is_leap(int y) { return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0); }

/// Days since 1970; nothing for a day that does not exist. (std::chrono's year_month_day, three times as fast: the days before
/// each month are counted once.)
std::optional<days> day_of(int y, int m, int d) {
  static constexpr std::array<int, 13> kBefore{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
  if (y < kFirstYear || y > kLastYear || m < 1 || m > 12 || d < 1) return std::nullopt;
  const bool leap = is_leap(y);
  if (d > kBefore[m] - kBefore[m - 1] + (leap && m == 2 ? 1 : 0)) return std::nullopt;
  const int before = y - 1;
  constexpr int kDaysBefore1970 = 719162;  // of the proleptic Gregorian calendar, from 0001-01-01
  const int days_of_years = before * 365 + before / 4 - before / 100 + before / 400;
  return days(days_of_years - kDaysBefore1970 + kBefore[m - 1] + (leap && m > 2 ? 1 : 0) + d - 1);
}

/// "+02:00", "+0200", "+2", "+02" after the sign's place; nothing when it is something else.
std::optional<Nanoseconds> take_offset(Reader& r) {
  if (r.skip('Z') || r.skip('z')) return Nanoseconds{0};
  const int sign = r.at('-') ? -1 : 1;
  if (!r.skip('+') && !r.skip('-')) return std::nullopt;
  int h = r.number(2);
  if (h < 0) h = r.number(1);
  if (h < 0 || h > 18) return std::nullopt;
  int m = 0;
  if (r.skip(':') || r.at_digit()) m = r.number(2);
  if (m < 0 || m > 59) return std::nullopt;
  return sign * (Nanoseconds(hours(h)) + minutes(m));
}

std::optional<Nanoseconds> take_fraction(Reader& r) {
  Nanoseconds fraction{0};
  if (!r.at_digit()) return std::nullopt;
  for (Nanoseconds place = std::chrono::milliseconds(100); r.at_digit(); place /= 10) {
    fraction += place * (r.rest.front() - '0');
    r.rest.remove_prefix(1);
  }
  return fraction;
}

/// "01:30:00.5", "0130", "01"; what is left is the offset.
std::optional<Nanoseconds> take_clock(Reader& r) {
  const int h = r.number(2);
  if (h < 0 || h > 24) return std::nullopt;
  Nanoseconds clock = hours(h);
  if (r.skip(':') || r.at_digit()) {
    const int m = r.number(2);
    if (m < 0 || m > 59) return std::nullopt;
    clock += minutes(m);
    if (r.skip(':') || r.at_digit()) {
      const int s = r.number(2);
      if (s < 0 || s > 59) return std::nullopt;
      clock += std::chrono::seconds(s);
      if (r.skip('.') || r.skip(',')) {
        const auto fraction = take_fraction(r);
        if (!fraction) return std::nullopt;
        clock += *fraction;
      }
    }
  }
  return clock <= hours(24) ? std::optional(clock) : std::nullopt;
}

std::optional<days> take_date(Reader& r) {
  if (r.rest.size() > 5 && r.rest[2] == '.' && r.rest[5] == '.') {
    const int d = r.number(2);
    (void)r.skip('.');
    const int m = r.number(2);
    (void)r.skip('.');
    return day_of(r.number(4), m, d);
  }
  const int y = r.number(4);
  const bool dashes = r.skip('-');
  const int m = r.number(2);
  if (dashes && !r.skip('-')) return std::nullopt;
  return day_of(y, m, r.number(2));
}

/// Seconds or milliseconds since 1970.
std::optional<WrittenTime> unix_time(std::string_view text) {
  if (text.size() != 10 && text.size() != 13) return std::nullopt;
  if (!std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  std::int64_t n = 0;
  for (const char c : text) n = n * 10 + (c - '0');
  // From 1,900,000,000 s (2030) on ten digits are year, month, day and hour: those of 1900 to 2199 lie there.
  constexpr std::int64_t kFirstDate = 1'900'000'000;
  constexpr std::int64_t kLastMilliseconds = 7'000'000'000'000;  // 2191: within the years that are taken
  if (text.size() == 10)
    return n < kFirstDate ? std::optional(WrittenTime{std::chrono::seconds(n), Nanoseconds{0}}) : std::nullopt;
  if (n > kLastMilliseconds) return std::nullopt;
  return WrittenTime{std::chrono::milliseconds(n), Nanoseconds{0}};
}

}  // namespace

std::optional<WrittenTime> parse_written_time(std::string_view text) {
  if (const auto t = unix_time(text)) return t;
  Reader r{text};
  const auto day = take_date(r);
  if (!day) return std::nullopt;
  WrittenTime t{*day, {}};
  if (r.rest.empty()) return t;
  if (!r.skip('T') && !r.skip(' ') && !r.skip('t') && !r.at_digit()) return std::nullopt;
  const auto clock = take_clock(r);
  if (!clock) return std::nullopt;
  t.local += *clock;
  if (r.rest.empty()) return t;
  (void)r.skip(' ');
  if (r.rest == "UTC" || r.rest == "GMT") r.rest = "Z";
  t.ahead = take_offset(r);
  return t.ahead && r.rest.empty() ? std::optional(t) : std::nullopt;
}

class TimeZone::Place {
 public:
  absl::TimeZone zone;
};

Result<TimeZone> TimeZone::parse(std::string_view text) {
  TimeZone z;
  const std::string word = lower(trim(text));
  if (word == "utc" || word == "gmt" || word == "z" || word == "zulu") return z;
  z.name_ = std::string(trim(text));
  Reader r{z.name_};
  if (const auto ahead = take_offset(r); ahead && r.rest.empty()) {
    z.ahead_ = *ahead;
    return z;
  }
  // Names of the database only: no paths, and none of Abseil's other notations.
  const bool plain = std::all_of(z.name_.begin(), z.name_.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '/' || c == '_' || c == '-' || c == '+';
  });
  Place place;
  if (!plain || z.name_.empty() || z.name_.front() == '/' || !absl::LoadTimeZone(z.name_, &place.zone)) {
    return fail("no time zone \"" + z.name_ + "\"", {},
                "give an offset like +01:00, or a name like Europe/Berlin (that needs the package tzdata)", Error::Kind::usage);
  }
  z.place_ = std::make_shared<const Place>(place);
  return z;
}

TimeZone::Meaning TimeZone::of(Nanoseconds local) const {
  if (!place_) return {Meaning::Kind::one, local - ahead_, local - ahead_};
  const auto whole = std::chrono::floor<std::chrono::seconds>(local);
  const Nanoseconds fraction = local - whole;
  const absl::TimeZone::TimeInfo info = place_->zone.At(absl::CivilSecond() + whole.count());
  const auto instant = [&](absl::Time t) { return Nanoseconds(std::chrono::seconds(absl::ToUnixSeconds(t))) + fraction; };
  const auto kind = info.kind == absl::TimeZone::TimeInfo::UNIQUE     ? Meaning::Kind::one
                    : info.kind == absl::TimeZone::TimeInfo::REPEATED ? Meaning::Kind::two
                                                                      : Meaning::Kind::none;
  return {kind, instant(info.pre), instant(info.post)};
}

}  // namespace gramwatt::grid
