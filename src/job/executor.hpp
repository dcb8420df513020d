#pragma once
// What a job that may wait and pause should do now, and until when: the decisions of `gramwatt run --within`.
//
// A plan for tomorrow is made with a forecast, and tomorrow's forecast is another one. So nothing here follows a plan blindly:
// whenever something is new (a forecast, a pause that cost more than thought, progress that is measured) and whenever the plan
// has come to a change, the rest of the job is planned again from where it stands, exactly (plan/exact.hpp). The rules around:
//
//   It must pay.      A plan that waits is compared with starting at once, in all futures that the forecast's errors allow:
//                     below `min_saving` on average, or worse in more than `risk` of them, it starts. A running job pauses
//                     where that is expected to save, and more likely does than not: were the same two bounds asked of every
//                     pause, a third of the saving would be lost (61 instead of 69 % of perfect foresight, 2021 in eight US
//                     zones), because each of several pauses saves a part only, and the next forecast can call it off.
//   It ends in time.  A deadline leaves room for a job that takes longer than thought (`duration_p90`). `--within D` bounds the
//                     delay itself, finished at most D later than an undisturbed run, and needs no such room: a longer job
//                     would have been longer anyway.
//   It runs.          Without any knowledge of the grid, behind the end of the window, and for as long as a job goes on beyond
//                     its duration, the answer is "run".
//
// No clock, no process, no network: the same code is driven by the real loop (scheduled_run.cpp) and, under a virtual clock,
// by simulations of recorded weeks (tests/fakes/simulated_job.hpp, bench/executor_forecast.cpp).
//
// Times are UTC; progress is running time. Thread safety: one thread.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "grid/intensity.hpp"
#include "plan/exact.hpp"
#include "plan/job.hpp"

namespace gramwatt::job {

/// What is known and expected of the grid, and how wrong such expectations have been.
struct Outlook {
  grid::Ladder ladder;
  std::vector<std::vector<double>> errors;  ///< relative, by hour from `errors_from`; empty: nothing is known of errors
  Nanoseconds errors_from{};
  std::string signal;  ///< "marginal: its source is fit for scheduling"
};

/// The job as it was given.
struct Assignment {
  plan::Job job;            ///< steps: energy of each slot of progress; costs of pausing and waiting
  Nanoseconds slot{};       ///< of the plan
  Nanoseconds duration{};   ///< running time that it is thought to need
  Nanoseconds created{};    ///< when it was handed in
  Nanoseconds allowance{};  ///< --within: how much later than an undisturbed run it may end
  /// --deadline, and the running time that it will not exceed in nine of ten cases.
  std::optional<Nanoseconds> deadline{};
  Nanoseconds duration_p90{};
  Ratio min_saving{0.02}, risk{0.25};
  Nanoseconds replan_every = std::chrono::hours(1);  ///< while a plan waits or runs
};

enum class Phase : std::uint8_t { waiting, running, held, off };
[[nodiscard]] std::string_view to_string(Phase phase);

/// Where the job stands.
struct Stand {
  Phase phase = Phase::waiting;
  Nanoseconds since{};  ///< UTC: of this phase
  Nanoseconds done{};   ///< running time that counts as progress
  int restarts = 0;     ///< starts after an exit so far
};

/// Another job that wants the same resource, as far as planning beside it needs.
struct Rival {
  std::string id;
  Phase phase = Phase::waiting;
  Watts power;
  Nanoseconds left{};          ///< running time
  Nanoseconds latest_start{};  ///< UTC
  bool may_exit = false;
  Joules restart_energy;
  Nanoseconds restart_time{};
};

enum class Wish : std::uint8_t { wait, run, hold, exit };

/// What people said: it outranks any plan.
enum class Order : std::uint8_t { plan, now, pause };

struct Decision {
  Wish wish = Wish::run;
  Nanoseconds until{};               ///< ask again then, at the latest
  std::string why;                   ///< for people, one line
  std::vector<grid::Window> runs{};  ///< that are planned; empty: straight on, to the end
  std::optional<Ratio> saving{};     ///< expected, of what is left, against going straight on
  std::optional<Ratio> p_worse{};    ///< how likely going straight on would have been better
  bool may_be_late = false;          ///< the deadline cannot be kept any more, as far as is known
};

class Executor {
 public:
  explicit Executor(Assignment assignment) : task_(std::move(assignment)) {}

  void learn(Outlook outlook) { outlook_ = std::move(outlook); }
  /// Nothing can be learnt of the grid. What was learnt before stays.
  void know_nothing(std::string why) { ignorance_ = std::move(why); }
  void obey(Order order) { order_ = order; }
  /// Those that share its resource now; they are planned together (plan/queue.hpp). `own_id`: ids decide where all else is
  /// equal, so that every process comes to the same plan.
  void meet(std::string own_id, std::vector<Rival> rivals);
  /// Costs of pausing, once they have been measured; ways that turned out not to work are taken away.
  [[nodiscard]] plan::Job& terms() { return task_.job; }
  /// The running time that is needed, known better: from measured progress.
  void expect(Nanoseconds duration, Nanoseconds p90);

  [[nodiscard]] const Assignment& assignment() const { return task_; }
  [[nodiscard]] const std::optional<Outlook>& outlook() const { return outlook_; }

  /// What to do at `now`. Never fails: whatever goes wrong, the job runs.
  [[nodiscard]] Decision decide(Nanoseconds now, const Stand& stand) const;

  /// The last instant at which the job must be running to end in time, restart included.
  [[nodiscard]] Nanoseconds latest_start(const Stand& stand) const;

 private:
  struct Rest;
  [[nodiscard]] std::vector<Joules> steps_from(Nanoseconds done) const;
  [[nodiscard]] Decision straight_on(std::string why, Nanoseconds now) const;
  [[nodiscard]] Decision by_plan(Nanoseconds now, const Stand& stand) const;
  [[nodiscard]] Decision follow(const Rest& rest, const plan::Schedule& schedule, const Stand& stand) const;
  [[nodiscard]] Result<plan::Schedule> beside_rivals(Rest& rest, const plan::Job& job, Nanoseconds end) const;
  [[nodiscard]] std::string objection_to(plan::Action first, Phase phase, const Decision& d) const;
  void tell(const Rest& rest, const plan::Schedule& schedule, const Stand& stand, Decision& d) const;

  Assignment task_;
  std::optional<Outlook> outlook_;
  std::string ignorance_ = "nothing is known of the grid yet";
  Order order_ = Order::plan;
  std::string own_id_;
  std::vector<Rival> rivals_;
};

}  // namespace gramwatt::job
