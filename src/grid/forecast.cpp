#include "grid/forecast.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "grid/hourly.hpp"
#include "grid/rolling.hpp"

namespace gramwatt::grid {
namespace {

constexpr std::array<std::string_view, 3> kModels{"ridge", "seasonal-naive", "climatology"};
constexpr Hour kDay = 24;
constexpr Hour kLongest = 14 * kDay;
constexpr Hour kLatest = 7 * kDay;      // values may be so late
constexpr std::size_t kLeastPaths = 5;  // below this an interval would be a guess

tl::unexpected<Error> unavailable(std::string what) {
  return fail(std::move(what), "forecast", "import more history: gramwatt grid import", Error::Kind::unavailable);
}

std::string note_of(const Rolling::Made& made, Model wanted, Hour gap, const Hourly& data, Hour until) {
  const double days = data.count(data.begin(), until) / 24.0;
  std::string note = fmt::format("{} from {:.0f} days of history", to_string(made.model), days);
  if (made.rows > 0) note += fmt::format(" ({} whole days to learn from)", made.rows);
  if (made.model != wanted) note += fmt::format("; {} needs more than that", to_string(wanted));
  note += fmt::format("; bands from its errors on {} earlier days", made.paths.size());
  if (made.borrowed > 0) note += fmt::format(", {} of them climatology's", made.borrowed);
  if (gap > 0) note += fmt::format("; the newest value is {} h old", gap);
  if (made.filled > 0) note += fmt::format("; {} missing values taken from the same hour of earlier days", made.filled);
  const double floor = kFloor * data.mean_before(until);
  if (data.least_before(until) < floor) note += fmt::format("; values below {:.3g} g/kWh are forecast as that", floor);
  return note;
}

Series forecast_series(const Series& truth, const Rolling::Made& made, Hour first) {
  Series s;
  s.signal = truth.signal;
  s.signal.data_kind = "forecast";
  s.signal.source += fmt::format("{}forecast by {}", s.signal.source.empty() ? "" : "; ", to_string(made.model));
  s.resolution = std::chrono::hours(1);
  s.terms = truth.terms;
  s.method = Method::modelled;
  const std::vector<Shift> band = bands(made.paths, made.values.size());
  for (std::size_t h = 0; h < made.values.size(); ++h) {
    s.points.push_back({start_of(first + static_cast<Hour>(h)), GramsPerKwh(made.values[h]), PointKind::forecast, band[h]});
  }
  return s;
}

}  // namespace

std::string_view to_string(Model model) { return kModels[static_cast<std::size_t>(model)]; }
std::optional<Model> parse_model(std::string_view text) {
  const auto* const it = std::find(kModels.begin(), kModels.end(), text);
  return it == kModels.end() ? std::nullopt : std::optional(static_cast<Model>(it - kModels.begin()));
}

class Forecaster::Impl {
 public:
  Impl(const Series& truth, std::chrono::hours length, Model model) : data_(truth), length_(length), model_(model) {
    like_.signal = truth.signal;
    like_.terms = truth.terms;
  }

  Result<Forecast> at(Nanoseconds origin) {
    const auto where = place(origin);
    if (!where) return tl::unexpected(where.error());
    const auto [first, until, horizon] = *where;
    auto made = rolling(until, horizon, true).at(until);
    if (!made) return too_little_known();
    if (made->paths.size() < kLeastPaths) {
      return unavailable("the history is too short to know how wrong a forecast is: two weeks beside the forecast's length");
    }
    Forecast f;
    f.series = forecast_series(like_, *made, first);
    f.model = made->model;
    f.note = note_of(*made, model_, horizon.gap, data_, until);
    f.paths = std::move(made->paths);
    return f;
  }

  Result<PointForecast> point_at(Nanoseconds origin) {
    const auto where = place(origin);
    if (!where) return tl::unexpected(where.error());
    const auto made = rolling(where->until, where->horizon, false).values_at(where->until);
    if (!made) return too_little_known();
    PointForecast f{made->model, {}};
    f.hours.reserve(made->values.size());
    for (const double value : made->values) f.hours.emplace_back(value);
    return f;
  }

 private:
  struct Place {
    Hour first, until;  ///< of the forecast; what is known ends there
    Horizon horizon;
  };
  [[nodiscard]] Result<Place> place(Nanoseconds origin) const {
    if (length_.count() < 1 || length_.count() > kLongest) {
      return fail(fmt::format("a forecast of {} hours", length_.count()), "forecast", fmt::format("1 to {}", kLongest),
                  Error::Kind::usage);
    }
    const Hour first = hour_of(origin);
    const Hour until = data_.known_until(first);
    if (data_.count(data_.begin(), until) == 0) return unavailable("no hourly or finer history before the forecast begins");
    const Hour gap = first - until;
    if (gap > kLatest) return unavailable(fmt::format("the newest value is {} days old", gap / kDay));
    return Place{first, until, {gap, length_.count() + (start_of(first) == origin ? 0 : 1)}};
  }
  static tl::unexpected<Error> too_little_known() {
    return unavailable("too little of the last week is known, even for climatology");
  }

  /// Late values and origins inside an hour are horizons of their own; nearly always there is one. One that is asked for values
  /// alone has learnt what its trials must not know, and is kept apart.
  Rolling& rolling(Hour until, Horizon horizon, bool with_paths) {
    const Hour phase = ((until % kDay) + kDay) % kDay;
    const Key key{phase, horizon.gap, horizon.length, with_paths ? 1 : 0};
    auto it = rolling_.find(key);
    if (it == rolling_.end() || it->second.last > until) {
      rolling_.erase(key);
      it = rolling_.try_emplace(key, Kept{Rolling(data_, model_, phase, horizon), until}).first;
    }
    it->second.last = until;
    return it->second.rolling;
  }

  using Key = std::array<Hour, 4>;
  struct Kept {
    Rolling rolling;
    Hour last;
  };
  Hourly data_;
  std::chrono::hours length_;
  Model model_;
  Series like_;  // without points
  std::map<Key, Kept> rolling_;
};

Forecaster::Forecaster(const Series& truth, std::chrono::hours length, Model model)
    : impl_(std::make_unique<Impl>(truth, length, model)) {}
Forecaster::~Forecaster() = default;
Forecaster::Forecaster(Forecaster&&) noexcept = default;
Forecaster& Forecaster::operator=(Forecaster&&) noexcept = default;
Result<Forecast> Forecaster::at(Nanoseconds origin) { return impl_->at(origin); }
Result<PointForecast> Forecaster::point_at(Nanoseconds origin) { return impl_->point_at(origin); }

Result<Forecast> make_forecast(const Series& history, Nanoseconds origin, std::chrono::hours length, Model model) {
  return Forecaster(history, length, model).at(origin);
}

Result<Forecast> with_paths(const Series& provided, const Series& history, Nanoseconds origin, Model errors_of) {
  const Hourly told = Hourly::of_any_kind(provided);
  Hour begin = hour_of(origin);
  while (begin < told.end() && !told.known(begin)) ++begin;
  const Hour ahead = begin - hour_of(origin);
  Hour end = begin;
  while (told.known(end) && end - begin + ahead < kLongest) ++end;
  if (end <= begin) return unavailable("the provider tells nothing from then on");
  auto f = make_forecast(history, origin, std::chrono::hours(end - begin + ahead), errors_of);
  if (!f) return f;
  const auto length = static_cast<std::size_t>(end - begin);
  for (auto& path : f->paths) path = {path.begin() + ahead, path.begin() + ahead + static_cast<std::ptrdiff_t>(length)};
  const std::vector<Shift> band = bands(f->paths, length);
  f->series = provided;
  f->series.resolution = std::chrono::hours(1);
  f->series.points.clear();
  for (std::size_t h = 0; h < length; ++h) {
    const Hour hour = begin + static_cast<Hour>(h);
    f->series.points.push_back({start_of(hour), GramsPerKwh(told.at(hour)), PointKind::forecast, band[h]});
  }
  f->note = fmt::format("forecast by {}, which publishes no errors; they are those of {}",
                        provided.signal.source.empty() ? "a provider" : provided.signal.source, f->note);
  return f;
}

}  // namespace gramwatt::grid
