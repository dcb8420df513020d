// study jobs: a cluster's year of jobs under each policy.

#include <unistd.h>

#include <cmath>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/grid_access.hpp"
#include "cli/series_file.hpp"
#include "grid/builtin.hpp"
#include "report/study_jobs.hpp"

namespace gramwatt::cli {
namespace {

constexpr Nanoseconds kFinest = std::chrono::minutes(5);
constexpr Nanoseconds kHour = std::chrono::hours(1);
constexpr int kUsualYear = 2020;  // of the published study
/// A vCPU at full load: Cloud Carbon Footprint's mean over AWS (MAX_WATTS_AVG). Dense servers come to 2 W a thread; an own core
/// with its memory and power supply to 8 W.
constexpr double kWatts = 3.5, kLeastWatts = 2, kMostWatts = 8;

template <class T>
Result<T> number_option(const Invocation& invocation, const char* name, T otherwise, T least, T most) {
  const auto text = invocation.get(name);
  if (!text) return otherwise;
  const auto n = parse_number<T>(*text);
  if (!n || !(*n >= least && *n <= most))
    return fail(fmt::format("\"{}\" is no number that fits", *text), fmt::format("--{}", name),
                fmt::format("{} to {}", least, most), Error::Kind::usage);
  return *n;
}

Result<plan::ClusterSettings> settings_of_study(const Invocation& invocation) {
  plan::ClusterSettings s;
  if (const auto text = invocation.get("limits")) {
    auto limits = plan::parse_waiting_limits(*text);
    if (!limits) return tl::unexpected(limits.error());
    s.limits = std::move(*limits);
  }
  if (const auto text = invocation.get("restart")) {
    const auto d = trim(*text) == "0" ? Result<Nanoseconds>(Nanoseconds{0}) : parse_duration(*text);
    if (!d) return tl::unexpected(d.error());
    if (*d < Nanoseconds{0} || *d > 24 * kHour)
      return fail(fmt::format("\"{}\" is no cost of a restart", *text), "--restart", "0 to 24h", Error::Kind::usage);
    s.restart = std::chrono::duration_cast<std::chrono::seconds>(*d).count();
  }
  const auto percentile = number_option(invocation, "percentile", s.percentile, 1, 99);
  if (!percentile) return tl::unexpected(percentile.error());
  s.percentile = *percentile;
  if (invocation.has("cpus")) {
    const auto cpus = number_option<std::int32_t>(invocation, "cpus", 1, 1, 100'000'000);
    if (!cpus) return tl::unexpected(cpus.error());
    s.cpus = *cpus;
  }
  const auto idle = number_option(invocation, "idle-share", s.idle_thousandths / 1000.0, 0.0, 1.0);
  if (!idle) return tl::unexpected(idle.error());
  s.idle_thousandths = static_cast<int>(std::lround(*idle * 1000));
  return s;
}

Result<Estimate<Watts>> watts_option(const Invocation& invocation) {
  const auto watts = number_option(invocation, "watts-per-cpu", kWatts, 0.001, 100'000.0);
  if (!watts) return tl::unexpected(watts.error());
  Estimate<Watts> e;
  e.value = Watts(*watts);
  e.boundary = Boundary::node;
  e.source = "--watts-per-cpu";
  if (invocation.has("watts-per-cpu")) return e;
  e.source = "assumed: a vCPU at full load, Cloud Carbon Footprint's mean over AWS";
  e.terms["watts-per-cpu"] = Shift::range(kWatts, kLeastWatts, kMostWatts);
  return e;
}

Result<std::unique_ptr<grid::ByteSource>> open(const std::string& file) { return grid::open_text(file); }

/// From a file, all of it.
Result<plan::Slots> intensity_of_file(const std::string& file, report::JobsStudy& study) {
  grid::ImportOptions options;
  options.kind = study.signal.kind;
  auto all = read_series(file, options);
  if (!all) return tl::unexpected(all.error());
  if (all->size() != 1)
    return fail(fmt::format("{} series are in it", all->size()), file, "a file with one: utc_start,g_per_kwh",
                Error::Kind::usage);
  const grid::Series& series = all->front().series;
  study.signal = series.signal;
  study.signal.source = std::filesystem::path(file).filename();
  study.terms = series.terms;
  study.window = {series.points.front().start, series.end_of(series.points.size() - 1)};
  study.slot = series.resolution;
  if (study.slot <= Nanoseconds{0})
    return fail("the step of its rows is not clear", file, "rows at equal steps", Error::Kind::usage);
  return plan::make_slots(series, study.window.start, study.slot, static_cast<std::size_t>(study.window.length() / study.slot));
}

bool is_observed(const grid::Series& s) {
  return s.resolution > Nanoseconds{0} && !s.points.empty() && s.points.front().kind != grid::PointKind::profile;
}

/// What is known of the zone's year: what is held, the built-in hours, the typical day.
Result<grid::Ladder> ladder_of(const std::string& zone, const std::optional<grid::Series>& hours, const Settings& settings,
                               const report::JobsStudy& study) {
  auto all = grid::Grid(grid_settings(settings)).look(zone, study.window);
  if (!all) return tl::unexpected(all.error());
  if (study.signal.kind == grid::SignalKind::marginal) {
    if (!all->marginal)
      return fail("the marginal intensity of " + zone + " is unknown", {}, all->marginal_note, Error::Kind::missing);
    return std::move(*all->marginal);
  }
  auto& rungs = all->average.rungs;
  if (hours) rungs.insert(std::find_if_not(rungs.begin(), rungs.end(), is_observed), *hours);
  return std::move(all->average);
}

/// The signal of the rung that gives the most slots; the others are named.
void describe(const grid::Ladder& ladder, report::JobsStudy& study) {
  const auto steps = grid::steps(ladder, study.window, study.slot);
  std::vector<std::size_t> counts(ladder.rungs.size());
  for (const grid::Step& s : steps) ++counts[s.rung];
  const auto main = static_cast<std::size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  study.signal = ladder.rungs[main].signal;
  study.terms = ladder.rungs[main].terms;
  study.notes.insert(study.notes.end(), ladder.notes.begin(), ladder.notes.end());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (i != main && counts[i] > 0)
      study.notes.push_back(fmt::format("{} of {} slots by {}", counts[i], steps.size(), ladder.rungs[i].signal.source));
  }
  if (!study.signal.is_fit_for("scheduling"))
    study.notes.emplace_back("this source is not fit for scheduling: its hours are not proven to save");
}

Result<plan::Slots> intensity_of_zone(const Invocation& invocation, const Settings& settings, report::JobsStudy& study) {
  const auto surroundings = surroundings_of(invocation, settings.config);
  if (!surroundings) return tl::unexpected(surroundings.error());
  const auto place = place::locate(place_query(*surroundings, settings));
  if (!place) return tl::unexpected(place.error());
  if (!place->zone)
    return fail("the place is unknown", {}, "name the grid zone with --zone ZONE, or a series with --series FILE",
                Error::Kind::missing);
  study.zone = *place->zone;
  const auto hours = study.signal.kind == grid::SignalKind::average ? grid::builtin_hourly(*place->zone) : std::nullopt;
  using std::chrono::sys_days, std::chrono::year, std::chrono::year_month_day;
  const int first = hours ? int(year_month_day(std::chrono::floor<std::chrono::days>(
                                                   std::chrono::sys_time<Nanoseconds>(hours->points.front().start)))
                                    .year())
                          : kUsualYear;
  const auto wanted = number_option(invocation, "year", first, 1990, 2100);
  if (!wanted) return tl::unexpected(wanted.error());
  study.window = {sys_days(year(*wanted) / 1 / 1).time_since_epoch(), sys_days(year(*wanted + 1) / 1 / 1).time_since_epoch()};
  const auto ladder = ladder_of(*place->zone, hours, settings, study);
  if (!ladder) return tl::unexpected(ladder.error());
  study.slot = kHour;
  for (const grid::Series& s : ladder->rungs) {
    if (is_observed(s)) study.slot = std::clamp(std::min(study.slot, s.resolution), kFinest, kHour);
  }
  describe(*ladder, study);
  return plan::make_slots(*ladder, study.window.start, study.slot,
                          static_cast<std::size_t>(study.window.length() / study.slot));
}

Result<report::JobsStudy> study_of(const Invocation& invocation, const Settings& settings) {
  report::JobsStudy study;
  if (const auto text = invocation.get("signal")) {
    const auto kind = grid::parse_signal_kind(*text);
    if (!kind) return fail(fmt::format("\"{}\" is no signal", *text), "--signal", "average or marginal", Error::Kind::usage);
    study.signal.kind = *kind;
  }
  if (invocation.has("series") && (invocation.has("zone") || invocation.has("year")))
    return fail("--series takes the place of --zone and --year", {}, "leave out one of them", Error::Kind::usage);
  const auto chosen = settings_of_study(invocation);
  if (!chosen) return tl::unexpected(chosen.error());
  study.settings = *chosen;
  const auto watts = watts_option(invocation);
  if (!watts) return tl::unexpected(watts.error());
  study.cpu = *watts;
  study.trace = std::filesystem::path(invocation.arguments.front()).filename();
  const auto file = open(invocation.arguments.front());
  if (!file) return tl::unexpected(file.error());
  const auto jobs = plan::read_trace(**file, study.trace);
  if (!jobs) return tl::unexpected(jobs.error());
  study.jobs = jobs->size();
  const auto series = invocation.get("series");
  const auto slots = series ? intensity_of_file(*series, study) : intensity_of_zone(invocation, settings, study);
  if (!slots) return tl::unexpected(slots.error());
  const auto ring = plan::IntensityRing::make(*slots);
  if (!ring) return tl::unexpected(ring.error());
  study.mean = ring->mean();
  auto result = plan::study_cluster(*jobs, *ring, study.settings);
  if (!result) return tl::unexpected(result.error());
  study.study = std::move(*result);
  if (study.study.end > ring->period()) {
    study.notes.push_back(fmt::format("the last job ends {} after the series, which begins anew there",
                                      human_duration(Seconds(static_cast<double>(study.study.end - ring->period())))));
  }
  return study;
}

}  // namespace

int command_study_jobs(const Invocation& invocation, const Settings& settings) {
  const auto study = study_of(invocation, settings);
  if (!study) return complain(study.error());
  if (settings.json) {
    const auto written = write_output(*settings.json, report::jobs_json(*study) + "\n");
    return written ? 0 : complain(written.error());
  }
  if (invocation.has("csv")) return print(report::jobs_csv(*study));
  return print(report::jobs_table(*study, style_for(STDOUT_FILENO)));
}

}  // namespace gramwatt::cli
