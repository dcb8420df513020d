#include "job/reweigh.hpp"

#include <cmath>

#include "job/account.hpp"
#include "job/receipt.hpp"

namespace gramwatt::job {
namespace {

bool same(const std::optional<ledger::IntensityFacts>& a, const std::optional<ledger::IntensityFacts>& b) {
  if (!a || !b) return !a && !b;
  const double x = a->value.value.value(), y = b->value.value.value();
  return std::abs(x - y) <= 1e-9 * std::max(1.0, std::abs(x)) && a->value.source == b->value.source &&
         a->value.terms == b->value.terms;
}

bool same(const Estimate<Grams>& a, const Estimate<Grams>& b) {
  const double x = a.value.value(), y = b.value.value();
  return std::abs(x - y) <= 1e-9 * std::max(1.0, std::abs(x));
}

/// The counterfactual may be known better where the run itself is not.
bool same_receipt(const std::optional<ledger::Receipt>& a, const std::optional<ledger::Receipt>& b) {
  if (!a || !b) return !a && !b;
  const auto equal = [](const ledger::SavingFacts& x, const ledger::SavingFacts& y) {
    return x.kind == y.kind && same(x.actual, y.actual) && same(x.counterfactual, y.counterfactual);
  };
  if (!equal(a->average, b->average) || a->marginal.has_value() != b->marginal.has_value()) return false;
  return !a->marginal || equal(*a->marginal, *b->marginal);
}

}  // namespace

std::vector<footprint::Slice> slices_of(const std::vector<Interval>& intervals) {
  SliceCollector slices;
  for (const Interval& i : intervals) slices.add(i);
  return slices.slices();
}

Result<bool> reweigh(ledger::Ledger& ledger, ledger::RunRecord& record, const Knowledge& knowledge, Nanoseconds now_utc) {
  if (record.state == ledger::State::running) return fail("run " + record.id + " still goes on", {}, {}, Error::Kind::usage);
  const auto intervals = ledger.intervals(record.id);
  if (!intervals) return tl::unexpected(intervals.error());
  if (intervals->empty())
    return fail("run " + record.id + " has no energy over time in the ledger", {}, {}, Error::Kind::missing);
  const auto known = knowledge(record, receipt_window(record, {intervals->front().start.utc, intervals->back().end.utc}));
  if (!known) return tl::unexpected(known.error());
  ledger::RunRecord anew = record;
  const std::vector<footprint::Slice> slices = slices_of(*intervals);
  weigh_carbon(slices, known->average, known->marginal, anew);
  if (anew.receipt) settle_receipt(slices, known->average, known->marginal, anew);
  if (same_receipt(record.receipt, anew.receipt) && same(record.average_intensity, anew.average_intensity) &&
      same(record.marginal_intensity, anew.marginal_intensity))
    return false;
  anew.earlier.push_back(
      {now_utc, record.carbon.average, record.carbon.marginal, record.average_intensity, record.marginal_intensity});
  if (const auto done = ledger.update(anew); !done) return tl::unexpected(done.error());
  record = std::move(anew);
  return true;
}

}  // namespace gramwatt::job
