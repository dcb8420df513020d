// GB Carbon Intensity, by the National Energy System Operator (NESO): half-hourly, without a key.
//
// https://carbonintensity.org.uk; methodology: "includes CO2 emissions related to electricity generation only", of power
// stations and imports, with losses of transmission and distribution. National values have an estimate from metering ("actual")
// beside the forecast; the 17 regions, found by postcode, have the forecast alone. Known faults that are borne here: a list
// that is sometimes an object, 200 with {}, hours of 500, and postcodes that it does not know (national values stand in, and it
// is said).

#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "grid/provider_json.hpp"
#include "grid/web_provider.hpp"

namespace gramwatt::grid {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Nanoseconds kStep = minutes(30);
constexpr Nanoseconds kPiece = hours(24 * 14);  // what a call may span

// Assumed: one factor a fuel for the whole fleet (gas 394 for any combined cycle, coal 937, imports by an annual mean of the
// neighbour) is good to ±15 %; regional values rest on a model of flows and shares between 17 regions, ±25 %.
constexpr Shift kNational = Shift::symmetric(0.15);
constexpr Shift kRegional = Shift::symmetric(0.25);

/// "RG10" of "RG10 9NX" or "rg109nx": the part before the last digit and two letters. Nothing for what is no postcode.
std::optional<std::string> outward_code(std::string_view postcode) {
  std::string code;
  bool space = false;
  for (const char c : trim(postcode)) {
    if (c == ' ') {
      space = true;
      break;
    }
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) return std::nullopt;
    code += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  constexpr std::size_t kInward = 3;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool whole = !space && code.size() >= kInward + 2 && is_digit(code[code.size() - 3]) &&
                     !is_digit(code[code.size() - 2]) && !is_digit(code.back());
  if (whole) code.resize(code.size() - kInward);
  if (code.size() < 2 || code.size() > 4 || is_digit(code.front())) return std::nullopt;
  return code;
}

class GbCarbonIntensity final : public WebProvider {
 public:
  explicit GbCarbonIntensity(ProviderSettings settings)
      : WebProvider(Service({"GB Carbon Intensity", "https://api.carbonintensity.org.uk", ""}, std::move(settings))) {}

  [[nodiscard]] std::string_view name() const override { return "uk"; }
  [[nodiscard]] SignalKind signal() const override { return SignalKind::average; }

 protected:
  [[nodiscard]] Result<Series> observed(const Where& where, Window window) override {
    window.start -= window.start % kStep;
    // Nearly up to now: half-hours that lie ahead have no observation.
    window.end = std::min(window.end, service_.now() - service_.now() % kStep + kStep);
    return get(where, /*forecast_only=*/false, [&](const std::string& postcode) {
      return in_pieces(window, kPiece, [&](Window piece) {
        const std::string span = to_minute(piece.start) + "/" + to_minute(piece.end);
        return ask(span, postcode, /*forecast_only=*/false);
      });
    });
  }

  [[nodiscard]] Result<Series> ahead(const Where& where, Window window) override {
    return get(where, /*forecast_only=*/true, [&](const std::string& postcode) {
      return ask(to_minute(window.start - window.start % kStep) + "/fw48h", postcode, /*forecast_only=*/true);
    });
  }

 private:
  [[nodiscard]] Result<Answer> ask(const std::string& span, const std::string& postcode, bool forecast_only) {
    const std::string path =
        postcode.empty() ? "/intensity/" + span : "/regional/intensity/" + span + "/postcode/" + percent_encoded(postcode);
    Ask ask{path, {}, {}};
    ask.may_be_void = false;
    const auto answer = service_.ask(ask);
    if (!answer) return tl::unexpected(answer.error());
    unknown_postcode_ = answer->status == 400 && !postcode.empty();
    if (answer->status != 200) return tl::unexpected(service_.refusal(*answer));
    return read(parse_gb(answer->body, forecast_only));
  }

  template <class Get>
  [[nodiscard]] Result<Series> get(const Where& where, bool forecast_only, const Get& get) {
    const auto postcode = postcode_of(where);
    if (!postcode) return tl::unexpected(postcode.error());
    unknown_postcode_ = false;
    auto answer = get(*postcode);
    const bool regional = !postcode->empty() && !unknown_postcode_;
    if (!answer && unknown_postcode_) {
      notes_.push_back("GB Carbon Intensity does not know the postcode " + *postcode + "; national values stand in");
      answer = get("");
    }
    if (!answer) return tl::unexpected(answer.error());
    return series(std::move(*answer), regional ? *postcode : "", forecast_only);
  }

  [[nodiscard]] Result<std::string> postcode_of(const Where& where) const {
    if (!where.zone.empty() && where.zone != "GB")
      return tl::unexpected(service_.usage("covers Great Britain only, not " + where.zone));
    if (where.postcode) {
      const auto code = outward_code(*where.postcode);
      if (!code)
        return tl::unexpected(service_.usage("no British postcode: \"" + *where.postcode + "\"", "such as RG10 9NX or RG10"));
      return *code;
    }
    if (where.zone.empty()) return tl::unexpected(service_.usage("needs the zone GB or a postcode", "--zone GB"));
    return std::string();
  }

  Series series(Answer answer, const std::string& postcode, bool forecast_only) {
    Signal s;
    s.factor = "direct";
    s.basis = "consumption";
    s.grid_loss = true;
    s.gas = "CO2";
    if (!postcode.empty() && !forecast_only) s.data_kind = "forecast";  // regions have nothing else, of the past too
    s.source = "GB Carbon Intensity (NESO), " +
               (postcode.empty() ? "national"
                                 : service_.clean(answer.name.empty() ? "region" : answer.name) + ", postcode " + postcode);
    s.licence = "CC BY 4.0";
    s.fit_for = {"accounting", "scheduling"};
    return series_of(std::move(answer), std::move(s), {{"factors:uk", postcode.empty() ? kNational : kRegional}}, kStep);
  }

  bool unknown_postcode_ = false;
};

Result<void> add_row(const Json& row, bool forecast_only, Answer& answer) {
  const auto from = time_member(row, "from");
  if (!from) return tl::unexpected(from.error());
  const auto to = time_member(row, "to");
  if (!to) return tl::unexpected(to.error());
  const Nanoseconds length = *to - *from;
  if (length <= Nanoseconds{0} || length > hours(24)) return fail("an interval that ends before it begins, or too late");
  answer.resolution = length;
  const Json* intensity = member(row, "intensity");
  if (intensity == nullptr) return fail("no \"intensity\"");
  if (!forecast_only && member(*intensity, "actual") != nullptr) {
    const auto actual = number_member(*intensity, "actual");
    if (!actual) return tl::unexpected(actual.error());
    if (*actual) {
      answer.points.push_back({*from, GramsPerKwh(**actual), PointKind::observed, {}});
      return {};
    }
  }
  const auto forecast = number_member(*intensity, "forecast");
  if (!forecast) return tl::unexpected(forecast.error());
  if (*forecast)
    answer.points.push_back({*from, GramsPerKwh(**forecast), PointKind::forecast, forecast_band(SignalKind::average, {})});
  return {};
}

}  // namespace

Result<Answer> parse_gb(std::string_view body, bool forecast_only) {
  const auto json = parse_json(body);
  if (!json) return tl::unexpected(json.error());
  const Json* data = member(*json, "data");
  if (data == nullptr) return fail("no \"data\"");
  Answer answer;
  // A region, alone or in a list of one, holds its own list.
  const Json* region = data->is_array() && data->size() == 1 ? &data->front() : data;
  if (const Json* inner = array_member(*region, "data"); inner != nullptr) {
    answer.name = text_member(*region, "shortname");
    data = inner;
  }
  if (!data->is_array()) return fail("\"data\" is no list");
  for (const Json& row : *data) {
    if (auto added = add_row(row, forecast_only, answer); !added) return tl::unexpected(added.error());
  }
  return answer;
}

std::unique_ptr<Provider> make_uk(ProviderSettings settings) {
  return std::make_unique<GbCarbonIntensity>(std::move(settings));
}

}  // namespace gramwatt::grid
