// A direct ridge regression: one linear model a horizon hour, learnt from the same hour of the day on all earlier days.
//
// What is regressed. With m the mean of the week before the origin and c the mean of the seven values at the target's hour of
// the day, the target is (y − c) / m. So a penalty pulls towards "as in the last week", not towards zero, and every row is
// dimensionless: a series twice as high gives the same coefficients, and a zone whose level drifts does not change what is
// learnt from its older rows.
//
// On what:
//   - seven values at the target's hour, from the last complete day backwards, less c; and c itself;
//   - lags 1, 2, 3, 4, 6, 12 and 24 hours, each less the week's mean at its own hour (how far from usual is it just now?);
//   - means of the last 24 hours, of the week (the constant, as everything is divided by it) and of all history;
//   - the target's day: Saturday, Sunday, Monday in UTC (a local weekend is two of these three from UTC−12 to UTC+0, and most
//     hours of it east of there); two harmonics of the year.
//
// Weights are 1/y², so that relative errors are made small, which is what MAPE and a saving in per cent ask; but y is taken as
// no less than 80 % of the mean. A zero would own the fit, and already at 20 % the clean noons of California's marginal series
// drew it away from the hours that a plan must tell apart (a flexible job saved 23.0 % there, against 25.8 %; in eight US zones
// the error is the same to 0.1 points).
//
// Cost: X'WX and X'Wy of each horizon hour are kept and grow by one row a day (rank-1), so a backtest never starts anew; a fit
// is a Cholesky decomposition of 25 × 25 a horizon hour (about 5 µs).

#include "grid/ridge.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>

#include <Eigen/Cholesky>
#include <Eigen/Core>

namespace gramwatt::grid {
namespace {

constexpr Hour kDay = 24;
constexpr Hour kWeek = 168;
constexpr std::array<Hour, 7> kLags{1, 2, 3, 4, 6, 12, 24};
constexpr int kOwn = 8;                                          // seven lags and c
constexpr int kCommon = static_cast<int>(kLags.size()) + 3 + 4;  // lags, three means, harmonics
constexpr int kCalendar = 3;
constexpr int kFeatures = kOwn + kCommon + kCalendar;

// Of 0.3, 0.5, 1 and 2, on the US zones of 2020–21: day-ahead MAPE moves by 0.2 points.
constexpr double kPenalty = 0.5;
constexpr double kLeastWeighed = 0.80;  // of the mean
constexpr double kLeastLevel = 0.1;     // a week's mean is taken as no less than this share of the mean of all history
// A feature's scale is its freedom under the penalty: those of the calendar move a forecast by tenths, not by ones.
constexpr double kSeasonScale = 0.2;
constexpr double kDayScale = 0.3;

using Row = Eigen::Matrix<double, kFeatures, 1>;
using Square = Eigen::Matrix<double, kFeatures, kFeatures>;

/// All that the rows of one origin share.
struct Origin {
  bool usable = false;
  double level = 0;                  // m
  std::array<double, kDay> usual{};  // c by hours after the origin's own hour of the day
  std::array<std::array<double, kOwn>, kDay> own{};
  std::array<double, kCommon> common{};
  std::array<int, kDay> own_filled{};
  int common_filled = 0;
};

struct Equations {
  Square left = Square::Zero();  // lower half
  Row right = Row::Zero();
  int rows = 0;
  Hour next = 0;  // the origin whose row comes next
};

Hour modulo(Hour a, Hour b) { return ((a % b) + b) % b; }

}  // namespace

double same_hour_value(const Hourly& data, Hour hour, int& filled) {
  constexpr Hour kDaysBack = 14;
  for (Hour back = 0; back <= kDaysBack; ++back) {
    const double value = data.at(hour - back * kDay);
    if (std::isnan(value)) continue;
    if (back > 0) ++filled;
    return value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

double plausible(const Hourly& data, Hour origin, double value) {
  const double floor = kFloor * data.mean_before(origin);
  return std::clamp(value, floor, std::max(floor, 2 * data.greatest_before(origin)));
}

class Ridge::Impl {
 public:
  Impl(const Hourly& data, Hour phase, Horizon horizon) : data_(data), horizon_(horizon) {
    const Hour earliest = data.begin() + kWeek;
    first_ = earliest + modulo(phase - earliest, kDay);
    equations_.resize(static_cast<std::size_t>(horizon.length));
    for (Equations& e : equations_) e.next = first_;
  }

  void learn(Hour now) {
    for (Hour t = first_ + kDay * static_cast<Hour>(origins_.size()); t <= now; t += kDay) origins_.push_back(look(t));
    for (Hour h = 0; h < horizon_.length; ++h) {
      Equations& e = equations_[static_cast<std::size_t>(h)];
      for (; target(e.next, h) < now; e.next += kDay) add_row(e, e.next, h);
    }
  }

  [[nodiscard]] int rows() const {
    const auto least = std::min_element(equations_.begin(), equations_.end(),
                                        [](const Equations& a, const Equations& b) { return a.rows < b.rows; });
    return least == equations_.end() ? 0 : least->rows;
  }

  [[nodiscard]] Coefficients fit() const {
    Coefficients all;
    all.reserve(equations_.size() * kFeatures);
    for (const Equations& e : equations_) {
      Square left = e.left;
      left.diagonal().array() += kPenalty;
      const Row solved = left.selfadjointView<Eigen::Lower>().llt().solve(e.right);
      all.insert(all.end(), solved.begin(), solved.end());
    }
    return all;
  }

  [[nodiscard]] std::optional<Prediction> predict(Hour origin, const Coefficients& coefficients) const {
    if (origin < first_) return std::nullopt;
    const Origin& o = origins_[index(origin)];
    if (!o.usable) return std::nullopt;
    Prediction made;
    made.filled = o.common_filled;
    for (const int filled : o.own_filled) made.filled += filled;
    for (Hour h = 0; h < horizon_.length; ++h) {
      const Eigen::Map<const Row> c(&coefficients[static_cast<std::size_t>(h) * kFeatures]);
      const double value = o.usual[hour_after(h)] + o.level * row(o, origin, h).dot(c);
      made.values.push_back(plausible(data_, origin, value));
    }
    return made;
  }

 private:
  [[nodiscard]] std::size_t index(Hour origin) const { return static_cast<std::size_t>((origin - first_) / kDay); }
  [[nodiscard]] Hour target(Hour origin, Hour h) const { return origin + horizon_.gap + h; }
  /// The target's hour of the day, counted from the origin's.
  [[nodiscard]] std::size_t hour_after(Hour h) const { return static_cast<std::size_t>((horizon_.gap + h) % kDay); }

  [[nodiscard]] Origin look(Hour t) const {
    Origin o;
    const double all = data_.mean_before(t);
    if (data_.count(t - kWeek, t) < kWeek / 2 || !(all > 0)) return o;
    o.level = std::max(data_.mean(t - kWeek, t), kLeastLevel * all);
    o.usable = look_at_hours(t, o);
    look_at_now(t, all, o);
    return o;
  }

  [[nodiscard]] bool look_at_hours(Hour t, Origin& o) const {
    for (Hour k = 0; k < kDay; ++k) {
      const auto at = static_cast<std::size_t>(k);
      double sum = 0;
      for (Hour back = 1; back <= 7; ++back) {
        const double value = same_hour_value(data_, t + k - back * kDay, o.own_filled[at]);
        o.own[at][static_cast<std::size_t>(back - 1)] = value;
        sum += value;
      }
      if (std::isnan(sum)) return false;
      o.usual[at] = sum / 7;
      for (double& v : o.own[at]) v = (v - o.usual[at]) / o.level;
      o.own[at][kOwn - 1] = o.usual[at] / o.level - 1;
    }
    return true;
  }

  void look_at_now(Hour t, double all, Origin& o) const {
    std::size_t i = 0;
    for (const Hour lag : kLags) {
      const double value = same_hour_value(data_, t - lag, o.common_filled);
      o.common[i++] = (value - o.usual[static_cast<std::size_t>(modulo(-lag, kDay))]) / o.level;
    }
    const bool day_known = data_.count(t - kDay, t) >= kDay / 2;
    if (!day_known) ++o.common_filled;
    o.common[i++] = day_known ? data_.mean(t - kDay, t) / o.level - 1 : 0;
    o.common[i++] = all / o.level - 1;
    o.common[i++] = 1;
    constexpr double kHoursAYear = 8765.82;  // tropical year
    const double year = 2 * std::numbers::pi * static_cast<double>(t) / kHoursAYear;
    for (const double angle : {year, 2 * year}) {
      o.common[i++] = kSeasonScale * std::sin(angle);
      o.common[i++] = kSeasonScale * std::cos(angle);
    }
  }

  [[nodiscard]] Row row(const Origin& o, Hour origin, Hour h) const {
    Row x;
    auto next = std::copy(o.own[hour_after(h)].begin(), o.own[hour_after(h)].end(), x.begin());
    next = std::copy(o.common.begin(), o.common.end(), next);
    const Hour day =
        modulo((target(origin, h) - modulo(target(origin, h), kDay)) / kDay + 3, 7);  // 1970-01-01: Thursday; 0: Monday
    for (const Hour flagged : {Hour{5}, Hour{6}, Hour{0}}) *next++ = day == flagged ? kDayScale : 0;
    return x;
  }

  void add_row(Equations& e, Hour origin, Hour h) {
    const Origin& o = origins_[index(origin)];
    const double y = data_.at(target(origin, h));
    if (!o.usable || o.common_filled > 0 || o.own_filled[hour_after(h)] > 0 || std::isnan(y)) return;
    const Row x = row(o, origin, h);
    const double root = o.level / std::max(y, kLeastWeighed * data_.mean_before(origin));
    const double weight = root * root;
    e.left.selfadjointView<Eigen::Lower>().rankUpdate(x, weight);
    e.right += x * (weight * (y - o.usual[hour_after(h)]) / o.level);
    ++e.rows;
  }

  const Hourly& data_;
  Horizon horizon_;
  Hour first_ = 0;
  std::vector<Origin> origins_;
  std::vector<Equations> equations_;
};

Ridge::Ridge(const Hourly& data, Hour phase, Horizon horizon) : impl_(std::make_unique<Impl>(data, phase, horizon)) {}
Ridge::~Ridge() = default;
Ridge::Ridge(Ridge&&) noexcept = default;
Ridge& Ridge::operator=(Ridge&&) noexcept = default;
void Ridge::learn(Hour now) { impl_->learn(now); }
int Ridge::rows() const { return impl_->rows(); }
Ridge::Coefficients Ridge::fit() const { return impl_->fit(); }
std::optional<Prediction> Ridge::predict(Hour origin, const Coefficients& coefficients) const {
  return impl_->predict(origin, coefficients);
}

}  // namespace gramwatt::grid
