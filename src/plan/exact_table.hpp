#pragma once
// The table of the exact plan (exact.hpp): one row a slot and state, as many rows as are looked back at. Inside plan/ only.

#include <algorithm>
#include <array>
#include <vector>

#include "plan/exact.hpp"

namespace gramwatt::plan {

/// What is more than this cannot be reached. Carbon is below half of it, so that sums with it stay exact and above.
inline constexpr double kUnreachable = 0x1p52;

/// A state: after `slot`, with `done` steps of progress, in the copy of the table for `layer` restarts.
struct Cell {
  int slot, done, layer;
  Standing::State state;
};

/// A problem's numbers as the table wants them.
class Costs {
 public:
  /// `limited`: the layers of the table count restarts.
  Costs(const Problem& problem, const Standing& standing, bool limited);

  [[nodiscard]] int slots() const { return problem_->slots(); }
  [[nodiscard]] int length() const { return problem_->length(); }
  [[nodiscard]] int min_run() const { return problem_->min_run; }
  [[nodiscard]] const Problem& problem() const { return *problem_; }
  /// A row depends on this many rows before it.
  [[nodiscard]] int reach_back() const { return std::max(problem_->min_run + problem_->restart_slots, problem_->min_pause); }

  [[nodiscard]] double intensity(int slot) const { return intensity_[static_cast<std::size_t>(slot)]; }
  /// Σ intensity over slots [begin, end).
  [[nodiscard]] double sum(int begin, int end) const {
    return sums_[static_cast<std::size_t>(end)] - sums_[static_cast<std::size_t>(begin)];
  }
  [[nodiscard]] bool is_free(int begin, int end) const {
    return begin >= 0 && taken_[static_cast<std::size_t>(end)] == taken_[static_cast<std::size_t>(begin)];
  }
  [[nodiscard]] const double* steps() const { return steps_.data(); }
  /// Has every step the same energy?
  [[nodiscard]] bool uniform() const { return uniform_; }
  [[nodiscard]] double wait() const { return problem_->wait; }
  [[nodiscard]] double hold() const { return problem_->hold.value_or(0); }

  /// Of coming back from an exit so that progress begins at `slot`.
  [[nodiscard]] double restart(int slot) const;
  /// Of having waited until `slot` for the start; unreachable for a job that has started.
  [[nodiscard]] double begin(int slot) const;
  /// Of steps [done, done + n) in slots [slot, slot + n); unreachable where one is blocked.
  [[nodiscard]] double stretch(int slot, int done, int n) const;
  /// What the whole plan bears besides if `slot` is the last one of running: idling behind it, and the machine that is kept.
  [[nodiscard]] double after(int slot) const {
    const bool to_the_end = problem_->wait_after;
    return (to_the_end ? wait() * sum(slot + 1, slots()) : 0) +
           static_cast<double>(problem_->kept) * (to_the_end ? slots() : slot + 1);
  }

  /// A job that has started stands here first: slot −1, or where its run or pause has its shortest length.
  [[nodiscard]] const Cell& seed() const { return seed_; }
  [[nodiscard]] double seed_cost() const { return seed_cost_; }
  [[nodiscard]] bool limited() const { return limited_; }
  [[nodiscard]] bool fresh() const { return seed_.state == Standing::State::fresh; }
  /// How many steps can be done after `slot` at most, and must be done at least if the job is to end in time.
  [[nodiscard]] int most_done(int slot) const { return std::min(length(), seed_.done + slot - seed_.slot); }
  [[nodiscard]] int least_done(int slot) const { return std::max(seed_.done, length() - (slots() - 1 - slot)); }

 private:
  const Problem* problem_;
  std::vector<double> intensity_, sums_, steps_;
  std::vector<int> taken_;  ///< blocked slots before
  Cell seed_{-1, 0, 0, Standing::State::fresh};
  double seed_cost_ = 0;
  bool limited_;
  bool uniform_;
};

/// Steps done; empty where last < first.
struct Columns {
  int first, last;
};

/// Rows of slots [first, end) by layer and state, taken out of a table.
struct KeptRows {
  int first, end;
  Columns columns;
  std::vector<double> cells;
};

class Table {
 public:
  /// `rows`: of slots that are kept at a time; one where the problem looks back at one only and restarts are not limited.
  Table(const Costs& costs, int layers, int rows);

  /// Nothing can be reached; other columns.
  void clear(Columns columns);
  /// Puts a job that has started where it stands.
  void plant();
  /// Fills the rows of a slot from those before.
  void step(int slot);
  /// Rows of slots [first, end), which the table holds, and the same back, as far as the columns go.
  [[nodiscard]] KeptRows keep(int first, int end) const;
  void restore(const KeptRows& kept);
  /// The cell that `at` follows from, in this table or before its first row; writes what the job does between into `schedule`.
  [[nodiscard]] Cell before(Cell at, Schedule& schedule) const;

  [[nodiscard]] double running(int slot, int layer, int done) const { return value(slot, layer, 0, done); }
  [[nodiscard]] double held(int slot, int layer, int done) const { return value(slot, layer, 1, done); }
  [[nodiscard]] double off(int slot, int layer, int done) const { return value(slot, layer, 2, done); }

 private:
  static constexpr int kStates = 3;

  /// The row of a slot; element 0 is column columns_.first.
  [[nodiscard]] std::size_t offset(int slot, int layer, int state) const;
  [[nodiscard]] double value(int slot, int layer, int state, int done) const {
    return done < columns_.first || !is_known(state)
               ? kUnreachable
               : cells_[offset(slot, layer, state) + static_cast<std::size_t>(done - columns_.first)];
  }
  [[nodiscard]] double& value(int slot, int layer, int state, int done) {
    return cells_[offset(slot, layer, state) + static_cast<std::size_t>(done - columns_.first)];
  }
  [[nodiscard]] bool is_known(int state) const { return state == 0 || place_[static_cast<std::size_t>(state)] > 0; }
  /// A row of what cannot be reached for slots before the window, states that the job cannot be in and layers below the first.
  [[nodiscard]] const double* row(int slot, int layer, int state) const;
  [[nodiscard]] double* row(int slot, int layer, int state) { return &cells_[offset(slot, layer, state)]; }
  /// Restarts of `layer` come from here; below 0: from nowhere.
  [[nodiscard]] int layer_before(int layer) const { return costs_->limited() ? layer - 1 : layer; }

  void step_in_place(int slot, Columns columns);
  void step_running(int slot, int layer, Columns columns);
  void step_runs_of_some_length(int slot, int layer, Columns columns);
  void step_paused(int slot, int layer, int state, Columns columns);
  /// Least carbon with which a run can begin at `slot` with `done` steps behind it.
  [[nodiscard]] double entry(int slot, int done, int layer) const;
  [[nodiscard]] Cell before_running(Cell at, Schedule& schedule) const;
  [[nodiscard]] Cell before_pause(Cell at, Schedule& schedule) const;

  const Costs* costs_;
  int layers_, rows_;
  Columns columns_{0, -1};
  std::size_t width_ = 0;
  std::vector<int> states_;                   ///< those that the job can be in
  std::array<std::size_t, kStates> place_{};  ///< of a state in a row
  std::vector<double> cells_, nowhere_, chunk_;
};

}  // namespace gramwatt::plan
