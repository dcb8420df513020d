#pragma once
// The published study done again, beside what was published: `gramwatt study facct22`.

#include <string>
#include <vector>

#include "grid/intensity.hpp"
#include "plan/facct22.hpp"
#include "plan/facct22_forecast.hpp"
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
  std::vector<plan::facct22::Forecasts> forecasts;  ///< the same models in all regions, in the same order
  std::optional<plan::facct22::Cells> by_judge;  ///< planned by the series that all plans are weighed with, where there is one
};

struct StudyView {
  std::vector<StudyRegion> regions;  ///< never empty
  Nanoseconds restart{};             ///< what a restart costs at full power, where it is paid
  Ratio idle;  ///< part of full power of a job held in place, or of a machine that is kept, where it is paid
  std::vector<std::string> notes;  ///< for people: regions left out and why
  std::string judge;               ///< name of the series that all plans are weighed with; empty: each with its own
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
/// Exact plans by forecasts replan every day, which is dear; so they are made for one payment only.
inline constexpr std::array kForecastPayments{plan::facct22::Payment::restarts};
[[nodiscard]] plan::facct22::Charges charges_of(const StudyView& view, plan::facct22::Payment payment);
[[nodiscard]] bool has_exact(const StudyView& view);
[[nodiscard]] std::optional<plan::facct22::Saving> mean_exact(const StudyView& view, std::size_t slack, std::size_t job,
                                                              plan::facct22::Payment payment);

/// Plans that know less, beside those that know more, of the same starts: forecasts beside foresight, and where plans are
/// weighed with another series, the region's own signal beside that series itself.
struct Compared {
  std::string by;                                  ///< "ridge", "own signal"
  bool forecast = false;                           ///< a forecast; else the region's own signal
  std::vector<const plan::facct22::Cells*> known;  ///< by region, in the view, which must outlive this
  std::vector<const plan::facct22::Cells*> told;
};
/// The judge first, then the models.
[[nodiscard]] std::vector<Compared> comparisons(const StudyView& view);

struct ComparedSaving {
  std::optional<plan::facct22::Saving> known, told;
  /// Part of the saving that is kept; nothing where there is none to keep.
  [[nodiscard]] std::optional<Ratio> kept(bool totals = false) const;
};
[[nodiscard]] ComparedSaving compared(const Compared& c, std::size_t region, std::size_t slack, std::size_t job,
                                      plan::facct22::Policy policy, const plan::facct22::Charges& charges = {});
/// Of the exact plan, under the payment that forecasts are made for.
[[nodiscard]] ComparedSaving compared_exact(const Compared& c, std::size_t region, std::size_t slack, std::size_t job);
/// Mean over the regions that have both; kept is the part of the mean saving.
[[nodiscard]] ComparedSaving mean_compared(const Compared& c, std::size_t slack, std::size_t job, plan::facct22::Policy policy,
                                           const plan::facct22::Charges& charges = {});
[[nodiscard]] ComparedSaving mean_compared_exact(const Compared& c, std::size_t slack, std::size_t job);
[[nodiscard]] bool has_exact(const Compared& c);
/// Of the plans that know less, mean over the regions.
[[nodiscard]] double mean_pauses_per_hour(const Compared& c, std::size_t slack, std::size_t job, plan::facct22::Policy policy);

/// The cells of which a line a region is shown: those that the paper's text names.
struct ShownCell {
  const char* heading;
  std::size_t slack, job;
  plan::facct22::Policy policy;
};
inline constexpr std::array kShownCells{ShownCell{"DN-201 start +24h", 3, 5, plan::facct22::Policy::flexible_start},
                                        ShownCell{"6.1B start +24h", 3, 2, plan::facct22::Policy::flexible_start},
                                        ShownCell{"ViT-B pauses +24h", 3, 8, plan::facct22::Policy::pause_resume},
                                        ShownCell{"6.1B pauses +100%", 7, 2, plan::facct22::Policy::pause_resume}};
/// Of the windows, those of which the rest is told in text.
inline constexpr std::array<std::size_t, 2> kShownSlacks{3, plan::facct22::kSlacks - 1};

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
/// region,window,job,policy,starts,…: a line each, the mean over regions under the region "mean". planned_by: "foresight" or
/// the model of the forecasts. known_beforehand, share_kept: what a plan that knows more saves on the same starts, and the part
/// of it that this one keeps; of a forecast that is foresight, of foresight the judge's own plan, where there is a judge.
[[nodiscard]] std::string study_csv(const StudyView& view);
/// gramwatt.study/1; numbers unrounded, savings as parts of 1.
[[nodiscard]] std::string study_json(const StudyView& view);
/// One file with its figures (bars by region), for light and dark; nothing is loaded from elsewhere.
[[nodiscard]] std::string study_html(const StudyView& view);

}  // namespace gramwatt::report
