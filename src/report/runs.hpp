#pragma once

#include <string>
#include <vector>

#include "ledger/record.hpp"
#include "report/format.hpp"

namespace gramwatt::report {

/// One line a run, newest first as given; nested runs below the run that contains them and left out of the sum.
[[nodiscard]] std::string runs_table(const std::vector<ledger::RunRecord>& records, const Style& style, std::size_t width);

/// A JSON array of records.
[[nodiscard]] std::string runs_json(const std::vector<ledger::RunRecord>& records);

}  // namespace gramwatt::report
