#pragma once
// When to look at a board whose sensors publish in steps: see board_input.cpp.

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "sense/nvidia_decoder.hpp"
#include "sense/publication_clock.hpp"
#include "sense/raw.hpp"
#include "sense/side_poll.hpp"

namespace gramwatt::sense {

/// How one board is asked. The functions fill their values of a sample (NvidiaValue) and leave those that the board would not
/// give; an Error when it gave none. They may be called from two threads, never at once.
struct BoardReader {
  std::function<Result<void>(RawSample&)> counter;  ///< empty: it has none
  std::function<Result<void>(RawSample&)> power;    ///< empty: it has none
  Nanoseconds counter_cost{}, power_cost{};         ///< of a call, measured at start
};

/// What is left of the error at the ends of a run, as time at the run's mean power: mostly the last part of a step, and for
/// slow counters the instants of the steps (bench/sensor_accuracy.cpp).
[[nodiscard]] constexpr Nanoseconds end_slack(bool has_counter, Nanoseconds counter_cost) {
  return has_counter ? std::chrono::milliseconds(30) + 4 * counter_cost : std::chrono::milliseconds(60);
}

class BoardInput final : public RawInput, public SidePoll::Client {
 public:
  BoardInput(BoardReader reader, const NvidiaShapes& shapes, std::shared_ptr<SidePoll> side);
  ~BoardInput() override;
  BoardInput(const BoardInput&) = delete;
  BoardInput& operator=(const BoardInput&) = delete;

  /// The first call begins the side polls.
  [[nodiscard]] Result<std::span<const RawSample>> samples(const Clock& clock) override;
  [[nodiscard]] Result<std::span<const RawSample>> samples_until_now(const Clock& clock) override;
  [[nodiscard]] Nanoseconds poll(const Clock& clock) override;

 private:
  enum class What { cheap, all };
  Result<RawSample> read(const Clock& clock, What what);
  void keep(const RawSample& sample);
  Result<std::span<const RawSample>> hand_over(const Clock& clock, What what);
  [[nodiscard]] Nanoseconds next_poll(Nanoseconds now);
  [[nodiscard]] Nanoseconds regular_poll() const;
  [[nodiscard]] Nanoseconds dense_poll() const;
  void time_edges(const RawSample& sample);

  BoardReader reader_;
  std::shared_ptr<SidePoll> side_;
  bool counter_is_cheap_, power_is_cheap_;
  Nanoseconds power_period_;

  std::mutex calls_;    ///< one call to the board at a time
  std::mutex samples_;  ///< everything below
  std::vector<RawSample> waiting_, handed_;
  std::optional<Error> failure_;
  Nanoseconds newest_ = Nanoseconds::min();

  bool begun_ = false;  ///< sampling thread only
  // Side thread only.
  std::optional<Nanoseconds> first_poll_;
  PublicationClock clock_;
  std::optional<std::uint64_t> value_;
  Nanoseconds last_look_ = Nanoseconds::min() / 2;
  Nanoseconds dense_from_{};  ///< when the next edge is timed
};

}  // namespace gramwatt::sense
