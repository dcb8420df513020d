#include "report/format.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include <fmt/format.h>

#include "base/clock.hpp"

namespace gramwatt::report {
namespace {

struct Scale {
  double from;    ///< values at or above this (in SI) use this unit
  double factor;  ///< SI value of one unit
  std::string_view unit;
};

// Joules below the tenth of a watt-hour, because nobody has a feeling for 0.03 Wh.
constexpr std::array<Scale, 6> kEnergy{
    {{3.6e9, 3.6e9, "MWh"}, {3.6e6, 3.6e6, "kWh"}, {360, 3600, "Wh"}, {0.1, 1, "J"}, {1e-4, 1e-3, "mJ"}, {0, 1e-6, "µJ"}}};
constexpr std::array<Scale, 5> kMass{{{1e6, 1e6, "t"}, {1e3, 1e3, "kg"}, {0.1, 1, "g"}, {1e-4, 1e-3, "mg"}, {0, 1e-6, "µg"}}};
constexpr std::array<Scale, 4> kPower{{{1e6, 1e6, "MW"}, {1e3, 1e3, "kW"}, {0.1, 1, "W"}, {0, 1e-3, "mW"}}};

constexpr std::array<Scale, 4> kTime{{{172'800, 86'400, "d"}, {7200, 3600, "h"}, {120, 60, "min"}, {0, 1, "s"}}};

const Scale& scale_for(std::span<const Scale> scales, double value) {
  const auto it = std::find_if(scales.begin(), scales.end(), [&](const Scale& s) { return value >= s.from; });
  return it == scales.end() ? scales.back() : *it;
}

/// Digits that the interval carries: two when it is wide, up to four when it is narrow.
int digits_for(double value, double low, double high) {
  if (value <= 0) return 2;
  const double half = (high - low) / 2 / value;
  return half > 0.15 ? 2 : half > 0.01 ? 3 : 4;
}

Figure make(double value, double low, double high, double factor, std::string_view unit, const Style& style) {
  const int digits = digits_for(value, low, high);
  const std::string_view u = !style.unicode && unit.starts_with("µ") ? (unit == "µJ" ? "uJ" : "ug") : unit;
  Figure f;
  f.value = (value == 0 ? "0" : significant(value / factor, digits)) + (u.empty() ? "" : " " + std::string(u));
  if (high > low)
    f.interval = fmt::format("{}{}{}", significant(low / factor, digits), style.dash(), significant(high / factor, digits));
  return f;
}

std::string wrap_in(bool on, const char* code, std::string_view text) {
  return on ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

/// Length in bytes of the escape sequence or UTF-8 character that begins here, and its columns.
std::pair<std::size_t, std::size_t> unit_at(std::string_view s) {
  if (s.front() == '\x1b') {
    const auto end = s.find('m');
    return {end == std::string_view::npos ? s.size() : end + 1, 0};
  }
  const auto byte = static_cast<unsigned char>(s.front());
  const std::size_t length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
  return {std::min(length, s.size()), 1};
}

}  // namespace

std::string Style::bold(std::string_view t) const { return wrap_in(colour, "1", t); }
std::string Style::dim(std::string_view t) const { return wrap_in(colour, "2", t); }

std::string Style::reverse(std::string_view t) const { return wrap_in(colour, "7", t); }

std::string time_text(Nanoseconds utc) {
  std::string text = iso8601(utc);
  if (const auto cut = text.find(".000Z"); cut != std::string::npos) text = text.substr(0, cut) + "Z";
  return text;
}

std::string minute_text(Nanoseconds utc) {
  std::string text = iso8601(utc).substr(0, 16);
  text[10] = ' ';
  return text;
}

std::string short_time(Nanoseconds utc) { return minute_text(utc).substr(5); }

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default:
        if (static_cast<unsigned char>(c) >= ' ' || c == '\n' || c == '\t') out += c;  // others are no text in HTML
    }
  }
  return out;
}

std::string significant(double value, int digits) {
  if (!std::isfinite(value)) return "?";
  if (value == 0) return "0";
  const int magnitude = static_cast<int>(std::floor(std::log10(std::abs(value))));
  const double step = std::pow(10.0, magnitude - digits + 1);
  const double rounded = std::round(value / step) * step;
  // Rounding may have carried (9.96 to 10.0): the decimals follow the rounded value.
  const int decimals = std::max(0, digits - 1 - static_cast<int>(std::floor(std::log10(std::abs(rounded)) + 1e-9)));
  return fmt::format("{:.{}f}", rounded, decimals);
}

Figure figure(const Estimate<Joules>& e, const Style& style) {
  const double v = e.value.value();
  const Scale& s = v == 0 ? kEnergy[3] : scale_for(kEnergy, v);
  return make(v, e.low().value(), e.high().value(), s.factor, s.unit, style);
}

Figure figure(const Estimate<Watts>& e, const Style& style) {
  const double v = e.value.value();
  const Scale& s = v == 0 ? kPower[2] : scale_for(kPower, v);
  return make(v, e.low().value(), e.high().value(), s.factor, s.unit, style);
}

Figure figure(const Estimate<Seconds>& e, const Style& style) {
  const Scale& s = scale_for(kTime, e.value.value());
  return make(e.value.value(), e.low().value(), e.high().value(), s.factor, s.unit, style);
}

Figure figure(const Estimate<Grams>& e, const Style& style, std::string_view gas) {
  const double v = e.value.value();
  const Scale& s = v == 0 ? kMass[2] : scale_for(kMass, v);
  Figure f = make(v, e.low().value(), e.high().value(), s.factor, s.unit, style);
  if (!gas.empty()) f.value += " " + std::string(gas);
  return f;
}

Figure figure(const Estimate<GramsPerKwh>& e, const Style& style) {
  return make(e.value.value(), e.low().value(), e.high().value(), 1, "g/kWh", style);
}

Figure figure(const Estimate<Ratio>& e, const Style& style) {
  Figure f = make(e.value.value(), e.low().value(), e.high().value(), 1, "", style);
  f.value = fmt::format("{:.2f}", e.value.value());
  return f;
}

std::string text(Joules e) {
  const Scale& s = scale_for(kEnergy, std::abs(e.value()));
  return significant(e.value() / s.factor, 3) + " " + std::string(s.unit);
}
std::string text(Watts p) {
  const Scale& s = scale_for(kPower, std::abs(p.value()));
  return significant(p.value() / s.factor, 3) + " " + std::string(s.unit);
}
std::string text(Grams c) {
  const Scale& s = scale_for(kMass, std::abs(c.value()));
  return significant(c.value() / s.factor, 3) + " " + std::string(s.unit) + " CO2e";
}

std::size_t columns(std::string_view t) {
  std::size_t n = 0;
  while (!t.empty()) {
    const auto [bytes, width] = unit_at(t);
    n += width;
    t.remove_prefix(bytes);
  }
  return n;
}

std::string cut(std::string_view t, std::size_t width, const Style& style) {
  if (columns(t) <= width) return std::string(t);
  const std::string_view mark = style.unicode ? "…" : "~";
  std::string out;
  std::size_t used = 0;
  while (!t.empty() && used + 1 < width) {
    const auto [bytes, w] = unit_at(t);
    out += t.substr(0, bytes);
    used += w;
    t.remove_prefix(bytes);
  }
  return width == 0 ? "" : out + std::string(mark);
}

std::string pad(std::string_view t, std::size_t width) {
  const std::size_t n = columns(t);
  return std::string(t) + std::string(n < width ? width - n : 0, ' ');
}

std::string pad_left(std::string_view t, std::size_t width) {
  const std::size_t n = columns(t);
  return std::string(n < width ? width - n : 0, ' ') + std::string(t);
}

std::string flow(std::string_view t, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t used = indent;
  while (!t.empty()) {
    const auto space = t.find(' ');
    const std::string_view word = t.substr(0, space);
    t.remove_prefix(space == std::string_view::npos ? t.size() : space + 1);
    if (word.empty()) continue;
    const std::size_t n = columns(word);
    if (used > indent && used + 1 + n > width) {
      out += "\n" + std::string(indent, ' ');
      used = indent;
    } else if (used > indent) {
      out += ' ';
      ++used;
    }
    out += word;
    used += n;
  }
  return out;
}

}  // namespace gramwatt::report
