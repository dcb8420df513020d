#pragma once

#include <string>

#include "ledger/record.hpp"
#include "report/format.hpp"

namespace gramwatt::report {

/// What `run` prints at the end, and `show`: fits a screen of 80 × 24. `kept`: it is in the ledger, and can be shown again.
[[nodiscard]] std::string summary(const ledger::RunRecord& record, const Style& style, std::size_t width, bool kept = true);

/// The parts of a record that an estimate has (host, place, energy, carbon, intensity), as JSON of schema
/// "gramwatt.estimate/1".
[[nodiscard]] std::string estimate_json(const ledger::RunRecord& record);

/// The command on one line, quoted as a shell would need it, at most `width` columns.
[[nodiscard]] std::string command_line(const std::vector<std::string>& command, std::size_t width, const Style& style);

/// The short form of a run's id for people: its last eight characters, the random part.
[[nodiscard]] std::string short_id(const std::string& id);

}  // namespace gramwatt::report
