#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "report/grid.hpp"

namespace gramwatt::report {
namespace {

using Json = nlohmann::ordered_json;

std::string number(const std::optional<GramsPerKwh>& value) { return value ? fmt::format("{:.0f}", value->value()) : "?"; }

}  // namespace

std::string zones_table(const std::vector<ZoneLine>& lines, const Style& style, std::size_t width) {
  std::string out = style.bold(fmt::format("{:<16}{:>9}{:>10}  {:<14}{}", "ZONE", "AVERAGE", "MARGINAL", "BY", "NAME")) +
                    style.dim("   (annual means, g/kWh)") + "\n";
  for (const ZoneLine& l : lines) {
    const std::string held = l.held.empty() ? "" : fmt::format("; held: {}", fmt::join(l.held, ", "));
    out += fmt::format("{:<16}{:>9}{:>10}  {:<14}{}\n", l.zone, number(l.annual), number(l.marginal), l.average_kind,
                       cut(l.name + held, width > 60 ? width - 51 : 20, style));
  }
  return out;
}

std::string zones_json(const std::vector<ZoneLine>& lines) {
  Json out = Json::array();
  for (const ZoneLine& l : lines) {
    out.push_back({{"zone", l.zone},
                   {"name", l.name},
                   {"average", {{"annual_mean", l.annual.value()}, {"unit", "gCO2e/kWh"}, {"kind", l.average_kind}}},
                   {"marginal", l.marginal ? Json{{"annual_mean", l.marginal->value()}, {"kind", l.marginal_kind}} : Json()},
                   {"held", l.held}});
  }
  return Json{{"schema", "gramwatt.zones/1"}, {"zones", std::move(out)}}.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string held_json(const std::vector<grid::Held>& held) {
  Json out = Json::array();
  for (const grid::Held& h : held) {
    out.push_back({{"zone", h.key.zone},
                   {"signal", grid::to_string(h.key.kind)},
                   {"origin", h.key.origin},
                   {"source", h.signal.source},
                   {"licence", h.signal.licence},
                   {"points", h.points},
                   {"step_s", seconds(h.resolution).value()},
                   {"start", iso8601(h.window.start)},
                   {"end", iso8601(h.window.end)},
                   {"changed", iso8601(h.changed)}});
  }
  return Json{{"schema", "gramwatt.held/1"}, {"series", std::move(out)}}.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string where_json(const std::optional<std::string>& zone, const std::string& how, const std::string& name,
                       const std::vector<std::string>& chain) {
  return Json{
      {"schema", "gramwatt.place/1"}, {"zone", zone ? Json(*zone) : Json()}, {"how", how}, {"name", name}, {"chain", chain}}
      .dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gramwatt::report
