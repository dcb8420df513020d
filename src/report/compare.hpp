#pragma once

#include <string>
#include <vector>

#include "ledger/record.hpp"
#include "report/format.hpp"

namespace gramwatt::report {

/// Each run against the first: differences and ratios in which shared errors cancel, and whether the rest is more than chance.
[[nodiscard]] std::string compare(const std::vector<ledger::RunRecord>& records, const Style& style);
[[nodiscard]] std::string compare_json(const std::vector<ledger::RunRecord>& records);

}  // namespace gramwatt::report
