#pragma once
// Energy from a counter that steps.
//
// Between two steps ("edges") the truth is exact: the counter's difference. What is before the first edge and after the last
// one is a part of a step each, and is where the error of a short run comes from (−26 % over 0.5 s for tools that subtract two
// raw values, −12 % over 1 s; public measurement on driver 610). Here
//   the first part   is the first step less what the board drew before we began: it was idle or in a steady state then, and its
//                    power was read;
//   the last part    is what the counter says of the last seconds while the load goes on as it did; readings that see 25 of
//   every
//                    100 ms may have caught one phase of it. Where the reading shows that the load has changed, it is the
//                    integral of the readings, scaled by how counter and readings have compared. The next edge replaces this
//                    part by the truth, so that errors do not add up.
// Energy never falls: where the part was too high, it stands still until the counter has passed it.
//
// A counter that stands still while the board draws power is bridged by the readings, and one that jumps by more than the board
// can draw, or goes back (the driver was loaded anew), too; without readings the one is an error and the other a gap. Over a
// run both are compared: where they differ by more than 5 %, both are told and the interval reaches from one to the other (a
// public report has 187 J by the counter and 327 J by the readings on one idle board, zeus issue 181).

#include <array>
#include <optional>

#include "base/clock.hpp"
#include "sense/nvidia_decoder.hpp"
#include "sense/publication_clock.hpp"

namespace gramwatt::sense {

/// A growing function of time, remembered for a while: the integral of power readings.
class PowerTrack {
 public:
  /// A reading at `at` (increasing); joined to the one before by the trapezoid rule.
  void add(Nanoseconds at, Watts power);
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// The integral from the first reading to `at`; before it and after the last one power is taken as it was there.
  [[nodiscard]] Joules until(Nanoseconds at) const;

 private:
  struct Point {
    Nanoseconds at{};
    Watts power;
    Joules sum;
  };
  [[nodiscard]] const Point& newest(std::size_t age) const { return points_[(next_ + kMost - 1 - age) % kMost]; }
  static constexpr std::size_t kMost = 512;
  std::array<Point, kMost> points_{};
  std::size_t next_ = 0, size_ = 0;
};

class AlignedCounter {
 public:
  AlignedCounter(Nanoseconds step, Watts power_limit) : clock_(step, true), limit_(power_limit) {}

  struct Step {
    Joules total;          ///< since the first look
    bool resumed = false;  ///< what flowed since the previous look is unknown and not in `total`
  };
  /// Next look. Either value may be missing.
  [[nodiscard]] Result<Step> look(Nanoseconds at, std::optional<std::uint64_t> millijoules, std::optional<Watts> power);

  [[nodiscard]] Settled settled(Ratio power_coverage) const;

 private:
  void count(Nanoseconds at, std::uint64_t millijoules, bool& resumed);
  void begin(const PublicationClock::Edge& edge, std::uint64_t millijoules);
  [[nodiscard]] Joules first_part() const;
  [[nodiscard]] Joules pace(Nanoseconds at) const;
  [[nodiscard]] Joules paced(Nanoseconds from, Nanoseconds to) const;
  [[nodiscard]] double ratio() const;
  [[nodiscard]] Joules last_part(Nanoseconds at) const;
  void remember(Nanoseconds at, Watts power);

  PublicationClock clock_;
  Watts limit_;
  PowerTrack track_;
  std::optional<Nanoseconds> start_;  ///< first look
  std::optional<Watts> power_before_;

  std::optional<std::uint64_t> value_;
  Nanoseconds first_value_at_{};
  std::uint64_t first_value_ = 0;
  struct First {
    Nanoseconds at;
    Joules step;  ///< from the first value to this edge's
  };
  std::optional<First> first_edge_;
  std::optional<Joules> settled_first_part_;  ///< once the period is known for good
  Nanoseconds edge_{};                        ///< the last one
  Joules since_first_edge_;
  Joules recent_counter_, recent_pace_;  ///< of the last seconds, older ones fading
  Seconds recent_time_;
  Watts latest_, recent_low_, recent_high_;  ///< readings; the latest one is not among the other two
  Nanoseconds latest_at_{};

  Joules compared_counter_, compared_power_;  ///< over the whole run
  Nanoseconds compared_{}, bridged_{};
  Joules bridged_energy_;
  bool standing_ = false;
  Joules reported_;
};

}  // namespace gramwatt::sense
