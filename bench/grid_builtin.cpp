// Prints what is built in about every grid zone as CSV, for tools/validate_grid_tables.py: what a run would really be given.
//   zone,NAME,annual g/kWh,mean of the year,low,high of the level,low,high of an hour beside it,low,high of all,rungs,
//   fit for scheduling,source
//   hours,NAME,g/kWh,...   every hour of the year asked for (UTC), where a typical day is built in
// usage: grid_builtin YEAR

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/text.hpp"
#include "data/tables.hpp"
#include "grid/builtin.hpp"

namespace {

using namespace gramwatt;

void print_zone(const std::string& zone, grid::Window year) {
  const auto known = grid::builtin(zone, year);
  if (!known) return;
  const grid::Series& first = known->average.rungs.front();
  const grid::Series& annual = known->average.last();
  Terms beside_level = first.terms;
  for (const auto& term : annual.terms) beside_level.erase(term.first);
  const Shift level = total_shift(annual.terms), hour = total_shift(beside_level), all = total_shift(first.terms);
  std::printf("zone,%s,%.17g,%.17g,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%zu,%d,%s\n", zone.c_str(),
              annual.points.front().value.value(), first.mean(year.start, year.end).value.value(), level.minus, level.plus,
              hour.minus, hour.plus, all.minus, all.plus, known->average.rungs.size(),
              static_cast<int>(first.signal.is_fit_for("scheduling")), csv_quote(first.signal.source).c_str());
  if (known->average.rungs.size() < 2) return;
  std::printf("hours,%s", zone.c_str());
  for (const grid::Point& p : first.points) std::printf(",%.3f", p.value.value());
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string year = argc > 1 ? argv[1] : "2022";
  const auto start = parse_iso8601(year + "-01-01T00:00:00Z");
  const auto end = parse_iso8601(std::to_string(std::atoi(year.c_str()) + 1) + "-01-01T00:00:00Z");
  if (!start || !end) return 2;
  std::string_view table = data::zone_intensity();
  (void)next_line(table);
  while (const auto line = next_line(table)) {
    const std::string zone(split(*line, ',').front());
    if (!zone.empty()) print_zone(zone, {*start, *end});
  }
}
