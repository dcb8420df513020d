#pragma once
// Reading the JSON of services: what is absent, null or of another type is told apart and never becomes a zero.

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace gramwatt::grid {

using Json = nlohmann::json;

/// The member, or null where there is none (or `object` is no object).
[[nodiscard]] const Json* member(const Json& object, const char* key);
/// The array of that name, or null where there is none.
[[nodiscard]] const Json* array_member(const Json& object, const char* key);
/// A text member; empty where there is none.
[[nodiscard]] std::string text_member(const Json& object, const char* key);
/// A time member (ISO 8601).
[[nodiscard]] Result<Nanoseconds> time_member(const Json& object, const char* key);
/// A number, or a number as text; nothing for null. An Error where the member is absent or something else.
[[nodiscard]] Result<std::optional<double>> number_member(const Json& object, const char* key);
[[nodiscard]] Result<std::optional<double>> number_of(const Json& value, const char* name);

/// The whole text as JSON. An Error says where it ends to be.
[[nodiscard]] Result<Json> parse_json(std::string_view text);

/// What a service says about a failure: the message in its JSON or XML, "" where there is none (HTML of a proxy has none).
[[nodiscard]] std::string message_in(std::string_view body);

}  // namespace gramwatt::grid
