#include "base/clock.hpp"

#include <ctime>

#include <fmt/format.h>

namespace gramwatt {
namespace {

Nanoseconds read_clock(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return std::chrono::seconds(t.tv_sec) + Nanoseconds(t.tv_nsec);
}

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes `lead` and then exactly `digits` digits off the front of `text`.
std::optional<int> take_number(std::string_view& text, std::string_view lead, std::size_t digits) {
  if (!text.starts_with(lead) || text.size() < lead.size() + digits) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(lead.size(), digits)) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(lead.size() + digits);
  return value;
}

/// ".5": decimals of a second, or none.
std::optional<Nanoseconds> take_fraction(std::string_view& text) {
  Nanoseconds fraction{0};
  if (!text.starts_with('.')) return fraction;
  text.remove_prefix(1);
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  for (Nanoseconds place = std::chrono::milliseconds(100); !text.empty() && is_digit(text.front()); place /= 10) {
    fraction += place * (text.front() - '0');
    text.remove_prefix(1);
  }
  return fraction;
}

/// "Z" or "+02:00": how far the written time is ahead of UTC.
std::optional<Nanoseconds> take_offset(std::string_view& text) {
  if (text.starts_with('Z')) {
    text.remove_prefix(1);
    return Nanoseconds{0};
  }
  if (!text.starts_with('+') && !text.starts_with('-')) return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto h = take_number(text, "", 2);
  const auto m = take_number(text, ":", 2);
  if (!h || !m || *h > 23 || *m > 59) return std::nullopt;
  return sign * (std::chrono::hours(*h) + std::chrono::minutes(*m));
}

}  // namespace

Instant SystemClock::now() const {
  return {read_clock(CLOCK_MONOTONIC), read_clock(CLOCK_BOOTTIME), read_clock(CLOCK_REALTIME)};
}

std::string iso8601(Nanoseconds utc) {
  using namespace std::chrono;
  const auto ms = floor<milliseconds>(utc);
  const auto day = floor<days>(ms);
  const year_month_day date{sys_days{day}};
  const hh_mm_ss<milliseconds> clock{ms - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::optional<Nanoseconds> parse_iso8601(std::string_view text) {
  using namespace std::chrono;
  const auto y = take_number(text, "", 4);
  const auto m = take_number(text, "-", 2);
  const auto d = take_number(text, "-", 2);
  if (!y || !m || !d) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)), day(static_cast<unsigned>(*d))};
  if (!date.ok() || date.year() < year(1678) || date.year() > year(2261)) return std::nullopt;  // 64 bits of nanoseconds
  const Nanoseconds midnight = sys_days(date).time_since_epoch();
  if (text.empty()) return midnight;

  const auto h = take_number(text, "T", 2);
  if (!h || *h > 23) return std::nullopt;
  Nanoseconds at = midnight + hours(*h);
  if (text.empty()) return at;
  if (text.front() == ':') {
    const auto minute = take_number(text, ":", 2);
    if (!minute || *minute > 59) return std::nullopt;
    at += minutes(*minute);
  }
  if (text.starts_with(':')) {
    const auto second = take_number(text, ":", 2);
    const auto fraction = second ? take_fraction(text) : std::nullopt;
    if (!second || *second > 60 || !fraction) return std::nullopt;
    at += std::chrono::seconds(*second) + *fraction;
  }
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return at - *offset;
}

}  // namespace gramwatt
