// Energy-Charts (Fraunhofer ISE): CO2 equivalents of European countries' electricity, without a key.
//
// https://api.energy-charts.info, /co2eq. A list of Unix seconds beside a list of values, null where there is none, and a list
// of forecasts for today that is null where none is made. It has countries only.

#include <cmath>

#include <nlohmann/json.hpp>

#include "grid/provider_json.hpp"
#include "grid/provider_zones.hpp"
#include "grid/web_provider.hpp"

namespace gramwatt::grid {
namespace {

using std::chrono::hours;

constexpr Nanoseconds kPiece = hours(24 * 31);
constexpr double kLatest = 4'102'444'800;  // Unix seconds of 2100: later ones are no times

// Its answers do not say whether imports are counted: assumed −25..+25 %, what counting them or not moves in most of the zones
// where both were seen (DE 384/393, ES 183/185, but AT 128/191).
constexpr Shift kUnknownBasis = Shift::symmetric(0.25);

class EnergyCharts final : public WebProvider {
 public:
  explicit EnergyCharts(ProviderSettings settings)
      : WebProvider(Service({"Energy-Charts", "https://api.energy-charts.info", ""}, std::move(settings))) {}

  [[nodiscard]] std::string_view name() const override { return "energycharts"; }
  [[nodiscard]] SignalKind signal() const override { return SignalKind::average; }

 protected:
  [[nodiscard]] Result<Series> observed(const Where& where, Window window) override {
    window.start = std::chrono::floor<hours>(window.start);  // the point that holds at the start
    return get(where, [&](const std::string& country) {
      return in_pieces(window, kPiece, [&](Window piece) {
        return ask({{"country", country}, {"start", to_minute(piece.start)}, {"end", to_minute(piece.end)}},
                   PointKind::observed, patience_for(piece));
      });
    });
  }

  [[nodiscard]] Result<Series> ahead(const Where& where, Window /*window*/) override {
    return get(where, [&](const std::string& country) { return ask({{"country", country}}, PointKind::forecast, 1); });
  }

 private:
  [[nodiscard]] Result<Answer> ask(std::vector<std::pair<std::string, std::string>> query, PointKind kind, int patience) {
    const auto body = service_.fetch({"/co2eq", std::move(query), {}, patience});
    if (!body) return tl::unexpected(body.error());
    return read(parse_energycharts(*body, kind));
  }

  template <class Get>
  [[nodiscard]] Result<Series> get(const Where& where, const Get& get) {
    const auto country = energycharts_country(where.zone);
    if (!country) return tl::unexpected(service_.usage("has no country for the zone \"" + where.zone + "\""));
    if (where.zone.size() > 2)
      notes_.push_back("Energy-Charts has countries only: " + where.zone.substr(0, 2) + " stands for " + where.zone);
    auto answer = get(*country);
    if (!answer) return tl::unexpected(answer.error());
    Signal s;
    s.factor = "lifecycle";
    s.basis = "production";
    s.source = "Energy-Charts (Fraunhofer ISE), " + *country;
    s.licence = "see https://api.energy-charts.info";
    s.fit_for = {"accounting", "scheduling"};
    return series_of(std::move(*answer), std::move(s), {{"factors:energycharts", kUnknownBasis}}, hours(1));
  }
};

}  // namespace

Result<Answer> parse_energycharts(std::string_view body, PointKind kind) {
  const auto json = parse_json(body);
  if (!json) return tl::unexpected(json.error());
  const Json* times = array_member(*json, "unix_seconds");
  const char* wanted = kind == PointKind::forecast ? "co2eq_forecast" : "co2eq";
  const Json* values = member(*json, wanted);
  if (times == nullptr || values == nullptr) return fail(std::string("no \"unix_seconds\" or no \"") + wanted + "\"");
  if (values->is_null()) return Answer{};
  if (!values->is_array() || values->size() != times->size())
    return fail(std::string("\"") + wanted + "\" does not match \"unix_seconds\"");
  Answer answer;
  for (std::size_t i = 0; i < times->size(); ++i) {
    const auto time = number_of((*times)[i], "unix_seconds");
    const auto value = number_of((*values)[i], wanted);
    if (!time) return tl::unexpected(time.error());
    if (!value) return tl::unexpected(value.error());
    if (!*time || **time < 0 || **time > kLatest) return fail("\"unix_seconds\" is no time");
    if (*value) answer.points.push_back({std::chrono::seconds(std::llround(**time)), GramsPerKwh(**value), kind, {}});
  }
  return answer;
}

std::unique_ptr<Provider> make_energycharts(ProviderSettings settings) {
  return std::make_unique<EnergyCharts>(std::move(settings));
}

}  // namespace gramwatt::grid
