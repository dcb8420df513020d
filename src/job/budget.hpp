#pragma once
// A run, or a project in a period, that may use so much and no more.
//
// At 80 % it is said; at 100 % the program is asked to end, in the way that it is asked to save, and is waited for. It is never
// killed: a budget that is overdrawn by what a checkpoint takes is better than a checkpoint that is lost. What it will need by
// its end is told once, as soon as its power says so.
//
// Pure arithmetic: no clock, no I/O, no allocation unless there is something to say. Thread safety: one thread.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/quantity.hpp"

namespace gramwatt::job {

/// What was used so far.
struct Used {
  Joules energy;    ///< at the plug (node)
  Joules facility;  ///< × PUE: what is paid for
  Grams carbon;     ///< life-cycle average + manufacturing, as carbon.total

  Used& operator+=(const Used& o) {
    energy += o.energy;
    facility += o.facility;
    carbon += o.carbon;
    return *this;
  }
};

/// One limit. Money is energy at the building's meter, at its price.
struct Budget {
  enum class Of : std::uint8_t { energy, facility, carbon };
  Of of = Of::energy;
  Joules energy;     ///< of the first two
  Grams carbon;      ///< of the third
  std::string name;  ///< for people: "500g", "5kg/month of project mnist"
  Used before;       ///< by others who draw on it

  [[nodiscard]] Ratio spent(const Used& used) const;
};

class BudgetWatch {
 public:
  /// `duration`: running time that the program is thought to need. `say` gets a line for people.
  BudgetWatch(std::vector<Budget> budgets, std::optional<Nanoseconds> duration, std::function<void(const std::string&)> say);

  [[nodiscard]] bool on() const { return !lines_.empty(); }
  /// The duration is known better.
  void expect(Nanoseconds duration) { duration_ = duration; }
  /// What was used so far, after so much running. True, once: a budget is used up, and the program is to be ended.
  [[nodiscard]] bool feed(const Used& used, Nanoseconds running);
  /// A line a budget for the record: how much of it is used at the end.
  [[nodiscard]] std::vector<std::string> told(const Used& used) const;

 private:
  struct Line {
    Budget budget;
    bool warned = false, foretold = false;
  };
  void foretell(Line& line, const Used& used, Nanoseconds running) const;

  std::vector<Line> lines_;
  std::optional<Nanoseconds> duration_;
  std::function<void(const std::string&)> say_;
  bool stopped_ = false;
};

}  // namespace gramwatt::job
