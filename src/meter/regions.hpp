#pragma once
// What the parts of a program that it marked by name used. See regions.cpp.

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/account.hpp"
#include "base/clock.hpp"
#include "meter/meter.hpp"

namespace gramwatt::meter {

enum class MarkKind : std::uint8_t { begin, end, mark };

/// What the program said, on the monotonic clock.
struct MarkEvent {
  Nanoseconds at{};
  MarkKind kind = MarkKind::mark;
  std::uint32_t name = 0;    ///< of a begin or a mark
  std::uint64_t region = 0;  ///< joins an end to its begin
};

/// The program's energy in one channel.
struct Share {
  Microjoules active, idle;
};

/// All regions of one name.
struct RegionSum {
  std::int64_t count = 0;  ///< of those that are long enough to be resolved; so are the next three
  Nanoseconds time{};
  std::vector<Share> energy;  ///< by channel
  double blur = 0;            ///< ns: times Regions::peak(), what interpolation may have moved in or out
  Nanoseconds shortest = Nanoseconds::max(), longest{};  ///< of all that ended
  std::int64_t ended = 0;                                ///< of all
  std::int64_t too_short = 0;
  Nanoseconds too_short_time{};
  Nanoseconds needed{};      ///< what the longest of them would have had to last
  std::int64_t unended = 0;  ///< were still open when the run ended
};

/// All marks of one name: what was used between the first and the last of them.
struct MarkSum {
  std::int64_t count = 0;
  Nanoseconds first{}, last{};
  std::vector<Share> energy;
  double blur = 0;
  bool resolved = false;  ///< the time between is long enough
  Nanoseconds needed{};
};

/// Single-threaded. A run of a month needs no more memory than one of a minute, besides regions that are open.
class Regions {
 public:
  /// `start`: when the run's first interval begins.
  Regions(Nanoseconds start, std::size_t channels) : channels_(channels), curve_{{start, std::vector<Share>(channels)}} {}

  /// A tick between two closings: how the energy of the open interval spread over its ticks. May be left out.
  void sample(const Tick& tick);

  /// An interval closed. `resolution`: how far back in time what was read at its ticks may reach (Meter::resolution).
  void settle(const Interval& interval, Nanoseconds resolution);

  /// Events in any order, also of the past few seconds.
  void add(std::span<const MarkEvent> events);

  /// The run is over: everything that was added is accounted for, regions that are open are counted as such.
  void finish();

  /// By name. Whole after `finish`.
  [[nodiscard]] const std::map<std::uint32_t, RegionSum>& regions() const { return regions_; }
  [[nodiscard]] const std::map<std::uint32_t, MarkSum>& marks() const { return marks_; }
  /// Highest active power of the program between two readings.
  [[nodiscard]] Watts peak() const { return peak_; }
  /// Events that contradict others (an end without a begin), or were more than memory is spent on.
  [[nodiscard]] std::int64_t lost() const { return lost_; }

 private:
  /// The program's energy since the run began, at an instant when it was read.
  struct Point {
    Nanoseconds at{};
    std::vector<Share> sums;
  };
  struct Sample {
    Nanoseconds at{};
    std::vector<double> weight;  ///< µJ by channel, since the sample before
  };
  /// An instant on the curve.
  struct Place {
    std::vector<Share> sums;
    double blur = 0;     ///< ns, step × phase × (1 - phase)
    Nanoseconds step{};  ///< between the two readings around it
  };
  struct Open {
    std::uint32_t name = 0;
    Nanoseconds at{};
    Place place;  ///< filled in before the curve forgets it
  };

  void extend(const Interval& interval);
  void append(Nanoseconds at, std::vector<Share> sums);
  void forget();
  void process(Nanoseconds until);
  void take(const MarkEvent& event);
  void end(const Open& begun, Nanoseconds at);
  void place_marks();
  [[nodiscard]] std::size_t step_of(Nanoseconds at) const;
  [[nodiscard]] Nanoseconds step_length(Nanoseconds at) const;
  [[nodiscard]] Place place(Nanoseconds at) const;

  std::size_t channels_;
  std::deque<Point> curve_;  ///< never empty
  std::vector<Sample> open_samples_;
  std::vector<MarkEvent> waiting_;
  std::unordered_map<std::uint64_t, Open> open_;
  std::map<std::uint32_t, RegionSum> regions_;
  struct OpenMark {
    Place first;
    bool moved = false;
  };
  std::map<std::uint32_t, MarkSum> marks_;
  std::map<std::uint32_t, OpenMark> mark_places_;
  Nanoseconds resolution_{};
  Watts peak_{};
  std::int64_t lost_ = 0;
};

}  // namespace gramwatt::meter
