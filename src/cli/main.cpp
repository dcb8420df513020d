// gramwatt: parse, look up, call.

#include <sys/ioctl.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <exception>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.hpp"

namespace gramwatt::cli {

int complain(const Error& error) {
  std::fputs(fmt::format("gramwatt: error: {}\n", error.message()).c_str(), stderr);
  switch (error.kind) {
    case Error::Kind::failed: return 1;
    case Error::Kind::usage: return 2;
    case Error::Kind::missing: return 3;
    case Error::Kind::unavailable: return 4;
  }
  return 1;
}

void warn(const std::string& text) { std::fputs(fmt::format("gramwatt: warning: {}\n", text).c_str(), stderr); }

int print(const std::string& text) {
  const auto written = write_output("-", text);
  return written ? 0 : complain(written.error());
}

std::size_t width_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

Result<std::map<std::string, std::string>> parse_tags(const std::vector<std::string>& words, bool may_be_empty) {
  std::map<std::string, std::string> tags;
  for (const std::string& word : words) {
    const auto cut = word.find('=');
    if (cut == std::string::npos || cut == 0 || (cut + 1 == word.size() && !may_be_empty)) {
      return fail(fmt::format("\"{}\" is no tag", word), {}, "write it as key=value", Error::Kind::usage);
    }
    tags[word.substr(0, cut)] = word.substr(cut + 1);
  }
  return tags;
}

namespace {

int command_help(const Invocation& invocation) {
  if (invocation.has("man")) return print(manual_page());
  if (invocation.command->name != "help") return print(help_text(*invocation.command));
  if (invocation.arguments.empty()) return print(help_text());
  const std::string name = fmt::format("{}", fmt::join(invocation.arguments, " "));
  const Command* command = find_command(name);
  if (command == nullptr)
    return complain({fmt::format("no command \"{}\"", name), {}, "see `gramwatt help`", Error::Kind::missing});
  return print(help_text(*command));
}

int dispatch(const Invocation& invocation) {
  const std::string_view name = invocation.command->name;
  if (invocation.has("help") || name == "help") return command_help(invocation);
  if (name == "version") return print(fmt::format("gramwatt {}\n", kVersion));
  if (name == "completion") {
    const auto script = completion(invocation.arguments.front());
    return script ? print(*script) : complain(script.error());
  }
  const Settings settings = settings_of(invocation);
  if (name == "run") return command_run(invocation, settings);
  if (name == "config") return command_config(invocation, settings);
  for (const std::string& problem : settings.config.problems) warn(problem);
  if (name == "attach") return command_attach(invocation, settings);
  if (name == "top") return command_top(invocation, settings);
  if (name == "runs") return command_runs(invocation, settings);
  if (name == "show") return command_show(invocation, settings);
  if (name == "jobs") return command_jobs(invocation, settings);
  if (name == "pause" || name == "resume" || name == "now" || name == "cancel") return command_steer(invocation, settings);
  if (name == "recover") return command_recover(invocation, settings);
  if (name == "progress") return command_progress(invocation, settings);
  if (name == "compare") return command_compare(invocation, settings);
  if (name == "tag") return command_tag(invocation, settings);
  if (name == "rm") return command_rm(invocation, settings);
  if (name == "estimate") return command_estimate(invocation, settings);
  if (name == "plan") return command_plan(invocation, settings);
  if (name == "reweigh") return command_reweigh(invocation, settings);
  if (name == "grid" || name.starts_with("grid ")) return command_grid(invocation, settings);
  if (name == "study jobs") return command_study_jobs(invocation, settings);
  if (name == "study" || name.starts_with("study ")) return command_study(invocation, settings);
  if (name == "replay") return command_replay(invocation, settings);
  if (name == "calibrate") return command_calibrate(invocation, settings);
  return command_doctor(invocation, settings);
}

}  // namespace
}  // namespace gramwatt::cli

int main(int argc, char** argv) {
  using namespace gramwatt::cli;
  try {
    const auto invocation = parse({argv + 1, argv + argc});
    if (!invocation) {
      const int code = complain(invocation.error());
      // What fails before a command starts is 125, so that it cannot be taken for the command's own code.
      for (int i = 1; i < argc; ++i) {
        if (std::string_view(argv[i]) == "run") return 125;
        if (argv[i][0] != '-') break;
      }
      return code;
    }
    return dispatch(*invocation);
  } catch (const std::exception& e) {
    std::fputs(fmt::format("gramwatt: bug: {}\n", e.what()).c_str(), stderr);
    return 125;
  }
}
