#include "plan/exact_table.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <stdexcept>

#include "plan/exact_kernel.hpp"

namespace gramwatt::plan {
namespace {

using State = Standing::State;

constexpr int kRunning = 0, kHeld = 1, kOff = 2;

void fill(Schedule& schedule, int begin, int end, Action action) {
  std::fill(schedule.begin() + begin, schedule.begin() + end, action);
}

Action action_of(State state) {
  switch (state) {
    case State::running: return Action::run;
    case State::held: return Action::hold;
    case State::off: return Action::off;
    case State::fresh: break;
  }
  return Action::wait;
}

}  // namespace

Costs::Costs(const Problem& problem, const Standing& standing, bool limited) : problem_(&problem), limited_(limited) {
  intensity_.assign(problem.intensity.begin(), problem.intensity.end());
  steps_.assign(problem.steps.begin(), problem.steps.end());
  sums_.assign(1, 0);
  std::partial_sum(intensity_.begin(), intensity_.end(), std::back_inserter(sums_));
  taken_.assign(1, 0);
  for (int i = 0; i < problem.slots(); ++i) taken_.push_back(taken_.back() + (problem.is_blocked(i) ? 1 : 0));

  uniform_ = std::adjacent_find(steps_.begin(), steps_.end(), std::not_equal_to<>()) == steps_.end();
  seed_ = {-1, standing.done, 0, standing.state};
  const int shortest = standing.state == State::running ? std::min(problem.min_run, standing.since + length() - standing.done)
                                                        : problem.min_pause;
  const int forced = standing.state == State::fresh ? 0 : std::max(0, shortest - standing.since);
  if (forced == 0) return;
  seed_.slot = forced - 1;
  if (forced > slots()) seed_cost_ = kUnreachable;
  else if (standing.state == State::running) seed_cost_ = stretch(0, standing.done, forced);
  else seed_cost_ = (standing.state == State::held ? hold() : wait()) * sum(0, forced);
  if (standing.state == State::running) seed_.done += forced;
}

double Costs::restart(int slot) const {
  const int first = slot - problem_->restart_slots;
  if (!is_free(first, slot)) return kUnreachable;
  return problem_->restart_energy * intensity(first) + problem_->restart_power * sum(first, slot);
}

double Costs::begin(int slot) const { return fresh() && slot >= 0 ? wait() * sum(0, slot) : kUnreachable; }

double Costs::stretch(int slot, int done, int n) const {
  if (!is_free(slot, slot + n)) return kUnreachable;
  if (uniform_) return steps_.front() * sum(slot, slot + n);
  double carbon = 0;
  const double* step = steps_.data() + done;
  for (int t = 0; t < n; ++t) carbon += step[t] * intensity(slot + t);
  return carbon;
}

Table::Table(const Costs& costs, int layers, int rows) : costs_(&costs), layers_(layers), rows_(rows), states_{kRunning} {
  if (costs.problem().hold) states_.push_back(kHeld);
  if (costs.problem().may_exit) states_.push_back(kOff);
  for (std::size_t i = 0; i < states_.size(); ++i) place_[static_cast<std::size_t>(states_[i])] = i;
}

void Table::clear(Columns columns) {
  columns_ = columns;
  width_ = static_cast<std::size_t>(columns.last) + 1 - static_cast<std::size_t>(columns.first);
  cells_.assign(static_cast<std::size_t>(rows_ * layers_) * states_.size() * width_, kUnreachable);
  nowhere_.assign(width_, kUnreachable);
  if (costs_->min_run() > 1) chunk_.assign(width_, kUnreachable);
}

std::size_t Table::offset(int slot, int layer, int state) const {
  const int row = (slot % rows_ + rows_) % rows_;
  return (static_cast<std::size_t>(row * layers_ + layer) * states_.size() + place_[static_cast<std::size_t>(state)]) * width_;
}

const double* Table::row(int slot, int layer, int state) const {
  return slot < -1 || layer < 0 || !is_known(state) ? nowhere_.data() : &cells_[offset(slot, layer, state)];
}

void Table::plant() {
  if (!costs_->fresh() && costs_->seed().slot < 0) {
    const int state = static_cast<int>(costs_->seed().state) - 1;
    value(-1, 0, state, costs_->seed().done) = costs_->seed_cost();
  }
}

KeptRows Table::keep(int first, int end) const {
  KeptRows kept{first,
                end,
                {std::max(columns_.first, costs_->least_done(first)), std::min(columns_.last, costs_->most_done(end - 1))},
                {}};
  const auto width = static_cast<std::size_t>(std::max(0, kept.columns.last - kept.columns.first + 1));
  kept.cells.reserve(static_cast<std::size_t>((end - first) * layers_) * states_.size() * width);
  for (int slot = first; slot < end; ++slot) {
    for (int layer = 0; layer < layers_; ++layer) {
      for (const int state : states_) {
        const double* from = row(slot, layer, state) + (width > 0 ? kept.columns.first - columns_.first : 0);
        kept.cells.insert(kept.cells.end(), from, from + width);
      }
    }
  }
  return kept;
}

void Table::restore(const KeptRows& kept) {
  const int begin = std::max(columns_.first, kept.columns.first), last = std::min(columns_.last, kept.columns.last);
  if (last < begin) return;
  const auto width = static_cast<std::size_t>(kept.columns.last) + 1 - static_cast<std::size_t>(kept.columns.first);
  const double* from = kept.cells.data() + (begin - kept.columns.first);
  for (int slot = kept.first; slot < kept.end; ++slot) {
    for (int layer = 0; layer < layers_; ++layer) {
      for (const int state : states_) {
        std::copy_n(from, last - begin + 1, row(slot, layer, state) + (begin - columns_.first));
        from += width;
      }
    }
  }
}

void Table::step(int slot) {
  const Problem& p = costs_->problem();
  const Columns columns{std::max(costs_->least_done(slot), columns_.first), std::min(costs_->most_done(slot), columns_.last)};
  for (int layer = 0; layer < layers_; ++layer) {
    if (columns.first <= columns.last && rows_ == 1) {
      step_in_place(slot, columns);
    } else if (columns.first <= columns.last) {
      step_running(slot, layer, columns);
      if (p.may_exit) step_paused(slot, layer, kOff, columns);
      if (p.hold) step_paused(slot, layer, kHeld, columns);
    }
  }
  const Cell& seed = costs_->seed();
  if (!costs_->fresh() && slot == seed.slot && seed.done >= columns_.first && seed.done <= columns_.last)
    value(slot, 0, static_cast<int>(seed.state) - 1, seed.done) = costs_->seed_cost();
}

/// One row stands for the slot before and for this one.
void Table::step_in_place(int slot, Columns columns) {
  const int least = costs_->seed().done;
  const bool free = costs_->is_free(slot, slot + 1);
  const bool starts = free && columns.first <= 1 && costs_->fresh();
  double* running_row = row(slot, 0, kRunning);
  const double intensity = costs_->intensity(slot);
  const int begin = std::max(columns.first, least + 1);
  kernel::run_and_pause(
      {running_row, costs_->problem().hold ? row(slot, 0, kHeld) : nullptr, row(slot, 0, kOff), costs_->steps(),
       costs_->uniform(), costs_->restart(slot), intensity, costs_->wait() * intensity, costs_->hold() * intensity},
      begin, columns.last + 1);
  if (columns.first == least) {  // nobody runs with so few steps behind it, except where the job stands
    for (const int state : states_) {
      if (state == kRunning) continue;
      double& paused = value(slot, 0, state, least);
      paused = std::min(paused, running_row[least]) + (state == kHeld ? costs_->hold() : costs_->wait()) * intensity;
    }
    running_row[least] = kUnreachable;
  }
  if (!free) std::fill(running_row + begin, running_row + columns.last + 1, kUnreachable);
  if (starts) running_row[1] = std::min(running_row[1], costs_->begin(slot) + costs_->stretch(slot, 0, 1));
}

void Table::step_running(int slot, int layer, Columns columns) {
  const int least = costs_->seed().done;  // nobody is running with so few steps behind it, except where the job stands
  if (columns.first == least) value(slot, layer, kRunning, least) = kUnreachable;
  const int first = std::max({columns.first, least + 1, columns_.first + 1});
  double* to = row(slot, layer, kRunning);
  if (!costs_->is_free(slot, slot + 1)) {
    for (int done = columns.first; done <= columns.last; ++done) value(slot, layer, kRunning, done) = kUnreachable;
    return;
  }
  if (costs_->min_run() > 1) return step_runs_of_some_length(slot, layer, {first, columns.last});
  const Table& self = *this;
  const int back = slot - 1 - costs_->problem().restart_slots;
  kernel::run(
      {to, self.row(slot - 1, layer, kRunning), self.row(slot - 1, layer, kHeld), self.row(back, layer_before(layer), kOff),
       costs_->steps() + columns_.first, costs_->restart(slot), costs_->intensity(slot)},
      first - columns_.first, columns.last - columns_.first + 1);
  if (first == 1 && costs_->fresh() && layer == 0) {
    double& one = value(slot, layer, kRunning, 1);
    one = std::min(one, costs_->begin(slot) + costs_->stretch(slot, 0, 1));
  }
}

/// Runs have a shortest length: they enter the table when they have reached it, or the end of the job.
void Table::step_runs_of_some_length(int slot, int layer, Columns columns) {
  const int m = costs_->min_run();
  const int begin = slot - m + 1;
  const double carbon = costs_->intensity(slot);
  const bool room = costs_->is_free(begin, slot + 1);
  const int long_enough = room ? std::max({columns.first, costs_->seed().done + m, columns_.first + m}) : columns.last + 1;
  for (int done = columns.first; done < std::min(long_enough, columns.last + 1); ++done)
    value(slot, layer, kRunning, done) =
        std::min(kUnreachable, running(slot - 1, layer, done - 1) + costs_->steps()[done - 1] * carbon);
  if (room && long_enough <= columns.last) {
    for (int done = long_enough; done <= columns.last; ++done)
      chunk_[static_cast<std::size_t>(done - columns_.first)] = costs_->stretch(begin, done - m, m);
    const Table& self = *this;
    const int back = begin - 1 - costs_->problem().restart_slots;
    kernel::run_chunk({row(slot, layer, kRunning), self.row(slot - 1, layer, kRunning), self.row(begin - 1, layer, kHeld),
                       self.row(back, layer_before(layer), kOff), costs_->steps() + columns_.first, chunk_.data(),
                       costs_->restart(begin), carbon, m},
                      long_enough - columns_.first, columns.last - columns_.first + 1);
  }
  if (costs_->fresh() && layer == 0 && room && m >= columns.first && m <= columns.last) {
    double& run = value(slot, layer, kRunning, m);
    run = std::min(run, costs_->begin(begin) + costs_->stretch(begin, 0, m));
  }
  const int k = costs_->length();
  if (columns.last < k) return;
  double& end = value(slot, layer, kRunning, k);
  for (int n = 1; n < m && n <= k - costs_->seed().done && costs_->is_free(slot - n + 1, slot + 1); ++n)
    end = std::min(end, entry(slot - n + 1, k - n, layer) + costs_->stretch(slot - n + 1, k - n, n));
}

void Table::step_paused(int slot, int layer, int state, Columns columns) {
  const double price = state == kHeld ? costs_->hold() : costs_->wait();
  const int left = slot - costs_->problem().min_pause;  // the last slot of running
  const Table& self = *this;
  kernel::pause({row(slot, layer, state), self.row(slot - 1, layer, state), self.row(left, layer, kRunning),
                 price * costs_->intensity(slot), left < -1 ? 0 : price * costs_->sum(left + 1, slot + 1)},
                columns.first - columns_.first, columns.last - columns_.first + 1);
}

double Table::entry(int slot, int done, int layer) const {
  double least = done == 0 && layer == 0 ? costs_->begin(slot) : kUnreachable;
  if (slot >= 0) least = std::min(least, held(slot - 1, layer, done));
  const int back = slot - 1 - costs_->problem().restart_slots;
  if (back >= -1 && layer_before(layer) >= 0)
    least = std::min(least, off(back, layer_before(layer), done) + costs_->restart(slot));
  return least;
}

Cell Table::before(Cell at, Schedule& schedule) const {
  const Cell& seed = costs_->seed();
  if (!costs_->fresh() && at.slot == seed.slot && at.state == seed.state) {
    fill(schedule, 0, at.slot + 1, action_of(at.state));
    return {-1, seed.done, 0, State::fresh};
  }
  return at.state == State::running ? before_running(at, schedule) : before_pause(at, schedule);
}

/// Of several ways of equal carbon: the one without a pause.
Cell Table::before_running(Cell at, Schedule& schedule) const {
  const auto [slot, done, layer, state] = at;
  const double carbon = running(slot, layer, done);
  if (running(slot - 1, layer, done - 1) == carbon - costs_->stretch(slot, done - 1, 1)) {
    fill(schedule, slot, slot + 1, Action::run);
    return {slot - 1, done - 1, layer, State::running};
  }
  const int m = costs_->min_run();
  for (int n = done == costs_->length() ? 1 : m; n <= std::min(m, done); ++n) {
    const int begin = slot - n + 1;
    const double entered = carbon - costs_->stretch(begin, done - n, n);
    if (!costs_->is_free(begin, slot + 1) || done - n < columns_.first || entry(begin, done - n, layer) != entered) continue;
    fill(schedule, begin, slot + 1, Action::run);
    if (done == n && layer == 0 && costs_->begin(begin) == entered) {
      fill(schedule, 0, begin, Action::wait);
      return {-1, 0, 0, State::fresh};
    }
    if (held(begin - 1, layer, done - n) == entered) return {begin - 1, done - n, layer, State::held};
    const int back = begin - 1 - costs_->problem().restart_slots;
    fill(schedule, back + 1, begin, Action::restart);
    return {back, done - n, layer_before(layer), State::off};
  }
  throw std::logic_error("exact plan: a cell follows from none");
}

Cell Table::before_pause(Cell at, Schedule& schedule) const {
  const double price = at.state == State::held ? costs_->hold() : costs_->wait();
  const int state = at.state == State::held ? kHeld : kOff;
  const int left = at.slot - costs_->problem().min_pause;
  const double carbon = value(at.slot, at.layer, state, at.done);
  if (left >= -1 && running(left, at.layer, at.done) + price * costs_->sum(left + 1, at.slot + 1) == carbon) {
    fill(schedule, left + 1, at.slot + 1, action_of(at.state));
    return {left, at.done, at.layer, State::running};
  }
  fill(schedule, at.slot, at.slot + 1, action_of(at.state));
  return {at.slot - 1, at.done, at.layer, at.state};
}

}  // namespace gramwatt::plan
