#include <nlohmann/json.hpp>

#include "report/summary.hpp"

namespace gramwatt::report {

std::string estimate_json(const ledger::RunRecord& record) {
  const auto whole = nlohmann::ordered_json::parse(ledger::to_json(record, -1));
  nlohmann::ordered_json out{{"schema", "gramwatt.estimate/1"}, {"duration_s", whole.at("duration_s")}};
  for (const char* part : {"host", "place", "energy", "carbon", "intensity"}) out[part] = whole.at(part);
  return out.dump(2);
}

}  // namespace gramwatt::report
