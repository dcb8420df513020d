// Regions.
//
// Problem: a program says "now begins, now ends" at any moment, and energy is known only where it was read, some ten times a
// second, and only once a second as the program's own (split.cpp).
//
// Idea: a curve, the program's energy since its start over time, with a point at every reading. When an interval closes, the
// program's energy in it is spread over its ticks as the provisional split saw it, scaled so that it sums to what was closed:
// the curve never falls and ends in the run's own total. A region is E(end) - E(begin), read off by straight lines between the
// points and rounded to whole microjoules at each instant; so regions that tile the run sum to the run, exactly, and what is
// inside another region is never more than it.
//
// What the straight line gets wrong. Let an edge fall into a step of length T at phase f, with powers a before and b after it.
// The line gives the part behind the edge (1-f)(f a + (1-f) b) T; the truth is (1-f) b T; the difference f(1-f)(a-b) T. Any
// other course of power with the same two means gives the same. At random phase its mean is (a-b) T / 6: it does not average
// away over many regions of one name, because a region that draws more than what surrounds it loses at every edge. Hence
//   - the error of a name's energy adds up linearly over its regions;
//   - |a-b| is not more than the highest active power of the run between two readings (`peak`); idle power is drawn evenly and
//   has no such
//     error. error ≤ peak × sum over edges of T f(1-f): of a region of ten steps about 3 %.
//   - What was read may be older than the reading by the sensor's resolution r. All edges shift alike, so a region errs by
//     r × |a-b| at most, once.
//   - `peak` is a mean over a step. Of a region of two steps one whole step lies inside, whatever its phase, so its own power
//   was
//     seen by itself at least once. Of a shorter one it may never have been: its power is not attributable, because between two
//     others it could have had any. That is the limit: twice the longer of step and resolution.
//
// Events arrive late and out of order (one thread's buffer after another's); those of an interval are put in order of time
// when it closes. One that was held up for longer (its thread was stopped between looking at the clock and writing) is placed
// by the curve of the last seconds; what is older is placed at its oldest point.

#include "meter/regions.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <tuple>

#include "meter/energy_arithmetic.hpp"

namespace gramwatt::meter {
namespace {

/// How long the curve is remembered behind what is settled.
constexpr Nanoseconds kMemory = std::chrono::seconds(10);
/// An event waits this long behind what is settled, so that the begin that an end belongs to is there whatever buffer was read
/// first: processors may look at their clock some 100 ns ahead of what they write.
constexpr Nanoseconds kSettling = std::chrono::milliseconds(1);
/// Between two closings; 24 MB. A program that says more is not kept waiting, it loses some.
constexpr std::size_t kMostWaiting = std::size_t{1} << 20U;
constexpr std::size_t kMostOpen = std::size_t{1} << 17U;
/// Powers over less are noise of the clock tick.
constexpr Nanoseconds kShortestPeak = std::chrono::milliseconds(20);

double ns(Nanoseconds t) { return static_cast<double>(t.count()); }

Share between(const Share& a, const Share& b, double phase) {
  return {a.active + scaled(b.active - a.active, phase), a.idle + scaled(b.idle - a.idle, phase)};
}

void add_difference(std::vector<Share>& sum, const std::vector<Share>& from, const std::vector<Share>& to) {
  sum.resize(to.size());
  for (std::size_t c = 0; c < to.size(); ++c) {
    sum[c].active += to[c].active - from[c].active;
    sum[c].idle += to[c].idle - from[c].idle;
  }
}

}  // namespace

void Regions::sample(const Tick& tick) {
  const Nanoseconds at = tick.at.monotonic;
  const Nanoseconds before = open_samples_.empty() ? curve_.back().at : open_samples_.back().at;
  if (at <= before || tick.job_by_channel.size() != channels_) return;
  Sample s{at, std::vector<double>(channels_)};
  for (std::size_t c = 0; c < channels_; ++c) s.weight[c] = (tick.job_by_channel[c] * seconds(tick.passed)).value() * 1e6;
  open_samples_.push_back(std::move(s));
}

void Regions::settle(const Interval& interval, Nanoseconds resolution) {
  if (interval.flows.size() != channels_ || interval.end.monotonic <= interval.start.monotonic) return;
  resolution_ = resolution;
  extend(interval);
  process(curve_.back().at - kSettling);
  forget();
}

/// The interval's energy over its samples; see the top.
void Regions::extend(const Interval& interval) {
  const Nanoseconds start = interval.start.monotonic;
  const Nanoseconds stop = interval.end.monotonic;
  const std::vector<Share> base = curve_.back().sums;
  if (curve_.back().at < start) append(start, base);
  std::erase_if(open_samples_, [&](const Sample& s) { return s.at <= curve_.back().at || s.at > stop; });
  const bool has_rest = open_samples_.empty() || open_samples_.back().at < stop;  // what came after the last sample
  if (has_rest) open_samples_.push_back({stop, {}});

  std::vector<std::vector<Share>> sums(open_samples_.size(), base);
  for (std::size_t c = 0; c < channels_; ++c) {
    const Flow& flow = interval.flows[c];
    std::vector<double> reached;  // µJ of active energy at each sample, not yet scaled
    double sum = 0;
    Nanoseconds from = start;
    for (const Sample& s : open_samples_) {
      const double idle = static_cast<double>(flow.job_idle.count()) * ns(s.at - from) / ns(stop - start);
      const double weight = s.weight.empty() ? static_cast<double>(flow.job_active.count()) - sum : s.weight[c] - idle;
      sum += std::isfinite(weight) ? std::max(0.0, weight) : 0;
      reached.push_back(sum);
      from = s.at;
    }
    for (std::size_t k = 0; k < open_samples_.size(); ++k) {
      const double passed = ns(open_samples_[k].at - start) / ns(stop - start);
      sums[k][c].active += scaled(flow.job_active, sum > 0 ? reached[k] / sum : passed);
      sums[k][c].idle += scaled(flow.job_idle, passed);
    }
  }
  for (std::size_t k = 0; k < open_samples_.size(); ++k) append(open_samples_[k].at, std::move(sums[k]));
  open_samples_.clear();
}

void Regions::append(Nanoseconds at, std::vector<Share> sums) {
  const Nanoseconds step = at - curve_.back().at;
  if (step >= kShortestPeak || peak_.value() <= 0) {
    Microjoules active;
    for (std::size_t c = 0; c < channels_; ++c) active += sums[c].active - curve_.back().sums[c].active;
    peak_ = std::max(peak_, active.joules() / seconds(step));
  }
  curve_.push_back({at, std::move(sums)});
}

/// Points that nobody needs any more go; regions that are open take what they need of them.
void Regions::forget() {
  const Nanoseconds oldest = curve_.back().at - kMemory;
  if (curve_.size() < 3 || curve_[1].at > oldest) return;
  for (auto& [id, region] : open_) {
    if (region.at <= oldest && region.place.sums.empty()) region.place = place(region.at);
  }
  while (curve_.size() >= 3 && curve_[1].at <= oldest) curve_.pop_front();
}

void Regions::add(std::span<const MarkEvent> events) {
  const std::size_t room = kMostWaiting - std::min(kMostWaiting, waiting_.size());
  const std::size_t n = std::min(room, events.size());
  lost_ += static_cast<std::int64_t>(events.size() - n);
  waiting_.insert(waiting_.end(), events.begin(), events.begin() + static_cast<std::ptrdiff_t>(n));
}

void Regions::process(Nanoseconds until) {
  const auto later = std::partition(waiting_.begin(), waiting_.end(), [&](const MarkEvent& e) { return e.at <= until; });
  std::sort(waiting_.begin(), later, [](const MarkEvent& a, const MarkEvent& b) {
    return std::tie(a.at, a.region, a.kind, a.name) < std::tie(b.at, b.region, b.kind, b.name);
  });
  for (auto e = waiting_.begin(); e != later; ++e) take(*e);
  waiting_.erase(waiting_.begin(), later);
  place_marks();
}

void Regions::take(const MarkEvent& e) {
  switch (e.kind) {
    case MarkKind::begin:
      if (open_.size() >= kMostOpen || !open_.try_emplace(e.region, Open{e.name, e.at, {}}).second) ++lost_;
      break;
    case MarkKind::end:
      if (const auto found = open_.find(e.region); found != open_.end()) {
        end(found->second, e.at);
        open_.erase(found);
      } else {
        ++lost_;
      }
      break;
    case MarkKind::mark: {
      MarkSum& m = marks_[e.name];
      if (m.count++ == 0) {
        m.first = e.at;
        mark_places_[e.name].first = place(e.at);
      }
      m.last = std::max(m.last, e.at);
      mark_places_[e.name].moved = true;
      break;
    }
  }
}

void Regions::end(const Open& begun, Nanoseconds at) {
  RegionSum& sum = regions_[begun.name];
  const Nanoseconds length = std::max(Nanoseconds{0}, at - begun.at);
  ++sum.ended;
  sum.shortest = std::min(sum.shortest, length);
  sum.longest = std::max(sum.longest, length);
  const Nanoseconds first_step = begun.place.sums.empty() ? step_length(begun.at) : begun.place.step;
  const Nanoseconds needed = 2 * std::max({first_step, step_length(at), resolution_});
  if (length < needed) {  // most regions, where they are many: found out without touching the heap
    ++sum.too_short;
    sum.too_short_time += length;
    sum.needed = std::max(sum.needed, needed);
    return;
  }
  const Place from = begun.place.sums.empty() ? place(begun.at) : begun.place;
  const Place to = place(at);
  ++sum.count;
  sum.time += length;
  sum.blur += from.blur + to.blur + ns(resolution_);
  add_difference(sum.energy, from.sums, to.sums);
}

/// Up to the last mark of each name, while the curve still knows it.
void Regions::place_marks() {
  for (auto& [name, places] : mark_places_) {
    if (!std::exchange(places.moved, false)) continue;
    MarkSum& m = marks_[name];
    const Place last = place(m.last);
    m.needed = 2 * std::max({places.first.step, last.step, resolution_});
    m.resolved = m.count > 1 && m.last - m.first >= m.needed;
    m.blur = places.first.blur + last.blur + ns(resolution_);
    m.energy.clear();
    add_difference(m.energy, places.first.sums, last.sums);
  }
}

void Regions::finish() {
  process(Nanoseconds::max());
  for (const auto& [id, region] : open_) ++regions_[region.name].unended;
  open_.clear();
}

/// Index of the point at or before `at`; the last but one at most, so that a step follows.
std::size_t Regions::step_of(Nanoseconds at) const {
  const auto after = std::upper_bound(curve_.begin(), curve_.end(), at, [](Nanoseconds t, const Point& p) { return t < p.at; });
  const auto index = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, std::distance(curve_.begin(), after) - 1));
  return std::min(index, curve_.size() < 2 ? 0 : curve_.size() - 2);
}

Nanoseconds Regions::step_length(Nanoseconds at) const {
  if (curve_.size() < 2) return {};
  const std::size_t i = step_of(at);
  return curve_[i + 1].at - curve_[i].at;
}

Regions::Place Regions::place(Nanoseconds at) const {
  if (curve_.size() < 2) return {curve_.front().sums, 0, {}};
  const std::size_t i = step_of(at);
  const Point& a = curve_[i];
  const Point& b = curve_[i + 1];
  const Nanoseconds step = b.at - a.at;
  const double phase = step > Nanoseconds{0} ? std::clamp(ns(at - a.at) / ns(step), 0.0, 1.0) : 0;
  Place p{a.sums, ns(step) * phase * (1 - phase), step};
  for (std::size_t c = 0; c < channels_; ++c) p.sums[c] = between(a.sums[c], b.sums[c], phase);
  return p;
}

}  // namespace gramwatt::meter
