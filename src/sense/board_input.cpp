// When to look at a board.
//
// A board's counter is exact at its steps (aligned_counter.hpp), so the instants of the steps must be known to a few
// milliseconds when the run ends, which nobody can foresee. Three kinds of looks do that at the cost of hardly any:
//   - cheap reads (≤ 80 µs) come with the sampling thread's tick, every 100 ms;
//   - timing: dense looks (5 ms) for the first 400 ms, which see the first edges and the period; then again around one
//   predicted
//     edge after 0.8, 1.6, 3.2, … s, so that the error of the period never grows to more than some milliseconds. That is about
//     eighty wake-ups at the start and a handful each time afterwards;
//   - slow reads (a counter of 2.4 ms) and the readings of boards without a counter come from the side thread at
//     max(20 ms, 1000 × cost), at most a second apart: 0.1 % of a core where the call allows it.
// The end of a run takes a fresh look at everything, slow or not.

#include "sense/board_input.hpp"

#include <algorithm>

namespace gramwatt::sense {
namespace {

constexpr Nanoseconds kCheap = std::chrono::microseconds(80);
constexpr Nanoseconds kFirstTiming = std::chrono::milliseconds(400);
constexpr Nanoseconds kDense = std::chrono::milliseconds(5);
constexpr Nanoseconds kLeast = std::chrono::milliseconds(20), kMost = std::chrono::seconds(1);
constexpr Nanoseconds kLongestUntimed = std::chrono::seconds(10);
constexpr int kCostShare = 1000;  // a read may take a thousandth of the time
constexpr std::size_t kMostWaiting = 512;

}  // namespace

BoardInput::BoardInput(BoardReader reader, const NvidiaShapes& shapes, std::shared_ptr<SidePoll> side)
    : reader_(std::move(reader)),
      side_(std::move(side)),
      counter_is_cheap_(reader_.counter && reader_.counter_cost <= kCheap),
      power_is_cheap_(reader_.power && reader_.power_cost <= kCheap),
      power_period_(shapes.instant.period),
      clock_(shapes.counter_step, true) {
  waiting_.reserve(kMostWaiting);
  handed_.reserve(kMostWaiting + 1);
}

BoardInput::~BoardInput() {
  if (begun_) side_->remove(*this);
}

Result<RawSample> BoardInput::read(const Clock& clock, What what) {
  RawSample sample;
  sample.count = 3;
  sample.values.fill(RawSample::kAbsent);
  const std::scoped_lock lock(calls_);
  const Instant before = clock.now();
  Result<void> power, counter;
  if (reader_.power && (what == What::all || power_is_cheap_)) power = reader_.power(sample);
  if (reader_.counter && (what == What::all || counter_is_cheap_)) counter = reader_.counter(sample);
  sample.at = clock.now();
  const Nanoseconds half = elapsed(before, sample.at) / 2;
  sample.at.monotonic -= half;
  sample.at.boottime -= half;
  sample.at.utc -= half;
  for (std::size_t i = 0; i < sample.count; ++i) {
    if (sample.has(i)) return sample;
  }
  if (!power) return tl::unexpected(power.error());
  if (!counter) return tl::unexpected(counter.error());
  return fail("no value");
}

void BoardInput::keep(const RawSample& sample) {
  if (sample.at.monotonic <= newest_ || waiting_.size() >= kMostWaiting) return;
  newest_ = sample.at.monotonic;
  waiting_.push_back(sample);
}

Result<std::span<const RawSample>> BoardInput::hand_over(const Clock& clock, What what) {
  std::optional<Error> error;
  if (what == What::all || counter_is_cheap_ || power_is_cheap_) {
    auto sample = read(clock, what);
    const std::scoped_lock lock(samples_);
    if (sample) keep(*sample);
    else error = sample.error();
  }
  const std::scoped_lock lock(samples_);
  if (!error && failure_) error = std::move(failure_);
  failure_.reset();
  if (error && waiting_.empty()) return tl::unexpected(*error);
  handed_.clear();
  std::swap(handed_, waiting_);
  return std::span<const RawSample>(handed_);
}

Result<std::span<const RawSample>> BoardInput::samples(const Clock& clock) {
  if (begun_) return hand_over(clock, What::cheap);
  auto first = hand_over(clock, counter_is_cheap_ || power_is_cheap_ ? What::cheap : What::all);
  begun_ = true;
  side_->add(*this);
  return first;
}

Result<std::span<const RawSample>> BoardInput::samples_until_now(const Clock& clock) { return hand_over(clock, What::all); }

Nanoseconds BoardInput::poll(const Clock& clock) {
  auto sample = read(clock, What::all);
  const Nanoseconds now = clock.now().monotonic;
  if (!first_poll_) {
    first_poll_ = dense_from_ = now;
  }
  if (sample) time_edges(*sample);
  {
    const std::scoped_lock lock(samples_);
    if (sample) keep(*sample);
    else failure_ = sample.error();
  }
  return next_poll(now);
}

void BoardInput::time_edges(const RawSample& sample) {
  const Nanoseconds at = sample.at.monotonic;
  if (!sample.has(kNvidiaEnergy)) return;
  const bool changed = value_ && *value_ != sample.values[kNvidiaEnergy];
  value_ = sample.values[kNvidiaEnergy];
  const Nanoseconds since = at - std::exchange(last_look_, at);
  const bool timed = clock_.look(at, changed).has_value() && since <= 2 * dense_poll();
  const Nanoseconds given_up = dense_from_ + 3 * clock_.period() + kFirstTiming;
  if (!timed && at < given_up) return;
  // As long again as it has run, so that the period's error times that length stays what it is now.
  const Nanoseconds most = std::max(kLongestUntimed, reader_.counter_cost * (3 * kCostShare));
  const Nanoseconds later = at + std::clamp(at - *first_poll_, kFirstTiming, most);
  const auto edge = clock_.next_after(later);
  dense_from_ = edge ? edge->at - edge->slack - dense_poll() : later;
}

Nanoseconds BoardInput::dense_poll() const { return std::max(kDense, 4 * reader_.counter_cost); }

Nanoseconds BoardInput::regular_poll() const {
  const Nanoseconds cost = reader_.counter_cost + reader_.power_cost;
  Nanoseconds wanted = kMost;
  if (!reader_.counter) wanted = power_period_ / 2;  // every publication is seen, also when a poll comes late
  if (reader_.counter && !counter_is_cheap_) wanted = kLeast;
  return std::clamp(std::max(wanted, cost * kCostShare), kLeast, kMost);
}

Nanoseconds BoardInput::next_poll(Nanoseconds now) {
  if (now < *first_poll_ + kFirstTiming) return reader_.counter ? dense_poll() : std::max(kDense, reader_.power_cost * 4);
  const Nanoseconds regular = regular_poll();
  if (!reader_.counter) return regular;
  if (now >= dense_from_) return dense_poll();
  return std::min(regular, dense_from_ - now);
}

}  // namespace gramwatt::sense
