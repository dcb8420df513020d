#pragma once
// How a receipt is said: two or three rows in a summary, and every figure of it in an explanation.

#include <string>
#include <vector>

#include "ledger/record.hpp"
#include "report/format.hpp"

namespace gramwatt::report {

struct ReceiptRow {
  std::string label;
  Figure figure;
  std::string note;
};

/// The saving by the signal that was planned with, by the other one where it is known, and what pausing and waiting cost.
[[nodiscard]] std::vector<ReceiptRow> receipt_rows(const ledger::Receipt& receipt, const Style& style);

/// Each part with its formula, for `show --explain`.
[[nodiscard]] std::string explain_receipt(const ledger::Receipt& receipt, const ledger::Energy& energy, const Style& style);

}  // namespace gramwatt::report
