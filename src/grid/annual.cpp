// Built-in annual intensities.
//
// Average: life-cycle, production based, from Ember, Our World in Data, eGRID, Google and, for parts of countries, their own
// generation by fuel (tools/build_place_tables.py and part_mixes.py say how). Annual figures of two honest sources differ: one
// counts imports and the other does not, one is a year newer. The interval is what was seen when these values were laid against
// Electricity Maps' newest annual ones (consumption based): the 5 % and 95 % points of their ratio, by kind of zone
// (docs/validation.md). A part of a country without a value of its own takes the country's, which may be off by a factor of
// five: Quebec is not Alberta.
//
// Marginal: US zones by EPA's AVERT (fossil units only; direct CO2), other countries by the operating margin of the IFI
// Default Grid Factors 2021. Listed margins below 100 g/kWh are unknown rather than true: what is turned up on demand emits at
// least 370. Judged by WattTime's five-minute series for California 2020 (mean 245), AVERT's annual mean is 452: hence
// the lower ends. Both are fit for accounting only.

#include <algorithm>

#include "base/text.hpp"
#include "data/tables.hpp"
#include "grid/intensity.hpp"

namespace gramwatt::grid {
namespace {

// No grid is dirtier than coal and oil shale alone.
constexpr double kDirtiest = 1100;
constexpr Shift kCountry{-0.42, 0.94};
constexpr Shift kZone{-0.26, 0.38};
constexpr Shift kZoneSmall{-0.40, 0.65};
constexpr Shift kZoneApart{-0.65, 0.90};
constexpr Shift kRegion{-0.20, 0.58};
constexpr Shift kPart{-0.30, 0.85};
constexpr Shift kCountryForPart{-0.86, 4.65};
constexpr Shift kAvert{-0.50, 0.25};
constexpr Shift kOperatingMargin{-0.50, 0.50};
constexpr double kWorldLow = 20;
constexpr double kWorldHigh = 900;

struct Row {
  std::string zone, name, source, kind;
  double value = 0;
  int year = 0;
};

std::optional<Row> average_row(std::string_view zone) {
  std::string_view table = data::zone_intensity();
  (void)next_line(table);
  while (const auto line = next_line(table)) {
    if (!line->starts_with(zone) || line->size() <= zone.size() || (*line)[zone.size()] != ',') continue;
    const auto f = csv_fields(*line);
    const auto value = f.size() < 6 ? std::nullopt : parse_number<double>(f[2]);
    if (!value) continue;
    return Row{f[0], f[1], f[4], f[5], *value, parse_number<int>(f[3]).value_or(0)};
  }
  return std::nullopt;
}

/// Second column of the row of a small table whose first is `key`.
std::optional<double> lookup(std::string_view table, std::string_view key) {
  while (const auto line = next_line(table)) {
    const auto f = split(*line, ',');
    if (f.size() >= 2 && f[0] == key) return parse_number<double>(f[1]);
  }
  return std::nullopt;
}

Shift average_shift(const Row& row) {
  Shift s = row.kind == "country"      ? kCountry
            : row.kind == "zone"       ? kZone
            : row.kind == "zone-small" ? kZoneSmall
            : row.kind == "zone-apart" ? kZoneApart
            : row.kind == "region"     ? kRegion
            : row.kind == "part"       ? kPart
                                       : kCountryForPart;
  s.plus = std::max(0.1, std::min(s.plus, kDirtiest / row.value - 1));
  return s;
}

std::string source_of(const Row& row) {
  std::string text = row.source + " " + std::to_string(row.year) + ", annual mean";
  if (row.kind == "country-for-part") text += " of the whole country (no figure for " + row.zone + ")";
  return text;
}

Series series(SignalKind kind, double value, Method method, const std::string& id, Shift shift) {
  Series s;
  s.signal.kind = kind;
  s.signal.data_kind = "annual mean";
  s.signal.basis = "production";
  s.signal.fit_for = {"accounting"};
  s.points = {{Nanoseconds{0}, GramsPerKwh(value)}};
  s.terms[id] = shift;
  s.method = method;
  return s;
}

/// data/SOURCES.md. Shares that a grid operator or a statistics office tells in its releases are facts.
std::string licence_of(const Row& row) {
  if (row.source.starts_with("EPA") || contains(row.source, "EIA")) return "public domain";
  if (row.kind == "region") return "Apache-2.0";
  if (row.kind != "part") return "CC BY 4.0";
  if (contains(row.source, "CodeCarbon")) return "MIT";
  if (contains(row.source, "NISRA")) return "OGL v3.0";
  return contains(row.source, "Australian") || contains(row.source, "ENTSO-E") ? "CC BY 4.0" : "facts, no licence";
}

Series average_series(const Row& row) {
  Series s = series(SignalKind::average, row.value, Method::modelled, "intensity:" + row.zone, average_shift(row));
  s.signal.factor = "lifecycle";
  s.signal.year = row.year;
  s.signal.source = source_of(row);
  s.signal.licence = licence_of(row);
  return s;
}

Intensities unknown_place() {
  const double world = average_row("").value_or(Row{"", "", "", "", 473, 2024}).value;
  Intensities out;
  Series average =
      series(SignalKind::average, world, Method::assumed, "unknown-place", Shift::range(world, kWorldLow, kWorldHigh));
  average.signal.factor = "lifecycle";
  average.signal.year = 2024;
  average.signal.source = "unknown place: world mean (Ember 2024), range 20..900 g/kWh";
  average.signal.licence = "CC BY 4.0";
  out.average.rungs.push_back(std::move(average));
  out.marginal_note = "the place is unknown";
  return out;
}

Series marginal_series(double value, const std::string& id, Shift shift, int year, std::string source, const char* licence) {
  Series s = series(SignalKind::marginal, value, Method::modelled, "marginal:" + id, shift);
  s.signal.factor = "direct";
  s.signal.gas = "CO2";
  s.signal.year = year;
  s.signal.source = std::move(source);
  s.signal.licence = licence;
  return s;
}

void add_marginal(const std::string& zone, Intensities& out) {
  if (const auto avert = lookup(data::zone_marginal(), zone)) {
    out.marginal = Ladder{{marginal_series(*avert, zone, kAvert, 2023, "EPA AVERT 2023, annual mean", "CC0")}, {}};
    return;
  }
  const std::string country = zone.substr(0, 2);
  const auto margin = lookup(data::country_marginal_ifi_2021_cc_by_sa(), country);
  if (!margin) {
    out.marginal_note = "no credible annual margin is published for " + country;
    return;
  }
  out.marginal = Ladder{{marginal_series(*margin, country, kOperatingMargin, 2021,
                                         "IFI operating margin 2021 of " + country + ", annual", "CC BY-SA 4.0")},
                        {}};
}

}  // namespace

Result<Intensities> annual(const std::optional<std::string>& zone) {
  if (!zone) return unknown_place();
  const auto row = average_row(*zone);
  if (!row || zone->empty()) return fail("no intensity for zone \"" + *zone + "\"", {}, {}, Error::Kind::missing);
  Intensities out;
  out.average.rungs.push_back(average_series(*row));
  add_marginal(*zone, out);
  return out;
}

Reach reach_over(const std::string& zone, const std::vector<std::string>& others) {
  Reach reach;
  const auto own = annual(zone);
  if (!own || others.empty()) return reach;
  const auto take = [](Shift& shift, const Ladder& from, const Ladder& other) {
    const double value = from.last().points.front().value.value();
    const double theirs = other.last().points.front().value.value();
    const Shift error = total_shift(other.last().terms);
    if (!(value > 0)) return;
    shift.minus = std::min(shift.minus, theirs * (1 + error.minus) / value - 1);
    shift.plus = std::max(shift.plus, theirs * (1 + error.plus) / value - 1);
  };
  for (const std::string& other : others) {
    const auto known = annual(other);
    if (!known) continue;
    take(reach.average, own->average, known->average);
    if (own->marginal && known->marginal) take(reach.marginal, *own->marginal, *known->marginal);
  }
  return reach;
}

void widen(Intensities& known, const Reach& reach) {
  const auto add = [](Ladder& ladder, const Shift& shift) {
    if (shift == Shift{}) return;
    for (Series& s : ladder.rungs) s.terms["which-zone"] = shift;
  };
  add(known.average, reach.average);
  if (known.marginal) add(*known.marginal, reach.marginal);
}

}  // namespace gramwatt::grid
