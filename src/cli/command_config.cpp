#include <fmt/format.h>

#include "cli/command.hpp"

namespace gramwatt::cli {
namespace {

int get(const Invocation& invocation) {
  const Config config = load_config(config_path());
  for (const std::string& problem : config.problems) warn(problem);
  const auto values = config_values(config);
  if (invocation.arguments.size() == 1) {
    std::string out;
    for (const auto& [key, value] : values) {
      if (!value.empty()) out += fmt::format("{} = {}\n", key, value);
    }
    const int printed = print(out);
    return config.problems.empty() ? printed : 1;
  }
  for (const auto& [key, value] : values) {
    if (key != invocation.arguments[1]) continue;
    // As git: an unset key prints nothing and is exit 1.
    return value.empty() ? 1 : print(value + "\n");
  }
  return complain(
      {fmt::format("unknown key \"{}\"", invocation.arguments[1]), {}, "see `gramwatt help config`", Error::Kind::missing});
}

}  // namespace

int command_config(const Invocation& invocation, const Settings&) {
  const std::string& action = invocation.arguments.front();
  if (action == "path" && invocation.arguments.size() == 1) return print(config_path().string() + "\n");
  if (action == "get" && invocation.arguments.size() <= 2) return get(invocation);
  if (action == "set" && invocation.arguments.size() == 3) {
    const auto done = set_config(config_path(), invocation.arguments[1], invocation.arguments[2]);
    return done ? 0 : complain(done.error());
  }
  return complain({"usage: gramwatt config get [KEY] | set KEY VALUE | path", {}, {}, Error::Kind::usage});
}

}  // namespace gramwatt::cli
