#include "report/runs.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include <fmt/format.h>

#include "base/text.hpp"
#include "report/summary.hpp"

namespace gramwatt::report {
namespace {

std::string local_time(Nanoseconds utc) {
  const auto seconds = static_cast<time_t>(utc.count() / 1'000'000'000);
  std::tm local{};
  localtime_r(&seconds, &local);
  std::array<char, 32> buffer{};
  const auto n = std::strftime(buffer.data(), buffer.size(), "%Y-%m-%d %H:%M", &local);
  return {buffer.data(), n};
}

std::string state_of(const ledger::RunRecord& r) {
  if (r.state != ledger::State::finished) return std::string(to_string(r.state));
  if (r.signal) return fmt::format("signal {}", *r.signal);
  return r.exit_code.value_or(0) == 0 ? "" : fmt::format("exit {}", *r.exit_code);
}

std::string line(const ledger::RunRecord& r, bool nested, const Style& style, std::size_t width) {
  const std::string left =
      fmt::format("{}  {}  {} {} {}", short_id(r.id), local_time(r.start_utc), pad_left(human_duration(r.duration), 11),
                  pad_left(text(r.energy.total.value), 9), pad_left(text(r.carbon.total.value), 13));
  std::string what =
      std::string(nested ? (style.unicode ? "└ " : "- ") : "") + (r.name ? *r.name : command_line(r.command, 60, style));
  if (const std::string state = state_of(r); !state.empty()) what += "  [" + state + "]";
  return cut(left + "  " + what, std::max<std::size_t>(60, width), style) + "\n";
}

}  // namespace

std::string runs_table(const std::vector<ledger::RunRecord>& records, const Style& style, std::size_t width) {
  std::string out = style.dim(fmt::format("{:<8}  {:<16}  {:>11} {:>9} {:>13}  {}", "run", "started", "duration", "energy",
                                          "carbon", "what")) +
                    "\n";
  Estimate<Joules> energy;
  Estimate<Grams> carbon;
  std::size_t counted = 0;
  const auto listed = [&](const std::string& id) {
    return std::any_of(records.begin(), records.end(), [&](const auto& r) { return r.id == id; });
  };
  for (const auto& r : records) {
    const bool nested = r.parent && listed(*r.parent);
    if (nested) continue;
    out += line(r, false, style, width);
    if (!r.parent) {
      energy = energy + r.energy.total;
      carbon = carbon + r.carbon.total;
      ++counted;
    }
    for (const auto& inner : records) {
      if (inner.parent && *inner.parent == r.id) out += line(inner, true, style, width);
    }
  }
  if (counted > 1) out += style.dim(fmt::format("sum of {}: {}, {}", counted, text(energy, style), text(carbon, style))) + "\n";
  return out;
}

std::string runs_json(const std::vector<ledger::RunRecord>& records) {
  std::string out = "[";
  for (const auto& r : records) out += (out.size() > 1 ? ",\n" : "\n") + ledger::to_json(r, -1);
  return out + (records.empty() ? "]" : "\n]");
}

}  // namespace gramwatt::report
