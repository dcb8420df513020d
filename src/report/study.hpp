#pragma once
// The published study done again, beside what was published: `gramwatt study facct22`.

#include <string>
#include <vector>

#include "grid/intensity.hpp"
#include "plan/facct22.hpp"
#include "report/format.hpp"

namespace gramwatt::report {

struct StudyRegion {
  std::string name;  ///< zone or file
  grid::Signal signal;
  Nanoseconds resolution{};  ///< of the series; coarser than a slot: held over its time
  Ratio known;               ///< part of the time that the series covers
  GramsPerKwh mean;          ///< over that time
  plan::facct22::Asked asked;
  plan::facct22::Cells cells;
};

struct StudyView {
  std::vector<StudyRegion> regions;  ///< never empty
  Nanoseconds restart{};             ///< what a restart costs at full power, where it is paid
  Ratio idle;  ///< part of full power of a job held in place, or of a machine that is kept, where it is paid
  std::vector<std::string> notes;  ///< for people: regions left out and why
};

/// Mean over the regions.
[[nodiscard]] std::optional<plan::facct22::Saving> mean_saving(const StudyView& view, std::size_t slack, std::size_t job,
                                                               plan::facct22::Policy policy,
                                                               const plan::facct22::Charges& charges = {});
[[nodiscard]] double mean_pauses_per_hour(const StudyView& view, std::size_t slack, std::size_t job,
                                          plan::facct22::Policy policy);

inline constexpr std::array kPolicies{plan::facct22::Policy::flexible_start, plan::facct22::Policy::pause_resume};
inline constexpr std::array kPayments{plan::facct22::Payment::restarts, plan::facct22::Payment::held,
                                      plan::facct22::Payment::kept};
[[nodiscard]] plan::facct22::Charges charges_of(const StudyView& view, plan::facct22::Payment payment);
[[nodiscard]] bool has_exact(const StudyView& view);
[[nodiscard]] std::optional<plan::facct22::Saving> mean_exact(const StudyView& view, std::size_t slack, std::size_t job,
                                                              plan::facct22::Payment payment);

/// How much of pause and resume for jobs of 19 hours and more lies within max(1.5 points, 35 %) of what was published.
struct Agreement {
  std::size_t within = 0, all = 0;
};
[[nodiscard]] Agreement agreement(const StudyView& view);

/// What the figures stand on, a sentence each: perfect foresight, constant power, series held over their hour, starts left out.
[[nodiscard]] std::vector<std::string> study_remarks(const StudyView& view);
/// "2 regions, average intensity, 2020-01-01 to 2021-01-01, 60 starts, slots of 5 min".
[[nodiscard]] std::string study_heading(const StudyView& view);
/// "5 min", "1 h", "1 h 30 min".
[[nodiscard]] std::string length_text(Nanoseconds length);

[[nodiscard]] std::string study_table(const StudyView& view, const Style& style, std::size_t width);
/// region,window,job,policy,starts,…: a line each, the mean over regions under the region "mean".
[[nodiscard]] std::string study_csv(const StudyView& view);
/// gramwatt.study/1; numbers unrounded, savings as parts of 1.
[[nodiscard]] std::string study_json(const StudyView& view);
/// One file with its figures (bars by region), for light and dark; nothing is loaded from elsewhere.
[[nodiscard]] std::string study_html(const StudyView& view);

}  // namespace gramwatt::report
