#include "plan/profile.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/text.hpp"

namespace gramwatt::plan {
namespace {

constexpr double kMostSlots = 1e7;
constexpr double kMostWatts = 1e9;
constexpr double kRounding = 1e-9;  ///< a slot that is entered by no more than this is not begun

struct Row {
  double seconds, watts;
};

/// Adds a constant power from `from` to `to` (seconds) to the slots that it touches.
void spread(double watts, double from, double to, double slot, std::vector<Joules>& steps) {
  const auto last = static_cast<std::size_t>(std::ceil(to / slot - kRounding));
  if (steps.size() < last) steps.resize(last);
  for (auto k = static_cast<std::size_t>(from / slot); k < last; ++k) {
    const double begin = std::max(from, static_cast<double>(k) * slot), end = std::min(to, static_cast<double>(k + 1) * slot);
    if (end > begin) steps[k] += Joules(watts * (end - begin));
  }
}

std::optional<Row> row_of(std::string_view line) {
  const auto fields = csv_fields(line);
  if (fields.size() != 2) return std::nullopt;
  const auto seconds = parse_number<double>(fields[0]), watts = parse_number<double>(fields[1]);
  if (!seconds || !watts || !(*watts >= 0 && *watts <= kMostWatts)) return std::nullopt;
  return Row{*seconds, *watts};
}

}  // namespace

std::vector<Joules> steps_of(std::span<const Interval> intervals, Nanoseconds slot) {
  std::vector<Joules> steps;
  if (intervals.empty()) return steps;
  const Nanoseconds start = intervals.front().start.utc;
  const auto since = [start](const Instant& t) { return seconds(t.utc - start).value(); };
  for (const Interval& i : intervals) {
    Microjoules sum;
    for (const Flow& f : i.flows) sum += f.job();
    const double from = since(i.start), to = since(i.end);
    if (from >= 0 && to > from) spread(sum.joules().value() / (to - from), from, to, seconds(slot).value(), steps);
  }
  return steps;
}

Result<std::vector<Joules>> read_profile(std::string_view text, const std::string& name, Nanoseconds slot) {
  int line = 0;
  const auto bad = [&](const char* what) {
    return fail(fmt::format("line {}: {}", line, what), name,
                "two columns, seconds,watts, the seconds ascending from 0; the last row ends the job", Error::Kind::usage);
  };
  std::vector<Row> rows;
  while (const auto next = next_line(text)) {
    ++line;
    if (trim(*next).empty() || (line == 1 && contains_ignoring_case(*next, "watts"))) continue;
    const auto row = row_of(*next);
    if (!row) return bad("not a time and a power");
    if (rows.empty() ? row->seconds != 0 : !(row->seconds > rows.back().seconds))
      return bad("the seconds do not ascend from 0");
    if (!(row->seconds / seconds(slot).value() <= kMostSlots)) return bad("the job is too long for so short a slot");
    rows.push_back(*row);
  }
  if (rows.size() < 2) return bad("a profile has two rows at least");
  std::vector<Joules> steps;
  for (std::size_t i = 0; i + 1 < rows.size(); ++i)
    spread(rows[i].watts, rows[i].seconds, rows[i + 1].seconds, seconds(slot).value(), steps);
  return steps;
}

}  // namespace gramwatt::plan
