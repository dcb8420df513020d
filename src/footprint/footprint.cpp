// Energy meets carbon at its own time.
//
// A month at one-second slices against a five-minute feed is 2.6 million meetings, so slices and points are walked side by side
// (one cursor a rung) instead of searched. A slice that a rung covers in part leaves the rest to the next rung, at the same
// power.

#include "footprint/footprint.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace gramwatt::footprint {
namespace {

Microjoules total(std::span<const Slice> slices) {
  Microjoules sum;
  for (const Slice& s : slices) sum += s.energy;
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
  /// The usual case: the slice lies within the point of the one before.
  [[nodiscard]] bool take_whole(const Slice& s, double w) {
    if (s.start < held_.start || s.end > held_.end) return false;
    pending_ += w;
    return true;
  }
  /// To be called before the sums are read.
  void settle() {
    const double w = std::exchange(pending_, 0);
    if (w != 0) add(series_->points[at_], w);
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
    settle();
    const auto& points = series_->points;
    if (at_ < points.size() && points[at_].start > t) at_ = 0;      // the wall clock went back
    if (at_ + 64 < points.size() && points[at_ + 64].start <= t) {  // far ahead: jump
      const auto it = std::upper_bound(points.begin() + static_cast<std::ptrdiff_t>(at_), points.end(), t,
                                       [](Nanoseconds v, const grid::Point& p) { return v < p.start; });
      at_ = static_cast<std::size_t>(it - points.begin()) - 1;
    }
    while (at_ + 1 < points.size() && points[at_ + 1].start <= t) ++at_;
    held_ = points.empty() ? grid::Window{} : grid::Window{points[at_].start, series_->end_of(at_)};
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
  grid::Window held_;   ///< of the point at `at_`
  double pending_ = 0;  ///< weight that it has met and `add` has not
};

void meet(const Slice& s, double weight, std::vector<Rung>& rungs) {
  if (s.end > s.start) {
    if (rungs.front().take_whole(s, weight)) return;
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
  const bool by_energy = total(slices) > Microjoules{};
  for (const Slice& s : slices) {
    // Without energy every moment counts alike.
    meet(s, by_energy ? static_cast<double>(s.energy.count()) : std::max(1.0, static_cast<double>((s.end - s.start).count())),
         rungs);
  }
  double weights = 0;
  for (Rung& r : rungs) {
    r.settle();
    weights += r.weight;
  }
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
