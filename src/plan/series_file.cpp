#include "plan/series_file.hpp"

#include <cmath>

#include <fmt/format.h>

#include "base/text.hpp"

namespace gramwatt::plan {
namespace {

/// Nothing burns to more: beyond it, another unit is meant.
constexpr double kMost = 5000;

tl::unexpected<Error> bad(const std::string& name, std::size_t line, std::string what, std::string remedy) {
  return fail(std::move(what), fmt::format("{}:{}", name, line), std::move(remedy));
}

Result<grid::Point> point_of(std::string_view row, const std::string& name, std::size_t line) {
  const std::vector<std::string> fields = csv_fields(row);
  if (fields.size() != 2)
    return bad(name, line, fmt::format("{} fields in a row", fields.size()),
               "utc_start,g_per_kwh; other files: gramwatt grid import FILE");
  const auto start = parse_iso8601(trim(fields[0]));
  if (!start) return bad(name, line, fmt::format("\"{}\" is no time", fields[0]), "such as 2020-01-01T00:05Z");
  const auto value = parse_number<double>(fields[1]);
  if (!value || !(std::abs(*value) <= kMost))
    return bad(name, line, fmt::format("\"{}\" is no intensity", fields[1]),
               fmt::format("g/kWh, at most {}; other units: gramwatt grid import FILE", kMost));
  return grid::Point{*start, GramsPerKwh(*value), grid::PointKind::observed, {}};
}

}  // namespace

Result<grid::Series> read_series(grid::ByteSource& text, const std::string& name) {
  grid::Series s;
  s.signal.source = name;
  s.signal.data_kind = "observed";
  s.signal.licence = "as its file";
  grid::Lines lines(text);
  std::string_view line;
  bool in_heading = true;
  while (lines.next(line)) {
    if (trim(line).empty()) continue;
    if (in_heading) {
      in_heading = false;
      if (!point_of(line, name, lines.number())) continue;
    }
    const auto point = point_of(line, name, lines.number());
    if (!point) return tl::unexpected(point.error());
    if (!s.points.empty()) {
      const Nanoseconds step = point->start - s.points.back().start;
      if (s.resolution == Nanoseconds{0}) s.resolution = step;
      if (step <= Nanoseconds{0})
        return bad(name, lines.number(), "it is no later than the row before", "sort the rows by time");
      if (step != s.resolution)
        return bad(
            name, lines.number(),
            fmt::format("a step of {} among steps of {}", human_duration(seconds(step)), human_duration(seconds(s.resolution))),
            "fill the hole, or import the file: gramwatt grid import FILE");
    }
    s.points.push_back(*point);
  }
  if (!lines.status()) return tl::unexpected(lines.status().error());
  if (s.points.size() < 2) return fail("there are fewer than two values in it", name, "utc_start,g_per_kwh, a row a step");
  return s;
}

}  // namespace gramwatt::plan
