#include "plan/ring.hpp"

#include <algorithm>
#include <cstdlib>

namespace gramwatt::plan {

Result<IntensityRing> IntensityRing::make(const Slots& slots) {
  using std::chrono::seconds;
  if (slots.intensity.empty()) return fail("there is no intensity to plan with", {}, "give a series", Error::Kind::usage);
  if (slots.length < seconds(1) || slots.length % seconds(1) != Nanoseconds{0})
    return fail("slots must be whole seconds", {}, "take steps such as 5min or 1h", Error::Kind::usage);
  IntensityRing ring;
  ring.slot_ = std::chrono::duration_cast<seconds>(slots.length).count();
  ring.intensity_ = slots.intensity;
  ring.sums_.reserve(slots.intensity.size() + 1);
  ring.sums_.push_back(0);
  for (const MilligramsPerKwh c : slots.intensity) {
    ring.sums_.push_back(ring.sums_.back() + ring.slot_ * c);
    ring.greatest_ = std::max(ring.greatest_, std::abs(c));
  }
  return ring;
}

}  // namespace gramwatt::plan
