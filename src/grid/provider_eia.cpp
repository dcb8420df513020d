// EIA-930, by the US Energy Information Administration's API v2: hourly net generation by fuel of every balancing authority.
//
// https://www.eia.gov/opendata/documentation.php, /v2/electricity/rto/fuel-type-data. Values were numbers until v2.1.6 (January
// 2024) and are texts since; null is not told. A call has 5,000 rows at most. Energy balances are told about a day late and are
// production, not consumption: imports are not in them.
//
// An hour is labelled with its end, in UTC, except where an authority labels its start: PJM always, CISO until 16 June 2022.
// Seen in when their solar power peaks (0.5 h after solar noon for end labels, 0.5 h before it for PJM's), and what the Open
// Grid Emissions Initiative corrects as well.

#include <array>
#include <cmath>

#include <nlohmann/json.hpp>

#include "grid/provider_json.hpp"
#include "grid/provider_zones.hpp"
#include "grid/web_provider.hpp"

namespace gramwatt::grid {
namespace {

using std::chrono::hours;

constexpr int kPageRows = 5000;
constexpr int kMostPages = 2000;  // 50 years of one authority; what goes on beyond that goes on for ever
constexpr Nanoseconds kCisoEndLabels =
    std::chrono::sys_days(std::chrono::year(2022) / std::chrono::June / 16).time_since_epoch();

// Assumed: one factor a fuel for the whole fleet, while AVERT has coal at 880..1065 and gas at 399..494 g/kWh by region;
// "other" and what is burnt on the side are guesses. Imports are not the error of this figure but of its basis.
constexpr Shift kFactorError{-0.15, 0.20};

struct Code {
  std::string_view code;
  Fuel fuel;
};
// SNB and WNB: solar and wind with a battery of their own; UES and OES: other storage. A code that is not here is unknown.
constexpr std::array kCodes{
    Code{"COL", Fuel::coal},    Code{"NG", Fuel::gas},         Code{"NUC", Fuel::nuclear}, Code{"OIL", Fuel::oil},
    Code{"SUN", Fuel::solar},   Code{"SNB", Fuel::solar},      Code{"WAT", Fuel::hydro},   Code{"WND", Fuel::wind},
    Code{"WNB", Fuel::wind},    Code{"GEO", Fuel::geothermal}, Code{"BAT", Fuel::storage}, Code{"PS", Fuel::storage},
    Code{"UES", Fuel::storage}, Code{"OES", Fuel::storage},    Code{"OTH", Fuel::unknown},
};

Fuel fuel_of(std::string_view code) {
  for (const Code& known : kCodes) {
    if (known.code == code) return known.fuel;
  }
  return Fuel::unknown;
}

bool labels_start(std::string_view respondent, Nanoseconds label) {
  return respondent == "PJM" || (respondent == "CISO" && label < kCisoEndLabels);
}

std::string label_of(Nanoseconds utc) { return iso8601(utc).substr(0, 13); }

class Eia final : public WebProvider {
 public:
  explicit Eia(ProviderSettings settings)
      : WebProvider(Service(
            {"EIA", "https://api.eia.gov", "check GRAMWATT_EIA_KEY; a key is free: https://www.eia.gov/opendata/register.php"},
            std::move(settings))) {}

  [[nodiscard]] std::string_view name() const override { return "eia"; }
  [[nodiscard]] SignalKind signal() const override { return SignalKind::average; }

 protected:
  [[nodiscard]] Result<Series> observed(const Where& where, Window window) override {
    const auto respondent = eia_respondent(where.zone);
    if (!respondent)
      return tl::unexpected(
          service_.usage("has no balancing authority for the zone \"" + where.zone + "\"", "it covers US zones"));
    FuelMix mix;
    mix.resolution = hours(1);
    std::size_t offset = 0;
    for (int pages = 0; pages < kMostPages; ++pages) {
      const auto page = get(*respondent, window, offset, mix);
      if (!page) return tl::unexpected(page.error());
      offset += page->rows;
      if (page->rows == 0 || offset >= page->total) break;
    }
    Answer answer;
    answer.resolution = mix.resolution;
    const bool lifecycle = service_.settings().factor == "lifecycle";
    answer.points = intensity_of(mix, Fleet::us, lifecycle);
    Signal s;
    s.factor = service_.settings().factor;
    s.basis = "production";
    s.gas = lifecycle ? "CO2e" : "CO2";
    s.source = "EIA-930 " + *respondent + ", generation by fuel × fuel factors (EPA AVERT, IPCC AR5)";
    s.licence = "public domain";
    s.fit_for = {"accounting", "scheduling"};
    return series_of(std::move(answer), std::move(s), {{"fuel-factors:us", kFactorError}}, hours(1));
  }

 private:
  [[nodiscard]] Result<EiaPage> get(const std::string& respondent, Window window, std::size_t offset, FuelMix& mix) {
    // Labels of the first and the last hour, whichever end of it they name.
    const Nanoseconds first = std::chrono::floor<hours>(window.start);
    const Nanoseconds last = std::chrono::floor<hours>(window.end - Nanoseconds(1)) + hours(1);
    const auto body = service_.fetch({"/v2/electricity/rto/fuel-type-data/data/",
                                      {{"api_key", service_.secret("key")},
                                       {"frequency", "hourly"},
                                       {"data[0]", "value"},
                                       {"facets[respondent][]", respondent},
                                       {"start", label_of(first)},
                                       {"end", label_of(last)},
                                       {"sort[0][column]", "period"},
                                       {"sort[0][direction]", "asc"},
                                       {"sort[1][column]", "fueltype"},  // a total order, or pages would overlap
                                       {"sort[1][direction]", "asc"},
                                       {"offset", std::to_string(offset)},
                                       {"length", std::to_string(kPageRows)}},
                                      {},
                                      patience_for(window)});
    if (!body) return tl::unexpected(body.error());
    return read(parse_eia(*body, respondent, mix));
  }
};

Result<void> add_row(const Json& row, std::string_view respondent, FuelMix& mix) {
  const auto label = time_member(row, "period");
  if (!label) return tl::unexpected(label.error());
  if (text_member(row, "respondent") != respondent) return fail("rows of another respondent");
  const std::string code = text_member(row, "fueltype");
  if (code.empty() || code.size() > 16) return fail("a row without \"fueltype\"");
  if (const std::string unit = text_member(row, "value-units"); unit != "megawatthours")
    return fail("values in \"" + unit + "\"");
  const auto value = number_member(row, "value");
  if (!value) return tl::unexpected(value.error());
  if (!*value) return {};
  const Nanoseconds start = labels_start(respondent, *label) ? *label : *label - hours(1);
  mix.set(start, code, fuel_of(code), Watts(**value * 1e6));  // MWh in an hour
  return {};
}

}  // namespace

Result<EiaPage> parse_eia(std::string_view body, std::string_view respondent, FuelMix& mix) {
  const auto json = parse_json(body);
  if (!json) return tl::unexpected(json.error());
  const Json* response = member(*json, "response");
  const Json* rows = response == nullptr ? nullptr : array_member(*response, "data");
  if (rows == nullptr) return fail("no \"response\" with \"data\"");
  const auto total = number_member(*response, "total");
  if (!total) return tl::unexpected(total.error());
  if (!*total || **total < 0 || **total > 1e9) return fail("\"total\" is no count");
  for (const Json& row : *rows) {
    if (auto added = add_row(row, respondent, mix); !added) return tl::unexpected(added.error());
  }
  return EiaPage{rows->size(), static_cast<std::size_t>(**total)};
}

std::unique_ptr<Provider> make_eia(ProviderSettings settings) { return std::make_unique<Eia>(std::move(settings)); }

}  // namespace gramwatt::grid
