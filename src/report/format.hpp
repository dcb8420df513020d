#pragma once
// Figures for people: a unit that suits the size, as many digits as the interval carries, value and interval in one unit.

#include <string>
#include <string_view>

#include "base/estimate.hpp"

namespace gramwatt::report {

/// How the reader's terminal wants it.
struct Style {
  bool colour = false;
  bool unicode = true;

  [[nodiscard]] std::string bold(std::string_view text) const;
  [[nodiscard]] std::string dim(std::string_view text) const;
  [[nodiscard]] std::string reverse(std::string_view text) const;
  [[nodiscard]] std::string_view dash() const { return unicode ? "–" : "-"; }
  [[nodiscard]] std::string_view times() const { return unicode ? "×" : "x"; }
};

/// A figure in three parts that a table can align: "1.24 Wh", "0.90–2.1", and the unit that both are in.
struct Figure {
  std::string value;     ///< with unit
  std::string interval;  ///< without unit; empty when value, low and high are the same
};

[[nodiscard]] Figure figure(const Estimate<Joules>& e, const Style& style);
[[nodiscard]] Figure figure(const Estimate<Grams>& e, const Style& style, std::string_view gas = "CO2e");
[[nodiscard]] Figure figure(const Estimate<GramsPerKwh>& e, const Style& style);
[[nodiscard]] Figure figure(const Estimate<Ratio>& e, const Style& style);
[[nodiscard]] Figure figure(const Estimate<Watts>& e, const Style& style);
[[nodiscard]] Figure figure(const Estimate<Seconds>& e, const Style& style);

/// "1.24 Wh (0.90–2.1)".
template <class Q>
[[nodiscard]] std::string text(const Estimate<Q>& e, const Style& style) {
  const Figure f = figure(e, style);
  return f.interval.empty() ? f.value : f.value + " (" + f.interval + ")";
}

/// Without interval: "1.24 Wh", "85 W", "3.1 g CO2e".
[[nodiscard]] std::string text(Joules e);
[[nodiscard]] std::string text(Watts p);
[[nodiscard]] std::string text(Grams c);

/// ISO 8601 as JSON has it: whole seconds without decimals, "2026-11-25T14:00:00Z".
[[nodiscard]] std::string time_text(Nanoseconds utc);
/// "2026-11-25 14:00", and "11-25 14:00".
[[nodiscard]] std::string minute_text(Nanoseconds utc);
[[nodiscard]] std::string short_time(Nanoseconds utc);

/// Any text within HTML, attributes included; what is no text there (control characters) is left out.
[[nodiscard]] std::string html_escaped(std::string_view text);

/// `value` with `digits` significant digits, never in exponent form: 0.00123, 12.4, 1230.
[[nodiscard]] std::string significant(double value, int digits);

/// Columns that a text takes on a terminal (UTF-8 code points; escape sequences count nothing).
[[nodiscard]] std::size_t columns(std::string_view text);
/// Cut to at most `width` columns, the cut marked.
[[nodiscard]] std::string cut(std::string_view text, std::size_t width, const Style& style);
[[nodiscard]] std::string pad(std::string_view text, std::size_t width);
[[nodiscard]] std::string pad_left(std::string_view text, std::size_t width);
/// Words flowed into lines of `width` columns; lines after the first begin with `indent` spaces.
[[nodiscard]] std::string flow(std::string_view text, std::size_t indent, std::size_t width);

}  // namespace gramwatt::report
