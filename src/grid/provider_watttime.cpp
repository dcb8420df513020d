// WattTime v3: the marginal operating emission rate (MOER) of the power plants that would answer to a little more load.
//
// https://docs.watttime.org. Log in with user and password for a token that lasts 30 minutes; the token may end sooner, and
// then the gateway answers 401, or 403 with a page of HTML: one new login mends it. A 403 with JSON is a plan that does not
// cover the region. Windows are asked for in pieces of 30 days as the service's own client does, with ends inclusive.

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "grid/provider_json.hpp"
#include "grid/web_provider.hpp"

namespace gramwatt::grid {
namespace {

using std::chrono::hours;

constexpr double kGramsPerKwhPerPoundPerMwh = 0.45359237;  // the international pound, 1959
constexpr Nanoseconds kStep = std::chrono::minutes(5);
constexpr Nanoseconds kPiece = hours(24 * 30);
constexpr std::chrono::minutes kTokenLasts{29};  // of 30: the last minute is for the request that it goes with
constexpr int kLongestForecast = 72;             // hours
constexpr const char* kSignalType = "co2_moer";

// What another honest model of the margin would say. Assumed ±30 %: for California 2020 EPA's AVERT has 452 g/kWh where this
// series has 245, but they ask different questions; regressions on fossil load are within 15 % of AVERT in seven of eight
// regions and the hour-to-hour truth of a margin is seen by nobody.
constexpr Shift kModelError = Shift::symmetric(0.30);

Result<Point> point_of(const Json& row, PointKind kind, double value) {
  const auto start = time_member(row, "point_time");
  if (!start) return tl::unexpected(start.error());
  const Json* imputed = member(row, "imputed_data_used");
  const bool estimated = kind == PointKind::observed && imputed != nullptr && imputed->is_boolean() && imputed->get<bool>();
  return Point{*start, GramsPerKwh(value * kGramsPerKwhPerPoundPerMwh), estimated ? PointKind::estimated : kind, {}};
}

/// What stands beside the data: unit, step, model, warnings.
Result<void> read_meta(const Json& meta, Answer& answer) {
  const std::string units = text_member(meta, "units");
  if (units != "lbs_co2_per_mwh") return fail("values in \"" + units + "\", not in lbs_co2_per_mwh");
  if (const Json* period = member(meta, "data_point_period_seconds"); period != nullptr) {
    const auto length = number_of(*period, "data_point_period_seconds");
    if (!length || !*length || **length < 1 || **length > 86'400) return fail("\"data_point_period_seconds\" is no step");
    answer.resolution = std::chrono::seconds(static_cast<std::int64_t>(**length));
  }
  if (const Json* model = member(meta, "model"); model != nullptr) answer.name = text_member(*model, "date");
  if (member(meta, "generated_at") != nullptr) {
    const auto made = time_member(meta, "generated_at");
    if (!made) return tl::unexpected(made.error());
    answer.made = *made;
  }
  if (const Json* warnings = array_member(meta, "warnings"); warnings != nullptr) {
    for (const Json& warning : *warnings) {
      const std::string text = warning.is_string() ? warning.get<std::string>() : text_member(warning, "message");
      if (!text.empty()) answer.warnings.push_back(text);
    }
  }
  return {};
}

class WattTime final : public WebProvider {
 public:
  explicit WattTime(ProviderSettings settings)
      : WebProvider(
            Service({"WattTime", "https://api.watttime.org",
                     "check GRAMWATT_WATTTIME_USER and GRAMWATT_WATTTIME_PASSWORD, and that the plan covers this region "
                     "(the free one: CAISO_NORTH)"},
                    std::move(settings))) {}

  [[nodiscard]] std::string_view name() const override { return "watttime"; }
  [[nodiscard]] SignalKind signal() const override { return SignalKind::marginal; }

 protected:
  [[nodiscard]] Result<Series> observed(const Where& where, Window window) override {
    const auto region = region_of(where);
    if (!region) return tl::unexpected(region.error());
    window.start = std::chrono::floor<std::chrono::minutes>(window.start);
    window.start -= window.start % kStep;  // the point that holds at the start
    auto answer = in_pieces(window, kPiece, [&](Window piece) -> Result<Answer> {
      const auto body = get({"/v3/historical",
                             {{"region", *region},
                              {"signal_type", kSignalType},
                              {"start", to_second(piece.start)},
                              {"end", to_second(piece.end - std::chrono::seconds(1))}},  // inclusive
                             {},
                             patience_for(piece)});
      if (!body) return tl::unexpected(body.error());
      return read(parse_watttime(*body, PointKind::observed));
    });
    if (!answer) return tl::unexpected(answer.error());
    return series(std::move(*answer), *region);
  }

  [[nodiscard]] Result<Series> ahead(const Where& where, Window window) override {
    const auto region = region_of(where);
    if (!region) return tl::unexpected(region.error());
    const auto length = std::min<std::int64_t>(kLongestForecast, std::chrono::ceil<hours>(window.length()).count());
    const auto body = get(
        {"/v3/forecast", {{"region", *region}, {"signal_type", kSignalType}, {"horizon_hours", std::to_string(length)}}, {}});
    if (!body) return tl::unexpected(body.error());
    auto answer = read(parse_watttime(*body, PointKind::forecast));
    if (!answer) return tl::unexpected(answer.error());
    return series(std::move(*answer), *region);
  }

 private:
  static std::string to_second(Nanoseconds utc) { return iso8601(utc).substr(0, 19) + "Z"; }

  Series series(Answer answer, const std::string& region) {
    Signal s;
    s.kind = SignalKind::marginal;
    s.factor = "direct";
    s.basis = "production";
    s.gas = "CO2";
    s.source = "WattTime v3 co2_moer, region " + region + (answer.name.empty() ? "" : ", model " + service_.clean(answer.name));
    s.licence = "WattTime's terms: own use, not to be passed on";
    s.fit_for = {"accounting", "scheduling"};
    return series_of(std::move(answer), std::move(s), {{"marginal-model:watttime", kModelError}}, kStep);
  }

  [[nodiscard]] Result<void> log_in() {
    const auto& user = service_.secret("user");
    const auto body =
        service_.fetch({"/login", {}, {{"Authorization", net::basic_authorization(user, service_.secret("password"))}}});
    if (!body) return tl::unexpected(body.error());
    const auto token = read(parse_watttime_token(*body));
    if (!token) return tl::unexpected(token.error());
    service_.keep_secret("session", *token);
    token_until_ = service_.now() + kTokenLasts;
    return {};
  }

  /// A request with a token, logging in where there is none and once more where it is refused.
  [[nodiscard]] Result<std::string> get(Ask ask) {
    const bool fresh = service_.now() >= token_until_;
    for (bool again = false;; again = true) {
      if (again || fresh) {
        if (auto done = log_in(); !done) return tl::unexpected(done.error());
      }
      ask.headers = {{"Authorization", "Bearer " + service_.secret("session")}};
      auto answer = service_.ask(ask);
      if (!answer) return tl::unexpected(answer.error());
      if (answer->status == 200) return std::move(answer->body);
      const bool plan = contains_ignoring_case(message_in(answer->body), "scope");
      const bool stale = (answer->status == 401 || answer->status == 403) && !plan;
      if (!stale || again) return tl::unexpected(service_.refusal(*answer));
    }
  }

  [[nodiscard]] Result<std::string> region_of(const Where& where) {
    if (where.latitude && where.longitude) return region_at(*where.latitude, *where.longitude);
    // WattTime's own names ("CAISO_NORTH", "PSCO") have no dash; zones beyond a country's two letters have.
    const std::string& zone = where.zone;
    if (zone.size() > 2 && zone.find('-') == std::string::npos) return zone;
    if (zone == "US-CAL-CISO") {
      notes_.emplace_back("without coordinates WattTime's CAISO_NORTH stands for all of US-CAL-CISO");
      return std::string("CAISO_NORTH");
    }
    return tl::unexpected(service_.usage("finds its region by coordinates, and none are given",
                                         "give --lat and --lon or --place, or a region of its own as the zone (CAISO_NORTH)"));
  }

  [[nodiscard]] Result<std::string> region_at(double latitude, double longitude) {
    const std::string key = fmt::format("{},{}", latitude, longitude);
    if (key == place_) return region_;
    const auto body = get(
        {"/v3/region-from-loc",
         {{"latitude", fmt::format("{}", latitude)}, {"longitude", fmt::format("{}", longitude)}, {"signal_type", kSignalType}},
         {}});
    if (!body) return tl::unexpected(body.error());
    const auto region = read(parse_watttime_region(*body));
    if (!region) return region;
    place_ = key;
    region_ = *region;
    return region;
  }

  Nanoseconds token_until_ = Nanoseconds::min();
  std::string place_, region_;  ///< the last place that was looked up
};

}  // namespace

Result<Answer> parse_watttime(std::string_view body, PointKind kind) {
  const auto json = parse_json(body);
  if (!json) return tl::unexpected(json.error());
  const Json* data = array_member(*json, "data");
  const Json* meta = member(*json, "meta");
  if (data == nullptr || meta == nullptr) return fail("no \"data\" and \"meta\"");
  Answer answer;
  if (auto read = read_meta(*meta, answer); !read) return tl::unexpected(read.error());
  for (const Json& row : *data) {
    const auto value = number_member(row, "value");
    if (!value) return tl::unexpected(value.error());
    if (!*value) continue;
    const auto point = point_of(row, kind, **value);
    if (!point) return tl::unexpected(point.error());
    answer.points.push_back(*point);
  }
  return answer;
}

Result<std::string> parse_watttime_token(std::string_view body) {
  const auto json = parse_json(body);
  std::string token = json ? text_member(*json, "token") : std::string();
  // It goes into a header.
  const bool plain = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (token.empty() || !plain) return fail("a login without a token");
  return token;
}

Result<std::string> parse_watttime_region(std::string_view body) {
  const auto json = parse_json(body);
  std::string region = json ? text_member(*json, "region") : std::string();
  if (region.empty() || region.size() > 64) return fail("no \"region\"");
  return region;
}

std::unique_ptr<Provider> make_watttime(ProviderSettings settings) { return std::make_unique<WattTime>(std::move(settings)); }

}  // namespace gramwatt::grid
