#include "job/budget.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace gramwatt::job {
namespace {

using namespace std::chrono_literals;

constexpr double kNearlySpent = 0.8;
/// Power of so short a time says nothing about the rest: a twentieth of the run, within these bounds.
constexpr Nanoseconds kSoonest = 1s, kLatest = 60s;

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

}  // namespace

Ratio Budget::spent(const Used& used) const {
  Used all = before;
  all += used;
  switch (of) {
    case Of::energy: return Ratio(all.energy / energy);
    case Of::facility: return Ratio(all.facility / energy);
    case Of::carbon: break;
  }
  return Ratio(all.carbon / carbon);
}

BudgetWatch::BudgetWatch(std::vector<Budget> budgets, std::optional<Nanoseconds> duration,
                         std::function<void(const std::string&)> say)
    : duration_(duration), say_(std::move(say)) {
  for (Budget& b : budgets) lines_.push_back({std::move(b), false, false});
}

bool BudgetWatch::feed(const Used& used, Nanoseconds running) {
  if (stopped_) return false;
  for (Line& line : lines_) {
    const double spent = line.budget.spent(used).value();
    if (spent >= 1) {
      stopped_ = true;
      if (say_) say_("the budget of " + line.budget.name + " is used up: the program is asked to end");
      return true;
    }
    if (spent >= kNearlySpent && !std::exchange(line.warned, true) && say_)
      say_(fmt::format("{} of the budget of {} is used", percent(spent), line.budget.name));
    foretell(line, used, running);
  }
  return false;
}

/// The rest is thought to draw what the run has drawn so far.
void BudgetWatch::foretell(Line& line, const Used& used, Nanoseconds running) const {
  if (line.foretold || !duration_ || running >= *duration_) return;
  if (running < std::clamp<Nanoseconds>(*duration_ / 20, kSoonest, kLatest)) return;
  const double whole = static_cast<double>(duration_->count()) / static_cast<double>(running.count());
  const double before = line.budget.spent({}).value();
  const double predicted = before + (line.budget.spent(used).value() - before) * whole;
  if (predicted <= 1) return;
  line.foretold = true;
  if (say_)
    say_(
        fmt::format("as it goes on it will have used {} of the budget of {} by its end", percent(predicted), line.budget.name));
}

std::vector<std::string> BudgetWatch::told(const Used& used) const {
  std::vector<std::string> out;
  for (const Line& line : lines_)
    out.push_back(fmt::format("budget: {} of {} used at its end{}", percent(line.budget.spent(used).value()), line.budget.name,
                              line.budget.spent({}).value() > 0
                                  ? fmt::format(", {} of it before this run", percent(line.budget.spent({}).value()))
                                  : ""));
  return out;
}

}  // namespace gramwatt::job
