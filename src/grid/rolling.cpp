#include "grid/rolling.hpp"

#include <algorithm>
#include <cmath>

namespace gramwatt::grid {
namespace {

constexpr Hour kDay = 24;
// Days, before a regression is believed: with a week of lags and four days of horizon, six weeks.
constexpr int kLeastRows = 28;
constexpr int kRefit = 7;  // days between fits of the trials
constexpr std::size_t kEnoughPaths = 60;
constexpr std::size_t kMostPaths = 365;  // a year, each season once: bands of ninety days covered 87 % where these cover 90 %

Hour first_origin(const Hourly& data, Hour phase) {
  const Hour past = ((phase - data.begin()) % kDay + kDay) % kDay;
  return data.begin() + past;
}

/// Holes in a path are bridged in a straight line; too many of them make it none.
bool bridge(std::vector<double>& path) {
  std::vector<std::size_t> known;
  for (std::size_t h = 0; h < path.size(); ++h) {
    if (!std::isnan(path[h])) known.push_back(h);
  }
  if (known.size() * 10 < path.size() * 9 || known.empty()) return false;
  if (known.size() == path.size()) return true;
  for (std::size_t h = 0; h < path.size(); ++h) {
    if (!std::isnan(path[h])) continue;
    const auto after = std::upper_bound(known.begin(), known.end(), h);
    const std::size_t right = after == known.end() ? known.back() : *after;
    const std::size_t left = after == known.begin() ? right : *(after - 1);
    const double along = right == left ? 0 : static_cast<double>(h - left) / static_cast<double>(right - left);
    path[h] = path[left] + along * (path[right] - path[left]);
  }
  return true;
}

}  // namespace

Rolling::Rolling(const Hourly& data, Model model, Hour phase, Horizon horizon)
    : data_(data), model_(model), horizon_(horizon), next_(first_origin(data, phase)) {
  if (model == Model::ridge) ridge_.emplace(data, phase, horizon);
}

std::optional<Rolling::Made> Rolling::at(Hour origin) {
  advance(origin);
  std::optional<Made> made = values_at(origin);
  if (made) add_paths(*made);
  return made;
}

std::optional<Rolling::Made> Rolling::values_at(Hour origin) {
  Made made;
  made.model = model_;
  std::optional<Prediction> p;
  if (ridge_) {
    ridge_->learn(origin);
    if (ridge_->rows() >= kLeastRows) p = ridge_->predict(origin, ridge_->fit());
    if (p) made.rows = ridge_->rows();
  } else if (model_ == Model::seasonal_naive) {
    p = seasonal_naive(data_, origin, horizon_);
  }
  if (!p) {
    made.model = Model::climatology;
    p = climatology(data_, origin, horizon_);
  }
  if (!p) return std::nullopt;
  made.values = std::move(p->values);
  made.filled = p->filled;
  return made;
}

void Rolling::advance(Hour now) {
  for (; next_ < now; next_ += kDay) {
    if (model_ == Model::seasonal_naive) {
      if (auto p = seasonal_naive(data_, next_, horizon_)) own_.push_back({next_, std::move(p->values), {}, false});
    }
    if (auto p = climatology(data_, next_, horizon_)) simple_.push_back({next_, std::move(p->values), {}, false});
    if (ridge_) try_ridge(next_);
  }
  judge(own_, now);
  judge(simple_, now);
}

void Rolling::try_ridge(Hour origin) {
  ridge_->learn(origin);
  if (ridge_->rows() < kLeastRows) return;
  if (tried_++ % kRefit == 0) standing_ = ridge_->fit();
  if (auto p = ridge_->predict(origin, standing_)) own_.push_back({origin, std::move(p->values), {}, false});
}

void Rolling::judge(Trials& trials, Hour now) const {
  for (auto t = trials.rbegin(); t != trials.rend() && !t->judged; ++t) {
    if (t->origin + horizon_.gap + horizon_.length > now) continue;
    t->errors = errors_of(*t);
    t->judged = true;
  }
}

std::vector<double> Rolling::errors_of(const Trial& trial) const {
  std::vector<double> errors;
  errors.reserve(trial.values.size());
  for (std::size_t h = 0; h < trial.values.size(); ++h) {
    const double truth = data_.at(trial.origin + horizon_.gap + static_cast<Hour>(h));
    // A forecast is zero only where all history is.
    errors.push_back(std::isnan(truth) || trial.values[h] > 0 ? truth / trial.values[h] - 1 : 0);
  }
  if (!bridge(errors)) errors.clear();
  return errors;
}

void Rolling::add_paths(Made& made) const {
  const Trials& trials = made.model == Model::climatology ? simple_ : own_;
  for (const Trial& t : trials) {
    if (!t.errors.empty()) made.paths.push_back(t.errors);
  }
  if (made.paths.size() > kMostPaths) made.paths.erase(made.paths.begin(), made.paths.end() - kMostPaths);
  if (made.paths.size() >= kEnoughPaths || made.model == Model::climatology) return;
  const Hour before = own_.empty() ? next_ : own_.front().origin;
  std::vector<std::vector<double>> older;
  for (const Trial& t : simple_) {
    if (!t.errors.empty() && t.origin < before) older.push_back(t.errors);
  }
  const std::size_t wanted = std::min(older.size(), kEnoughPaths - made.paths.size());
  made.borrowed = static_cast<int>(wanted);
  made.paths.insert(made.paths.begin(), older.end() - static_cast<std::ptrdiff_t>(wanted), older.end());
}

std::vector<Shift> bands(const std::vector<std::vector<double>>& paths, std::size_t hours) {
  // Neighbouring hours are pooled so that at least sixty errors stand behind a quantile. They are near copies, hence the rank
  // is that of as many independent errors as there are paths: the k-th of n with k = ⌈0.95 (n + 1)⌉ (split conformal
  // prediction; Vovk, Gammerman, Shafer 2005), the outermost where n < 19.
  const std::size_t n = paths.size();
  std::vector<Shift> all(hours);
  if (n == 0) return all;
  std::size_t reach = 1;
  while (reach < 12 && n * (2 * reach + 1) < 60) ++reach;
  const double level = std::min(1.0, 0.95 * static_cast<double>(n + 1) / static_cast<double>(n));
  std::vector<double> pool;
  for (std::size_t h = 0; h < hours; ++h) {
    pool.clear();
    for (std::size_t at = h - std::min(h, reach); at < std::min(hours, h + reach + 1); ++at) {
      for (const auto& path : paths) pool.push_back(path[at]);
    }
    const auto last = static_cast<std::ptrdiff_t>(pool.size()) - 1;
    const auto rank = std::min(last, static_cast<std::ptrdiff_t>(std::ceil(level * static_cast<double>(pool.size()))) - 1);
    std::nth_element(pool.begin(), pool.begin() + rank, pool.end());
    const double high = pool[static_cast<std::size_t>(rank)];
    std::nth_element(pool.begin(), pool.begin() + (last - rank), pool.end());
    all[h] = {std::min(0.0, pool[static_cast<std::size_t>(last - rank)]), std::max(0.0, high)};
  }
  return all;
}

}  // namespace gramwatt::grid
