#include "plan/trace.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/text.hpp"

namespace gramwatt::plan {
namespace {

constexpr std::array<std::string_view, 3> kColumns{"arrival_time", "length", "cpus"};
using Places = std::array<std::size_t, kColumns.size()>;

tl::unexpected<Error> bad(const std::string& name, std::size_t line, std::string what, std::string remedy) {
  return fail(std::move(what), fmt::format("{}:{}", name, line), std::move(remedy));
}

Result<Places> places_of(std::string_view heading, const std::string& name, std::size_t line) {
  const std::vector<std::string> fields = csv_fields(heading);
  Places places{};
  for (std::size_t c = 0; c < kColumns.size(); ++c) {
    const auto it =
        std::find_if(fields.begin(), fields.end(), [&](const std::string& f) { return lower(trim(f)) == kColumns[c]; });
    if (it == fields.end())
      return bad(name, line, fmt::format("no column \"{}\"", kColumns[c]),
                 "the first line names the columns arrival_time (hours), length (hours) and cpus");
    places[c] = static_cast<std::size_t>(it - fields.begin());
  }
  return places;
}

/// Hours as whole seconds.
std::optional<Second> seconds_of(std::string_view text) {
  const auto hours = parse_number<double>(text);
  if (!hours || std::isnan(*hours) || *hours < 0 || *hours > kMostTraceHours) return std::nullopt;
  return static_cast<Second>(std::llround(*hours * 3600));
}

std::optional<std::int32_t> cpus_of(std::string_view text) {
  const auto n = parse_number<double>(text);  // "4" and "4.0"
  if (!n || std::isnan(*n) || *n < 1 || *n > kMostTraceCpus || *n != std::floor(*n)) return std::nullopt;
  return static_cast<std::int32_t>(*n);
}

Result<TracedJob> job_of(std::string_view row, const Places& at, const std::string& name, std::size_t line) {
  const std::vector<std::string> fields = csv_fields(row);
  const std::size_t needed = *std::max_element(at.begin(), at.end()) + 1;
  if (fields.size() < needed)
    return bad(name, line, fmt::format("{} fields, where {} are needed", fields.size(), needed),
               "complete the row or remove it");
  const auto arrival = seconds_of(fields[at[0]]);
  if (!arrival)
    return bad(name, line, fmt::format("\"{}\" is no arrival", fields[at[0]]),
               "hours from the start of the trace, 0 or more; seconds are to be divided by 3600");
  const auto length = seconds_of(fields[at[1]]);
  if (!length)
    return bad(name, line, fmt::format("\"{}\" is no length", fields[at[1]]),
               "hours, 0 or more; seconds are to be divided by 3600");
  const auto cpus = cpus_of(fields[at[2]]);
  if (!cpus)
    return bad(name, line, fmt::format("\"{}\" is no number of CPUs", fields[at[2]]),
               fmt::format("a whole number from 1 to {}", kMostTraceCpus));
  return TracedJob{*arrival, std::max<Second>(1, *length), *cpus};
}

}  // namespace

Result<std::vector<TracedJob>> read_trace(grid::ByteSource& text, const std::string& name) {
  grid::Lines lines(text);
  std::string_view line;
  std::optional<Places> places;
  std::vector<TracedJob> jobs;
  while (lines.next(line)) {
    if (trim(line).empty()) continue;
    if (!places) {
      const auto found = places_of(line, name, lines.number());
      if (!found) return tl::unexpected(found.error());
      places = *found;
      continue;
    }
    const auto job = job_of(line, *places, name, lines.number());
    if (!job) return tl::unexpected(job.error());
    jobs.push_back(*job);
  }
  if (!lines.status()) return tl::unexpected(lines.status().error());
  if (jobs.empty()) return fail("there is no job in it", name, "a heading, then a row a job: arrival_time,length,cpus");
  std::stable_sort(jobs.begin(), jobs.end(), [](const TracedJob& a, const TracedJob& b) { return a.arrival < b.arrival; });
  return jobs;
}

}  // namespace gramwatt::plan
