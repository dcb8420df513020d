// The ladder of what is built in.
//
// Average. Rung 1 is a typical day: how the zone's own fuel mix of 2019..21 swings by month, hour and weekend
// (grid/typical_day.hpp), at the level of its newest annual value; rung 2 is that annual value. Errors of rung 1:
//
// - `intensity:ZONE`, the level: the same term as the annual rung's, so that both rungs of a run add up as one mistake.
// - `typical-day:ZONE@DAY`, a single hour around its typical value. Weather does that: -16..+13 % in Poland, -60..+78 % in
//   Ireland, measured on weeks or years that were held out. It is the error of an hour; a run of a month has less of it. Two
//   runs that begin on different days have different weather, so the day (UTC) is part of the name: it must not cancel when
//   they are compared.
// - One of three, measured as what hours of 2022 (consumption based) show beyond that, both at the same mean:
//   `other-year:ZONE` in Europe, where gas, drought and silent reactors changed the order of plants (in the US nothing is to be
//   added); `trade:ZONE` where much of what is consumed is imported, or of what is generated exported; `whole-country:ZONE` for
//   a part of a country that takes the country's day.
//
// tools/validate_grid_tables.py prints these measurements and how often published values lie inside. A plan may use a typical
// day where a backtest shows that it beats running at once (column fit; docs/validation.md).
//
// Marginal. US: EPA AVERT's typical day of 2023 at AVERT's annual mean. Europe: regression of emissions on fossil generation.
// Their hours are judged by the one place whose marginal series is public, California 2020: planning a 6 h job by AVERT's
// typical day of 2023 saves 2 % there with a bound below zero, where the average's typical day saves 22 %. The regression's
// saves 25 %, but fitted on one year and cut into bins in 22 ways it saves -7..+16 %, and it is proven nowhere else. So both
// are fit for accounting only, and plans use the average.

#include "grid/builtin.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "data/tables.hpp"
#include "grid/typical_day.hpp"

namespace gramwatt::grid {
namespace {

// 90 % ends that hold in 80 % of the zones, from tools/validate_grid_tables.py ("what another year adds", "what the country's
// day adds").
constexpr Shift kOtherYear{-0.30, 0.35};
constexpr Shift kWholeCountry{-0.42, 0.68};
// Share of direct in life-cycle emissions, as mixes change: within 6 % of eGRID 2023 and of Electricity Maps 2021-22 where both
// are known.
constexpr Shift kDirectShare{-0.10, 0.10};
// An hour of California's marginal series of 2020 against AVERT's typical day, both at the same mean.
constexpr Shift kMarginalHour{-0.75, 0.70};
// AVERT is 0.96 to 1.13 times the regression in seven US areas and 1.5 times in Bonneville; California's series is 0.57 of it.
constexpr Shift kRegression{-0.50, 0.50};

// No grid is dirtier than oil shale alone.
constexpr double kDirtiest = 1100;

constexpr std::string_view kTypicalDay = "typical day";

bool american(std::string_view zone) { return zone.starts_with("US-"); }

/// The typical day may pass no physical limit however wide its terms are.
Shift capped(Shift s, GramsPerKwh level) {
  s.plus = std::min(s.plus, std::max(0.1, kDirtiest / level.value() - 1));
  return s;
}

/// "SE-SE3": "SE"; "SE": nothing.
std::optional<std::string> country_of(const std::string& zone) {
  return zone.size() > 2 && zone[2] == '-' ? std::optional(zone.substr(0, 2)) : std::nullopt;
}

/// The zone's own profile, else its country's where parts may share it.
std::optional<AverageProfile> profile_for(const std::string& zone, std::string_view factor) {
  if (auto own = average_profile(zone, factor)) return own;
  const auto country = country_of(zone);
  auto shared = country ? average_profile(*country, factor) : std::nullopt;
  return shared && shared->parts_share_it ? shared : std::nullopt;
}

std::string shape_source(const TypicalDay& day, const std::string& zone) {
  std::string text = std::string("shape ") + (american(day.key) ? "EIA-930 " : "ENTSO-E ") + day.years;
  if (day.key != zone) text += " of " + day.key + " as a whole";
  return text;
}

Series typical_rung(const Series& annual, const AverageProfile& profile, const std::string& zone, Window window) {
  const GramsPerKwh level = annual.points.front().value;
  const bool part = profile.day.key != zone;
  Series s = annual;
  s.resolution = std::chrono::hours(1);
  s.points = profile.day.over(window, level);
  s.signal.data_kind = kTypicalDay;
  s.signal.source = shape_source(profile.day, zone) + ", level " + annual.signal.source;
  if (!profile.apart.empty()) s.signal.source += "; production only (" + profile.apart + ")";
  if (!american(zone) && s.signal.licence != "CC BY 4.0") s.signal.licence = "CC BY 4.0, " + s.signal.licence;
  s.terms["typical-day:" + profile.day.key + "@" + iso8601(window.start).substr(0, 10)] = capped(profile.day.spread, level);
  const auto [id, shift] = part                     ? std::pair("whole-country:" + zone, kWholeCountry)
                           : !profile.apart.empty() ? std::pair("trade:" + zone, kTrade)
                                                    : std::pair("other-year:" + zone, kOtherYear);
  if (part || !profile.apart.empty() || !american(zone)) s.terms[id] = capped(shift, level);
  s.signal.fit_for = {"accounting"};
  if (part ? profile.fit_for_parts : profile.fit) s.signal.fit_for.emplace_back("scheduling");
  return s;
}

/// The annual rung as direct emissions, by the share that they have in the zone's own mix.
std::optional<Series> as_direct(const Series& annual, const std::string& zone) {
  const auto direct = profile_for(zone, "direct");
  const auto lifecycle = profile_for(zone, "lifecycle");
  if (!direct || !lifecycle) return std::nullopt;
  Series s = annual;
  s.points.front().value = annual.points.front().value * (direct->day.mean / lifecycle->day.mean);
  s.signal.factor = "direct";
  s.signal.gas = "CO2";
  s.signal.source += ", direct by the share in its fuel mix of " + direct->day.years;
  s.terms["direct-share:" + direct->day.key] = kDirectShare;
  return s;
}

Signal regression_signal(const MarginalProfile& profile, const std::string& zone) {
  Signal s;
  s.kind = SignalKind::marginal;
  s.factor = "direct";
  s.basis = "production";
  s.gas = "CO2";
  s.year = parse_number<int>(profile.day.years).value_or(0);
  s.licence = "CC BY 4.0";
  s.fit_for = {"accounting"};
  s.source = "regression on fossil generation, ENTSO-E " + profile.day.years;
  if (profile.day.key != zone) s.source += " of " + profile.day.key + " as a whole";
  std::string r2 = std::to_string(profile.r2.value_or(0));
  s.source += " (R² " + r2.substr(0, 4) + " over " + std::to_string(profile.hours) + " h)";
  return s;
}

/// Typical day and annual mean by regression.
std::vector<Series> regression_rungs(const MarginalProfile& profile, const std::string& zone, Window window) {
  Series mean;
  mean.signal = regression_signal(profile, zone);
  mean.signal.data_kind = "annual mean";
  mean.points = {{Nanoseconds{0}, profile.day.mean, PointKind::observed, {}}};
  mean.terms["marginal:" + zone] = capped(kRegression, profile.day.mean);
  mean.method = Method::modelled;
  Series day = mean;
  day.signal.data_kind = kTypicalDay;
  day.resolution = std::chrono::hours(1);
  day.points = profile.day.over(window, profile.day.mean);
  day.terms["marginal-hour:" + zone] = capped(kMarginalHour, profile.day.mean);
  return {std::move(day), std::move(mean)};
}

std::optional<std::string> avert_region(const std::string& zone) {
  std::string_view table = data::zone_marginal();
  while (const auto line = next_line(table)) {
    if (line->starts_with(zone + ",")) return "AVERT-" + std::string(split(*line, ',').back());
  }
  return std::nullopt;
}

void add_avert_day(const MarginalProfile& profile, Window window, Ladder& ladder) {
  Series day = ladder.rungs.front();
  const GramsPerKwh level = day.points.front().value;
  day.resolution = std::chrono::hours(1);
  day.points = profile.day.over(window, level);
  day.signal.data_kind = kTypicalDay;
  day.signal.source = "EPA AVERT " + profile.day.years + ", region " + profile.day.key.substr(profile.day.key.find('-') + 1);
  day.terms["marginal-hour:" + profile.day.key] = capped(kMarginalHour, level);
  if (!day.points.empty()) ladder.rungs.insert(ladder.rungs.begin(), std::move(day));
}

void add_marginal_days(const std::string& zone, Window window, Intensities& out) {
  if (const auto region = avert_region(zone)) {
    if (const auto profile = marginal_profile(*region); profile && out.marginal) add_avert_day(*profile, window, *out.marginal);
    return;
  }
  auto profile = marginal_profile(zone);
  const auto country = country_of(zone);
  // Parts share the marginal plants where they share the typical day.
  if (!profile && country && profile_for(zone, "lifecycle")) profile = marginal_profile(*country);
  if (!profile) return;
  auto rungs = regression_rungs(*profile, zone, window);
  // The IFI margin, where there is one, stays the last rung: it has a year of its own and comes from all plants of a country.
  if (out.marginal) rungs.back() = out.marginal->rungs.back();
  if (rungs.front().points.empty()) rungs.erase(rungs.begin());
  out.marginal = Ladder{std::move(rungs), {}};
  out.marginal_note.clear();
}

}  // namespace

Result<Intensities> builtin(const std::optional<std::string>& zone, Window window, std::string_view factor) {
  auto known = annual(zone);
  if (!known || !zone) return known;
  if (factor == "direct") {
    auto direct = as_direct(known->average.rungs.back(), *zone);
    if (!direct)
      return fail("no direct intensity is built in for \"" + *zone + "\"", {}, "use the life-cycle one, or a provider",
                  Error::Kind::missing);
    known->average.rungs = {std::move(*direct)};
  }
  if (const auto profile = profile_for(*zone, factor)) {
    Series day = typical_rung(known->average.rungs.front(), *profile, *zone, window);
    if (!day.points.empty()) known->average.rungs.insert(known->average.rungs.begin(), std::move(day));
  }
  add_marginal_days(*zone, window, *known);
  return known;
}

}  // namespace gramwatt::grid
