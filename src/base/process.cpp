#include "base/process.hpp"

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <string>

#include "base/file.hpp"
#include "base/text.hpp"

namespace gramwatt {

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  // The command name (field 2) may hold spaces and parentheses: count from its last ')'.
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 >= text.size()) return std::nullopt;
  std::string_view rest = trim(text.substr(name_end + 2));
  constexpr std::size_t kFirst = 3, kLast = 22;
  std::array<std::string_view, kLast + 1> field;
  for (std::size_t i = kFirst; i <= kLast; ++i) {
    const auto space = rest.find(' ');
    field[i] = rest.substr(0, space);
    if (field[i].empty()) return std::nullopt;
    rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  }
  const auto parent = parse_number<pid_t>(field[4]), session = parse_number<pid_t>(field[6]);
  const auto user = parse_number<std::int64_t>(field[16]), system = parse_number<std::int64_t>(field[17]);
  const auto start = parse_number<std::int64_t>(field[kLast]);
  if (!parent || !session || !user || !system || !start) return std::nullopt;
  std::int64_t reaped = 0;
  if (__builtin_add_overflow(*user, *system, &reaped)) return std::nullopt;
  return ProcessStat{field[kFirst].front(), reaped, *start, *parent, *session};
}

std::optional<ProcessStat> process_stat(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
  return text ? parse_process_stat(*text) : std::nullopt;
}

bool ignores_sigchld(pid_t pid) {
  const auto status = read_file("/proc/" + std::to_string(pid) + "/status", 8192);
  if (!status) return false;
  constexpr std::string_view key = "SigIgn:\t";
  const auto at = status->find(key);
  if (at == std::string::npos) return false;
  const std::uint64_t mask = std::strtoull(status->c_str() + at + key.size(), nullptr, 16);
  return ((mask >> (SIGCHLD - 1)) & 1U) != 0;
}

std::vector<std::string> command_line_of(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  const auto text = read_file(folder + "/cmdline", 1U << 20U);
  if (!text) return {};
  std::string_view rest = *text;
  if (rest.empty()) {
    const auto stat = read_file(folder + "/stat", 4096);
    return {stat ? "[" + std::string(process_name(*stat)) + "]" : "[?]"};
  }
  if (rest.back() == '\0') rest.remove_suffix(1);
  std::vector<std::string> words;
  for (const std::string_view word : split(rest, '\0')) words.emplace_back(word);
  return words;
}

std::string_view process_name(std::string_view text) {
  const auto open = text.find('('), close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  return text.substr(open + 1, close - open - 1);
}

}  // namespace gramwatt
