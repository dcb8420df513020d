#pragma once
// A plan for people and for programs: the options of a job side by side, drawn over the intensity, and as commands.

#include <optional>
#include <string>
#include <vector>

#include "grid/intensity.hpp"
#include "plan/job.hpp"
#include "plan/options.hpp"
#include "plan/slots.hpp"
#include "plan/what_if.hpp"
#include "report/format.hpp"

namespace gramwatt::report {

/// What a job can do at one place.
struct PlannedPlace {
  std::string zone;  ///< "DE"
  std::string name;  ///< "Germany", or a cloud's region: "aws eu-central-1"
  grid::Signal signal;
  Terms terms;  ///< of the intensity, beside the forecast's own error
  plan::Slots slots;
  plan::Problem problem;
  plan::Options options;
  std::vector<std::string> notes;
  std::string provider, region;             ///< "aws", "eu-north-1"; empty: no cloud's
  std::optional<Estimate<Grams>> transfer;  ///< of the job's data, moved here from home once
};

/// Money, in whatever currency the user thinks; nothing was given: no cost is told.
struct Prices {
  std::optional<double> a_gram;  ///< of CO2e
  std::optional<double> a_joule;
  std::optional<double> an_hour;  ///< of the machine that is kept for the job
  [[nodiscard]] bool any() const { return a_gram || a_joule || an_hour; }
};

/// The option that is meant by `of`.
struct Choice {
  std::size_t place = 0, option = 0;
  friend bool operator==(const Choice&, const Choice&) = default;
};

struct WhatIf;

struct PlanView {
  std::vector<PlannedPlace> places;  ///< the first is home: savings are told against running there at once
  plan::Job job;
  std::string job_source;  ///< where energy and duration are from
  std::string signal_why;  ///< why this signal
  Prices prices;
  Estimate<Grams> embodied_per_hour;  ///< of the machine that is kept, where that is charged
  bool by_cost = false;               ///< the least cost is chosen, not the least carbon; only with prices
  Choice chosen;
  std::vector<std::string> notes;
  plan::Gpus gpus;               ///< that the job has now; said only beside others
  std::vector<WhatIf> what_ifs;  ///< the same on other GPUs

  [[nodiscard]] const PlannedPlace& home() const { return places.front(); }
  [[nodiscard]] const plan::Option& option(Choice c) const { return places[c.place].options.options[c.option]; }
};

/// The job on other GPUs: planned anew, at the same places.
struct WhatIf {
  plan::Gpus gpus;
  plan::Move move;
  Estimate<Seconds> time;
  Estimate<Joules> energy;          ///< of the job at the node's plug, as PlanView::job: before PUE, waiting and restarts
  std::optional<PlanView> planned;  ///< nothing: it cannot be planned, and `refused` says why
  std::string refused;
  std::vector<std::string> notes;
};

/// "4 × NVIDIA A100 SXM 80GB".
[[nodiscard]] std::string gpus_label(const plan::Gpus& gpus, const Style& style);
/// Of an option of `what_if.planned`, with the error of the move.
[[nodiscard]] Estimate<Grams> carbon(const WhatIf& what_if, Choice of);
/// Against running at home at once on the present GPUs. The interval is the move's alone: the intensity is the same for both.
[[nodiscard]] Estimate<Ratio> remaining(const PlanView& view, const WhatIf& what_if, Choice of);
/// A few lines of text, and a table; empty without what-ifs.
[[nodiscard]] std::string what_if_text(const PlanView& view, const Style& style, std::size_t width);
[[nodiscard]] std::string what_if_html(const PlanView& view);

/// The option that would be chosen were there this place alone.
[[nodiscard]] Choice best_at(const PlanView& view, std::size_t place);
/// Least carbon, or least cost, over all places, moving there included; the earlier of several.
[[nodiscard]] Choice choose(const PlanView& view);
/// 1 − carbon / carbon of running at home at once.
[[nodiscard]] Ratio saving(const PlanView& view, Choice of);
/// How likely running at home at once emits less; forecasts of two places are taken as independent.
[[nodiscard]] std::optional<Ratio> p_worse(const PlanView& view, Choice of);
[[nodiscard]] Estimate<Grams> carbon(const PlanView& view, Choice of);
/// Nothing without prices.
[[nodiscard]] std::optional<double> cost(const PlanView& view, Choice of);

/// What tables show: home with all its options, then other places' best, the cleanest first, and the chosen one among them.
[[nodiscard]] std::vector<Choice> table_choices(const PlanView& view);
/// "exact plan", for people.
[[nodiscard]] std::string policy_label(plan::Policy policy);
/// The policy's; elsewhere than at home: the place's name.
[[nodiscard]] std::string option_label(const PlanView& view, Choice of);

/// Table, and the plan drawn over the intensity. Times are UTC.
[[nodiscard]] std::string plan_text(const PlanView& view, const Style& style, std::size_t width);
/// The object of the contract: schema gramwatt.plan/1.
[[nodiscard]] std::string plan_json(const PlanView& view);
/// One page that needs nothing else.
[[nodiscard]] std::string plan_html(const PlanView& view);

}  // namespace gramwatt::report
