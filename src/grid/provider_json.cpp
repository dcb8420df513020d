#include "grid/provider_json.hpp"

#include <cmath>

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace gramwatt::grid {

const Json* member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

const Json* array_member(const Json& object, const char* key) {
  const Json* found = member(object, key);
  return found != nullptr && found->is_array() ? found : nullptr;
}

std::string text_member(const Json& object, const char* key) {
  const Json* found = member(object, key);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

Result<Nanoseconds> time_member(const Json& object, const char* key) {
  const std::string text = text_member(object, key);
  const auto time = parse_iso8601(text);
  if (!time) return fail(std::string("\"") + key + "\" is no time: \"" + text + "\"");
  return *time;
}

Result<std::optional<double>> number_of(const Json& value, const char* name) {
  if (value.is_null()) return std::optional<double>();
  std::optional<double> number;
  if (value.is_number()) number = value.get<double>();
  else if (value.is_string()) number = parse_number<double>(value.get_ref<const std::string&>());
  if (!number || !std::isfinite(*number)) return fail(std::string("\"") + name + "\" is no number");
  return number;
}

Result<std::optional<double>> number_member(const Json& object, const char* key) {
  const Json* found = member(object, key);
  if (found == nullptr) return fail(std::string("no \"") + key + "\"");
  return number_of(*found, key);
}

Result<Json> parse_json(std::string_view text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return fail("it is no JSON, or is cut short (" + std::to_string(text.size()) + " bytes)");
  return json;
}

std::string message_in(std::string_view body) {
  // ENTSO-E: <Reason><code>999</code><text>No matching data found …</text></Reason>
  if (const auto open = body.find("<text>"); open != std::string_view::npos && contains(body, "<Reason>")) {
    const auto start = open + std::string_view("<text>").size();
    const auto end = body.find("</text>", start);
    return std::string(body.substr(start, end == std::string_view::npos ? end : end - start));
  }
  const auto json = parse_json(body);
  if (!json) return {};
  if (json->is_string()) return json->get<std::string>();
  for (const char* key : {"message", "error", "detail", "title"}) {
    const Json* found = member(*json, key);
    if (found == nullptr) continue;
    if (found->is_string()) return found->get<std::string>();
    if (const std::string inner = text_member(*found, "message"); !inner.empty()) return inner;
  }
  return {};
}

}  // namespace gramwatt::grid
