#include "sense/aligned_counter.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace gramwatt::sense {
namespace {

constexpr Nanoseconds kStandsStill = std::chrono::seconds(2);  // far beyond any step that is known (10 to 100 ms)
constexpr Nanoseconds kPeriodIsKnown = std::chrono::seconds(2);
constexpr double kFadeSeconds = 2;
constexpr double kRangeFadeSeconds = 20;  // a load near the sensor's own period takes seconds to show its high and its low
constexpr double kDisagreement = 0.05;
constexpr double kBridgeError = 0.15;
constexpr double kTrustedRatio = 4;  // readings that are further off than this do not scale anything

}  // namespace

void PowerTrack::add(Nanoseconds at, Watts power) {
  Joules sum;
  if (size_ > 0) {
    const Point& last = newest(0);
    sum = last.sum + (last.power + power) * 0.5 * seconds(at - last.at);
  }
  points_[next_] = {at, power, sum};
  next_ = (next_ + 1) % kMost;
  size_ = std::min(size_ + 1, kMost);
}

Joules PowerTrack::until(Nanoseconds at) const {
  if (size_ == 0) return {};
  if (at >= newest(0).at) return newest(0).sum + newest(0).power * seconds(at - newest(0).at);
  for (std::size_t age = 1; age < size_; ++age) {
    const Point& a = newest(age);
    if (at < a.at) continue;
    const Point& b = newest(age - 1);
    const double part = seconds(b.at - a.at).value() > 0 ? seconds(at - a.at) / seconds(b.at - a.at) : 0;
    return a.sum + (b.sum - a.sum) * part;
  }
  const Point& oldest = newest(size_ - 1);
  return oldest.sum - oldest.power * seconds(oldest.at - at);
}

/// What the readings say, or plain time (at 1 W) where there are none: only ever used in proportion.
Joules AlignedCounter::pace(Nanoseconds at) const {
  return track_.empty() ? Watts(1) * seconds(at - *start_) : track_.until(at);
}

/// Joules of counter per joule of pace, lately.
double AlignedCounter::ratio() const {
  if (recent_pace_.value() > 0) {
    const double r = recent_counter_ / recent_pace_;
    return track_.empty() ? r : std::clamp(r, 1 / kTrustedRatio, kTrustedRatio);
  }
  if (!track_.empty()) return 1;
  if (!first_edge_) return 0;
  return (first_edge_->step / seconds(clock_.period())).value();
}

Joules AlignedCounter::paced(Nanoseconds from, Nanoseconds to) const { return (pace(to) - pace(from)) * ratio(); }

/// What has flowed since the last edge. Within a step: a load that goes on as in the last seconds (its reading lies among
/// theirs) draws what the counter says of them, whatever phase of it the last reading caught; one that has changed is followed
/// by its readings. Over a longer time without a look at the counter the lower of both: what is told too much cannot be taken
/// back, what is told too little comes with the next look.
Joules AlignedCounter::last_part(Nanoseconds at) const {
  const Nanoseconds from = first_edge_ ? edge_ : *start_;
  const Joules by_readings = std::max(Joules(), paced(from, at));
  if (track_.empty() || recent_time_.value() <= 0 || standing_) return by_readings;
  const Joules as_before = recent_counter_ / recent_time_ * seconds(at - from);
  if (at - from > clock_.period() + clock_.period() / 5) return std::min(by_readings, as_before);
  constexpr double kAmong = 0.1;
  const Watts spread = (recent_high_ - recent_low_) * kAmong + recent_high_ * 0.02;
  const bool among = latest_ >= recent_low_ - spread && latest_ <= recent_high_ + spread;
  return among ? as_before : by_readings;
}

/// The lowest and highest reading of the last seconds, older ones fading into the mean.
void AlignedCounter::remember(Nanoseconds at, Watts power) {
  if (track_.empty()) recent_low_ = recent_high_ = power;
  else {
    const double fade = std::exp(-seconds(at - latest_at_).value() / kRangeFadeSeconds);
    const Watts middle = (recent_low_ + recent_high_) * 0.5;
    recent_low_ = std::min(latest_, middle + (recent_low_ - middle) * fade);
    recent_high_ = std::max(latest_, middle + (recent_high_ - middle) * fade);
  }
  latest_ = power;
  latest_at_ = at;
  track_.add(at, power);
}

void AlignedCounter::begin(const PublicationClock::Edge& edge, std::uint64_t millijoules) {
  first_edge_ = First{edge.at, Joules(static_cast<double>(millijoules - first_value_) * 1e-3)};
  edge_ = edge.at;
}

/// From the first look to the first edge: what the counter says of its step, less what had flowed in it before.
Joules AlignedCounter::first_part() const {
  if (settled_first_part_) return *settled_first_part_;
  const double period = seconds(clock_.period()).value();
  // The edge before the first value; the slack keeps a period that is not yet known well from making one step two.
  const double steps = std::max(1.0, std::ceil(seconds(first_edge_->at - first_value_at_).value() / period - 0.15));
  const Seconds after = seconds(first_edge_->at - *start_);
  const Seconds before(steps * period - after.value());
  const Joules step = first_edge_->step;
  if (!power_before_) return step * (before.value() > 0 ? after / (after + before) : 1);
  return std::max(Joules(), before.value() > 0 ? std::max(step - *power_before_ * before, Joules())
                                               : step + *power_before_ * Seconds(-before.value()));
}

void AlignedCounter::count(Nanoseconds at, std::uint64_t millijoules, bool& resumed) {
  if (!value_) {
    value_ = first_value_ = millijoules;
    first_value_at_ = at;
    (void)clock_.look(at, false);
    return;
  }
  const bool changed = millijoules != *value_;
  const auto edge = clock_.look(at, changed);
  if (!changed || !edge) return;
  const bool fell = millijoules < *value_;
  const Joules step(fell ? 0 : static_cast<double>(millijoules - *value_) * 1e-3);
  value_ = millijoules;
  const Nanoseconds from = first_edge_ ? edge_ : std::min(*start_, edge->at - clock_.period());
  const Nanoseconds length = std::max(edge->at - from, Nanoseconds{1});
  const Joules by_readings = paced(from, edge->at);
  const bool impossible = fell || step > limit_ * seconds(length + 2 * clock_.period());
  const bool lost = std::exchange(standing_, false) && step < by_readings * 0.5;
  if (impossible || lost) {
    if (!first_edge_) {  // nothing good came before: begin here
      first_edge_ = First{edge->at, Joules()};
      settled_first_part_ = Joules();
    }
    if (track_.empty()) {
      resumed = true;
      since_first_edge_ += std::max(Joules(), reported_ - first_part() - since_first_edge_);
    } else {
      since_first_edge_ += by_readings;
      bridged_energy_ += by_readings;
    }
    bridged_ += length;
    edge_ = edge->at;
    return;
  }
  if (!first_edge_) return begin(*edge, millijoules);
  since_first_edge_ += step;
  const Joules paced_step = pace(edge->at) - pace(edge_);
  const double fade = std::exp(-seconds(length).value() / kFadeSeconds);
  recent_counter_ = recent_counter_ * fade + step;
  recent_pace_ = recent_pace_ * fade + paced_step;
  recent_time_ = recent_time_ * fade + seconds(length);
  if (!track_.empty()) {
    compared_counter_ += step;
    compared_power_ += paced_step;
    compared_ += length;
  }
  edge_ = edge->at;
}

Result<AlignedCounter::Step> AlignedCounter::look(Nanoseconds at, std::optional<std::uint64_t> millijoules,
                                                  std::optional<Watts> power) {
  if (!start_) {
    start_ = at;
    power_before_ = power;
  }
  if (power) remember(at, *power);
  bool resumed = false;
  if (millijoules) count(at, *millijoules, resumed);
  if (!settled_first_part_ && first_edge_ && at - *start_ > kPeriodIsKnown) settled_first_part_ = first_part();

  const Nanoseconds last = first_edge_ ? edge_ : *start_;
  if (at - last > std::max(kStandsStill, 5 * clock_.period())) {
    standing_ = true;
    if (track_.empty()) return fail("the energy counter stands still, and the board gives no power reading");
  }
  const Joules before = first_edge_ ? first_part() + since_first_edge_ : Joules();
  reported_ = std::max(reported_, before + last_part(at));
  return Step{reported_, resumed};
}

Settled AlignedCounter::settled(Ratio power_coverage) const {
  Settled out;
  if (bridged_ > Nanoseconds{0} || standing_) {
    const double part = reported_.value() > 0 ? std::min(1.0, bridged_energy_ / reported_) : 1;
    out.terms["gpu-counter-bridged"] = Shift::symmetric(kBridgeError * (standing_ ? 1 : part));
    out.notes.push_back(fmt::format("the energy counter stood still, jumped or fell back for {:.3g} s; power readings stand in",
                                    seconds(bridged_).value()));
  }
  if (compared_ < std::max(kStandsStill, 20 * clock_.period()) || compared_counter_.value() <= 0) return out;
  const double apart = compared_power_ / compared_counter_ - 1;
  if (std::abs(apart) <= kDisagreement) return out;
  out.terms["counter-against-power"] = {std::min(0.0, apart), std::max(0.0, apart)};
  out.notes.push_back(fmt::format(
      "the energy counter gives {:.5g} J and the power readings give {:.5g} J for the same {:.4g} s ({:+.1f} %); the counter "
      "is "
      "taken, and the interval reaches to the readings{}",
      compared_counter_.value(), compared_power_.value(), seconds(compared_).value(), 100 * apart,
      power_coverage.value() < 1 ? fmt::format(" (which see {:.0f} % of the time, and may be misled by a load that repeats)",
                                               100 * power_coverage.value())
                                 : std::string()));
  return out;
}

}  // namespace gramwatt::sense
