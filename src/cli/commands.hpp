#pragma once
// The table of commands and options: the one place that parsing, help, completion and the manual page are made from.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace gramwatt::cli {

struct Option {
  std::string_view name;   ///< "json": --json
  char letter = 0;         ///< 'q': also -q
  std::string_view value;  ///< "FILE"; empty for a flag. An option takes exactly one value.
  std::string_view help;
  bool repeatable = false;
};

struct Command {
  std::string_view name;         ///< "run"; "grid now" within the group "grid"
  std::string_view arguments;    ///< "[OPTIONS] [--] CMD [ARG…]"
  std::string_view summary;      ///< one line
  std::string_view description;  ///< paragraphs
  std::vector<Option> options;
  std::size_t least = 0, most = 0;  ///< positional arguments (most 0: none)
  bool wraps_command = false;       ///< everything from the first positional on belongs to somebody else's command
  std::vector<std::string_view> examples;
};

[[nodiscard]] const std::vector<Command>& commands();
[[nodiscard]] const std::vector<Option>& global_options();
/// The commands of the group `grid`, which are part of commands() too.
[[nodiscard]] std::vector<Command> grid_commands();
/// `study jobs`.
[[nodiscard]] std::vector<Command> study_jobs_commands();
/// `plan`, which is part of commands() too.
[[nodiscard]] Command plan_command();
/// Jobs that wait: `jobs`, `pause`, …; and what makes a run wait.
[[nodiscard]] std::vector<Command> jobs_commands();
[[nodiscard]] std::vector<Option> schedule_options();
/// The same of the group `study`.
[[nodiscard]] std::vector<Command> study_commands();
[[nodiscard]] const Command* find_command(std::string_view name);
/// Second words of a group's commands: {"zones", "where", …} for "grid"; empty for what is no group.
[[nodiscard]] std::vector<std::string> members(std::string_view group);
/// Names of one word, as people complete them.
[[nodiscard]] std::vector<std::string> command_names();

/// A command line, understood.
struct Invocation {
  const Command* command = nullptr;
  std::map<std::string, std::vector<std::string>, std::less<>> values;  ///< by option name; flags have one empty value
  std::vector<std::string> arguments;                                   ///< positional, or the wrapped command

  [[nodiscard]] bool has(std::string_view option) const { return values.contains(option); }
  [[nodiscard]] std::optional<std::string> get(std::string_view option) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view option) const;
};

/// `words`: argv without the program's name. Errors are of kind usage and name the nearest option or command.
[[nodiscard]] Result<Invocation> parse(const std::vector<std::string>& words);

[[nodiscard]] std::string help_text();
[[nodiscard]] std::string help_text(const Command& command);
[[nodiscard]] std::string manual_page();
[[nodiscard]] Result<std::string> completion(std::string_view shell);

}  // namespace gramwatt::cli
