#include "cli/grid_access.hpp"

#include <algorithm>

#include "base/system.hpp"
#include "place/outlines.hpp"

namespace gramwatt::cli {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

/// "GRAMWATT_WATTTIME_USER", else "watttime-user" in the configuration.
std::optional<std::string> access(const Config& config, const std::string& provider, const std::string& what) {
  if (auto given = environment(("GRAMWATT_" + upper(provider) + "_" + upper(what)).c_str())) return given;
  const auto it = config.grid_access.find(provider + "-" + what);
  return it == config.grid_access.end() ? std::nullopt : std::optional(it->second);
}

}  // namespace

grid::GridSettings grid_settings(const Settings& settings) {
  grid::GridSettings g;
  g.store = grid::Store::default_path();
  g.order = settings.config.grid_providers;
  g.network = settings.network;
  for (const grid::ProviderFacts& facts : grid::provider_facts()) {
    if (std::find(g.order.begin(), g.order.end(), facts.name) == g.order.end()) continue;
    grid::ProviderSettings p;
    if (const auto url = environment(facts.url_variable.c_str())) p.base_url = *url;
    else if (const auto configured = access(settings.config, facts.name, "url")) p.base_url = *configured;
    for (const std::string& what : facts.secrets) {
      if (auto value = access(settings.config, facts.name, what)) p.secrets[what] = std::move(*value);
    }
    g.providers[facts.name] = std::move(p);
  }
  return g;
}

namespace {

/// What the record says of zones that may as well have been meant: better series do not tell which one it was.
grid::Reach reach_of(const ledger::RunRecord& r) {
  const auto kept = [](const std::optional<ledger::IntensityFacts>& facts) {
    const auto it = facts ? facts->value.terms.find("which-zone") : Terms::const_iterator{};
    return facts && it != facts->value.terms.end() ? it->second : Shift{};
  };
  return {kept(r.average_intensity), kept(r.marginal_intensity)};
}

}  // namespace

job::Knowledge grid_knowledge(const Settings& settings, const std::optional<std::string>& zone) {
  return [grid = grid::Grid(grid_settings(settings)), zone](const ledger::RunRecord& r,
                                                            grid::Window window) -> Result<grid::Intensities> {
    const auto& at = zone ? zone : r.place.zone;
    if (!at) return grid::Grid::unknown_place();
    grid::Where where;
    where.zone = *at;
    where.cloud_provider = r.host.cloud_provider.value_or("");
    where.cloud_region = r.host.cloud_region.value_or("");
    if (const auto point = place::point_in_zone(*at)) {
      where.latitude = point->latitude;
      where.longitude = point->longitude;
    }
    std::vector<std::string> failed = grid.fetch(where, window);
    auto known = grid.look(*at, window);
    if (!known) return known;
    known->average.notes = std::move(failed);
    if (!zone) grid::widen(*known, reach_of(r));
    return known;
  };
}

grid::Where where_of(const place::Place& place) {
  grid::Where w;
  w.zone = place.zone.value_or("");
  w.postcode = place.postcode;
  if (place.point) {
    w.latitude = place.point->latitude;
    w.longitude = place.point->longitude;
  }
  if (place.cloud) {
    w.cloud_provider = place.cloud->provider;
    w.cloud_region = place.cloud->region;
  }
  return w;
}

grid::Reach reach_of(const place::Place& place) { return grid::reach_over(place.zone.value_or(""), place.also); }

}  // namespace gramwatt::cli
