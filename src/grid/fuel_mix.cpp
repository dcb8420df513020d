#include "grid/fuel_mix.hpp"

#include <algorithm>
#include <array>

namespace gramwatt::grid {
namespace {

struct Row {
  Fuel fuel;
  double direct, lifecycle, us_direct, us_lifecycle;
};

// g CO2e/kWh. Direct and life-cycle: medians of IPCC AR5 2014, WG III annex III, table A.III.2, as Electricity Maps' defaults
// use them; direct oil by EIA 2020 and BEIS 2021, life-cycle oil by POST 2014; biogenic CO2 counted as zero in direct. Lignite:
// the German fleet's 1053 of 2020/21; its life cycle is 60 above, as for hard coal. Coal gas and oil shale burn about like
// lignite, peat too (IPCC 2006 guidelines, table 2.2: 97..107 kg/GJ for lignite, peat and shale); waste is half fossil
// (there: 92 kg/GJ fossil part) and is taken as unknown. Marine and other renewables: as wind.
// US: net stack emissions of the fleet, EPA AVERT 2020 to 2023 (coal 880..1065, gas 399..494, oil about 800); the life cycle
// adds what AR5 has between the two columns (coal +60, gas +120, oil +244).
constexpr std::array<Row, kFuels> kFactors{{
    {Fuel::coal, 760, 820, 1020, 1080},
    {Fuel::lignite, 1050, 1110, 1050, 1110},
    {Fuel::coal_gas, 1050, 1110, 1050, 1110},
    {Fuel::gas, 370, 490, 415, 535},
    {Fuel::oil, 406, 650, 800, 1044},
    {Fuel::oil_shale, 1050, 1110, 1050, 1110},
    {Fuel::peat, 1050, 1110, 1050, 1110},
    {Fuel::biomass, 0, 230, 0, 230},
    {Fuel::waste, 575, 700, 575, 700},
    {Fuel::nuclear, 0, 12, 0, 12},
    {Fuel::hydro, 0, 24, 0, 24},
    {Fuel::solar, 0, 45, 0, 45},
    {Fuel::wind, 0, 11, 0, 11},
    {Fuel::geothermal, 0, 38, 0, 38},
    {Fuel::marine, 0, 11, 0, 11},
    {Fuel::other_renewable, 0, 11, 0, 11},
    {Fuel::storage, 0, 0, 0, 0},
    {Fuel::unknown, 575, 700, 575, 700},
}};

constexpr std::size_t index(Fuel fuel) { return static_cast<std::size_t>(fuel); }

constexpr bool in_order() {
  for (std::size_t i = 0; i < kFuels; ++i) {
    if (index(kFactors[i].fuel) != i) return false;
  }
  return true;
}
static_assert(in_order());

/// Mean power of each source over the slots that tell it: what its absence from a slot would leave out.
std::map<std::string, double> usual_power(const FuelMix& mix) {
  std::map<std::string, double> sum, count;
  for (const auto& [start, told] : mix.slots) {
    for (const auto& [source, power] : told) {
      if (mix.sources.at(source) == Fuel::storage) continue;
      sum[source] += std::max(0.0, power.value());
      ++count[source];
    }
  }
  for (auto& [source, power] : sum) power /= count[source];
  return sum;
}

}  // namespace

FuelFactor fuel_factor(Fuel fuel, Fleet fleet) {
  const Row& row = kFactors.at(index(fuel));
  if (fleet == Fleet::us) return {GramsPerKwh(row.us_direct), GramsPerKwh(row.us_lifecycle)};
  return {GramsPerKwh(row.direct), GramsPerKwh(row.lifecycle)};
}

std::vector<Point> intensity_of(const FuelMix& mix, Fleet fleet, bool lifecycle) {
  const auto usual = usual_power(mix);
  double all = 0;
  for (const auto& [source, power] : usual) all += power;
  std::vector<Point> points;
  for (const auto& [start, told] : mix.slots) {
    double missing = 0;
    for (const auto& [source, power] : usual) {
      if (!told.contains(source)) missing += power;
    }
    double power = 0, grams = 0;
    for (const auto& [source, net] : told) {
      const Fuel fuel = mix.sources.at(source);
      if (fuel == Fuel::storage || net.value() <= 0) continue;
      const FuelFactor factor = fuel_factor(fuel, fleet);
      power += net.value();
      grams += net.value() * (lifecycle ? factor.lifecycle : factor.direct).value();
    }
    if (power <= 0 || missing > kMissingShare * all) continue;
    points.push_back({start, GramsPerKwh(grams / power), missing > 0 ? PointKind::estimated : PointKind::observed, {}});
  }
  return points;
}

}  // namespace gramwatt::grid
