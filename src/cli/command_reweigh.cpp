#include <fmt/format.h>

#include "base/clock.hpp"
#include "cli/command.hpp"
#include "cli/grid_access.hpp"
#include "job/reweigh.hpp"
#include "ledger/ledger.hpp"
#include "report/format.hpp"
#include "report/summary.hpp"

namespace gramwatt::cli {
namespace {

std::string told(const ledger::RunRecord& r, bool changed, const report::Style& style) {
  if (!changed) return fmt::format("{}  unchanged: {}\n", report::short_id(r.id), report::text(r.carbon.average, style));
  const ledger::EarlierWeighing& before = r.earlier.back();
  return fmt::format("{}  {} -> {}\n          from {}\n          to   {}\n", report::short_id(r.id),
                     report::text(before.average, style), report::text(r.carbon.average, style),
                     before.average_intensity ? before.average_intensity->value.source : "nothing",
                     r.average_intensity->value.source);
}

}  // namespace

int command_reweigh(const Invocation& invocation, const Settings& settings) {
  const bool all = invocation.has("all");
  if (all == !invocation.arguments.empty())
    return complain({"name runs, or --all", {}, "gramwatt reweigh last", Error::Kind::usage});
  auto ledger = ledger::Ledger::open(settings.ledger);
  if (!ledger) return complain(ledger.error());
  std::vector<ledger::RunRecord> records;
  if (all) {
    auto list = ledger->list();
    if (!list) return complain(list.error());
    for (ledger::RunRecord& r : *list) {
      if (r.state != ledger::State::running) records.push_back(std::move(r));
    }
  }
  for (const std::string& name : invocation.arguments) {
    auto record = ledger->get(name);
    if (!record) return complain(record.error());
    records.push_back(std::move(*record));
  }
  const auto knowledge = grid_knowledge(settings, invocation.get("zone"));
  const Nanoseconds now = SystemClock().now().utc;
  int code = 0;
  for (ledger::RunRecord& r : records) {
    const auto changed = job::reweigh(*ledger, r, knowledge, now);
    if (changed) {
      if (!settings.quiet) code = std::max(code, print(told(r, *changed, style_for(STDOUT_FILENO))));
    } else if (all && changed.error().kind == Error::Kind::missing) {
      if (settings.verbose) warn(changed.error().message());
    } else {
      code = std::max(code, complain(changed.error()));
    }
  }
  return code;
}

}  // namespace gramwatt::cli
