#include "report/live.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace gramwatt::report {

std::string live_line(const LiveState& s, std::size_t width) {
  const Style style;
  std::string out = fmt::format("{}  {}  {}", human_duration(s.elapsed), text(s.power), text(s.energy, style));
  if (s.carbon) out += "  " + text(*s.carbon, style);
  if (s.intensity) out += fmt::format("  at {:.0f} g/kWh", s.intensity->value.value());
  return cut(out, width > 1 ? width - 1 : 1, style);
}

}  // namespace gramwatt::report
