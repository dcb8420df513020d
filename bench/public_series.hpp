#pragma once
// Public series as the benchmarks read them from the shared data folder: hourly intensity made from a fuel mix, and
// California's marginal series.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "grid/intensity.hpp"

namespace gramwatt::bench {

using namespace gramwatt::grid;
using std::chrono::hours;

// Life-cycle g CO2e/kWh: IPCC AR5 WG3 annex III (2014) medians, oil UK POST 2014, other: Electricity Maps' default.
inline const std::map<std::string, double, std::less<>> kFactors{{"coal", 820}, {"gas", 490},  {"oil", 650}, {"nuclear", 12},
                                                                 {"hydro", 24}, {"solar", 45}, {"wind", 11}, {"other", 700}};

/// Lines of a gzip file, by gzip itself.
inline std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  FILE* pipe = popen(fmt::format("gzip -dc '{}'", path.string()).c_str(), "r");
  std::string line;
  for (int c = 0; pipe != nullptr && (c = fgetc(pipe)) != EOF;) {
    if (c == '\n') {
      lines.push_back(std::move(line));
      line.clear();
    } else {
      line += static_cast<char>(c);
    }
  }
  if (pipe != nullptr) pclose(pipe);
  return lines;
}

inline std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  for (const char c : line) {
    if (c == ',') cells.emplace_back();
    else cells.back() += c;
  }
  return cells;
}

/// Sum of generation × factor over generation; nothing where a fuel is blank.
inline std::optional<double> intensity(const std::vector<std::string>& fuels, const std::vector<std::string>& cells) {
  double grams = 0, energy = 0;
  for (std::size_t i = 1; i < fuels.size(); ++i) {
    if (i >= cells.size() || cells[i].empty()) return std::nullopt;
    const double mw = std::max(0.0, std::stod(cells[i]));  // pumping is no generation
    grams += mw * kFactors.at(fuels[i]);
    energy += mw;
  }
  return energy > 0 ? std::optional(grams / energy) : std::nullopt;
}

inline Series from_mix(const std::filesystem::path& path) {
  Series s;
  s.resolution = hours(1);
  const auto lines = lines_of(path);
  const auto fuels = cells_of(lines.empty() ? "" : lines.front());
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto cells = cells_of(lines[i]);
    const auto start = parse_iso8601(cells[0].substr(0, 13) + ":00:00Z");
    const auto value = intensity(fuels, cells);
    if (start && value) s.points.push_back({*start, GramsPerKwh(*value)});
  }
  return s;
}

inline Series from_moer(const std::filesystem::path& path) {
  Series s;
  s.resolution = std::chrono::minutes(5);
  for (const auto& line : lines_of(path)) {
    const auto cells = cells_of(line);
    const auto start = parse_iso8601(cells[0].substr(0, 16) + ":00Z");
    if (start && cells.size() > 1) s.points.push_back({*start, GramsPerKwh(std::stod(cells[1]))});
  }
  return s;
}

}  // namespace gramwatt::bench
