// Energy meets carbon at its own time.
//
// A month at one-second slices against a five-minute feed is 2.6 million meetings, so slices and points are walked side by side
// (one cursor a rung) instead of searched. A slice that a rung covers in part leaves the rest to the next rung, at the same
// power.

#include "footprint/footprint.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gramwatt::footprint {
namespace {

double total(std::span<const Slice> slices) {
  double sum = 0;
  for (const Slice& s : slices) sum += s.energy.joules().value();
  return sum;
}

/// Walks one rung; hands on what it does not cover.
class Rung {
 public:
  explicit Rung(const grid::Series& series) : series_(&series) {}

  /// Energy weight per nanosecond `density` over [from, to); what is not covered goes to `next` (nullptr: counted here by the
  /// nearest point).
  void take(Nanoseconds from, Nanoseconds to, double density, std::span<Rung> next) {
    seek(from);
    for (std::size_t i = at_; from < to; ++i) {
      const bool none = i >= series_->points.size();
      const bool open_start = i == 0 && series_->resolution <= Nanoseconds{0};
      const Nanoseconds start = none ? to : open_start ? from : std::clamp(series_->points[i].start, from, to);
      if (start > from) hand_on(from, start, density, next);
      if (none || start >= to) return;
      const Nanoseconds end = std::clamp(series_->end_of(i), start, to);
      add(series_->points[i], density * static_cast<double>((end - start).count()));
      from = end;
    }
  }
  /// An instant, or a slice without length.
  [[nodiscard]] bool take_instant(Nanoseconds t, double weight) {
    const auto point = series_->at(t);
    if (point) add(*point, weight);
    return point.has_value();
  }

  double weight = 0;
  double sum = 0;  ///< of weight × value
  Shift band;      ///< of weight × value × band

 private:
  void seek(Nanoseconds t) {
    const auto& points = series_->points;
    if (at_ < points.size() && points[at_].start > t) at_ = 0;      // the wall clock went back
    if (at_ + 64 < points.size() && points[at_ + 64].start <= t) {  // far ahead: jump
      const auto it = std::upper_bound(points.begin() + static_cast<std::ptrdiff_t>(at_), points.end(), t,
                                       [](Nanoseconds v, const grid::Point& p) { return v < p.start; });
      at_ = static_cast<std::size_t>(it - points.begin()) - 1;
    }
    while (at_ + 1 < points.size() && points[at_ + 1].start <= t) ++at_;
  }
  void hand_on(Nanoseconds from, Nanoseconds to, double density, std::span<Rung> next) {
    if (!next.empty()) return next.front().take(from, to, density, next.subspan(1));
    if (!series_->points.empty())
      add(series_->points[std::min(at_, series_->points.size() - 1)], density * static_cast<double>((to - from).count()));
  }
  void add(const grid::Point& p, double w) {
    weight += w;
    sum += w * p.value.value();
    band.minus += w * p.value.value() * p.band.minus;
    band.plus += w * p.value.value() * p.band.plus;
  }

  const grid::Series* series_;
  std::size_t at_ = 0;
};

void meet(const Slice& s, double weight, std::vector<Rung>& rungs) {
  if (s.end > s.start) {
    rungs.front().take(s.start, s.end, weight / static_cast<double>((s.end - s.start).count()), std::span(rungs).subspan(1));
    return;
  }
  for (Rung& r : rungs) {
    if (r.take_instant(s.start, weight)) return;
  }
}

/// "Energy-Charts DE, observed (97 % of the energy) + Ember 2024 (3 %)"
std::string named_sources(const grid::Ladder& ladder, const std::vector<double>& shares, std::size_t main) {
  std::string text = ladder.rungs[main].signal.source;
  if (shares[main] > 0.9995) return text;
  text += fmt::format(" ({:.3g} % of the energy)", 100 * shares[main]);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (i != main && shares[i] > 0) text += fmt::format(" + {} ({:.3g} %)", ladder.rungs[i].signal.source, 100 * shares[i]);
  }
  return text;
}

}  // namespace

MeanIntensity mean_intensity(std::span<const Slice> slices, const grid::Ladder& ladder) {
  std::vector<Rung> rungs(ladder.rungs.begin(), ladder.rungs.end());
  const bool by_energy = total(slices) > 0;
  for (const Slice& s : slices) {
    // Without energy every moment counts alike.
    meet(s, by_energy ? s.energy.joules().value() : std::max(1.0, static_cast<double>((s.end - s.start).count())), rungs);
  }
  double weights = 0;
  for (const Rung& r : rungs) weights += r.weight;
  MeanIntensity out;
  out.shares.resize(rungs.size());
  if (weights <= 0) {
    const grid::Series& last = ladder.last();
    const double value = last.points.empty() ? 0 : last.points.front().value.value();
    out.shares.back() = 1;
    out.signal = last.signal;
    out.value = {GramsPerKwh(value), last.method, last.signal.source, std::nullopt, last.terms};
    return out;
  }
  for (std::size_t i = 0; i < rungs.size(); ++i) {
    const Rung& r = rungs[i];
    out.shares[i] = r.weight / weights;
    if (r.weight <= 0) continue;
    const grid::Series& series = ladder.rungs[i];
    Estimate<GramsPerKwh> part{GramsPerKwh(r.sum / weights), series.method, series.signal.source, std::nullopt, series.terms};
    if (r.sum > 0 && (r.band.minus != 0 || r.band.plus != 0))
      part.terms["forecast"] = {r.band.minus / r.sum, r.band.plus / r.sum};
    out.value = out.value + part;
  }
  const auto main = static_cast<std::size_t>(std::max_element(out.shares.begin(), out.shares.end()) - out.shares.begin());
  out.signal = ladder.rungs[main].signal;
  out.signal.source = out.value.source = named_sources(ladder, out.shares, main);
  return out;
}

Estimate<Grams> weigh(const Estimate<Joules>& energy, const MeanIntensity& intensity) { return energy * intensity.value; }

}  // namespace gramwatt::footprint
