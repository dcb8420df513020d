// A Carbon Aware SDK WebApi (Green Software Foundation): somebody's own server before a source that it does not name.
//
// https://github.com/Green-Software-Foundation/carbon-aware-sdk, /emissions/bylocation and /emissions/forecasts/current. Values
// are g/kWh; whether they are marginal (its WattTime source) or average (Electricity Maps) only its operator knows, so the
// configuration says it. Locations are Azure's region names unless it was configured otherwise.

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "grid/provider_json.hpp"
#include "grid/web_provider.hpp"

namespace gramwatt::grid {
namespace {

using std::chrono::hours;

// Assumed: of a source that is not named, what WattTime's model is taken to err.
constexpr Shift kUnknownSource = Shift::symmetric(0.30);

class CarbonAwareSdk final : public WebProvider {
 public:
  explicit CarbonAwareSdk(ProviderSettings settings)
      : WebProvider(Service({"Carbon Aware SDK", "", "this server wants to know who asks; gramwatt has no key for it"},
                            std::move(settings))) {}

  [[nodiscard]] std::string_view name() const override { return "carbonawaresdk"; }
  [[nodiscard]] SignalKind signal() const override { return service_.settings().signal; }

 protected:
  [[nodiscard]] Result<Series> observed(const Where& where, Window window) override {
    const auto location = location_of(where);
    if (!location) return tl::unexpected(location.error());
    const auto answer = service_.ask({"/emissions/bylocation",
                                      {{"location", *location},
                                       {"time", to_minute(window.start - hours(1))},  // the point that holds at the start
                                       {"toTime", to_minute(window.end)}},
                                      {}});
    if (!answer) return tl::unexpected(answer.error());
    if (answer->status == 204) return series(Answer{}, *location);
    if (answer->status != 200) return tl::unexpected(service_.refusal(*answer));
    auto read = this->read(parse_sdk_emissions(answer->body));
    if (!read) return tl::unexpected(read.error());
    return series(std::move(*read), *location);
  }

  [[nodiscard]] Result<Series> ahead(const Where& where, Window /*window*/) override {
    const auto location = location_of(where);
    if (!location) return tl::unexpected(location.error());
    // Without a window: it refuses one that reaches beyond what it has. Without windowSize: that would smooth the values.
    const auto body = service_.fetch({"/emissions/forecasts/current", {{"location", *location}}, {}});
    if (!body) return tl::unexpected(body.error());
    auto answer = read(parse_sdk_forecast(*body));
    if (!answer) return tl::unexpected(answer.error());
    return series(std::move(*answer), *location);
  }

 private:
  [[nodiscard]] Result<std::string> location_of(const Where& where) const {
    if (!where.cloud_region.empty()) return where.cloud_region;
    if (!where.zone.empty()) return where.zone;
    return tl::unexpected(service_.usage("needs a cloud region or a zone", "--zone with a location that it knows"));
  }

  Series series(Answer answer, const std::string& location) {
    const bool marginal = signal() == SignalKind::marginal;
    Signal s;
    s.kind = signal();
    s.factor = marginal ? "direct" : service_.settings().factor;
    s.basis = marginal ? "production" : "consumption";
    s.source = "Carbon Aware SDK, location " + location +
               (answer.name.empty() || answer.name == location ? "" : " (" + service_.clean(answer.name) + ")");
    s.licence = "of the source behind it";
    s.fit_for = {"accounting", "scheduling"};
    notes_.push_back("a Carbon Aware SDK does not say what its values are; by the configuration: " +
                     std::string(to_string(s.kind)) + ", " + s.factor);
    return series_of(std::move(answer), std::move(s), {{"source:carbonawaresdk", kUnknownSource}}, hours(1));
  }
};

/// "01:00:00", "01:00", or a number of minutes.
Result<Nanoseconds> duration_of(const Json& row) {
  const Json* found = member(row, "duration");
  if (found == nullptr || found->is_null()) return Nanoseconds{0};
  Nanoseconds length{-1};
  if (found->is_number()) {
    const double minutes = found->get<double>();
    if (minutes > 0 && minutes <= 1440) length = std::chrono::minutes(static_cast<std::int64_t>(minutes));
  } else if (found->is_string()) {
    const auto parts = split(found->get_ref<const std::string&>(), ':');
    const auto h = parse_number<std::uint16_t>(parts[0]);
    const auto m = parts.size() > 1 ? parse_number<std::uint16_t>(parts[1]) : std::nullopt;
    const auto s = parts.size() > 2 ? parse_number<std::uint16_t>(parts[2]) : std::optional<std::uint16_t>(0);
    if (h && m && s && parts.size() <= 3) length = hours(*h) + std::chrono::minutes(*m) + std::chrono::seconds(*s);
  }
  if (length < Nanoseconds{0} || length > hours(24)) return fail("\"duration\" is none");
  return length;
}

Result<void> add_row(const Json& row, const char* time, const char* value, PointKind kind, Answer& answer) {
  const auto start = time_member(row, time);
  if (!start) return tl::unexpected(start.error());
  const auto number = number_member(row, value);
  if (!number) return tl::unexpected(number.error());
  const auto length = duration_of(row);
  if (!length) return tl::unexpected(length.error());
  answer.resolution = *length;
  if (answer.name.empty()) answer.name = text_member(row, "location");
  if (*number) answer.points.push_back({*start, GramsPerKwh(**number), kind, {}});
  return {};
}

}  // namespace

Result<Answer> parse_sdk_emissions(std::string_view body) {
  const auto json = parse_json(body);
  if (!json) return tl::unexpected(json.error());
  if (!json->is_array()) return fail("no list");
  Answer answer;
  for (const Json& row : *json) {
    if (auto added = add_row(row, "time", "rating", PointKind::observed, answer); !added) return tl::unexpected(added.error());
  }
  return answer;
}

Result<Answer> parse_sdk_forecast(std::string_view body) {
  const auto json = parse_json(body);
  if (!json) return tl::unexpected(json.error());
  const Json* forecast = json->is_array() && !json->empty() ? &json->front() : &*json;
  const Json* rows = array_member(*forecast, "forecastData");
  if (rows == nullptr) return fail("no \"forecastData\"");
  Answer answer;
  if (member(*forecast, "generatedAt") != nullptr) {
    const auto made = time_member(*forecast, "generatedAt");
    if (!made) return tl::unexpected(made.error());
    answer.made = *made;
  }
  for (const Json& row : *rows) {
    if (auto added = add_row(row, "timestamp", "value", PointKind::forecast, answer); !added)
      return tl::unexpected(added.error());
  }
  return answer;
}

std::unique_ptr<Provider> make_carbonawaresdk(ProviderSettings settings) {
  return std::make_unique<CarbonAwareSdk>(std::move(settings));
}

}  // namespace gramwatt::grid
