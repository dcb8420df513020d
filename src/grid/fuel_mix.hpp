#pragma once
// From a generation mix to a carbon intensity, for services that tell megawatts by fuel and leave the rest to their reader.
//
// The intensity of a slot is the mean of its fuels' factors, weighted by what each generated. Three things make that honest:
//   - storage (pumped hydro, batteries) is no source: what it gives back was generated earlier and counted then, so it is left
//     out of both sums, which is to say that stored energy is taken at the mix of the hour;
//   - a plant that stands still draws power (negative net generation): that is load, not negative generation;
//   - a fuel that is not told is not zero: a slot that lacks a fuel which matters in this zone is a gap.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "grid/intensity.hpp"

namespace gramwatt::grid {

enum class Fuel : std::uint8_t {
  coal,
  lignite,
  coal_gas,
  gas,
  oil,
  oil_shale,
  peat,
  biomass,
  waste,
  nuclear,
  hydro,
  solar,
  wind,
  geothermal,
  marine,
  other_renewable,
  storage,
  unknown,
};
inline constexpr std::size_t kFuels = static_cast<std::size_t>(Fuel::unknown) + 1;

struct FuelFactor {
  GramsPerKwh direct, lifecycle;
};

/// Whose power plants burn it: real fleets are dirtier than modern plants, and the US fleet's emissions are measured at the
/// stack (EPA AVERT).
enum class Fleet { world, us };
[[nodiscard]] FuelFactor fuel_factor(Fuel fuel, Fleet fleet);

/// Net power by source over slots of one length. A source is what a service tells a series of ("B18", offshore wind; "NG");
/// several may burn one fuel. Only what was told is in the maps.
struct FuelMix {
  std::map<std::string, Fuel> sources;
  std::map<Nanoseconds, std::map<std::string, Watts>> slots;
  Nanoseconds resolution{};

  void set(Nanoseconds start, const std::string& source, Fuel fuel, Watts power) {
    sources[source] = fuel;
    slots[start][source] = power;
  }
};

/// Points for the slots of which enough is known: a slot lacking sources that together make more than `kMissingShare` of the
/// whole mix's energy is left out, one lacking less is marked estimated.
inline constexpr double kMissingShare = 0.02;
[[nodiscard]] std::vector<Point> intensity_of(const FuelMix& mix, Fleet fleet, bool lifecycle);

}  // namespace gramwatt::grid
