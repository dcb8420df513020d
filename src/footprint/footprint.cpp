#include "footprint/footprint.hpp"

namespace gramwatt::footprint {
namespace {

double total(std::span<const Slice> slices) {
  double sum = 0;
  for (const Slice& s : slices) sum += s.energy.joules().value();
  return sum;
}

}  // namespace

Estimate<GramsPerKwh> mean_intensity(std::span<const Slice> slices, const grid::Series& series) {
  const double energy = total(slices);
  double weighted = 0;
  double weights = 0;
  for (const Slice& s : slices) {
    // Without energy every moment counts alike.
    const double weight =
        energy > 0 ? s.energy.joules().value() : std::max(1.0, static_cast<double>((s.end - s.start).count()));
    weighted += weight * series.mean(s.start, s.end).value();
    weights += weight;
  }
  const GramsPerKwh mean = weights > 0 ? GramsPerKwh(weighted / weights) : series.points.front().value;
  return {mean, series.method, series.signal.source, std::nullopt, series.terms};
}

Estimate<Grams> weigh(const Estimate<Joules>& energy, std::span<const Slice> slices, const grid::Series& series) {
  return energy * mean_intensity(slices, series);
}

}  // namespace gramwatt::footprint
