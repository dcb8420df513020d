#include <algorithm>

#include "report/plan.hpp"

namespace gramwatt::report {
namespace {

constexpr Choice kHomeNow{0, 0};

/// Hours that the machine is kept for the job: from the start of the window where it is rented or held, else while it runs.
double hours_kept(const PlanView& view, const PlannedPlace& place, const plan::Option& o) {
  int slots = 0;
  for (int i = 0; i < plan::finish(o.schedule); ++i) {
    const plan::Action a = o.schedule[static_cast<std::size_t>(i)];
    const bool away = a == plan::Action::wait || a == plan::Action::off;
    slots += !away || view.job.machine == plan::Machine::rented ? 1 : 0;
  }
  return slots * seconds(place.slots.length).value() / 3600;
}

Grams transfer(const PlannedPlace& place) { return place.transfer ? place.transfer->value : Grams(0); }

Grams with_transfer(const PlanView& view, Choice of) { return view.option(of).carbon + transfer(view.places[of.place]); }

}  // namespace

Choice best_at(const PlanView& view, std::size_t p) {
  const PlannedPlace& place = view.places[p];
  if (!view.by_cost) return {p, place.options.chosen};
  Choice best{p, place.options.chosen};
  for (std::size_t o = 0; o < place.options.options.size(); ++o) {
    const Choice here{p, o};
    const bool keeps_rules = plan::objection(place.problem, view.option(here).schedule).empty();
    if (keeps_rules && cost(view, here) < cost(view, best)) best = here;
  }
  return best;
}

Choice choose(const PlanView& view) {
  const auto weight = [&](Choice c) { return view.by_cost ? cost(view, c).value_or(0) : with_transfer(view, c).value(); };
  Choice best = best_at(view, 0);
  for (std::size_t p = 1; p < view.places.size(); ++p) {
    const Choice here = best_at(view, p);
    if (weight(here) < weight(best)) best = here;
  }
  return best;
}

Ratio saving(const PlanView& view, Choice of) {
  const Grams base = view.option(kHomeNow).carbon;
  return Ratio(base.value() == 0 ? 0 : 1 - with_transfer(view, of) / base);
}

std::optional<Ratio> p_worse(const PlanView& view, Choice of) {
  const plan::Option& option = view.option(of);
  if (of.place == kHomeNow.place) return option.p_worse;
  const plan::Option& base = view.option(kHomeNow);
  const plan::Problem &there = view.places[of.place].problem, &home = view.home().problem;
  if (option.in_futures.empty() || base.in_futures.empty()) return std::nullopt;
  const double moving = transfer(view.places[of.place]).value();
  if (view.places[of.place].zone == view.home().zone && base.in_futures.size() == option.in_futures.size()) {
    int worse = 0;  // the same grid has the same future
    for (std::size_t i = 0; i < base.in_futures.size(); ++i)
      worse += grams(option.in_futures[i], there).value() + moving > grams(base.in_futures[i], home).value() ? 1 : 0;
    return Ratio(static_cast<double>(worse) / static_cast<double>(base.in_futures.size()));
  }
  std::vector<double> bases;
  for (const plan::Cost c : base.in_futures) bases.push_back(grams(c, home).value());
  std::sort(bases.begin(), bases.end());
  double worse = 0;
  for (const plan::Cost c : option.in_futures)
    worse +=
        static_cast<double>(std::lower_bound(bases.begin(), bases.end(), grams(c, there).value() + moving) - bases.begin());
  return Ratio(worse / static_cast<double>(bases.size() * option.in_futures.size()));
}

Estimate<Grams> carbon(const PlanView& view, Choice of) {
  const PlannedPlace& place = view.places[of.place];
  const plan::Option& option = view.option(of);
  const Grams operation = option.carbon - option.kept;
  Estimate<Grams> e{operation, Method::modelled, place.signal.source, std::nullopt, place.terms};
  // The spread was taken of the whole; the making of the machine has no part in it.
  const double part = operation.value() == 0 ? 1 : option.carbon / operation;
  if (!option.in_futures.empty()) e.terms["forecast"] = {option.spread.minus * part, option.spread.plus * part};
  if (option.kept.value() > 0) {
    Estimate<Grams> making = view.embodied_per_hour;
    making.value = option.kept;
    e = e + making;
  }
  return place.transfer ? e + *place.transfer : e;
}

std::optional<double> cost(const PlanView& view, Choice of) {
  if (!view.prices.any()) return std::nullopt;
  const plan::Option& o = view.option(of);
  return view.prices.a_gram.value_or(0) * with_transfer(view, of).value() + view.prices.a_joule.value_or(0) * o.energy.value() +
         view.prices.an_hour.value_or(0) * hours_kept(view, view.places[of.place], o);
}

}  // namespace gramwatt::report
