// Electricity Maps v3 and v4: average intensity of consumption, flows between zones traced.
//
// https://portal.electricitymaps.com/docs. A place that it does not know would silently become the caller's own by its IP
// address, so that look-up is switched off in both versions' words, and an answer for another zone than asked is an Error. The
// trailing day (/history) is open to every token; /past-range is not, and where it is refused the day stands in for what it
// covers.

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "grid/provider_json.hpp"
#include "grid/web_provider.hpp"

namespace gramwatt::grid {
namespace {

using std::chrono::hours;

constexpr Nanoseconds kPiece = hours(24 * 10);  // hourly values of ten days are what a call may ask for
constexpr Nanoseconds kTrailing = hours(24);
constexpr std::array kHorizons{6, 24, 48, 72};  // hours, the ones that /forecast knows

// Assumed ±15 %: annual means of its zones are within a tenth of mix × factors where mixes are complete (PJM 415 against 414,
// DE 393/384, FR 63/58, GB 231/244, ES 185/183), and its choice of coal factor alone (760 or the fleet's 1053) moves a coal
// grid by as much again.
constexpr Shift kFactorError = Shift::symmetric(0.15);
// Values that it marks as estimated are typical for the hour and month, or modelled. Assumed.
constexpr Shift kEstimated = Shift::symmetric(0.20);

class ElectricityMaps final : public WebProvider {
 public:
  explicit ElectricityMaps(ProviderSettings settings)
      : WebProvider(Service({"Electricity Maps", "https://api.electricitymaps.com",
                             "check GRAMWATT_ELECTRICITYMAPS_TOKEN, and that its plan covers this zone and endpoint"},
                            std::move(settings))) {
    // A base may name its version ("…/v4") or be an account's own address; a bare host has both versions.
    const auto url = net::parse_url(service_.settings().base_url);
    versions_ = url && url->target == "/" ? std::vector<std::string>{"/v3", "/v4"} : std::vector<std::string>{""};
  }

  [[nodiscard]] std::string_view name() const override { return "electricitymaps"; }
  [[nodiscard]] SignalKind signal() const override { return SignalKind::average; }

 protected:
  [[nodiscard]] Result<Series> observed(const Where& where, Window window) override {
    const bool recent = window.start >= service_.now() - kTrailing + hours(1);
    if (recent) return trailing_day(where);
    window.start = std::chrono::floor<hours>(window.start);  // the point that holds at the start
    auto past = in_pieces(window, kPiece, [&](Window piece) {
      return get("past-range", where, {{"start", to_minute(piece.start)}, {"end", to_minute(piece.end)}}, PointKind::observed);
    });
    if (past) return series(std::move(*past), where);
    const bool day_helps = refused_ && window.end > service_.now() - kTrailing;
    if (!day_helps) return tl::unexpected(past.error());
    notes_.emplace_back("Electricity Maps gives this token the last 24 hours only; what lies before is not told");
    return trailing_day(where);
  }

  [[nodiscard]] Result<Series> ahead(const Where& where, Window window) override {
    const auto wanted = std::chrono::ceil<hours>(window.length()).count();
    const auto* const fits = std::find_if(kHorizons.begin(), kHorizons.end() - 1, [&](int h) { return h >= wanted; });
    auto answer = get("forecast", where, {{"horizonHours", std::to_string(*fits)}}, PointKind::forecast);
    if (!answer) return tl::unexpected(answer.error());
    return series(std::move(*answer), where);
  }

 private:
  [[nodiscard]] Result<Series> trailing_day(const Where& where) {
    auto day = get("history", where, {}, PointKind::observed);
    if (!day) return tl::unexpected(day.error());
    return series(std::move(*day), where);
  }

  [[nodiscard]] Result<Answer> get(const std::string& what, const Where& where,
                                   std::vector<std::pair<std::string, std::string>> query, PointKind kind) {
    if (auto place = add_place(where, query); !place) return tl::unexpected(place.error());
    query.insert(query.end(), {{"emissionFactorType", service_.settings().factor},
                               {"disableCallerLookup", "true"},
                               {"shouldUseFallbackCallerLookup", "false"}});
    Ask ask{{}, std::move(query), {{"auth-token", service_.secret("token")}}};
    for (;;) {
      ask.path = versions_.front() + "/carbon-intensity/" + what;
      auto answer = service_.ask(ask);
      if (!answer) return tl::unexpected(answer.error());
      refused_ = answer->status == 401 || answer->status == 403;
      if (answer->status == 404 && versions_.size() > 1) {
        versions_.erase(versions_.begin());
        continue;
      }
      if (answer->status != 200) return tl::unexpected(service_.refusal(*answer));
      return checked(read(parse_electricitymaps(answer->body, kind)), where);
    }
  }

  [[nodiscard]] Result<void> add_place(const Where& where, std::vector<std::pair<std::string, std::string>>& query) const {
    if (!where.zone.empty()) query.emplace_back("zone", where.zone);
    else if (where.latitude && where.longitude)
      query.insert(query.end(), {{"lat", fmt::format("{}", *where.latitude)}, {"lon", fmt::format("{}", *where.longitude)}});
    else if (!where.cloud_region.empty())
      query.insert(query.end(), {{"dataCenterProvider", where.cloud_provider}, {"dataCenterRegion", where.cloud_region}});
    else return tl::unexpected(service_.usage("needs a place", "give --zone, --lat and --lon, or --place"));
    return {};
  }

  [[nodiscard]] Result<Answer> checked(Result<Answer> answer, const Where& where) const {
    if (answer && !where.zone.empty() && !answer->name.empty() && answer->name != where.zone)
      return tl::unexpected(service_.odd("asked for " + where.zone + ", told of " + answer->name));
    return answer;
  }

  Series series(Answer answer, const Where& where) {
    const std::string asked = service_.settings().factor;
    Signal s;
    s.factor = answer.factor.empty() ? asked : answer.factor;
    if (s.factor != asked)
      notes_.push_back("Electricity Maps was asked for " + asked + " factors and answered with " + s.factor + " ones");
    s.basis = "consumption";
    s.source = "Electricity Maps, zone " + (answer.name.empty() ? where.zone : service_.clean(answer.name));
    s.licence = "Electricity Maps' terms: own use, not to be passed on";
    s.fit_for = {"accounting", "scheduling"};
    return series_of(std::move(answer), std::move(s), {{"factors:electricitymaps", kFactorError}}, hours(1));
  }

  std::vector<std::string> versions_;  ///< path prefixes that may still be the right one
  bool refused_ = false;               ///< was the last request refused for want of rights?
};

Result<void> add_row(const Json& row, PointKind kind, Answer& answer) {
  const auto start = time_member(row, "datetime");
  if (!start) return tl::unexpected(start.error());
  const auto value = number_member(row, "carbonIntensity");
  if (!value) return tl::unexpected(value.error());
  if (const std::string factor = text_member(row, "emissionFactorType"); !factor.empty()) answer.factor = factor;
  if (!*value) return {};
  const Json* estimated = member(row, "isEstimated");
  const bool is_estimated = estimated != nullptr && estimated->is_boolean() && estimated->get<bool>();
  Point point{*start, GramsPerKwh(**value), kind, {}};
  if (is_estimated && kind == PointKind::observed) {
    point.kind = PointKind::estimated;
    point.band = kEstimated;
  }
  answer.points.push_back(point);
  return {};
}

}  // namespace

Result<Answer> parse_electricitymaps(std::string_view body, PointKind kind) {
  const auto json = parse_json(body);
  if (!json) return tl::unexpected(json.error());
  const Json* rows = nullptr;
  for (const char* key : {"history", "data", "forecast"}) {
    if (rows == nullptr) rows = array_member(*json, key);
  }
  if (rows == nullptr) return fail("no list of values");
  Answer answer;
  answer.name = text_member(*json, "zone");
  if (member(*json, "updatedAt") != nullptr && kind == PointKind::forecast) {
    const auto made = time_member(*json, "updatedAt");
    if (!made) return tl::unexpected(made.error());
    answer.made = *made;
  }
  for (const Json& row : *rows) {
    if (auto added = add_row(row, kind, answer); !added) return tl::unexpected(added.error());
  }
  return answer;
}

std::unique_ptr<Provider> make_electricitymaps(ProviderSettings settings) {
  return std::make_unique<ElectricityMaps>(std::move(settings));
}

}  // namespace gramwatt::grid
