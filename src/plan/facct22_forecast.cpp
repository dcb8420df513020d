#include "plan/facct22_forecast.hpp"

#include <algorithm>
#include <set>

#include "plan/facct22_problem.hpp"
#include "plan/rolling.hpp"

namespace gramwatt::plan::facct22 {
namespace {

using std::chrono::hours;

constexpr hours kAhead{14 * 24};  // as far as forecasts reach
constexpr std::size_t kWeek = 168;
constexpr Nanoseconds kLongestWindow = hours(2 * 216);

/// From one plan to the next, in slots.
std::size_t every(const Asked& asked) {
  return static_cast<std::size_t>((kReplanned + asked.slot - Nanoseconds{1}) / asked.slot);
}

Nanoseconds time_of(const Asked& asked, std::size_t slot) {
  return asked.time.start + static_cast<std::int64_t>(slot) * asked.slot;
}

/// A forecast that came in: what it says of the slots from `slot` of the window on.
struct News {
  std::size_t slot = 0;
  std::vector<MilligramsPerKwh> expected;
  std::vector<Sum> prefix;  ///< of its first i slots
};

/// The start of a run of `length` slots that may begin up to `slack`: chosen again with all news that comes before it begins.
std::size_t begin_by(std::span<const News> news, std::size_t length, std::size_t slack) {
  std::size_t best = 0;
  for (const News& n : news) {
    if (n.slot > best || n.slot > slack) break;
    const auto sum = [&](std::size_t s) { return n.prefix[s - n.slot + length] - n.prefix[s - n.slot]; };
    best = n.slot;
    for (std::size_t s = n.slot + 1; s <= slack; ++s) {
      if (sum(s) < sum(best)) best = s;
    }
  }
  return best;
}

/// The slots of least intensity, chosen again with all news: true where it runs.
class Pauses {
 public:
  const std::vector<char>& by(std::span<const News> news, std::size_t length, std::size_t window) {
    runs_.assign(window, 0);
    std::size_t left = length;
    for (std::size_t i = 0; i < news.size() && news[i].slot < window && left > 0; ++i) {
      const std::size_t until = i + 1 < news.size() ? std::min(window, news[i + 1].slot) : window;
      choose(news[i], window, left);
      for (std::size_t k = 0; k < left; ++k) {
        const std::size_t slot = news[i].slot + static_cast<std::uint32_t>(order_[k]);
        if (slot < until) runs_[slot] = 1;
      }
      left -= static_cast<std::size_t>(std::count(runs_.begin() + static_cast<std::ptrdiff_t>(news[i].slot),
                                                  runs_.begin() + static_cast<std::ptrdiff_t>(until), 1));
    }
    return runs_;
  }

 private:
  /// The `count` lowest of what is left come first, the earlier of equals.
  void choose(const News& n, std::size_t window, std::size_t count) {
    order_.resize(window - n.slot);
    for (std::size_t i = 0; i < order_.size(); ++i)
      order_[i] = (static_cast<std::int64_t>(n.expected[i]) << 32) | static_cast<std::int64_t>(i);
    if (count < order_.size())
      std::nth_element(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(count), order_.end());
  }

  std::vector<char> runs_;
  std::vector<std::int64_t> order_;  ///< value, slot
};

/// What one start adds to the cells.
class Start {
 public:
  /// `judges`: what comes, from the start on.
  Start(std::vector<News> news, std::span<const MilligramsPerKwh> judges, std::size_t every, const std::optional<Paid>& paid)
      : news_(std::move(news)), judges_(judges), every_(every), paid_(&paid) {
    sums_.resize(judges.size() + 1);
    for (std::size_t i = 0; i < judges.size(); ++i) sums_[i + 1] = sums_[i] + judges[i];
  }

  void add_to(Cell& cell) {
    const auto length = static_cast<std::size_t>(cell.shape.length), window = static_cast<std::size_t>(cell.shape.window);
    if (window > judges_.size()) return;
    const Sum now = sums_[length];
    now_ = static_cast<double>(now);
    ++cell.starts;
    cell.zero += now <= 0 ? 1 : 0;
    cell.now += now;
    const std::size_t begin = begin_by(news_, length, window - length);
    Outcome& start = outcome(cell, Policy::flexible_start);
    pay(start.carbon, sums_[begin + length] - sums_[begin]);
    pay(start.waiting, sums_[begin]);
    add_pauses(outcome(cell, Policy::pause_resume), pauses_.by(news_, length, window));
    if (*paid_) add_exact(cell, window);
  }

 private:
  static Outcome& outcome(Cell& cell, Policy policy) { return cell.by_policy[static_cast<std::size_t>(policy)]; }

  void pay(Part& part, Sum sum) const {
    part.total += sum;
    if (now_ > 0) part.shares += static_cast<double>(sum) / now_;
  }

  void add_pauses(Outcome& out, const std::vector<char>& runs) const {
    Sum carbon = 0, restarts = 0, pausing = 0, waiting = 0;
    Sum pause = 0;  // that goes on; behind the last run it is none
    bool started = false;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (runs[i] == 0) {
        (started ? pause : waiting) += judges_[i];
        continue;
      }
      carbon += judges_[i];
      if (started && runs[i - 1] == 0) {
        restarts += judges_[i];
        ++out.pauses;
      }
      pausing += pause;
      pause = 0;
      started = true;
    }
    pay(out.carbon, carbon);
    pay(out.restarts, restarts);
    pay(out.pausing, pausing);
    pay(out.waiting, waiting);
  }

  void add_exact(Cell& cell, std::size_t window) const {
    const Foresight foresight = [&](int slot) {
      const auto at = static_cast<std::size_t>(slot);
      const auto newer = std::find_if(news_.begin(), news_.end(), [&](const News& n) { return n.slot > at; });
      const News& n = *(newer - 1);
      return std::vector<MilligramsPerKwh>(n.expected.begin() + static_cast<std::ptrdiff_t>(at - n.slot),
                                           n.expected.begin() + static_cast<std::ptrdiff_t>(window - n.slot));
    };
    const auto judged = judges_.first(window);
    for (const Payment p : (*paid_)->payments) {
      // Not what comes but what is expected, down to the quantum of energy.
      const Problem problem = exact_problem(std::span(news_.front().expected).first(window), cell, p,
                                            charges_of(p, (*paid_)->restart, (*paid_)->idle));
      const auto lived = rolling(problem, foresight, static_cast<int>(every_));
      if (lived) add_exact_plan(cell, p, problem, *lived, judged, now_);
    }
  }

  std::vector<News> news_;  ///< the first one at slot 0
  std::span<const MilligramsPerKwh> judges_;
  std::vector<Sum> sums_;  ///< of the first i judges
  std::size_t every_;
  const std::optional<Paid>* paid_;
  double now_ = 0;
  Pauses pauses_;
};

std::vector<Nanoseconds> origins(std::span<const std::size_t> starts, const Asked& asked) {
  std::vector<Nanoseconds> out;
  for (const std::size_t s : starts) {
    for (std::size_t at = 0; static_cast<std::int64_t>(at) * asked.slot < kLongestWindow; at += every(asked))
      out.push_back(time_of(asked, s + at));
  }
  return out;
}

std::vector<News> news_of(const Foretold& foretold, std::size_t start, std::size_t slots, const Asked& asked) {
  std::vector<News> out;
  for (std::size_t at = 0; at < slots; at += every(asked)) {
    const Foretold::Made* made = foretold.at(time_of(asked, start + at));
    if (made == nullptr) continue;
    News n{at, expected(*made, time_of(asked, start + at), asked.slot, slots - at), {}};
    n.prefix.resize(n.expected.size() + 1);
    for (std::size_t i = 0; i < n.expected.size(); ++i) n.prefix[i + 1] = n.prefix[i] + n.expected[i];
    out.push_back(std::move(n));
  }
  return out;
}

/// The stretch that holds a start, from there on and no longer than the longest window; empty where none does.
std::span<const MilligramsPerKwh> judges_from(std::span<const Stretch> stretches, const Asked& asked, std::size_t start) {
  const auto longest = static_cast<std::size_t>(kLongestWindow / asked.slot) + 1;
  for (const Stretch& s : stretches) {
    const std::span<const MilligramsPerKwh> all = s.judges.empty() ? s.slots.intensity : s.judges;
    const auto at = static_cast<std::int64_t>(start) - (s.slots.start - asked.time.start) / asked.slot;
    if (at < 0 || at >= static_cast<std::int64_t>(all.size())) continue;
    return all.subspan(static_cast<std::size_t>(at), std::min(longest, all.size() - static_cast<std::size_t>(at)));
  }
  return {};
}

/// Empty cells of the same shapes.
Cells emptied(const Cells& cells, const std::optional<Paid>& paid) {
  Cells out;
  for (std::size_t w = 0; w < kSlacks; ++w) {
    for (std::size_t j = 0; j < kJobs; ++j) {
      out[w][j].shape = cells[w][j].shape;
      out[w][j].slot = cells[w][j].slot;
      if (!paid) continue;
      for (const Payment p : paid->payments) out[w][j].exact[static_cast<std::size_t>(p)].emplace();
    }
  }
  return out;
}

/// Those of `starts` that have a forecast; how many have that of a simpler model.
std::vector<std::size_t> with_forecast(std::span<const std::size_t> starts, const Foretold& foretold, const Asked& asked,
                                       Forecasts& out) {
  std::vector<std::size_t> have;
  for (const std::size_t s : starts) {
    const Foretold::Made* made = foretold.at(time_of(asked, s));
    if (made == nullptr) continue;
    have.push_back(s);
    out.fell_back += made->model != out.model ? 1 : 0;
  }
  out.starts = starts.size();
  out.without = starts.size() - have.size();
  return have;
}

Cells known_at(std::span<const std::size_t> starts, std::span<const Stretch> stretches, const Asked& asked,
               const std::optional<Paid>& paid) {
  Cells cells = study_at(starts, stretches, asked);
  if (paid) add_exact_at(starts, cells, stretches, asked, *paid);
  return cells;
}

}  // namespace

Foretold::Foretold(const grid::Series& history, grid::Model model, std::span<const Nanoseconds> origins,
                   const std::function<void(Ratio)>& progress) {
  std::set<Nanoseconds> at;
  for (const Nanoseconds origin : origins) at.insert(std::chrono::floor<hours>(origin));
  grid::Forecaster forecaster(history, kAhead, model);
  std::size_t done = 0;
  for (const Nanoseconds hour : at) {
    if (progress) progress(Ratio(static_cast<double>(++done) / static_cast<double>(at.size())));
    const auto made = forecaster.point_at(hour);
    if (!made) continue;
    Made& kept = made_[hour];
    kept.model = made->model;
    kept.start = hour;
    for (const GramsPerKwh value : made->hours) kept.hours.push_back(quantise(value));
  }
}

const Foretold::Made* Foretold::at(Nanoseconds origin) const {
  const auto it = made_.find(std::chrono::floor<hours>(origin));
  return it == made_.end() ? nullptr : &it->second;
}

std::vector<MilligramsPerKwh> expected(const Foretold::Made& made, Nanoseconds from, Nanoseconds slot, std::size_t count) {
  using std::chrono::milliseconds;  // as fine as sums of 64 bits allow
  const auto hour = [&](std::int64_t h) {
    auto at = static_cast<std::size_t>(h);
    if (at >= made.hours.size()) at = made.hours.size() - kWeek + (at - made.hours.size()) % kWeek;
    return static_cast<std::int64_t>(made.hours[at]);
  };
  constexpr std::int64_t kHour = milliseconds(hours(1)).count();
  std::vector<MilligramsPerKwh> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Nanoseconds start = from - made.start + static_cast<std::int64_t>(i) * slot;
    const std::int64_t begin = std::chrono::floor<milliseconds>(start).count();
    const std::int64_t end = std::max(begin + 1, std::chrono::floor<milliseconds>(start + slot).count());
    std::int64_t sum = 0;
    for (std::int64_t h = begin / kHour; h * kHour < end; ++h)
      sum += hour(h) * (std::min(end, (h + 1) * kHour) - std::max(begin, h * kHour));
    out[i] = static_cast<MilligramsPerKwh>((sum + (end - begin) / 2) / (end - begin));
  }
  return out;
}

Forecasts study_forecasts(const Cells& cells, std::span<const Stretch> stretches, const Asked& asked,
                          const grid::Series& history, grid::Model model, const std::optional<Paid>& paid,
                          const std::function<void(Ratio)>& progress) {
  const auto tell = [&](double done) {
    if (progress) progress(Ratio(std::min(1.0, done)));
  };
  constexpr double kForetelling = 0.3;  // of the time, or so
  Forecasts out{model, 0, 0, 0, {}, emptied(cells, paid)};
  const std::vector<std::size_t> all = start_slots(asked);
  const Foretold foretold(history, model, origins(all, asked), [&](Ratio done) { tell(kForetelling * done.value()); });
  const std::vector<std::size_t> starts = with_forecast(all, foretold, asked, out);
  out.known = starts.size() == all.size() ? cells : known_at(starts, stretches, asked, paid);
  std::size_t done = 0;
  for (const std::size_t s : starts) {
    const auto judges = judges_from(stretches, asked, s);
    if (!judges.empty()) {
      Start start(news_of(foretold, s, judges.size(), asked), judges, every(asked), paid);
      for (auto& row : out.told) {
        for (std::size_t j = 0; j < kJobs; ++j) {
          if (first_alike(j) == j) start.add_to(row[j]);
        }
      }
    }
    tell(kForetelling + (1 - kForetelling) * static_cast<double>(++done) / static_cast<double>(starts.size()));
  }
  for (auto& row : out.told) {
    for (std::size_t j = 0; j < kJobs; ++j) {
      row[j].unknown = starts.size() - row[j].starts;
      row[j] = row[first_alike(j)];
    }
  }
  return out;
}

std::optional<Ratio> kept(const std::optional<Ratio>& told, const std::optional<Ratio>& known) {
  constexpr double kNothing = 1e-9;
  if (!told || !known || known->value() < kNothing) return std::nullopt;
  return Ratio(*told / *known);
}

}  // namespace gramwatt::plan::facct22
