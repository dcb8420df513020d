// What plans keep that know less: by forecasts in place of foresight, by a region's own signal in place of the one that is
// paid.

#include "report/study.hpp"

namespace gramwatt::report {
namespace {

using namespace plan::facct22;

template <class Of>
ComparedSaving mean_of(const Compared& c, Of of) {
  std::vector<std::optional<Saving>> known, told;
  for (std::size_t r = 0; r < c.known.size(); ++r) {
    const ComparedSaving one = of(r);
    if (!one.known || !one.told) continue;
    known.push_back(one.known);
    told.push_back(one.told);
  }
  return {mean(known), mean(told)};
}

}  // namespace

std::vector<Compared> comparisons(const StudyView& v) {
  std::vector<Compared> out;
  if (v.regions.front().by_judge) {
    Compared& c = out.emplace_back(Compared{"own signal", false, {}, {}});
    for (const StudyRegion& r : v.regions) {
      c.known.push_back(&*r.by_judge);
      c.told.push_back(&r.cells);
    }
  }
  for (std::size_t i = 0; i < v.regions.front().forecasts.size(); ++i) {
    Compared& c = out.emplace_back(Compared{std::string(grid::to_string(v.regions.front().forecasts[i].model)), true, {}, {}});
    for (const StudyRegion& r : v.regions) {
      c.known.push_back(&r.forecasts[i].known);
      c.told.push_back(&r.forecasts[i].told);
    }
  }
  return out;
}

std::optional<Ratio> ComparedSaving::kept(bool totals) const {
  if (!known || !told) return std::nullopt;
  return totals ? plan::facct22::kept(told->ratio_of_totals, known->ratio_of_totals)
                : plan::facct22::kept(told->mean_of_ratios, known->mean_of_ratios);
}

ComparedSaving compared(const Compared& c, std::size_t region, std::size_t slack, std::size_t job, Policy policy,
                        const Charges& charges) {
  return {saving((*c.known[region])[slack][job], policy, charges), saving((*c.told[region])[slack][job], policy, charges)};
}

ComparedSaving compared_exact(const Compared& c, std::size_t region, std::size_t slack, std::size_t job) {
  const Payment payment = kForecastPayments.front();
  return {exact_saving((*c.known[region])[slack][job], payment), exact_saving((*c.told[region])[slack][job], payment)};
}

ComparedSaving mean_compared(const Compared& c, std::size_t slack, std::size_t job, Policy policy, const Charges& charges) {
  return mean_of(c, [&](std::size_t r) { return compared(c, r, slack, job, policy, charges); });
}

ComparedSaving mean_compared_exact(const Compared& c, std::size_t slack, std::size_t job) {
  return mean_of(c, [&](std::size_t r) { return compared_exact(c, r, slack, job); });
}

double mean_pauses_per_hour(const Compared& c, std::size_t slack, std::size_t job, Policy policy) {
  double sum = 0;
  for (const Cells* cells : c.told) sum += pauses_per_hour((*cells)[slack][job], policy);
  return sum / static_cast<double>(c.told.size());
}

bool has_exact(const Compared& c) {
  const auto payment = static_cast<std::size_t>(kForecastPayments.front());
  return (*c.known.front())[0][0].exact[payment] && (*c.told.front())[0][0].exact[payment];
}

}  // namespace gramwatt::report
