#include "sense/microarchitecture.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "data/tables.hpp"
#include "sense/power_model.hpp"
#include "sense/table.hpp"

namespace gramwatt::sense {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void replace_all(std::string& s, std::string_view from, std::string_view to) {
  for (auto at = s.find(from); at != std::string::npos; at = s.find(from, at + to.size())) s.replace(at, from.size(), to);
}

/// Words that tell nothing about which CPU it is. A Xeon's metal (gold, silver) goes too: its number is unique without.
bool is_noise(std::string_view word) {
  constexpr std::array<std::string_view, 16> kWords{"intel",  "amd",        "nvidia",   "cpu",  "processor", "ampere",
                                                    "64-bit", "multi-core", "platinum", "gold", "silver",    "bronze",
                                                    "e",      "gen",        "dell",     "sku"};
  if (std::find(kWords.begin(), kWords.end(), word) != kWords.end()) return true;
  if (word.ends_with("-core") || word.ends_with("ghz") || word.ends_with("mhz")) return true;
  const bool decimal =
      contains(word, ".") && std::all_of(word.begin(), word.end(), [](char c) { return is_digit(c) || c == '.'; });
  const bool ordinal =
      is_digit(word.front()) && (word.ends_with("st") || word.ends_with("nd") || word.ends_with("rd") || word.ends_with("th"));
  return decimal || ordinal;
}

/// "v4", "he": belongs to the number before it, however it is spaced.
bool is_suffix(std::string_view word) {
  return word == "he" || word == "ee" || word == "se" || (word.size() == 2 && word[0] == 'v' && is_digit(word[1]));
}

bool is_old_xeon_number(std::string_view word) {
  return word.starts_with("e3-") || word.starts_with("e5-") || word.starts_with("e7-");
}

std::optional<Microarchitecture> by_key(std::string_view key) {
  const auto row = row_of<3>(data::microarchitectures(), key);
  if (!row) return std::nullopt;
  return Microarchitecture{(*row)[0], (*row)[1], (*row)[2]};
}

std::string_view key_by_numbers(const CpuIdentity& cpu) {
  std::string_view key;
  const auto within = [](int value, std::string_view low, std::string_view high) {
    return value >= table_number<int>(low) && value <= table_number<int>(high);
  };
  find_row<7>(data::cpu_families(), [&](const auto& row) {
    if (row[0] != cpu.vendor || table_number<int>(row[1]) != cpu.family) return false;
    if (!within(cpu.model, row[2], row[3]) || !within(cpu.stepping, row[4], row[5])) return false;
    key = row[6];
    return true;
  });
  return key;
}

std::string_view key_by_name(std::string_view normalised) {
  std::string_view key;
  find_row<2>(data::cpu_name_patterns(), [&](const auto& row) {
    if (!matches_pattern(row[0], normalised)) return false;
    key = row[1];
    return true;
  });
  return key;
}

/// The longest code name that occurs: "turin dense" before "turin".
std::string_view key_by_code_name(std::string_view name) {
  std::string_view key;
  std::size_t longest = 0;
  find_row<4>(data::microarchitectures(), [&](const auto& row) {
    std::string_view rest = row[3];
    while (!rest.empty()) {
      const auto bar = rest.find('|');
      const std::string_view alias = rest.substr(0, bar);
      rest = bar == std::string_view::npos ? std::string_view{} : rest.substr(bar + 1);
      if (alias.size() > longest && contains_ignoring_case(name, alias)) {
        longest = alias.size();
        key = row[0];
      }
    }
    return false;
  });
  return key;
}

}  // namespace

std::string normalise_cpu_name(std::string_view name) {
  std::string s = lower(name);
  for (const std::string_view mark : {"(r)", "(tm)", "®", "™", ","}) replace_all(s, mark, " ");
  s.erase(std::min(s.find_first_of("([@"), s.size()));
  replace_all(s, "xeon-d ", "xeon d-");
  std::string out;
  std::string_view rest = s;
  while (!(rest = trim(rest)).empty()) {
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
    rest.remove_prefix(word.size());
    if (word == "with" || word == "w/") break;
    if (is_noise(word)) continue;
    if (out == "xeon" && (word == "6" || word == "6+")) continue;  // "Xeon 6 6980P": the family's name
    if (out.empty() && is_old_xeon_number(word)) out = "xeon";
    if (!out.empty() && !is_suffix(word)) out += ' ';
    out += word;
  }
  return out;
}

bool matches_pattern(std::string_view pattern, std::string_view text) {
  while (!pattern.empty()) {
    const char p = pattern.front();
    pattern.remove_prefix(1);
    if (p == '*') {
      for (std::size_t skip = 0; skip <= text.size(); ++skip) {
        if (matches_pattern(pattern, text.substr(skip))) return true;
      }
      return false;
    }
    if (text.empty() || (p == '#' ? !is_digit(text.front()) : p != '?' && p != text.front())) return false;
    text.remove_prefix(1);
  }
  return text.empty();
}

std::optional<Microarchitecture> find_microarchitecture(const CpuIdentity& cpu) {
  std::string_view key = key_by_numbers(cpu);
  if (key.empty()) key = key_by_name(normalise_cpu_name(cpu.name));
  if (key.empty()) key = key_by_code_name(cpu.name);
  return key.empty() ? std::nullopt : by_key(key);
}

std::string microarchitecture(const CpuIdentity& cpu) {
  const auto found = find_microarchitecture(cpu);
  return found ? std::string(found->label) : std::string{};
}

}  // namespace gramwatt::sense
