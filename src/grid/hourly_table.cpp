// The hourly series in the binary: data/grid_hourly.bin, one byte an hour (tools/build_grid_tables.py writes it).
//
// A byte is the step from the hour before, in quanta (1 g/kWh, in clean grids 0.1), -127..127. 0x80 begins an hour that is
// written whole in two bytes, little endian; 0xFFFF there is an hour that is missing.

#include <cstdint>

#include "base/text.hpp"
#include "data/tables.hpp"
#include "grid/builtin.hpp"
#include "grid/typical_day.hpp"

namespace gramwatt::grid {
namespace {

constexpr std::uint8_t kEscape = 0x80;
constexpr unsigned kMissing = 0xFFFF;

/// Calls `hour(index, quanta)` for each hour that is there. False where the bytes end early.
template <class F>
bool unpack(std::string_view bytes, std::size_t hours, F hour) {
  std::size_t at = 0;
  int quanta = 0;
  for (std::size_t i = 0; i < hours; ++i) {
    if (at >= bytes.size()) return false;
    const auto first = static_cast<std::uint8_t>(bytes[at++]);
    if (first != kEscape) {
      quanta += static_cast<std::int8_t>(first);
    } else {
      if (at + 2 > bytes.size()) return false;
      const unsigned whole = static_cast<std::uint8_t>(bytes[at]) + 256U * static_cast<std::uint8_t>(bytes[at + 1]);
      at += 2;
      if (whole == kMissing) continue;
      quanta = static_cast<int>(whole);
    }
    hour(i, quanta);
  }
  return at == bytes.size();
}

Signal hourly_signal(const std::string& zone, std::string_view start) {
  const bool us = zone.starts_with("US-");
  Signal s;
  s.kind = SignalKind::average;
  s.factor = "lifecycle";
  s.basis = "production";
  s.year = parse_number<int>(start.substr(0, 4)).value_or(0);
  s.data_kind = "observed";
  s.source = us ? "EIA-930 fuel mix 2020-2021 with AVERT and IPCC factors"
                : "ENTSO-E fuel mix " + std::string(start.substr(0, 4)) + " with IPCC factors";
  s.licence = us ? "public domain" : "CC BY 4.0";
  s.fit_for = {"accounting"};
  return s;
}

// Mix times factors against published consumption-based annual values of the same year: what misses them by more than this is
// flagged as apart.
constexpr Shift kMix = Shift::symmetric(0.15);

void add_terms(const std::string& zone, Series& s) {
  s.terms["mix:" + zone] = kMix;
  const auto profile = average_profile(zone, "lifecycle");
  if (!profile) return;
  if (!profile->apart.empty()) {
    s.terms["trade:" + zone] = kTrade;
    s.signal.source += "; production only (" + profile->apart + ")";
  }
  if (profile->fit) s.signal.fit_for.emplace_back("scheduling");
}

}  // namespace

std::optional<Series> builtin_hourly(const std::string& zone) {
  std::string_view table = data::grid_hourly_index();
  (void)next_line(table);
  while (const auto line = next_line(table)) {
    const auto f = split(*line, ',');
    if (f.size() != 6 || f[0] != zone) continue;
    const auto start = parse_iso8601(f[1]);
    const auto hours = parse_number<std::size_t>(f[2]);
    const auto quantum = parse_number<double>(f[3]);
    const auto offset = parse_number<std::size_t>(f[4]);
    const auto bytes = parse_number<std::size_t>(f[5]);
    if (!start || !hours || !quantum || !offset || !bytes) return std::nullopt;
    Series s;
    s.signal = hourly_signal(zone, f[1]);
    s.resolution = std::chrono::hours(1);
    s.method = Method::modelled;
    add_terms(zone, s);
    s.points.reserve(*hours);
    const auto add = [&](std::size_t i, int quanta) {
      s.points.push_back({*start + std::chrono::hours(i), GramsPerKwh(quanta * *quantum), PointKind::observed, {}});
    };
    if (!unpack(data::grid_hourly().substr(*offset, *bytes), *hours, add)) return std::nullopt;
    return s;
  }
  return std::nullopt;
}

}  // namespace gramwatt::grid
