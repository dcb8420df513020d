// What Redfish's JSON says. See bmc.cpp.
//
// Power 1.7 (DSP2046): PowerControl[].PowerConsumedWatts, the first entry that has one: by the schema's own examples it is the
// whole chassis, those that follow are parts (CPU, memory). EnvironmentMetrics 1.3: PowerWatts.Reading. Sensor 1.7: Reading in
// ReadingUnits "W". Numbers may be null where the sensor is asleep.

#include <nlohmann/json.hpp>

#include <cmath>

#include "sense/bmc.hpp"

namespace gramwatt::sense {
namespace {

using nlohmann::json;

json parse(std::string_view body) { return json::parse(body, nullptr, false); }

const json* member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

std::optional<Watts> watts(const json* value) {
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const auto number = value->get<double>();
  return std::isfinite(number) && number >= 0 ? std::optional(Watts(number)) : std::nullopt;
}

std::string text(const json* value) { return value != nullptr && value->is_string() ? value->get<std::string>() : ""; }

}  // namespace

std::optional<Watts> parse_redfish_power(std::string_view body) {
  const json j = parse(body);
  if (const json* control = member(j, "PowerControl"); control != nullptr && control->is_array()) {
    for (const json& entry : *control) {
      if (const auto power = watts(member(entry, "PowerConsumedWatts"))) return power;
    }
    return std::nullopt;
  }
  if (const json* power = member(j, "PowerWatts")) return watts(member(*power, "Reading"));
  if (text(member(j, "ReadingUnits")) == "W") return watts(member(j, "Reading"));
  return std::nullopt;
}

std::vector<std::string> parse_redfish_members(std::string_view body) {
  constexpr std::size_t kMostMembers = 64;
  std::vector<std::string> paths;
  const json j = parse(body);
  const json* members = member(j, "Members");
  if (members == nullptr || !members->is_array()) return paths;
  for (const json& entry : *members) {
    std::string path = text(member(entry, "@odata.id"));
    while (path.ends_with('/')) path.pop_back();
    // What a controller says becomes part of a request: nothing but a plain path.
    const bool plain = path.starts_with("/redfish/v1/") && path.find_first_of(" \t\r\n?#") == std::string::npos;
    if (plain && paths.size() < kMostMembers) paths.push_back(std::move(path));
  }
  return paths;
}

bool is_redfish_computer(std::string_view body) {
  const json j = parse(body);
  const json* links = member(j, "Links");
  const json* systems = links != nullptr ? member(*links, "ComputerSystems") : nullptr;
  if (systems == nullptr || !systems->is_array() || systems->empty()) return false;
  // Boards and modules inside a case are linked to the computer too.
  const std::string type = text(member(j, "ChassisType"));
  return type != "Module" && type != "Component" && type != "Card" && type != "Zone" && type != "StorageEnclosure";
}

}  // namespace gramwatt::sense
