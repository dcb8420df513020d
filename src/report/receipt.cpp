#include "report/receipt.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/text.hpp"

namespace gramwatt::report {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kMostStretches = 50;

/// "12", "-3.4", never "-0".
std::string percent_number(Ratio r) {
  const double v = 100 * r.value();
  const double rounded = std::abs(v) < 10 ? std::round(v * 10) / 10 : std::round(v);
  return fmt::format("{:g}", rounded == 0 ? 0.0 : rounded);
}

std::string percent(Ratio r) { return percent_number(r) + " %"; }

Figure saving_figure(const ledger::SavingFacts& s, const Style& style) {
  const std::string low = percent_number(s.low), high = percent_number(s.high);
  // A dash between negative numbers reads like one more sign.
  const std::string between = s.low.value() < 0 ? " to " : std::string(style.dash());
  return {percent(s.saving), low == high ? "" : low + between + high};
}

bool planned_by_marginal(const ledger::Receipt& r) { return r.planned.signal.starts_with("marginal") && r.marginal; }

std::string planned(const ledger::Receipt& r) {
  return r.planned.saving ? "planned " + percent(*r.planned.saving) : "nothing was planned";
}

bool is_verifiable(const ledger::SavingFacts& s) { return s.kind != "not verifiable"; }

ReceiptRow saving_row(std::string label, const ledger::SavingFacts& s, const std::string& note, const Style& style) {
  if (!is_verifiable(s)) return {std::move(label), {"unknown", ""}, s.kind + note};
  return {std::move(label), saving_figure(s, style), s.kind + note};
}

Joules cost_of_moving(const ledger::Receipt& r) {
  return r.restarting.value + r.checkpointing.value + r.held.value + r.off.value + r.waiting.value;
}

std::string moved(const ledger::Receipt& r) {
  std::string text;
  const auto add = [&](const std::string& piece) { text += (text.empty() ? "" : ", ") + piece; };
  if (r.waited.value() > 0) add("waited " + human_duration(r.waited));
  if (r.pauses > 0) add(fmt::format("{} pause{} of {}", r.pauses, r.pauses == 1 ? "" : "s", human_duration(r.paused)));
  return text.empty() ? "neither waited nor paused" : text;
}

std::string line(const std::string& name, const Figure& f, const std::string& what) {
  return fmt::format("  {:<15} {}{}\n      {}\n", name, f.value, f.interval.empty() ? "" : " (" + f.interval + ")",
                     flow(what, 6, kWidth));
}

std::string line(const char* name, const Estimate<Joules>& e, const std::string& what, const Style& style) {
  return line(name, figure(e, style), what);
}

std::string explain_signal(const char* name, const ledger::SavingFacts& s, const Style& style) {
  std::string out = fmt::format("  {} intensity\n", name);
  out +=
      line("  actual", figure(s.actual, style, s.gas), "what was metered, and waiting, each at the intensity of its own time");
  out += line("  at once", figure(s.counterfactual, style, s.gas),
              "the running part alone, in its order, without pauses from the moment that it was handed in, at the intensities "
              "of that time");
  const Figure f = saving_figure(s, style);
  return out + line("  saving", f, s.kind + ": " + s.why);
}

std::string timeline(const ledger::Receipt& r) {
  std::string out;
  std::size_t left = kMostStretches;
  for (const ledger::Stretch& s : r.stretches) {
    if (left-- == 0) return out + fmt::format("    and {} more: show --json -\n", r.stretches.size() - kMostStretches);
    out += fmt::format("    {}  {:<13} {:>12}  {}\n", iso8601(s.start), to_string(s.doing), human_duration(s.length),
                       text(s.active + s.idle));
  }
  return out;
}

}  // namespace

std::vector<ReceiptRow> receipt_rows(const ledger::Receipt& r, const Style& style) {
  std::vector<ReceiptRow> rows;
  const bool marginal = planned_by_marginal(r);
  const auto name = [](bool m) { return m ? std::string(", by marginal") : std::string(", by average"); };
  rows.push_back(saving_row("saved", marginal ? *r.marginal : r.average, name(marginal) + "; " + planned(r), style));
  const ledger::SavingFacts* other = marginal ? &r.average : r.marginal ? &*r.marginal : nullptr;
  if (other != nullptr && is_verifiable(*other)) rows.push_back(saving_row("", *other, name(!marginal), style));
  const Joules cost = cost_of_moving(r);
  rows.push_back({"  moved", {cost.value() == 0 ? "0 J" : text(cost), ""}, "its cost: " + moved(r)});
  return rows;
}

std::string explain_receipt(const ledger::Receipt& r, const ledger::Energy& e, const Style& style) {
  std::string out = "\n" + style.bold("Receipt") + " (planned against actual)\n";
  out += fmt::format("  planned         {}{}\n      {}\n", planned(r),
                     r.planned.p_worse ? fmt::format(", worse in {} of the possible futures", percent(*r.planned.p_worse)) : "",
                     flow(r.planned.why + (r.planned.signal.empty() ? "" : "; signal " + r.planned.signal), 6, kWidth));
  out += fmt::format("  happened        {}\n", moved(r));
  out += line("running", r.running, "metered while it ran and made progress", style);
  if (r.restarting.value.value() != 0)
    out += line("coming back", r.restarting,
                fmt::format("{} after each of {} exits, and {} for each, less what saving took; as was said, not measured",
                            human_duration(r.restart_time), r.restarts, text(r.restart_energy)),
                style);
  if (r.checkpointing.value.value() != 0)
    out += line("saving state", r.checkpointing, "metered from each request to save and exit until it had", style);
  if (r.held.value.value() != 0) out += line("held", r.held, "metered while it was paused in place", style);
  if (r.off.value.value() != 0) out += line("off", r.off, "metered while it was away: the machine at rest", style);
  const Joules parts = r.running.value + r.restarting.value + r.checkpointing.value + r.held.value + r.off.value;
  const double off = std::abs((parts - e.total.value).value());
  out += fmt::format("    check: the parts are the metered total: {}\n",
                     off <= 0.01 * std::abs(e.total.value.value()) ? "agrees" : fmt::format("DISAGREES by {:.6g} J", off));
  if (r.waiting.value.value() != 0)
    out += line("waiting", r.waiting,
                fmt::format("{} of the machine at rest, modelled; not in the run's energy", human_duration(r.waited)), style);
  if (r.waited_instead.value.value() != 0)
    out += line("idle instead", r.waited_instead,
                "this machine idles whatever is planned: what it would have idled behind the end of a run at once", style);
  out += explain_signal("average", r.average, style);
  if (r.marginal) out += explain_signal("marginal", *r.marginal, style);
  out += timeline(r);
  for (const std::string& n : r.notes) out += "  " + flow(n, 2, kWidth) + "\n";
  return out;
}

}  // namespace gramwatt::report
