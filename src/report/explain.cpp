#include "report/explain.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "report/receipt.hpp"

namespace gramwatt::report {
namespace {

constexpr std::size_t kWidth = 100;

template <class Q>
std::string budget(const Estimate<Q>& e) {
  std::vector<std::pair<std::string, Shift>> terms(e.terms.begin(), e.terms.end());
  std::sort(terms.begin(), terms.end(), [](const auto& a, const auto& b) { return a.second.size() > b.second.size(); });
  double squares = 0;
  for (const auto& [id, s] : terms) squares += s.size() * s.size();
  std::string out;
  for (const auto& [id, s] : terms) {
    if (s.size() < 0.0005) continue;
    out += fmt::format("      {:<28} {:>+7.1f} % … {:>+7.1f} %   {:>3.0f} % of the variance\n", id,
                       100 * std::min(s.minus, s.plus), 100 * std::max(s.minus, s.plus),
                       squares > 0 ? 100 * s.size() * s.size() / squares : 0);
  }
  return out;
}

/// One figure: value, what it is, how and from what, and why it is uncertain.
template <class Q>
std::string block(const std::string& name, const Estimate<Q>& e, const std::string& formula, const Style& style) {
  std::string out = fmt::format("{}  {}\n", style.bold(name), text(e, style));
  if (!formula.empty()) out += "    = " + flow(formula, 6, kWidth) + "\n";
  out += "    " +
         flow(fmt::format("{}{}; {}", to_string(e.method),
                          e.boundary ? fmt::format(", boundary {}", to_string(*e.boundary)) : "", e.source),
              4, kWidth) +
         "\n";
  return out + budget(e);
}

std::string check(const char* what, double left, double right) {
  const double off = std::abs(left - right);
  const bool agrees = off <= 1e-6 + 1e-9 * std::abs(right);
  return fmt::format("    check: {} {}\n", what, agrees ? "agrees" : fmt::format("DISAGREES by {:.6g}", off));
}

std::string number(double v) { return significant(v, 6); }

std::string energy(const ledger::Energy& e, const Style& style) {
  std::string out;
  for (const auto& c : e.components) {
    out += block(fmt::format("{} ({})", to_string(c.component), c.device), c.energy,
                 fmt::format("active {} J + idle {} J", number(c.active.value.value()), number(c.idle.value.value())), style);
  }
  out += block("active", e.active, "sum of the components' active parts", style);
  out += block("idle", e.idle,
               fmt::format("sum of the components' idle parts, by the rule that the {} owns them", to_string(e.idle_owner)),
               style);
  out += block("total", e.total,
               fmt::format("active {} J + idle {} J", number(e.active.value.value()), number(e.idle.value.value())), style);
  out += check("total = active + idle", e.total.value.value(), e.active.value.value() + e.idle.value.value());
  out += block("PUE", e.pue, "", style);
  out += block("facility", e.facility,
               fmt::format("total {} J {} PUE {}", number(e.total.value.value()), style.times(), number(e.pue.value.value())),
               style);
  out += check("facility = total x PUE", e.facility.value.value(), e.total.value.value() * e.pue.value.value());
  out += block("machine", e.machine, "everything on this machine in the same time", style);
  out += check("job + unattributed = machine", e.machine.value.value(), e.total.value.value() + e.unattributed.value.value());
  return out;
}

std::string signal(const char* name, const Estimate<Grams>& carbon, const ledger::IntensityFacts& i,
                   const Estimate<Joules>& facility, const Style& style) {
  std::string out =
      block(fmt::format("{} intensity", name), i.value,
            fmt::format("{} of {}: {}, {} based, grid losses {}, {}; licence {}", i.signal.data_kind, i.signal.year,
                        i.signal.factor, i.signal.basis, i.signal.grid_loss ? "in" : "not in", i.signal.gas, i.signal.licence),
            style);
  out += block(fmt::format("{} carbon", name), carbon,
               fmt::format("facility {} J / 3.6e6 {} {} g/kWh, interval by interval", number(facility.value.value()),
                           style.times(), number(i.value.value.value())),
               style);
  return out + check("carbon = energy x intensity", carbon.value.value(), (facility.value * i.value.value).value());
}

/// What the run was weighed with before better series came: kept, never in sums.
std::string weighed_before(const std::vector<ledger::EarlierWeighing>& all, const Style& style) {
  std::string out = "\n" + style.bold("Weighed before") + " (gramwatt reweigh; replaced, kept for comparison)\n";
  const auto line = [&](const char* name, const Estimate<Grams>& carbon, const std::optional<ledger::IntensityFacts>& with) {
    return "    " +
           flow(fmt::format("{} carbon {}{}", name, text(carbon, style), with ? ", from " + with->value.source : ""), 6,
                kWidth) +
           "\n";
  };
  for (const ledger::EarlierWeighing& e : all) {
    out += fmt::format("  until {}\n", iso8601(e.replaced_utc)) + line("average", e.average, e.average_intensity);
    if (e.marginal) out += line("marginal", *e.marginal, e.marginal_intensity);
  }
  return out;
}

std::string region(const ledger::RegionEnergy& r, const Style& style) {
  std::string out;
  if (r.energy)
    out += block("region " + r.name, *r.energy,
                 fmt::format("what the whole program used during {} regions, {} s in all ({} to {} s each)", r.count,
                             number(r.time.value()), number(r.shortest.value()), number(r.longest.value())),
                 style);
  if (const auto& na = r.not_attributable)
    out += fmt::format("{}  not attributable: {} regions, {} s in all\n    {}\n", style.bold("region " + r.name), na->count,
                       number(na->time.value()), flow(na->why, 4, kWidth));
  return out;
}

std::string marked(const ledger::RunRecord& r, const Style& style) {
  std::string out =
      "\n" + style.bold("Parts that the program marked") + " (they may overlap: their energies do not add up to the run's)\n";
  for (const auto& each : r.regions) out += region(each, style);
  for (const auto& m : r.marks) {
    if (m.energy) {
      out += block("marks " + m.name, *m.energy,
                   fmt::format("what the whole program used between the first and the last of {}, {} s", m.count,
                               number(m.time.value())),
                   style);
    }
  }
  return out;
}

}  // namespace

std::string explain(const ledger::RunRecord& r, const Style& style) {
  std::string out = style.bold("How each figure came about") +
                    " (intervals are 90 %; shifts are what a source of error does at its 5 % and 95 % ends)\n\n";
  out += energy(r.energy, style) + "\n";
  if (r.average_intensity) out += signal("average", r.carbon.average, *r.average_intensity, r.energy.facility, style);
  if (r.carbon.marginal && r.marginal_intensity)
    out += signal("marginal", *r.carbon.marginal, *r.marginal_intensity, r.energy.facility, style);
  out +=
      block("embodied", r.carbon.embodied,
            fmt::format("{} g for an hour of the whole machine {} {} h {} its share", number(r.embodied_per_hour.value.value()),
                        style.times(), number(r.duration.value() / 3600), style.times()),
            style);
  out += block("total carbon", r.carbon.total,
               fmt::format("average {} g + embodied {} g", number(r.carbon.average.value.value()),
                           number(r.carbon.embodied.value.value())),
               style);
  out += check("total = average + embodied", r.carbon.total.value.value(),
               r.carbon.average.value.value() + r.carbon.embodied.value.value());
  if (r.receipt) out += explain_receipt(*r.receipt, r.energy, style);
  if (!r.earlier.empty()) out += weighed_before(r.earlier, style);
  if (!r.regions.empty() || !r.marks.empty()) out += marked(r, style);
  if (!r.derivations.empty()) out += "\n" + style.bold("Inputs") + "\n";
  for (const auto& d : r.derivations) {
    out += fmt::format("  {}\n    {}\n    {}\n", d.figure, flow(d.formula, 4, kWidth),
                       flow(d.inputs + (d.source.empty() ? "" : "; " + d.source), 4, kWidth));
  }
  if (!r.notes.empty()) out += "\n" + style.bold("Notes") + "\n";
  for (const std::string& n : r.notes) out += "  " + flow(n, 2, kWidth) + "\n";
  return out;
}

}  // namespace gramwatt::report
