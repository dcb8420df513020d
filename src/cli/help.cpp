// Help, completion and the manual page, all from the one table.

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.hpp"

namespace gramwatt::cli {
namespace {

std::string wrap(std::string_view text, std::size_t indent, std::size_t width = 79) {
  std::string out;
  std::size_t column = 0;
  while (!text.empty()) {
    const auto cut = text.find(' ');
    const std::string_view word = text.substr(0, cut);
    text.remove_prefix(cut == std::string_view::npos ? text.size() : cut + 1);
    if (column > 0 && indent + column + 1 + word.size() > width) {
      out += "\n" + std::string(indent, ' ');
      column = 0;
    }
    if (column > 0) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

std::string option_words(const Option& o) {
  return fmt::format("{}--{}{}{}", o.letter != 0 ? fmt::format("-{}, ", o.letter) : "    ", o.name, o.value.empty() ? "" : " ",
                     o.value);
}

std::string option_lines(const std::vector<Option>& options) {
  constexpr std::size_t kColumn = 27;
  std::string out;
  for (const Option& o : options) {
    std::string left = "  " + option_words(o);
    if (left.size() + 2 > kColumn) left += "\n" + std::string(kColumn, ' ');
    else left.resize(kColumn, ' ');
    out += left + wrap(o.help, kColumn) + "\n";
  }
  return out;
}

/// Text for roff: a leading dot or quote would be a request, a minus a hyphen.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') out += "\\e";
    else if (c == '-') out += "\\-";
    else out += c;
  }
  if (!out.empty() && (out.front() == '.' || out.front() == '\'')) out.insert(0, "\\&");
  return out;
}

std::string roff_options(const std::vector<Option>& options) {
  std::string out;
  for (const Option& o : options) {
    out += ".TP\n";
    if (o.letter != 0) out += fmt::format("\\fB\\-{}\\fR, ", o.letter);
    out += fmt::format("\\fB\\-\\-{}\\fR", roff(o.name));
    if (!o.value.empty()) out += fmt::format(" \\fI{}\\fR", roff(o.value));
    out += "\n" + roff(o.help) + "\n";
  }
  return out;
}

constexpr std::string_view kExitCodes =
    "run ends as its command does: with its exit code, or by the same signal; 126 or 127 when it cannot be started, 125 when "
    "gramwatt "
    "failed before the command started. Other commands: 0 success, 1 a check failed, 2 wrong usage, 3 the thing asked for does "
    "not "
    "exist, 4 a provider or sensor asked for is not available.";

std::string words_of(const std::vector<Option>& options) {
  std::string out;
  for (const Option& o : options) out += fmt::format(" --{}{}", o.name, o.letter != 0 ? fmt::format(" -{}", o.letter) : "");
  return out;
}

/// A group and its members as one command with the options of all: completion after `grid now` is that of `grid`.
std::vector<Command> merged_groups() {
  std::vector<Command> out;
  for (const Command& c : commands()) {
    if (c.name.find(' ') == std::string_view::npos) {
      out.push_back(c);
      continue;
    }
    auto& options = out.back().options;
    for (const Option& o : c.options) {
      if (std::none_of(options.begin(), options.end(), [&](const Option& known) { return known.name == o.name; }))
        options.push_back(o);
    }
  }
  return out;
}

std::string group_words(std::string_view pattern) {
  std::string out;
  for (const Command& c : commands()) {
    if (const auto names = members(c.name); !names.empty())
      out += fmt::format(fmt::runtime(pattern), c.name, fmt::join(names, " "));
  }
  return out;
}

std::string bash_completion() {
  std::string cases;
  std::string with_value;
  for (const Command& c : merged_groups()) {
    cases += fmt::format("    {}) words=\"{}\" ;;\n", c.name, words_of(c.options));
    for (const Option& o : c.options) {
      if (!o.value.empty()) with_value += fmt::format("--{}|", o.name);
    }
  }
  for (const Option& o : global_options()) {
    if (!o.value.empty()) with_value += fmt::format("--{}|", o.name);
  }
  with_value.pop_back();
  return fmt::format(R"(# bash completion for gramwatt
_gramwatt() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} command= words= i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    case $word in
      {}) ((i++)) ;;
      --) break ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=$word
         elif [[ $command == run ]]; then _command_offset $i 2>/dev/null; return
         fi ;;
    esac
  done
  if [[ $command == run && ${{COMP_WORDS[i]}} == -- && $i -lt $COMP_CWORD ]]; then _command_offset $((i + 1)) 2>/dev/null; return; fi
  case $command in
    "") words="{}" ;;
{}  esac
  case $command in
    completion) words+=" bash zsh fish" ;;
    config) words+=" get set path" ;;
{}    help) words+=" {}" ;;
  esac
  COMPREPLY=($(compgen -W "$words{}" -- "$current"))
  if [[ $command == run && $current != -* ]]; then COMPREPLY+=($(compgen -c -- "$current")); fi
}}
complete -o default -F _gramwatt gramwatt
)",
                     with_value, fmt::join(command_names(), " "), cases, group_words("    {}) words+=\" {}\" ;;\n"),
                     fmt::join(command_names(), " "), words_of(global_options()));
}

std::string zsh_quote(std::string_view s) {
  std::string out;
  for (const char c : s) {
    if (c == '\'') out += "'\\''";
    else if (c == '[' || c == ']' || c == ':') out += std::string("\\") + c;
    else out += c;
  }
  return out;
}

std::string zsh_completion() {
  std::string list;
  std::string cases;
  for (const Command& c : merged_groups()) {
    list += fmt::format("    '{}:{}'\n", c.name, zsh_quote(c.summary));
    cases += fmt::format("    {}) _arguments -S", c.name);
    const auto add = [&](const Option& o) {
      cases += fmt::format(
          " \\\n      '{}--{}[{}]{}'", o.repeatable ? "*" : "", o.name, zsh_quote(o.help),
          o.value.empty() ? ""
                          : fmt::format(":{}:{}", zsh_quote(o.value), o.value == "FILE" || o.value == "PATH" ? "_files" : ""));
    };
    for (const Option& o : c.options) add(o);
    for (const Option& o : global_options()) add(o);
    const auto group = members(c.name);
    if (!group.empty()) cases += fmt::format(" \\\n      '1:command:({})'", fmt::join(group, " "));
    cases += c.wraps_command ? " \\\n      '*::command:_normal' ;;\n" : " \\\n      '*:argument:' ;;\n";
  }
  return fmt::format(R"(#compdef gramwatt
_gramwatt() {{
  local -a commands
  commands=(
{}  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local command=$words[2]
  shift words; (( CURRENT-- ))
  case $command in
{}  esac
}}
_gramwatt "$@"
)",
                     list, cases);
}

std::string fish_quote(std::string_view s) {
  std::string out;
  for (const char c : s) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string fish_completion() {
  std::string out = "# fish completion for gramwatt\ncomplete -c gramwatt -f\n";
  const auto add = [&](const Option& o, const std::string& condition) {
    out += fmt::format("complete -c gramwatt -n '{}' -l {}{}{} -d '{}'\n", condition, o.name,
                       o.letter != 0 ? fmt::format(" -s {}", o.letter) : "", o.value.empty() ? "" : " -r", fish_quote(o.help));
  };
  for (const Command& c : merged_groups()) {
    out += fmt::format("complete -c gramwatt -n __fish_use_subcommand -a {} -d '{}'\n", c.name, fish_quote(c.summary));
    for (const Option& o : c.options) add(o, fmt::format("__fish_seen_subcommand_from {}", c.name));
  }
  for (const Option& o : global_options()) add(o, "true");
  out += group_words("complete -c gramwatt -n '__fish_seen_subcommand_from {}' -a '{}'\n");
  return out + "complete -c gramwatt -n '__fish_seen_subcommand_from run' -a '(__fish_complete_subcommand)'\n";
}

}  // namespace

std::string help_text() {
  std::string out =
      "gramwatt tells what a program costs in energy and carbon,\nwith an interval and a source for every figure.\n\n"
      "  gramwatt run -- python train.py\n\nCommands:\n";
  for (const Command& c : commands()) {
    if (c.name.find(' ') == std::string_view::npos) out += fmt::format("  {:<12}{}\n", c.name, wrap(c.summary, 14));
  }
  out += "\nOptions of every command:\n" + option_lines(global_options());
  return out + "\n`gramwatt help COMMAND` tells more; `man gramwatt` tells all.\n";
}

std::string help_text(const Command& c) {
  std::string out = fmt::format("usage: gramwatt {} {}\n\n{}\n", c.name, c.arguments,
                                wrap(c.description.empty() ? c.summary : c.description, 0));
  if (!members(c.name).empty()) out += "\nCommands:\n";
  for (const std::string& member : members(c.name)) {
    const std::string name = std::string(c.name) + " " + member;
    out += fmt::format("  {:<18}{}\n", name, wrap(find_command(name)->summary, 20));
  }
  if (!c.options.empty()) out += "\nOptions:\n" + option_lines(c.options);
  out += "\nOptions of every command:\n" + option_lines(global_options());
  if (!c.examples.empty()) {
    out += "\nExamples:\n";
    for (const auto& e : c.examples) out += fmt::format("  {}\n", e);
  }
  return out;
}

std::string manual_page() {
  std::string out =
      ".\\\" Made from the table of commands: gramwatt help --man\n.TH GRAMWATT 1 \"\" \"gramwatt\" \"User Commands\"\n.SH "
      "NAME\n"
      "gramwatt \\- what a program costs in energy and carbon\n.SH SYNOPSIS\n"
      ".B gramwatt run\n[\\fIOPTIONS\\fR] [\\fB\\-\\-\\fR] \\fICMD\\fR [\\fIARG\\fR...]\n.br\n.B gramwatt\n\\fICOMMAND\\fR "
      "[\\fIOPTIONS\\fR]\n"
      ".SH DESCRIPTION\nMeasures the energy of a program and everything that it starts, and weighs it in CO2e: every figure "
      "with a 90 % "
      "interval and its source. Where a machine has no power sensor, a model fitted to measured servers stands in, and says "
      "so.\n.SH COMMANDS\n";
  for (const Command& c : commands()) {
    out += fmt::format(".SS gramwatt {} {}\n{}\n", roff(c.name), roff(c.arguments),
                       roff(c.description.empty() ? c.summary : c.description));
    out += roff_options(c.options);
    if (c.examples.empty()) continue;
    out += ".PP\nExamples:\n.nf\n";
    for (const auto& e : c.examples) out += "  " + roff(e) + "\n";
    out += ".fi\n";
  }
  out += ".SH OPTIONS OF EVERY COMMAND\n" + roff_options(global_options());
  out += ".SH EXIT STATUS\n" + roff(kExitCodes) + "\n.SH ENVIRONMENT\n";
  constexpr std::pair<std::string_view, std::string_view> variables[] = {
      {"GRAMWATT_CONFIG", "configuration file (default: gramwatt/config.toml in XDG_CONFIG_HOME)"},
      {"GRAMWATT_LEDGER", "ledger (default: gramwatt/ledger.db in XDG_DATA_HOME)"},
      {"GRAMWATT_ZONE", "grid zone"},
      {"GRAMWATT_PUE", "power usage effectiveness"},
      {"GRAMWATT_NO_NETWORK", "1: as --no-network"},
      {"GRAMWATT_RUN_ID", "set for the measured program: the id of its run"},
      {"GRAMWATT_SYSFS, GRAMWATT_PROCFS", "roots in place of /sys and /proc for sensors and host facts"},
      {"GRAMWATT_RAPL_TREE", "folder of RAPL zones that the host gives this guest"},
      {"GRAMWATT_REDFISH_URL, _USER, _PASSWORD, _FINGERPRINT",
       "this node's management controller, in place of the configuration"},
      {"SSL_CERT_FILE, SSL_CERT_DIR", "CA certificates in place of the system's"},
      {"GRAMWATT_NVML", "path of the NVML library"},
      {"GRAMWATT_METADATA_URL", "address in place of the cloud's metadata service"},
      {"NO_COLOR", "no colour"}};
  for (const auto& [name, text] : variables) out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(name), roff(text));
  return out +
         ".SH FILES\n.TP\n~/.config/gramwatt/config.toml\nconfiguration\n.TP\n~/.local/share/gramwatt/ledger.db\nthe ledger\n";
}

Result<std::string> completion(std::string_view shell) {
  if (shell == "bash") return bash_completion();
  if (shell == "zsh") return zsh_completion();
  if (shell == "fish") return fish_completion();
  return fail(fmt::format("no completion for \"{}\"", shell), {}, "bash, zsh or fish", Error::Kind::usage);
}

}  // namespace gramwatt::cli
