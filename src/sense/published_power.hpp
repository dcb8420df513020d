#pragma once
// Energy from power readings that are published now and then and describe a window of time.
//
// A reading that is published every T and is the mean of the last W tells three different things (Yang et al., SC'24,
// 10.1109/SC41406.2024.00028, arXiv 2312.02741):
//   W about T   the windows tile time: reading × T, placed where its window was, is the energy, whatever the load does;
//   W above T   (1 s averages): with F the energy so far, a reading at t is (F(t) − F(t − W)) / W, so F(t) = W × reading +
//               F(t − W): the average is undone exactly, and what the board drew before we began is known from the first
//               reading;
//   W below T   (25 of every 100 ms on A100 and H100): three quarters of the time are invisible. A load that repeats with about
//               the sensor's own period is seen in one phase only, and no arithmetic brings the rest back. Each reading stands
//               for its period, and an interval says what that may have missed.
// Naive integration at the sampling rate ignores T, W and the lag: 39 % mean error in SC'24.
//
// How wide the interval for W < T is, depends on what was seen. In blocks of five seconds, a load whose readings wander between
// a low and a high value has its truth between the two, and the more often it wandered the nearer to the mean. Readings that
// never move are taken at their word: a constant load must not get ±50 %. What is left uncovered is a load in exact resonance
// with the sensor, which no passive reader can tell from a constant one; `gramwatt run --repeat N` can, and the note says so.

#include <array>
#include <optional>

#include "base/clock.hpp"
#include "sense/nvidia_decoder.hpp"
#include "sense/publication_clock.hpp"

namespace gramwatt::sense {

/// What a run of readings that see only a part of the time may have missed.
class AliasingBound {
 public:
  /// A reading that stands for `length`.
  void add(Watts reading, Nanoseconds length);
  struct Bound {
    Joules below, above;  ///< the truth may be this much lower or higher
  };
  [[nodiscard]] Bound bound() const;

 private:
  [[nodiscard]] Bound of_block() const;
  static constexpr std::size_t kMost = 256;
  std::array<float, kMost> block_{};
  std::size_t size_ = 0;
  Nanoseconds length_{};
  Bound closed_;
};

class PublishedPower {
 public:
  explicit PublishedPower(const PowerSensorShape& shape) : shape_(shape), clock_(shape.period, false) {}

  /// Next look; energy since the first one. Never falls.
  [[nodiscard]] Joules look(Nanoseconds at, Watts reading);
  [[nodiscard]] Settled settled() const;

 private:
  void publish(const PublicationClock::Edge& edge, Watts reading);
  void add_window(Nanoseconds end, Nanoseconds length, Watts reading);
  void add_silent(Nanoseconds now);
  [[nodiscard]] Joules first_part() const;
  [[nodiscard]] Joules long_average_until(Nanoseconds at) const;
  [[nodiscard]] Watts tail_power() const;
  [[nodiscard]] bool is_long_average() const { return shape_.window > shape_.period + shape_.period / 5; }

  PowerSensorShape shape_;
  PublicationClock clock_;
  std::optional<Nanoseconds> start_;
  Watts before_, reading_;  ///< the first reading; the latest one
  int silent_ = 0;          ///< publications of the same value since the last change
  struct First {
    Nanoseconds at;
    Watts reading;
  };
  std::optional<First> first_;  ///< first change
  std::optional<Joules> settled_first_part_;
  Nanoseconds edge_{};       ///< end of the last window
  Joules since_first_edge_;  ///< W ≤ T only
  struct Point {
    Nanoseconds at{};
    Joules sum;
  };
  static constexpr std::size_t kMost = 256;
  std::array<Point, kMost> history_{};  ///< W > T: energy at the ends of the last windows
  std::size_t history_size_ = 0, history_next_ = 0;
  AliasingBound aliasing_;
  Nanoseconds looked_{}, missed_{};
  Joules reported_;
};

}  // namespace gramwatt::sense
