#include "grid/typical_day.hpp"

#include <algorithm>
#include <numeric>

#include "base/text.hpp"
#include "data/tables.hpp"

namespace gramwatt::grid {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr hours kLongest{100 * 366 * 24};
constexpr double kThousandth = 0.001;

sys_days day_of(hours at) { return sys_days(floor<days>(at)); }

/// Relative values of the 24 hours of a UTC day.
class Day {
 public:
  Day(const TypicalDay& typical, sys_days day) : typical_(typical), day_(day) {
    month_ = static_cast<unsigned>(year_month_day(day).month()) - 1;
  }
  [[nodiscard]] double at(unsigned hour) const {
    const double weekday = typical_.weekday[month_ * 24 + hour];
    const sys_days local = floor<days>(day_ + hours(hour) + typical_.utc_offset);
    return std::chrono::weekday(local).iso_encoding() >= 6 ? weekday * typical_.weekend[hour] : weekday;
  }

 private:
  const TypicalDay& typical_;
  sys_days day_;
  unsigned month_ = 0;
};

double mean_of_year(const TypicalDay& typical, std::chrono::year year) {
  const sys_days first = year / std::chrono::January / 1;
  const sys_days last = (year + std::chrono::years(1)) / std::chrono::January / 1;
  double sum = 0;
  for (sys_days day = first; day < last; day += days(1)) {
    const Day values(typical, day);
    for (unsigned hour = 0; hour < 24; ++hour) sum += values.at(hour);
  }
  return sum / static_cast<double>(hours(last - first).count());
}

/// The line of `table` whose first fields are `key`, split.
std::optional<std::vector<std::string_view>> find_row(std::string_view table, const std::string& key) {
  while (const auto line = next_line(table)) {
    if (line->starts_with(key)) return split(*line, ',');
  }
  return std::nullopt;
}

double number(std::string_view field) { return parse_number<double>(field).value_or(0); }

/// The 24 + 288 columns from `first` on. False where the row is cut.
bool read_shape(const std::vector<std::string_view>& fields, std::size_t first, TypicalDay& day) {
  if (fields.size() != first + day.weekend.size() + day.weekday.size()) return false;
  const auto relative = [&](std::size_t i) { return kThousandth * number(fields[first + i]); };
  for (std::size_t i = 0; i < day.weekend.size(); ++i) day.weekend[i] = relative(i);
  for (std::size_t i = 0; i < day.weekday.size(); ++i) day.weekday[i] = relative(day.weekend.size() + i);
  return true;
}

}  // namespace

std::vector<Point> TypicalDay::over(Window window, GramsPerKwh level) const {
  const hours first = floor<hours>(window.start);
  const hours last = std::max(std::chrono::ceil<hours>(window.end), first + hours(1));
  if (last - first > kLongest) return {};
  std::vector<Point> points;
  points.reserve(static_cast<std::size_t>((last - first).count()));
  std::optional<std::chrono::year> year;
  double scale = 0;
  for (sys_days day = day_of(first); day.time_since_epoch() < last; day += days(1)) {
    if (const auto its = year_month_day(day).year(); its != year) {
      year = its;
      scale = level.value() / mean_of_year(*this, its);
    }
    const Day values(*this, day);
    for (unsigned hour = 0; hour < 24; ++hour) {
      const hours at = hours(day.time_since_epoch()) + hours(hour);
      if (at >= first && at < last) points.push_back({at, GramsPerKwh(scale * values.at(hour)), PointKind::profile, {}});
    }
  }
  return points;
}

std::optional<AverageProfile> average_profile(std::string_view zone, std::string_view factor) {
  const auto f = find_row(data::grid_profiles(), std::string(zone) + "," + std::string(factor) + ",");
  constexpr std::size_t kShape = 12;
  AverageProfile out;
  if (!f || zone.empty() || !read_shape(*f, kShape, out.day)) return std::nullopt;
  out.day.key = (*f)[0];
  out.day.years = (*f)[2];
  out.day.utc_offset = hours(parse_number<int>((*f)[3]).value_or(0));
  out.day.mean = GramsPerKwh(number((*f)[4]));
  out.apart = (*f)[5];
  out.day.spread = {number((*f)[6]), number((*f)[7])};
  out.fit = (*f)[10] == "1";
  out.parts_share_it = !(*f)[11].empty();
  out.fit_for_parts = (*f)[11] == "plan";
  return out;
}

std::optional<MarginalProfile> marginal_profile(std::string_view key) {
  const auto f = find_row(data::grid_marginal_profiles(), std::string(key) + ",");
  constexpr std::size_t kShape = 9;
  MarginalProfile out;
  if (!f || key.empty() || !read_shape(*f, kShape, out.day)) return std::nullopt;
  out.day.key = (*f)[0];
  out.method = (*f)[1];
  out.day.years = (*f)[2];
  out.day.utc_offset = hours(parse_number<int>((*f)[3]).value_or(0));
  out.day.mean = GramsPerKwh(number((*f)[4]));
  out.r2 = parse_number<double>((*f)[5]);
  out.hours = parse_number<int>((*f)[6]).value_or(0);
  out.day.spread = {number((*f)[7]), number((*f)[8])};
  return out;
}

}  // namespace gramwatt::grid
