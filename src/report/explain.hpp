#pragma once

#include <string>

#include "ledger/record.hpp"
#include "report/format.hpp"

namespace gramwatt::report {

/// Derives every figure of a run: formula with its numbers, inputs, source with year, and the error budget; recomputes what it
/// can and says whether it agrees.
[[nodiscard]] std::string explain(const ledger::RunRecord& record, const Style& style);

}  // namespace gramwatt::report
