#include "plan/facct22.hpp"

#include <algorithm>

namespace gramwatt::plan::facct22 {
namespace {

constexpr std::size_t kSixty = 60;

/// What one stretch adds to a cell.
class Weighing {
 public:
  Weighing(Sliding& sliding, Cell& cell) : sliding_(&sliding), cell_(&cell) {}

  /// `starts`: slots of the stretch, ascending.
  void add(std::span<const std::uint32_t> starts) {
    const std::size_t count = sliding_->starts(cell_->shape.window);
    const auto end = std::lower_bound(starts.begin(), starts.end(), count);
    starts = starts.first(static_cast<std::size_t>(end - starts.begin()));
    if (starts.empty()) return;
    weigh_now(starts);
    flexible_start(starts);
    pause_resume(starts);
    cell_->starts += starts.size();
  }

 private:
  void weigh_now(std::span<const std::uint32_t> starts) {
    per_now_.resize(starts.size());
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const Sum now = sliding_->run(starts[i], cell_->shape.length);
      cell_->now += now;
      cell_->zero += now <= 0 ? 1 : 0;
      per_now_[i] = now > 0 ? 1 / static_cast<double>(now) : 0;
    }
  }
  void flexible_start(std::span<const std::uint32_t> starts) {
    Outcome& out = outcome(Policy::flexible_start);
    const auto& all = sliding_->flexible_start(cell_->shape.length, cell_->shape.window);
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const std::uint32_t s = starts[i];
      add_to(out.carbon, all.sum[s], per_now_[i]);
      add_to(out.waiting, sliding_->run(s, static_cast<int>(all.chosen[s] - s)), per_now_[i]);
    }
  }
  void pause_resume(std::span<const std::uint32_t> starts) {
    Outcome& out = outcome(Policy::pause_resume);
    const auto& all = sliding_->pause_resume(cell_->shape.length, cell_->shape.window, true);
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const std::uint32_t s = starts[i];
      add_to(out.carbon, all.sum[s], per_now_[i]);
      add_to(out.restarts, all.restarted[s], per_now_[i]);
      add_to(out.pausing, all.paused[s], per_now_[i]);
      add_to(out.waiting, all.waited[s], per_now_[i]);
      out.pauses += all.runs[s] - 1;
    }
  }
  static void add_to(Part& part, Sum sum, double per_now) {
    part.total += sum;
    part.shares += static_cast<double>(sum) * per_now;
  }
  [[nodiscard]] Outcome& outcome(Policy policy) { return cell_->by_policy[static_cast<std::size_t>(policy)]; }

  Sliding* sliding_;
  Cell* cell_;
  std::vector<double> per_now_;
};

/// Those of `starts` (slots of the whole) that lie in a stretch of `length` slots from `first` on, counted from there.
std::vector<std::uint32_t> starts_within(std::span<const std::size_t> starts, std::int64_t first, std::size_t length) {
  std::vector<std::uint32_t> out;
  for (const std::size_t s : starts) {
    const auto at = static_cast<std::int64_t>(s) - first;
    if (at >= 0 && at < static_cast<std::int64_t>(length)) out.push_back(static_cast<std::uint32_t>(at));
  }
  return out;
}

}  // namespace

std::string_view to_string(Policy policy) { return policy == Policy::flexible_start ? "flexible-start" : "pause-resume"; }

std::string_view to_string(Payment payment) {
  switch (payment) {
    case Payment::restarts: return "restarts";
    case Payment::held: return "held";
    case Payment::kept: return "kept";
  }
  return "";
}

Charges charges_of(Payment payment, Nanoseconds restart, Ratio idle) {
  switch (payment) {
    case Payment::restarts: return {restart, {}, {}};
    case Payment::held: return {{}, idle, {}};
    case Payment::kept: return {restart, idle, idle};
  }
  return {};
}

Shape shape(const Job& job, const Slack& slack, Nanoseconds slot) {
  const Nanoseconds later = slack.fixed + job.length * slack.percent / 100;
  const auto length = static_cast<int>(std::max<std::int64_t>(1, (job.length + slot - Nanoseconds{1}) / slot));
  return {length, length + static_cast<int>(later / slot)};
}

std::size_t slots_of(const Asked& asked) { return static_cast<std::size_t>(asked.time.length() / asked.slot); }

std::vector<std::size_t> start_slots(const Asked& asked) {
  const std::size_t slots = slots_of(asked);
  const std::size_t count = asked.starts == Starts::all ? slots : std::min(kSixty, slots);
  std::vector<std::size_t> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = (2 * i + 1) * slots / (2 * count);
  return out;
}

Cells study(std::span<const Stretch> stretches, const Asked& asked, const std::function<void(Ratio)>& progress) {
  return study_at(start_slots(asked), stretches, asked, progress);
}

Cells study_at(std::span<const std::size_t> starts, std::span<const Stretch> stretches, const Asked& asked,
               const std::function<void(Ratio)>& progress) {
  Cells cells;
  for (std::size_t w = 0; w < kSlacks; ++w) {
    for (std::size_t j = 0; j < kJobs; ++j) {
      cells[w][j].shape = shape(jobs()[j], slacks()[w], asked.slot);
      cells[w][j].slot = asked.slot;
    }
  }
  double done = 0;
  for (const Stretch& stretch : stretches) {
    Sliding sliding(stretch.slots.intensity, stretch.judges);
    const auto within =
        starts_within(starts, (stretch.slots.start - asked.time.start) / asked.slot, stretch.slots.intensity.size());
    for (auto& row : cells) {
      for (std::size_t j = 0; j < kJobs; ++j) {
        if (first_alike(j) == j) Weighing(sliding, row[j]).add(within);
        done += 1.0 / static_cast<double>(kSlacks * kJobs * stretches.size());
        if (progress) progress(Ratio(std::min(1.0, done)));
      }
    }
  }
  for (auto& row : cells) {
    for (std::size_t j = 0; j < kJobs; ++j) {
      row[j].unknown = starts.size() - row[j].starts;
      row[j] = row[first_alike(j)];
    }
  }
  return cells;
}

std::optional<Saving> saving(const Cell& cell, Policy policy, const Charges& charges) {
  const std::size_t counted = cell.starts - cell.zero;
  if (counted == 0 || cell.now <= 0) return std::nullopt;
  const Outcome& o = cell.of(policy);
  const double restart = static_cast<double>(charges.restart.count()) / static_cast<double>(cell.slot.count());
  const double pause = charges.pause.value(), waiting = charges.waiting.value();
  const double shares = o.carbon.shares + restart * o.restarts.shares + pause * o.pausing.shares + waiting * o.waiting.shares;
  const double total = static_cast<double>(o.carbon.total) + restart * static_cast<double>(o.restarts.total) +
                       pause * static_cast<double>(o.pausing.total) + waiting * static_cast<double>(o.waiting.total);
  return Saving{Ratio(1 - shares / static_cast<double>(counted)), Ratio(1 - total / static_cast<double>(cell.now))};
}

std::optional<Saving> mean(std::span<const std::optional<Saving>> savings) {
  Saving sum{};
  int count = 0;
  for (const auto& s : savings) {
    if (!s) continue;
    sum.mean_of_ratios += s->mean_of_ratios;
    sum.ratio_of_totals += s->ratio_of_totals;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return Saving{sum.mean_of_ratios / count, sum.ratio_of_totals / count};
}

double pauses_per_hour(const Cell& cell, Policy policy) {
  return pauses_per_start(cell, policy) / (seconds(cell.shape.window * cell.slot).value() / 3600);
}

double pauses_per_start(const Cell& cell, Policy policy) {
  return cell.starts == 0 ? 0 : static_cast<double>(cell.of(policy).pauses) / static_cast<double>(cell.starts);
}

double pauses_per_start(const Cell& cell, Payment payment) {
  const auto& exact = cell.exact[static_cast<std::size_t>(payment)];
  return cell.starts == 0 || !exact ? 0 : static_cast<double>(exact->pauses) / static_cast<double>(cell.starts);
}

std::optional<Saving> exact_saving(const Cell& cell, Payment payment) {
  const std::size_t counted = cell.starts - cell.zero;
  const auto& e = cell.exact[static_cast<std::size_t>(payment)];
  if (counted == 0 || cell.now <= 0 || !e) return std::nullopt;
  return Saving{Ratio(1 - e->shares / static_cast<double>(counted)), Ratio(1 - e->total / static_cast<double>(cell.now))};
}

Grams carbon_at_once(const Cell& cell, const Job& job) {
  if (cell.starts == 0) return Grams(0);
  const double slots = static_cast<double>(cell.starts) * cell.shape.length;
  return job.energy * GramsPerKwh(static_cast<double>(cell.now) / slots / 1000);
}

}  // namespace gramwatt::plan::facct22
