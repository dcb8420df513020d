#pragma once
// The published study of moving machine learning in time, to be done again on any series: J. Dodge et al., "Measuring the
// Carbon Intensity of AI in Cloud Instances", FAccT 2022 (arXiv 2206.05229). Its jobs (table 2), windows and averages over 16
// Azure regions and the year 2020 are facts and stand here beside ours.
//
// What it says: start at the best time in the next hours (flexible start), or run in the cleanest five minutes only (pause and
// resume); both with perfect foresight, pauses and waiting free. So its savings are upper bounds. What it does not say is how
// its averages were taken, and that moves them by up to five points: the mean of each start's saving (every start weighs the
// same), or the saving of the total (starts in dirty hours weigh more). Both are given here.
//
// The power of a job is constant here (the paper measured it every five minutes; those measurements are not public), so the
// energy of a job does not matter to its savings, and jobs of one length have the same.
//
// Free pauses are charged afterwards, as many ways as one likes: carbon of restarts and of waiting is kept apart, and both are
// linear in what a restart and a waiting machine draw.
//
// Thread safety: pure functions; `study` may run for several regions at once.

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "grid/intensity.hpp"
#include "plan/sliding.hpp"

namespace gramwatt::plan::facct22 {

inline constexpr std::string_view kSource = "Dodge et al., FAccT 2022 (arXiv 2206.05229)";

/// Table 2. Energy of the GPUs only.
struct Job {
  std::string_view name, short_name, gpu;
  int gpus = 0;
  Nanoseconds length{};
  Joules energy;
};
inline constexpr std::size_t kJobs = 11;
[[nodiscard]] const std::array<Job, kJobs>& jobs();
/// The first job of the same length, maybe itself: what is saved is the same.
[[nodiscard]] std::size_t first_alike(std::size_t job);

/// How much later a job may end than one that starts at once: so many hours, or a part of its length.
struct Slack {
  std::string_view name;
  Nanoseconds fixed{};
  int percent = 0;
};
inline constexpr std::size_t kSlacks = 8;
[[nodiscard]] const std::array<Slack, kSlacks>& slacks();

enum class Policy { flexible_start, pause_resume };
inline constexpr std::size_t kPolicies = 2;
[[nodiscard]] std::string_view to_string(Policy policy);  ///< "flexible-start", as in `gramwatt.plan/1`

/// Means over 16 regions and 60 starts of 2020 (tables of section 5 and the appendix).
struct Published {
  Ratio saving;
  std::optional<double> pauses_per_hour;  ///< of the window; of pause and resume
};
[[nodiscard]] Published published(std::size_t slack, std::size_t job, Policy policy);

/// In slots. A job's length is rounded up, its slack down: it never ends later than it may.
struct Shape {
  int length = 1, window = 1;
  friend bool operator==(const Shape&, const Shape&) = default;
};
[[nodiscard]] Shape shape(const Job& job, const Slack& slack, Nanoseconds slot);

/// `sixty`: in the middles of 60 equal parts of the time. In a year that is five a month, and the hour of the day moves on by
/// two hours or so from one to the next, so that all hours are alike. (The paper has five a month and does not say which.)
enum class Starts { sixty, all };

struct Asked {
  grid::Window time;                           ///< in which starts lie
  Nanoseconds slot = std::chrono::minutes(5);  ///< > 0
  Starts starts = Starts::sixty;
};
[[nodiscard]] std::size_t slots_of(const Asked& asked);
/// Slots from `asked.time.start` on, ascending.
[[nodiscard]] std::vector<std::size_t> start_slots(const Asked& asked);

/// Carbon over all starts of a cell: as a total, in mg/kWh × slots, and as a part of run-now's at each start, added up.
struct Part {
  Sum total = 0;
  double shares = 0;
};

/// What a policy meets: when it runs; and what one slot at full power would meet at each restart, in all slots between runs,
/// and in all slots before the first.
struct Outcome {
  Part carbon, restarts, pausing, waiting;
  std::uint64_t pauses = 0;
};

/// Ways to pay for pauses: restarts of a job that exits, on machines that cost nothing meanwhile; a job that is held in place;
/// restarts, or holding, on a machine that is kept from the first instant on.
enum class Payment { restarts, held, kept };
inline constexpr std::size_t kPayments = 3;
inline constexpr std::array<Payment, kPayments> kAllPayments{Payment::restarts, Payment::held, Payment::kept};
[[nodiscard]] std::string_view to_string(Payment payment);

/// What pausing and waiting draw; the paper's study has neither.
struct Charges {
  Nanoseconds restart{};  ///< each start after a pause costs so long at full power, in its first slot
  Ratio pause{};          ///< between runs this part of full power is drawn
  Ratio waiting{};        ///< the same before the first run
};
/// Of one way. `idle`: the part of full power of a job that is held, or of a machine that is kept.
[[nodiscard]] Charges charges_of(Payment payment, Nanoseconds restart, Ratio idle);

/// The exact plan (plan/exact.hpp) under one payment: carbon of its schedules, all of it charged.
struct Exact {
  double total = 0;   ///< mg/kWh × slots
  double shares = 0;  ///< parts of run-now's
  std::uint64_t pauses = 0;
};

/// One region, job and slack.
struct Cell {
  Shape shape;
  Nanoseconds slot{};
  std::size_t starts = 0;   ///< that were weighed
  std::size_t zero = 0;     ///< of them, those at which run-now meets no carbon: no saving, so left out of the mean of ratios
  std::size_t unknown = 0;  ///< starts beside, whose window is not known wholly
  Sum now = 0;              ///< total of run-now
  std::array<Outcome, kPolicies> by_policy{};
  std::array<std::optional<Exact>, kPayments> exact;  ///< by payment; where add_exact was called

  [[nodiscard]] const Outcome& of(Policy policy) const { return by_policy[static_cast<std::size_t>(policy)]; }
};
using Cells = std::array<std::array<Cell, kJobs>, kSlacks>;

/// What is known without a gap.
struct Stretch {
  Slots slots;                           ///< what is planned by
  std::vector<MilligramsPerKwh> judges;  ///< what it is weighed with, the same slots; empty: the same values
};

/// `stretches`: what is known of the region on the grid of slots from asked.time.start on (plan/known.hpp); may reach beyond
/// the end of the time, so that late starts have their windows. `progress`: now and then, 0..1.
[[nodiscard]] Cells study(std::span<const Stretch> stretches, const Asked& asked,
                          const std::function<void(Ratio)>& progress = {});

/// At these starts only (slots from asked.time.start on, ascending).
[[nodiscard]] Cells study_at(std::span<const std::size_t> starts, std::span<const Stretch> stretches, const Asked& asked,
                             const std::function<void(Ratio)>& progress = {});

/// How exact plans are paid for.
struct Paid {
  Nanoseconds restart{};
  Ratio idle;
  std::span<const Payment> payments;  ///< must outlive the call
};
/// Exact plans of the same starts, under all payments: some seconds for sixty starts.
void add_exact(Cells& cells, std::span<const Stretch> stretches, const Asked& asked, Nanoseconds restart, Ratio idle,
               const std::function<void(Ratio)>& progress = {});
void add_exact_at(std::span<const std::size_t> starts, Cells& cells, std::span<const Stretch> stretches, const Asked& asked,
                  const Paid& paid, const std::function<void(Ratio)>& progress = {});

/// 1 - carbon / carbon of run-now. Nothing where there was no start, or none with carbon.
struct Saving {
  Ratio mean_of_ratios, ratio_of_totals;
};
[[nodiscard]] std::optional<Saving> saving(const Cell& cell, Policy policy, const Charges& charges = {});
/// Of the exact plan; nothing also where it was not asked for.
[[nodiscard]] std::optional<Saving> exact_saving(const Cell& cell, Payment payment);
/// Mean over those that there are.
[[nodiscard]] std::optional<Saving> mean(std::span<const std::optional<Saving>> savings);
/// Per hour of the window; 0 where there was no start.
[[nodiscard]] double pauses_per_hour(const Cell& cell, Policy policy);
/// Of one start.
[[nodiscard]] double pauses_per_start(const Cell& cell, Policy policy);
[[nodiscard]] double pauses_per_start(const Cell& cell, Payment payment);
/// Of run-now, mean over the starts.
[[nodiscard]] Grams carbon_at_once(const Cell& cell, const Job& job);

}  // namespace gramwatt::plan::facct22
