#include "cli/plan_places.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <numeric>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "cli/series_file.hpp"

namespace gramwatt::cli {
namespace {

tl::unexpected<Error> usage(std::string what, std::string where, std::string remedy) {
  return fail(std::move(what), std::move(where), std::move(remedy), Error::Kind::usage);
}

Result<std::optional<grid::SignalKind>> signal_option(const Invocation& invocation) {
  const auto text = invocation.get("signal");
  if (!text) return std::optional<grid::SignalKind>{};
  const auto kind = grid::parse_signal_kind(*text);
  if (!kind) return usage(fmt::format("\"{}\" is no signal", *text), "--signal", "average or marginal");
  return kind;
}

/// The series of a file stand for places; they are known, not forecast.
Result<Candidates> candidates_of_file(const std::string& file, std::optional<grid::SignalKind> kind) {
  grid::ImportOptions options;
  options.kind = kind;
  auto series = read_series(file, options);
  if (!series) return tl::unexpected(series.error());
  Candidates all;
  for (NamedSeries& s : *series) {
    Candidate c;
    c.zone = c.name = s.name;
    Ahead ahead;
    ahead.kind = s.series.signal.kind;
    ahead.why = fmt::format("{}: the series of {}, taken as known beforehand", to_string(ahead.kind), file);
    ahead.ladder.rungs.push_back(std::move(s.series));
    c.ahead = std::make_shared<const Ahead>(std::move(ahead));
    all.places.push_back(std::move(c));
  }
  return all;
}

Result<Candidate> candidate(const Surroundings& surroundings, const Settings& settings, std::optional<grid::SignalKind> kind,
                            grid::Window window, Nanoseconds now) {
  const auto place = place::locate(place_query(surroundings, settings));
  if (!place) return tl::unexpected(place.error());
  auto ahead = look_ahead(grid_settings(settings), *place, kind, window, now);
  if (!ahead) return tl::unexpected(ahead.error());
  return Candidate{*place->zone,
                   place->name,
                   std::make_shared<const Ahead>(std::move(*ahead)),
                   place::pue(place->cloud, place::Building::data_centre),
                   place->cloud,
                   /*listed=*/false};
}

/// A glob, or the beginning of the region's name; "aws eu-*" speaks of one cloud only.
bool allows(const std::string& pattern, const place::Region& region) {
  const std::string whole = region.provider + " " + region.region;
  const auto fits = [&](const std::string& name) {
    return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0 || name.starts_with(pattern);
  };
  return fits(region.region) || (contains(pattern, " ") && fits(whole));
}

Result<std::vector<place::Region>> listed_regions(const Invocation& invocation) {
  std::vector<place::Region> regions;
  const std::string listed = invocation.get("clouds").value_or("");
  std::set<std::string, std::less<>> seen;
  for (const std::string_view word : split(listed, ',')) {
    const std::string provider = lower(trim(word));
    auto more = place::regions_of(provider);
    if (more.empty()) return usage(fmt::format("\"{}\" is no cloud", provider), "--clouds", "of aws, azure and gcp");
    if (seen.insert(provider).second) regions.insert(regions.end(), more.begin(), more.end());
  }
  const std::vector<std::string> patterns = invocation.all("allow");
  if (patterns.empty()) return regions;
  for (const std::string& pattern : patterns) {
    if (std::any_of(regions.begin(), regions.end(), [&](const auto& r) { return !pattern.empty() && allows(pattern, r); }))
      continue;
    std::vector<std::string> names;
    for (const auto& r : regions) names.push_back(r.region);
    const auto meant = did_you_mean(pattern, names);
    return fail(fmt::format("\"{}\" allows no region of {}", pattern, listed), "--allow",
                meant ? fmt::format("did you mean {}?", *meant) : "a region's name or a pattern such as eu-*",
                Error::Kind::missing);
  }
  std::erase_if(regions, [&](const place::Region& r) {
    return std::none_of(patterns.begin(), patterns.end(), [&](const std::string& p) { return allows(p, r); });
  });
  return regions;
}

/// "gcp europe-north1" of the same zone and cloud as a place that is there already.
bool is_there(const Candidates& all, const place::Region& region) {
  return std::any_of(all.places.begin(), all.places.end(), [&](const Candidate& c) {
    return c.cloud && c.cloud->provider == region.provider && c.cloud->region == region.region;
  });
}

/// By zone; nothing where the signal is unknown. Each zone is asked about once, though regions share zones.
std::map<std::string, std::shared_ptr<const Ahead>> look_ahead_in(const std::vector<place::Region>& regions,
                                                                  const grid::GridSettings& settings, grid::SignalKind kind,
                                                                  grid::Window window, Nanoseconds now) {
  std::map<std::string, std::shared_ptr<const Ahead>> known;
  std::vector<const place::Region*> first;
  for (const place::Region& region : regions) {
    if (known.try_emplace(region.zone).second) first.push_back(&region);
  }
  std::vector<std::shared_ptr<const Ahead>> found(first.size());
  const auto look = [&](std::size_t i) {
    place::Place place;
    place.zone = first[i]->zone;
    place.how = place::How::cloud;
    place.cloud = {first[i]->provider, "", first[i]->region};
    place.point = place::point_of_region(first[i]->provider, first[i]->region);
    if (auto ahead = look_ahead(settings, place, kind, window, now))
      found[i] = std::make_shared<const Ahead>(std::move(*ahead));
  };
  if (settings.network && !settings.providers.empty()) {  // they count requests, and write to the store: one after the other
    for (std::size_t i = 0; i < first.size(); ++i) look(i);
  } else {
    in_parallel(first.size(), look);
  }
  for (std::size_t i = 0; i < first.size(); ++i) known[first[i]->zone] = found[i];
  return known;
}

void add_regions(std::vector<place::Region> regions, const Settings& settings, grid::SignalKind kind, grid::Window window,
                 Nanoseconds now, Candidates& all) {
  std::erase_if(regions, [&](const place::Region& r) { return is_there(all, r); });
  const auto known = look_ahead_in(regions, grid_settings(settings), kind, window, now);
  std::vector<std::string> unknown;
  for (const place::Region& region : regions) {
    const std::string name = region.provider + " " + region.region;
    const place::Cloud cloud{region.provider, "", region.region};
    if (const auto& ahead = known.at(region.zone))
      all.places.push_back({region.zone, name, ahead, place::pue(cloud, place::Building::data_centre), cloud, /*listed=*/true});
    else unknown.push_back(name);
  }
  if (!unknown.empty())
    all.notes.push_back(fmt::format("{} regions are left out, as their {} intensity is unknown: {}", unknown.size(),
                                    to_string(kind), fmt::join(unknown, ", ")));
}

/// Electricity of moving a gigabyte through the internet. Nobody agrees: Cloud Carbon Footprint takes 0.001 kWh/GB (between the
/// halls of large clouds); Aslan, Mayers, Koomey and France (2018) found 0.06 kWh/GB for 2015, halving every two years since
/// 2000. The first is the value here, the second the upper end.
Estimate<Joules> usual_transfer() {
  constexpr double kWh = 3.6e6;
  return {Joules(0.001 * kWh),
          Method::assumed,
          "0.001 kWh/GB, Cloud Carbon Footprint, up to 0.06, Aslan 2018 (assumed)",
          std::nullopt,
          {{"transfer", Shift::range(0.001, 0.0005, 0.06)}}};
}

}  // namespace

void in_parallel(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  const auto take = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  const std::size_t hands = std::min<std::size_t>(count, std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::jthread> others(hands > 0 ? hands - 1 : 0);
  for (std::jthread& t : others) t = std::jthread(take);
  take();
}

Result<Candidates> plan_candidates(const Invocation& invocation, const Settings& settings, grid::Window window,
                                   Nanoseconds now) {
  const auto kind = signal_option(invocation);
  if (!kind) return tl::unexpected(kind.error());
  const bool clouds = invocation.has("clouds");
  if (invocation.has("allow") && !clouds)
    return usage("no clouds are named whose regions could be allowed", "--allow", "add --clouds aws,azure,gcp");
  if (const auto file = invocation.get("series")) {
    if (clouds) return usage("a series stands for a place of its own", "--clouds", "leave out --series or --clouds");
    return candidates_of_file(*file, *kind);
  }
  const auto regions = clouds ? listed_regions(invocation) : std::vector<place::Region>{};
  if (!regions) return tl::unexpected(regions.error());
  const auto surroundings = surroundings_of(invocation, settings.config);
  if (!surroundings) return tl::unexpected(surroundings.error());
  std::vector<std::string> zones = invocation.all("zone");
  if (zones.empty()) zones.emplace_back();
  Candidates all;
  std::optional<grid::SignalKind> common = *kind;
  for (const std::string& zone : zones) {
    Surroundings at = *surroundings;
    if (!zone.empty()) at.said.zone = zone;
    auto one = candidate(at, settings, common, window, now);
    if (!one) return tl::unexpected(one.error());
    // Places are compared on one signal; the first decides where nobody has.
    if (zones.size() > 1 || clouds) common = one->ahead->kind;
    all.places.push_back(std::move(*one));
  }
  if (clouds) add_regions(*regions, settings, *common, window, now, all);
  return all;
}

Result<std::optional<Transfer>> transfer_request(const Invocation& invocation) {
  const auto text = invocation.get("data-gb"), by_gb = invocation.get("transfer-energy");
  if (!text) {
    if (by_gb) return usage("how much data moves is not said", "--transfer-energy", "add --data-gb X");
    return std::optional<Transfer>{};
  }
  const auto gb = parse_number<double>(*text);
  const bool sane = gb && *gb >= 0 && *gb < 1e12;
  if (!sane) return usage(fmt::format("\"{}\" is no amount of data", *text), "--data-gb", "such as 120");
  Estimate<Joules> energy = usual_transfer();
  if (by_gb) {
    const auto slash = by_gb->find('/');
    const auto e = parse_energy(std::string_view(*by_gb).substr(0, slash));
    if (!e || !(e->value() >= 0) || (slash != std::string::npos && lower(by_gb->substr(slash + 1)) != "gb"))
      return usage(fmt::format("\"{}\" is no energy of moving data", *by_gb), "--transfer-energy", "such as 5Wh/GB");
    energy = {*e, Method::assumed, "energy of moving a GB given by --transfer-energy", std::nullopt, {}};
  }
  return std::optional(Transfer{energy * *gb});
}

Estimate<Grams> transfer_carbon(const Transfer& transfer, const report::PlannedPlace& home, const report::PlannedPlace& there) {
  const auto mean = [](const report::PlannedPlace& p) {
    const auto& all = p.slots.intensity;
    return GramsPerKwh(std::accumulate(all.begin(), all.end(), 0.0) / 1000 / static_cast<double>(all.size()));
  };
  const Estimate<GramsPerKwh> here{mean(home), Method::modelled, home.signal.source, std::nullopt, home.terms},
      far{mean(there), Method::modelled, there.signal.source, std::nullopt, there.terms};
  return transfer.energy * ((here + far) * 0.5);
}

}  // namespace gramwatt::cli
