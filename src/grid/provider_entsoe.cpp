// ENTSO-E's transparency platform: actual generation by type (document A75, process A16) of European zones, as XML.
//
// https://transparency.entsoe.eu/content/static_content/Static%20content/web%20api/Guide.html. A document is a list of time
// series, one a type and direction: generation names an inBiddingZone, a plant's own consumption (pumping, standstill) an
// outBiddingZone, which is subtracted. Curves of kind A03 leave out a point that repeats the one before, so a missing position
// is the last value and not a zero; in curves of kind A01 it is a gap. "No data" is a document of its own, an acknowledgement.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include <pugixml.hpp>

#include "base/text.hpp"
#include "grid/provider_json.hpp"
#include "grid/provider_zones.hpp"
#include "grid/web_provider.hpp"

namespace gramwatt::grid {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// A call may span a year; a quarter keeps the document at some 12 MB.
constexpr Nanoseconds kPiece = hours(24 * 90);
constexpr Nanoseconds kLongestPeriod = hours(24 * 367);

// Assumed: medians of IPCC against real fleets (Electricity Maps' coal factors: DE 1053, FR 918, PL 1013, NL 731; gas 364 to
// 437). Imports are not the error of this figure but of its basis.
constexpr Shift kFactorError{-0.15, 0.25};

struct Type {
  std::string_view code;
  Fuel fuel;
};
// Code list "AssetTypeList" of the guide, appendix A.5. B10: storage, its natural inflow left out with it. B25: batteries.
constexpr std::array kTypes{
    Type{"B01", Fuel::biomass},   Type{"B02", Fuel::lignite}, Type{"B03", Fuel::coal_gas},
    Type{"B04", Fuel::gas},       Type{"B05", Fuel::coal},    Type{"B06", Fuel::oil},
    Type{"B07", Fuel::oil_shale}, Type{"B08", Fuel::peat},    Type{"B09", Fuel::geothermal},
    Type{"B10", Fuel::storage},   Type{"B11", Fuel::hydro},   Type{"B12", Fuel::hydro},
    Type{"B13", Fuel::marine},    Type{"B14", Fuel::nuclear}, Type{"B15", Fuel::other_renewable},
    Type{"B16", Fuel::solar},     Type{"B17", Fuel::waste},   Type{"B18", Fuel::wind},
    Type{"B19", Fuel::wind},      Type{"B20", Fuel::unknown}, Type{"B25", Fuel::storage},
};

Fuel fuel_of(std::string_view code) {
  for (const Type& known : kTypes) {
    if (known.code == code) return known.fuel;
  }
  return Fuel::unknown;
}

/// The name without its namespace's prefix.
std::string_view local(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node child(const pugi::xml_node& node, std::string_view name) {
  for (const pugi::xml_node& c : node.children()) {
    if (local(c) == name) return c;
  }
  return {};
}

std::string_view text_in(const pugi::xml_node& node, std::string_view name) { return trim(child(node, name).child_value()); }

// ---- one time series: a type, a direction, values of one resolution each period

struct Value {
  Nanoseconds length{};
  double megawatts = 0;
};
using Curve = std::map<Nanoseconds, Value>;  ///< by start

struct Curves {
  std::map<std::string, Curve> generation, consumption;  ///< by type
  Nanoseconds coarsest{};
};

Result<Nanoseconds> resolution_of(std::string_view text) {
  if (text == "PT15M") return minutes(15);
  if (text == "PT30M") return minutes(30);
  if (text == "PT60M" || text == "PT1H") return hours(1);
  return fail("a resolution of \"" + std::string(text) + "\"");
}

/// The values of a period by position; those that are not there are empty.
Result<std::vector<std::optional<double>>> positions_of(const pugi::xml_node& period, std::size_t count) {
  std::vector<std::optional<double>> values(count);
  for (const pugi::xml_node& point : period.children()) {
    if (local(point) != "Point") continue;
    const auto position = parse_number<std::uint32_t>(text_in(point, "position"));
    if (!position || *position < 1 || *position > count) return fail("a position outside its period");
    const std::string_view text = text_in(point, "quantity");
    const auto quantity = parse_number<double>(text);
    if (!quantity || !std::isfinite(*quantity)) return fail("a quantity that is no number: \"" + std::string(text) + "\"");
    values[*position - 1] = quantity;
  }
  return values;
}

Result<void> add_period(const pugi::xml_node& period, bool repeats, Curve& curve, Nanoseconds& coarsest) {
  const pugi::xml_node interval = child(period, "timeInterval");
  const auto start = parse_iso8601(text_in(interval, "start"));
  const auto end = parse_iso8601(text_in(interval, "end"));
  if (!start || !end || *end <= *start || *end - *start > kLongestPeriod) return fail("a period without start and end");
  const auto step = resolution_of(text_in(period, "resolution"));
  if (!step) return tl::unexpected(step.error());
  const auto values = positions_of(period, static_cast<std::size_t>((*end - *start) / *step));
  if (!values) return tl::unexpected(values.error());
  coarsest = std::max(coarsest, *step);
  std::optional<double> last;
  Nanoseconds at = *start;
  for (const auto& value : *values) {
    if (value || !repeats) last = value;
    if (last) curve[at] = {*step, *last};
    at += *step;
  }
  return {};
}

Result<void> add_series(const pugi::xml_node& series, Curves& curves) {
  const std::string type(text_in(child(series, "MktPSRType"), "psrType"));
  if (type.empty() || type.size() > 8) return fail("a series without \"psrType\"");
  if (const auto unit = text_in(series, "quantity_Measure_Unit.name"); unit != "MAW")
    return fail("values in \"" + std::string(unit) + "\"");
  const bool in = !text_in(series, "inBiddingZone_Domain.mRID").empty();
  const bool out = !text_in(series, "outBiddingZone_Domain.mRID").empty();
  if (in == out) return fail("a series that is neither generation nor consumption");
  const bool repeats = text_in(series, "curveType") == "A03";
  Curve& curve = (in ? curves.generation : curves.consumption)[type];
  for (const pugi::xml_node& period : series.children()) {
    if (local(period) != "Period") continue;
    if (auto added = add_period(period, repeats, curve, curves.coarsest); !added) return added;
  }
  return {};
}

// ---- from curves to slots of the coarsest resolution

/// Mean power by slot, of the slots that the curve covers whole.
std::map<Nanoseconds, double> slots_of(const Curve& curve, Nanoseconds length) {
  std::map<Nanoseconds, double> energy;
  std::map<Nanoseconds, Nanoseconds> covered;
  for (const auto& [start, value] : curve) {
    const Nanoseconds slot = start - (start % length + length) % length;
    energy[slot] += value.megawatts * seconds(value.length).value();
    covered[slot] += value.length;
  }
  for (const auto& [slot, time] : covered) {
    if (time == length) energy[slot] /= seconds(length).value();
    else energy.erase(slot);
  }
  return energy;
}

FuelMix mix_of(const Curves& curves) {
  FuelMix mix;
  mix.resolution = curves.coarsest;
  for (const auto& [type, curve] : curves.generation) {
    std::map<Nanoseconds, double> used;
    if (const auto it = curves.consumption.find(type); it != curves.consumption.end())
      used = slots_of(it->second, mix.resolution);
    for (const auto& [slot, megawatts] : slots_of(curve, mix.resolution)) {
      const auto it = used.find(slot);
      mix.set(slot, type, fuel_of(type), Watts((megawatts - (it == used.end() ? 0 : it->second)) * 1e6));
    }
  }
  return mix;
}

class Entsoe final : public WebProvider {
 public:
  explicit Entsoe(ProviderSettings settings)
      : WebProvider(
            Service({"ENTSO-E", "https://web-api.tp.entsoe.eu",
                     "check GRAMWATT_ENTSOE_TOKEN; a token is free: ask transparency@entsoe.eu for \"Restful API access\""},
                    std::move(settings))) {}

  [[nodiscard]] std::string_view name() const override { return "entsoe"; }
  [[nodiscard]] SignalKind signal() const override { return SignalKind::average; }

 protected:
  [[nodiscard]] Result<Series> observed(const Where& where, Window window) override {
    const auto eic = eic_of(where.zone);
    if (!eic)
      return tl::unexpected(service_.usage("has no bidding zone for \"" + where.zone + "\"", "it covers European zones"));
    window = {std::chrono::floor<hours>(window.start), std::chrono::ceil<hours>(window.end)};  // whole slots
    const bool lifecycle = service_.settings().factor == "lifecycle";
    auto answer = in_pieces(window, kPiece, [&](Window piece) -> Result<Answer> {
      auto mix = get(*eic, piece);
      if (!mix) return tl::unexpected(mix.error());
      Answer part;
      part.resolution = mix->resolution;
      part.points = intensity_of(*mix, Fleet::world, lifecycle);
      return part;
    });
    if (!answer) return tl::unexpected(answer.error());
    Signal s;
    s.factor = service_.settings().factor;
    s.basis = "production";
    s.gas = lifecycle ? "CO2e" : "CO2";
    s.source = "ENTSO-E A75, zone " + where.zone + ", generation by type × fuel factors (IPCC AR5)";
    s.licence = "CC BY 4.0 (ENTSO-E Transparency Platform)";
    s.fit_for = {"accounting", "scheduling"};
    return series_of(std::move(*answer), std::move(s), {{"fuel-factors:ipcc", kFactorError}}, hours(1));
  }

 private:
  [[nodiscard]] Result<FuelMix> get(const std::string& eic, Window window) {
    const auto answer = service_.ask({service_.settings().base_url.ends_with("/api") ? "" : "/api",
                                      {{"securityToken", service_.secret("token")},
                                       {"documentType", "A75"},
                                       {"processType", "A16"},
                                       {"in_Domain", eic},
                                       {"periodStart", digits(window.start)},
                                       {"periodEnd", digits(window.end)}},
                                      {},
                                      patience_for(window)});
    if (!answer) return tl::unexpected(answer.error());
    // "No matching data found" comes with 200 or with 400.
    const bool acknowledged = answer->status == 400 && contains(answer->body, "No matching data");
    if (answer->status != 200 && !acknowledged) return tl::unexpected(service_.refusal(*answer));
    return read(parse_entsoe(answer->body));
  }

  /// "202001010000"
  static std::string digits(Nanoseconds utc) {
    std::string text = to_minute(utc);
    std::erase_if(text, [](char c) { return c < '0' || c > '9'; });
    return text;
  }
};

}  // namespace

Result<FuelMix> parse_entsoe(std::string_view body) {
  pugi::xml_document document;
  // No entities are expanded, and no document type is read.
  const auto parsed = document.load_buffer(body.data(), body.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!parsed) return fail(std::string("it is no XML, or is cut short: ") + parsed.description());
  const pugi::xml_node root = document.document_element();
  if (local(root) == "Acknowledgement_MarketDocument") {
    const std::string why(text_in(child(root, "Reason"), "text"));
    if (contains(why, "No matching data")) return FuelMix{};
    return fail("refused: " + why);
  }
  if (local(root) != "GL_MarketDocument") return fail("a document \"" + std::string(local(root)) + "\"");
  Curves curves;
  for (const pugi::xml_node& series : root.children()) {
    if (local(series) != "TimeSeries") continue;
    if (auto added = add_series(series, curves); !added) return tl::unexpected(added.error());
  }
  return mix_of(curves);
}

std::unique_ptr<Provider> make_entsoe(ProviderSettings settings) { return std::make_unique<Entsoe>(std::move(settings)); }

}  // namespace gramwatt::grid
