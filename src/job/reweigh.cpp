#include "job/reweigh.hpp"

#include <cmath>

#include "job/account.hpp"

namespace gramwatt::job {
namespace {

bool same(const std::optional<ledger::IntensityFacts>& a, const std::optional<ledger::IntensityFacts>& b) {
  if (!a || !b) return !a && !b;
  const double x = a->value.value.value(), y = b->value.value.value();
  return std::abs(x - y) <= 1e-9 * std::max(1.0, std::abs(x)) && a->value.source == b->value.source &&
         a->value.terms == b->value.terms;
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
  const auto known = knowledge(record, {intervals->front().start.utc, intervals->back().end.utc});
  if (!known) return tl::unexpected(known.error());
  ledger::RunRecord anew = record;
  weigh_carbon(slices_of(*intervals), known->average, known->marginal, anew);
  if (same(record.average_intensity, anew.average_intensity) && same(record.marginal_intensity, anew.marginal_intensity))
    return false;
  anew.earlier.push_back(
      {now_utc, record.carbon.average, record.carbon.marginal, record.average_intensity, record.marginal_intensity});
  if (const auto done = ledger.update(anew); !done) return tl::unexpected(done.error());
  record = std::move(anew);
  return true;
}

}  // namespace gramwatt::job
