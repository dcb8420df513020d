#include "cli/budget_request.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "base/text.hpp"
#include "job/run.hpp"
#include "ledger/ledger.hpp"

namespace gramwatt::cli {
namespace {

using job::Budget;

constexpr const char* kShapes = "such as 500g, 2kWh, or 3EUR with --electricity-price 0.25/kWh";

tl::unexpected<Error> usage(std::string what, std::string remedy) {
  return fail(std::move(what), "--budget", std::move(remedy), Error::Kind::usage);
}

/// "1.5kg": a number above zero and what follows it.
struct Amount {
  double number = 0;
  std::string unit;
};

std::optional<Amount> parse_amount(std::string_view text) {
  text = trim(text);
  const auto* const end = std::find_if_not(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  const auto digits = static_cast<std::size_t>(end - text.begin());
  const auto number = parse_number<double>(text.substr(0, digits));
  if (!number || !(*number > 0)) return std::nullopt;
  return Amount{*number, std::string(trim(text.substr(digits)))};
}

/// A currency by its ISO 4217 code.
bool is_currency(std::string_view unit) {
  return unit.size() == 3 && std::all_of(unit.begin(), unit.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

Nanoseconds began(std::string_view period, Nanoseconds now, bool& known) {
  using namespace std::chrono;
  const auto day = floor<days>(sys_time<Nanoseconds>(now));
  const year_month_day date(day);
  known = true;
  if (period == "day") return day.time_since_epoch();
  if (period == "week") return (day - (weekday(day) - Monday)).time_since_epoch();
  if (period == "month") return sys_days(date.year() / date.month() / 1).time_since_epoch();
  if (period == "year") return sys_days(date.year() / January / 1).time_since_epoch();
  known = false;
  return {};
}

/// Runs that started in the period, outer ones only. What still runs is not settled yet, and is not in it.
Result<job::Used> used_by_project(const std::filesystem::path& path, const std::string& project, Nanoseconds since) {
  job::Used sum;
  const auto ledger = ledger::Ledger::open_read_only(path);
  if (!ledger) return tl::unexpected(ledger.error());
  ledger::Filter filter;
  filter.project = project;
  filter.since = since;
  const auto runs = ledger->list(filter);
  if (!runs) return tl::unexpected(runs.error());
  for (const ledger::RunRecord& r : *runs) {
    if (!r.parent && r.state != ledger::State::running) sum += job::used_by(r);
  }
  return sum;
}

}  // namespace

Result<Price> parse_price(const std::string& text) {
  std::string_view rest = trim(text);
  if (rest.ends_with("/kWh")) rest = trim(rest.substr(0, rest.size() - 4));
  const auto amount = parse_amount(rest);
  if (!amount || (!amount->unit.empty() && !is_currency(amount->unit)))
    return fail(fmt::format("\"{}\" is no price of electricity", text), "--electricity-price",
                "such as 0.25/kWh or 0.25EUR/kWh", Error::Kind::usage);
  return Price{amount->number, amount->unit};
}

Result<Budget> parse_budget(const std::string& text, const std::optional<Price>& price) {
  const auto amount = parse_amount(text);
  if (!amount) return usage(fmt::format("\"{}\" is no budget", text), kShapes);
  Budget b;
  b.name = text;
  constexpr std::array<std::pair<std::string_view, double>, 3> kMasses{{{"g", 1}, {"kg", 1e3}, {"t", 1e6}}};
  for (const auto& [unit, grams] : kMasses) {
    if (amount->unit != unit) continue;
    b.of = Budget::Of::carbon;
    b.carbon = Grams(amount->number * grams);
    return b;
  }
  if (is_currency(amount->unit)) {
    if (!price) return usage(fmt::format("what does electricity cost? \"{}\" is money", text), "--electricity-price 0.25/kWh");
    if (!price->currency.empty() && price->currency != amount->unit)
      return usage(fmt::format("\"{}\" is not in {}, as the price is", text, price->currency), "name one currency");
    b.of = Budget::Of::facility;
    b.energy = kwh(amount->number / price->per_kwh);
    return b;
  }
  const auto energy = parse_energy(text);
  if (!energy) return usage(fmt::format("\"{}\" is no budget", text), kShapes);
  b.energy = *energy;
  return b;
}

Result<PeriodBudget> parse_period_budget(const std::string& text, const std::optional<Price>& price, Nanoseconds now) {
  const auto slash = text.find('/');
  bool known = false;
  PeriodBudget out;
  if (slash != std::string::npos) out.since = began(trim(std::string_view(text).substr(slash + 1)), now, known);
  if (!known)
    return fail(fmt::format("\"{}\" names no period", text), "budgets", "such as 5kg/month; day, week, month or year",
                Error::Kind::usage);
  auto budget = parse_budget(text.substr(0, slash), price);
  if (!budget) return tl::unexpected(budget.error());
  out.budget = std::move(*budget);
  out.budget.name = text;
  return out;
}

Result<std::vector<Budget>> budgets_of(const Invocation& invocation, const Settings& settings,
                                       const std::optional<std::string>& project, Nanoseconds now) {
  std::vector<Budget> all;
  std::optional<Price> price;
  const auto priced = invocation.get("electricity-price");
  if (const auto text = priced ? priced : settings.config.electricity_price) {
    const auto parsed = parse_price(*text);
    if (!parsed) return tl::unexpected(parsed.error());
    price = *parsed;
  }
  if (const auto text = invocation.get("budget")) {
    auto budget = parse_budget(*text, price);
    if (!budget) return tl::unexpected(budget.error());
    all.push_back(std::move(*budget));
  }
  const auto own = project ? settings.config.budgets.find(*project) : settings.config.budgets.end();
  if (own == settings.config.budgets.end()) return all;
  auto budget = parse_period_budget(own->second, price, now);
  if (!budget) return tl::unexpected(budget.error());
  const auto before = used_by_project(settings.ledger, *project, budget->since);
  if (!before) return tl::unexpected(before.error());
  budget->budget.before = *before;
  budget->budget.name += " of project " + *project;
  if (budget->budget.spent({}) >= Ratio(1))
    return fail("the budget of " + budget->budget.name + " is used up", {},
                "it begins anew with the next period; or change [budgets] in " + config_path().string());
  all.push_back(std::move(budget->budget));
  return all;
}

}  // namespace gramwatt::cli
