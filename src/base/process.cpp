#include "base/process.hpp"

#include <cstddef>
#include <string>

#include "base/file.hpp"
#include "base/text.hpp"

namespace gramwatt {

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  // The command name (field 2) may hold spaces and parentheses: count from its last ')'.
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 >= text.size()) return std::nullopt;
  const auto fields = split(trim(text.substr(name_end + 2)), ' ');
  const auto number = [&](std::size_t field) { return parse_number<std::int64_t>(fields[field - 3]); };
  if (fields.size() < 22 - 2 || fields[0].empty()) return std::nullopt;
  const auto user = number(16), system = number(17), start = number(22);
  if (!user || !system || !start) return std::nullopt;
  return ProcessStat{fields[0].front(), *user + *system, *start};
}

std::optional<ProcessStat> process_stat(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
  return text ? parse_process_stat(*text) : std::nullopt;
}

}  // namespace gramwatt
