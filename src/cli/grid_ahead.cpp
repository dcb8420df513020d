#include "cli/grid_ahead.hpp"

#include <algorithm>

namespace gramwatt::cli {
namespace {

using namespace std::chrono_literals;

constexpr Nanoseconds kHour = std::chrono::hours(1);
constexpr auto kFurthest = std::chrono::hours(336);
/// Regression looks this far back; older habits of a grid say little.
constexpr Nanoseconds kHistory = std::chrono::days(400);
/// Values older than this are no base for what comes next.
constexpr Nanoseconds kStillPresent = 30h;

bool is_profile(const grid::Series& s) {
  return s.resolution <= Nanoseconds{0} || s.points.empty() || s.points.back().kind == grid::PointKind::profile;
}

/// What was seen of the signal, as one series: regressions know nothing of rungs.
grid::Series observed(const grid::Ladder& ladder) {
  for (const grid::Series& s : ladder.rungs) {
    if (!is_profile(s) && s.points.back().kind < grid::PointKind::forecast) return s;
  }
  return {};
}

grid::Ladder& chosen(grid::Intensities& all, grid::SignalKind kind) {
  return kind == grid::SignalKind::marginal ? *all.marginal : all.average;
}

/// Does the series tell what is, so that it can be forecast?
bool is_present(const grid::Series& known, Nanoseconds now) {
  return !known.points.empty() && known.points.back().start + kStillPresent > now;
}

/// Which signal a plan follows where nobody has said it. What is known of the past counts too: a forecast is made from it.
void choose(const grid::Intensities& all, const std::optional<grid::Ladder>& past_marginal, Nanoseconds now, Ahead& ahead) {
  const grid::Series known = past_marginal ? observed(*past_marginal) : grid::Series{};
  const bool fit = (is_present(known, now) && known.signal.is_fit_for("scheduling")) ||
                   (all.marginal && all.marginal->rungs.front().signal.is_fit_for("scheduling"));
  ahead.kind = fit ? grid::SignalKind::marginal : grid::SignalKind::average;
  if (fit) ahead.why = "marginal: its source is fit for scheduling";
  else if (!all.marginal) ahead.why = "average: the marginal intensity is unknown";
  else ahead.why = "average: no marginal source here has been shown to be fit for scheduling";
}

/// Our own forecast behind the providers', with its errors; a provider's gets the errors that ours has made.
void add_forecast(const grid::Series& known, grid::Window window, Nanoseconds now, Ahead& ahead) {
  if (window.end <= now) return;
  if (!is_present(known, now)) {
    ahead.ladder.notes.emplace_back("nothing recent is known of this grid: a typical day stands in for a forecast");
    return;
  }
  const Nanoseconds origin = now / kHour * kHour;
  auto& rungs = ahead.ladder.rungs;
  auto at = rungs.begin();
  for (; at != rungs.end() && !is_profile(*at); ++at) {
    if (at->points.back().kind != grid::PointKind::forecast) continue;
    auto banded = grid::with_paths(*at, known, origin);
    if (!banded) continue;
    ahead.errors = std::move(banded->paths);
    ahead.errors_from = banded->series.points.front().start;
    *at = std::move(banded->series);
    ahead.ladder.notes.push_back(std::move(banded->note));
  }
  const auto length = std::min<std::chrono::hours>(kFurthest, std::chrono::ceil<std::chrono::hours>(window.end - origin));
  auto made = grid::make_forecast(known, origin, length, grid::Model::ridge);
  if (!made) {
    ahead.ladder.notes.push_back("no forecast from the past: " + made.error().message());
    return;
  }
  ahead.ladder.notes.push_back(std::move(made->note));
  if (ahead.errors.empty()) {
    ahead.errors = std::move(made->paths);
    ahead.errors_from = made->series.points.front().start;
  }
  rungs.insert(at, std::move(made->series));
}

}  // namespace

Result<Ahead> look_ahead(const grid::GridSettings& settings, const place::Place& place, std::optional<grid::SignalKind> kind,
                         grid::Window window, Nanoseconds now) {
  if (!place.zone)
    return fail("the place is unknown", {},
                "name the grid zone with --zone ZONE, or once and for all: gramwatt config set zone ZONE",
                Error::Kind::missing);
  const grid::Grid grid(settings);
  std::vector<std::string> notes = grid.fetch(where_of(place), window);
  auto all = grid.look(*place.zone, window);
  if (!all) return tl::unexpected(all.error());
  grid::widen(*all, reach_of(place));
  auto past = grid.look(*place.zone, {now - kHistory, now});
  Ahead ahead;
  if (kind) ahead.kind = *kind;
  else choose(*all, past ? past->marginal : std::nullopt, now, ahead);
  if (ahead.kind == grid::SignalKind::marginal && !all->marginal)
    return fail("the marginal intensity of " + *place.zone + " is unknown", "--signal", all->marginal_note,
                Error::Kind::missing);
  ahead.ladder = std::move(chosen(*all, ahead.kind));
  ahead.ladder.notes.insert(ahead.ladder.notes.end(), notes.begin(), notes.end());
  const bool told = past && (ahead.kind == grid::SignalKind::average || past->marginal);
  add_forecast(told ? observed(chosen(*past, ahead.kind)) : grid::Series{}, window, now, ahead);
  return ahead;
}

}  // namespace gramwatt::cli
