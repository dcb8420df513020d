// What a GPU without a power sensor draws.
//
// Problem. Most tools take TDP × utilisation. But the utilisation of NVML and of DRM's fdinfo is the share of time in which
// some kernel was resident, not how much of the board it kept busy: one small kernel in a loop is "100 %". And a board at rest
// is not at 0 W.
//
// Idea. power = idle + utilisation × (k × TDP − idle), with k, the draw while kernels run as a share of TDP, as the wide term
// that it is.
//
//   k: 0.70 (0.30..1.0). Decoding by language models is bound by memory and draws 137..300 W of an H200's 700 W, 0.20..0.43, at
//   full utilisation (Ma et al., arXiv 2605.11999, 2026). Training with large matrices comes near the limit, and boards keep to
//   it. Single small kernels lie below 0.3. No data set of real jobs by board is public that would settle the middle: assumed.
//
//   idle: HBM boards 0.13 of TDP (0.08..0.22), boards with GDDR memory 0.09 (0.03..0.22). A context, once made, holds the
//   clocks up and costs 26..50 W above bare idle on an A100 and an H100, 66 W on an L40S of 350 W, whatever its memory holds
//   (Vadari, arXiv 2605.23918, 2026); an H200 was read at 74 W without one, 0.105 of its TDP. Bare and with a context are the
//   two ends; the points are assumed between them.
//
// TDPs are the makers' (data/gpu_power.csv); a board whose limit was lowered draws less than `gpu-load` covers only below 0.3.

#include "sense/gpu_model.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "data/tables.hpp"
#include "sense/table.hpp"

namespace gramwatt::sense {
namespace {

constexpr double kBusyShare = 0.70;  // see above, as all here
constexpr double kBusyLow = 0.30;
constexpr double kBusyHigh = 1.0;
struct IdleShare {
  double value, low, high;
};
constexpr IdleShare kHbmIdle{0.13, 0.08, 0.22};
constexpr IdleShare kGddrIdle{0.09, 0.03, 0.22};
// A board that nobody knows: the middle of the table, and what nine tenths of it lie between.
constexpr double kAnyTdp = 295;
constexpr Shift kAnyTdpShift = Shift::range(kAnyTdp, 75, 1000);

/// Lower case words without what tells nothing: "NVIDIA A100-SXM4-80GB" -> a100 sxm4 80gb.
std::vector<std::string> words_of(std::string_view name) {
  constexpr std::array<std::string_view, 12> kNoise{"nvidia", "amd",      "intel", "tesla",    "geforce",    "radeon",
                                                    "gpu",    "instinct", "(r)",   "graphics", "generation", "data"};
  std::string text = lower(name);
  for (char& c : text) c = c == '-' || c == '_' || c == '/' || c == '(' || c == ')' ? ' ' : c;
  std::vector<std::string> words;
  for (const std::string_view word : split(text, ' ')) {
    if (word.empty() || std::find(kNoise.begin(), kNoise.end(), word) != kNoise.end()) continue;
    // "3080ti" is two words
    if (word.size() > 4 && word.ends_with("ti") && word[word.size() - 3] >= '0' && word[word.size() - 3] <= '9') {
      words.emplace_back(word.substr(0, word.size() - 2));
      words.emplace_back("ti");
      continue;
    }
    words.emplace_back(word);
  }
  return words;
}

bool has(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

using Row = std::array<std::string_view, 6>;  // name, match, tdp_w, memory_gb, memory, year

/// The row with the most words of one of its spellings, all of which occur in the name.
std::optional<Row> find_board(std::string_view name) {
  const std::vector<std::string> words = words_of(name);
  for (const std::string_view portable : {"laptop", "mobile", "max", "notebook"}) {
    // A laptop's "RTX 4090" is another chip at a third of the power. ("Max 1550" is Intel's, and no laptop.)
    if (has(words, portable) && !(portable == "max" && (has(words, "1550") || has(words, "1100")))) return std::nullopt;
  }
  std::optional<Row> best;
  std::size_t most = 0;
  find_row<6>(data::gpu_power(), [&](const Row& row) {
    for (const std::string_view spelling : split(row[1], '|')) {
      const auto needed = split(spelling, ' ');
      const bool all = std::all_of(needed.begin(), needed.end(), [&](std::string_view w) { return has(words, w); });
      if (all && needed.size() > most) {
        most = needed.size();
        best = row;
      }
    }
    return false;
  });
  return best;
}

void fill_power(GpuModel& m, const IdleShare& idle) {
  m.idle_power = m.tdp * idle.value;
  m.idle_terms["gpu-idle"] = Shift::range(idle.value, idle.low, idle.high);
  m.busy_power = m.tdp * (kBusyShare - idle.value);
  // What a board draws above its own idle power: the ends of k, with idle held.
  m.active_terms["gpu-load"] = Shift::range(kBusyShare - idle.value, kBusyLow - idle.value, kBusyHigh - idle.value);
}

GpuModel from(const Row& row) {
  GpuModel m;
  m.name = row[0];
  m.known = true;
  m.tdp = Watts(table_number(row[2]));
  m.memory_gb = table_number(row[3]);
  m.year = table_number<int>(row[5]);
  m.source = fmt::format("TDP {} W (maker, {}) × utilisation, assumed share of TDP", m.tdp.value(), m.year);
  fill_power(m, row[4] == "hbm" ? kHbmIdle : kGddrIdle);
  return m;
}

}  // namespace

Estimate<Watts> GpuModel::idle() const { return {idle_power, Method::modelled, source, Boundary::chip, idle_terms}; }

Estimate<Watts> GpuModel::active(Ratio utilisation) const {
  return {busy_power * std::clamp(utilisation.value(), 0.0, 1.0), Method::modelled, source, Boundary::chip, active_terms};
}

Estimate<Watts> GpuModel::at(Ratio utilisation) const { return idle() + active(utilisation); }

Result<GpuModel> gpu_model(std::string_view name) {
  if (const auto row = find_board(name)) return from(*row);
  // The nearest by the words that name a board; ties by the table's order.
  std::vector<std::pair<std::size_t, std::string>> near;
  std::string wanted;
  for (const std::string& w : words_of(name)) wanted += (wanted.empty() ? "" : " ") + w;
  find_row<6>(data::gpu_power(), [&](const Row& row) {
    std::size_t distance = SIZE_MAX;
    for (const std::string_view spelling : split(row[1], '|')) distance = std::min(distance, edit_distance(wanted, spelling));
    near.emplace_back(distance, row[0]);
    return false;
  });
  std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return fail(fmt::format("no GPU \"{}\" is known here", name), "--gpu",
              fmt::format("did you mean \"{}\", \"{}\" or \"{}\"?", near.at(0).second, near.at(1).second, near.at(2).second),
              Error::Kind::missing);
}

GpuModel gpu_model_or_any(std::string_view name, std::optional<Watts> power_limit) {
  if (const auto row = find_board(name)) return from(*row);
  GpuModel m;
  m.name = name;
  m.tdp = power_limit.value_or(Watts(kAnyTdp));
  m.source = power_limit ? fmt::format("power limit {:.0f} W (driver) × utilisation, assumed share of it", m.tdp.value())
                         : fmt::format("GPU unknown: {:.0f} W assumed × utilisation", m.tdp.value());
  fill_power(m, {kHbmIdle.value, kGddrIdle.low, kHbmIdle.high});
  if (!power_limit) m.idle_terms["gpu-tdp"] = m.active_terms["gpu-tdp"] = kAnyTdpShift;
  return m;
}

std::vector<std::string> known_gpus() {
  std::vector<std::string> names;
  find_row<6>(data::gpu_power(), [&](const Row& row) {
    names.emplace_back(row[0]);
    return false;
  });
  return names;
}

}  // namespace gramwatt::sense
