#include "report/compare.hpp"

#include <cmath>

#include <fmt/format.h>

#include "base/text.hpp"
#include "report/summary.hpp"

namespace gramwatt::report {
namespace {

template <class Q>
std::string line(const char* what, const Estimate<Q>& base, const Estimate<Q>& other, const Style& style) {
  std::string out = fmt::format("  {:<10}{} against {}", what, pad_left(text(other.value), 10), pad_left(text(base.value), 10));
  if (base.value.value() <= 0) return out + "\n";
  const auto r = ratio(other, base);
  const auto d = difference(other, base);
  const double percent = 100 * (r.value.value() - 1);
  out += fmt::format("   {} {:.3g} ({:.3g}{}{:.3g})   {}", style.times(), r.value.value(), r.low.value(), style.dash(),
                     r.high.value(),
                     !d.significant() ? "no difference that the errors allow to see"
                     : percent > 0    ? fmt::format("{:.3g} % more", percent)
                                      : fmt::format("{:.3g} % less", -percent));
  return out + "\n";
}

std::string title(const ledger::RunRecord& r, const Style& style) {
  return fmt::format("{}  {}", short_id(r.id), r.name ? *r.name : command_line(r.command, 60, style));
}

std::string json_line(const char* key, const auto& base, const auto& other) {
  const auto d = difference(other, base);
  std::string out = fmt::format("\"{}\":{{\"base\":{},\"value\":{},\"difference\":{{\"value\":{},\"low\":{},\"high\":{}}}", key,
                                base.value.value(), other.value.value(), d.value.value(), d.low.value(), d.high.value());
  if (base.value.value() > 0) {
    const auto r = ratio(other, base);
    out += fmt::format(",\"ratio\":{{\"value\":{},\"low\":{},\"high\":{}}}", r.value.value(), r.low.value(), r.high.value());
  }
  return out + fmt::format(",\"significant\":{}}}", d.significant());
}

}  // namespace

std::string compare(const std::vector<ledger::RunRecord>& records, const Style& style) {
  if (records.empty()) return {};
  const auto& base = records.front();
  std::string out = style.bold(title(base, style)) + "  (what the others are compared with)\n";
  for (std::size_t i = 1; i < records.size(); ++i) {
    const auto& r = records[i];
    out += style.bold(title(r, style)) + "\n";
    out += fmt::format("  {:<10}{} against {}\n", "duration", pad_left(human_duration(r.duration), 10),
                       pad_left(human_duration(base.duration), 10));
    out += line("energy", base.energy.total, r.energy.total, style);
    out += line("  active", base.energy.active, r.energy.active, style);
    out += line("carbon", base.carbon.total, r.carbon.total, style);
    if (r.host.hostname != base.host.hostname || r.host.cpu != base.host.cpu)
      out += "  different machines: only what both took from the same tables cancels\n";
    if (r.place.zone != base.place.zone) out += "  different places: the intensities' errors do not cancel\n";
  }
  return out;
}

std::string compare_json(const std::vector<ledger::RunRecord>& records) {
  std::string out =
      fmt::format("{{\"schema\":\"gramwatt.compare/1\",\"base\":\"{}\",\"runs\":[", records.empty() ? "" : records.front().id);
  for (std::size_t i = 1; i < records.size(); ++i) {
    const auto& b = records.front();
    const auto& r = records[i];
    out += fmt::format("{}{{\"id\":\"{}\",{},{},{},{}}}", i > 1 ? "," : "", r.id,
                       json_line("energy_total", b.energy.total, r.energy.total),
                       json_line("energy_active", b.energy.active, r.energy.active),
                       json_line("carbon_average", b.carbon.average, r.carbon.average),
                       json_line("carbon_total", b.carbon.total, r.carbon.total));
  }
  return out + "]}";
}

}  // namespace gramwatt::report
