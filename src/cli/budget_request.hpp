#pragma once
// `--budget 500g` and the budgets of projects in the configuration: what is allowed, and what of it is gone.

#include <string>
#include <vector>

#include "cli/context.hpp"
#include "job/budget.hpp"

namespace gramwatt::cli {

/// "0.25/kWh", "0.25 EUR/kWh", "0.25": money by kWh, and the currency where one is named.
struct Price {
  double per_kwh = 0;
  std::string currency;
};
[[nodiscard]] Result<Price> parse_price(const std::string& text);

/// "500g", "1.5kg", "2t"; "500Wh", "2kWh"; "3EUR" with a price. `name` is the text.
[[nodiscard]] Result<job::Budget> parse_budget(const std::string& text, const std::optional<Price>& price);

/// "5kg/month": the amount, and when the period that `now` lies in began (UTC; weeks begin on Monday).
struct PeriodBudget {
  job::Budget budget;
  Nanoseconds since{};
};
[[nodiscard]] Result<PeriodBudget> parse_period_budget(const std::string& text, const std::optional<Price>& price,
                                                       Nanoseconds now);

/// Everything that a run of `project` may not exceed. What others of the project used in the period comes from the ledger.
[[nodiscard]] Result<std::vector<job::Budget>> budgets_of(const Invocation& invocation, const Settings& settings,
                                                          const std::optional<std::string>& project, Nanoseconds now);

}  // namespace gramwatt::cli
