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
  // YYYY-MM-DDTHH:MM:SS[.digits]Z: fixed places, so a mask checks the shape before any number is read.
  static constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() < kShape.size() + 1 || text.back() != 'Z') return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == 'd' ? !is_digit(text[i]) : kShape[i] != text[i]) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t length) {
    int value = 0;
    for (const char c : text.substr(at, length)) value = value * 10 + (c - '0');
    return value;
  };
  std::string_view decimals = text.substr(kShape.size(), text.size() - kShape.size() - 1);
  Nanoseconds fraction{0};
  if (!decimals.empty()) {
    if (decimals.size() < 2 || decimals.front() != '.') return std::nullopt;
    decimals.remove_prefix(1);
    Nanoseconds place = std::chrono::milliseconds(100);
    for (const char c : decimals) {
      if (!is_digit(c)) return std::nullopt;
      fraction += place * (c - '0');
      place /= 10;
    }
  }
  using namespace std::chrono;
  const year_month_day date{year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                            day(static_cast<unsigned>(number(8, 2)))};
  const int h = number(11, 2);
  const int m = number(14, 2);
  const int s = number(17, 2);
  if (!date.ok() || h > 23 || m > 59 || s > 60) return std::nullopt;
  if (date.year() < year(1678) || date.year() > year(2261)) return std::nullopt;  // beyond 64 bits of nanoseconds
  return sys_days(date).time_since_epoch() + hours(h) + minutes(m) + std::chrono::seconds(s) + fraction;
}

}  // namespace gramwatt
