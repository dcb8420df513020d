// Command lines, by CLI11, which is heavy to compile: this is the only file that includes it.
//
// `run` wraps a command whose words are not ours: an option of CMD must never be taken for an option of gramwatt, and the other
// way round. So the line is cut before CLI11 sees it, at the first word that is neither an option nor an option's value, or
// at --. That is why every option takes exactly one value or none.

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "base/text.hpp"
#include "cli/commands.hpp"

namespace gramwatt::cli {
namespace {

std::vector<const Option*> options_of(const Command& command) {
  std::vector<const Option*> all;
  for (const Option& o : command.options) all.push_back(&o);
  for (const Option& o : global_options()) all.push_back(&o);
  return all;
}

const Option* by_name(const std::vector<const Option*>& options, std::string_view name) {
  const auto it = std::find_if(options.begin(), options.end(), [&](const Option* o) { return o->name == name; });
  return it == options.end() ? nullptr : *it;
}

const Option* by_letter(const std::vector<const Option*>& options, char letter) {
  const auto it =
      std::find_if(options.begin(), options.end(), [&](const Option* o) { return letter != 0 && o->letter == letter; });
  return it == options.end() ? nullptr : *it;
}

/// How many words the option at `word` takes, itself included; 0 when it is no option.
std::size_t option_words(const std::vector<const Option*>& options, std::string_view word) {
  if (word.size() < 2 || word.front() != '-') return 0;
  const Option* option = nullptr;
  if (word.starts_with("--")) {
    const auto equals = word.find('=');
    if (equals != std::string_view::npos) return 1;
    option = by_name(options, word.substr(2));
  } else {
    option = by_letter(options, word[1]);
    if (word.size() > 2) return 1;  // -qv, or -n5
  }
  return option != nullptr && !option->value.empty() ? 2 : 1;
}

Error usage(const Command* command, std::string what, std::string remedy = {}) {
  if (remedy.empty()) {
    remedy = command != nullptr ? fmt::format("see `gramwatt help {}`", command->name) : "see `gramwatt help`";
  }
  return {std::move(what), {}, std::move(remedy), Error::Kind::usage};
}

/// CLI11 knows what is wrong; which option was meant it does not.
Error unknown_option(const Command& command, const std::vector<const Option*>& options, const std::string& word) {
  std::vector<std::string> names;
  for (const Option* o : options) names.push_back("--" + std::string(o->name));
  const auto meant = did_you_mean(word.substr(0, word.find('=')), names);
  return usage(&command, fmt::format("unknown option {}", word), meant ? fmt::format("did you mean {}?", *meant) : "");
}

Result<void> parse_options(const Command& command, const std::vector<std::string>& words, Invocation& out) {
  const auto options = options_of(command);
  CLI::App app{std::string(command.summary)};
  app.set_help_flag();
  std::map<std::string, std::vector<std::string>> values;
  std::map<std::string, int> flags;
  for (const Option* o : options) {
    const std::string spec = (o->letter != 0 ? fmt::format("-{},", o->letter) : "") + "--" + std::string(o->name);
    const std::string key(o->name);
    if (o->value.empty()) app.add_flag(spec, flags[key]);
    else app.add_option(spec, values[key])->allow_extra_args(false);  // one value each, however often it is given
  }
  std::vector<std::string> positional;
  if (command.most > 0 && !command.wraps_command) app.add_option("arguments", positional);
  std::vector<std::string> reversed(words.rbegin(), words.rend());  // CLI11 takes a vector from its back
  try {
    app.parse(reversed);
  } catch (const CLI::ExtrasError&) {
    for (const std::string& extra : app.remaining()) {
      if (extra.starts_with("-")) return tl::unexpected(unknown_option(command, options, extra));
    }
    return tl::unexpected(
        usage(&command, fmt::format("unexpected argument \"{}\"", app.remaining().empty() ? "" : app.remaining().front())));
  } catch (const CLI::ParseError& e) {
    return tl::unexpected(usage(&command, e.what()));
  }
  for (auto& [name, given] : values) {
    if (given.empty()) continue;
    const Option* o = by_name(options, name);
    if (given.size() > 1 && !o->repeatable)
      return tl::unexpected(usage(&command, fmt::format("--{} is given {} times", name, given.size())));
    out.values[name] = std::move(given);
  }
  for (const auto& [name, count] : flags) {
    if (count > 0) out.values[name] = {""};
  }
  for (std::string& p : positional) out.arguments.push_back(std::move(p));
  return {};
}

}  // namespace

Result<Invocation> parse(const std::vector<std::string>& words) {
  Invocation out;
  // Options before the command's name are the global ones: `gramwatt -q run true` reads like `gramwatt run -q true`.
  std::vector<const Option*> global;
  for (const Option& o : global_options()) global.push_back(&o);
  std::size_t at = 0;
  while (at < words.size() && words[at] != "--version") {
    const std::size_t n = option_words(global, words[at]);
    if (n == 0) break;
    at += n;
  }
  std::vector<std::string> own(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(std::min(at, words.size())));
  if (at >= words.size()) {
    const bool helps = words.empty() || std::find_if(own.begin(), own.end(), [](const std::string& w) {
                                          return w == "-h" || w == "--help";
                                        }) != own.end();
    if (!helps)
      return tl::unexpected(
          usage(nullptr, words.front().starts_with("-") ? fmt::format("no command after {}", words.back()) : "no command"));
    out.command = find_command("help");
    return out;
  }
  const std::string& name = words[at];
  out.command = find_command(name == "--version" ? "version" : name);
  if (out.command == nullptr) {
    const auto meant = did_you_mean(name, command_names());
    return tl::unexpected(usage(nullptr, fmt::format("unknown command \"{}\"", name),
                                meant ? fmt::format("did you mean `gramwatt {}`?", *meant)
                                      : fmt::format("to measure a program: gramwatt run -- {}", name)));
  }
  std::size_t next = at + 1;
  if (const auto group = members(name); !group.empty() && next < words.size() && !words[next].starts_with("-")) {
    out.command = find_command(name + " " + words[next]);
    if (out.command == nullptr) {
      const auto meant = did_you_mean(words[next], group);
      return tl::unexpected(usage(find_command(name), fmt::format("gramwatt {} has no \"{}\"", name, words[next]),
                                  meant ? fmt::format("did you mean `gramwatt {} {}`?", name, *meant)
                                        : fmt::format("it has {}", fmt::join(group, ", "))));
    }
    ++next;
  }
  if (out.command->wraps_command) {
    const auto options = options_of(*out.command);
    while (next < words.size() && words[next] != "--") {
      const std::size_t n = option_words(options, words[next]);
      if (n == 0) break;
      for (std::size_t i = 0; i < n && next < words.size(); ++i) own.push_back(words[next++]);
    }
    if (next < words.size() && words[next] == "--") ++next;
    out.arguments.assign(words.begin() + static_cast<std::ptrdiff_t>(next), words.end());
  } else {
    own.insert(own.end(), words.begin() + static_cast<std::ptrdiff_t>(next), words.end());
  }
  if (const auto done = parse_options(*out.command, own, out); !done) return tl::unexpected(done.error());
  if (out.has("help")) return out;
  if (out.arguments.size() < out.command->least) {
    return tl::unexpected(
        usage(out.command, out.command->wraps_command
                               ? "no command to run"
                               : fmt::format("usage: gramwatt {} {}", out.command->name, out.command->arguments)));
  }
  if (out.arguments.size() > out.command->most)
    return tl::unexpected(usage(out.command, fmt::format("unexpected argument \"{}\"", out.arguments[out.command->most])));
  return out;
}

}  // namespace gramwatt::cli
