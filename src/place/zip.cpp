#include "place/zip.hpp"

#include <algorithm>
#include <vector>

#include "base/text.hpp"
#include "data/tables.hpp"
#include "place/packed.hpp"

namespace gramwatt::place {
namespace {

struct Run {
  std::uint32_t first;
  std::string_view zone;
  std::int32_t x, y;  // hundredths of a degree
};

std::vector<Run> read_runs() {
  Packed in(data::zip_zones());
  std::vector<std::string_view> zones(in.number());
  for (auto& zone : zones) zone = in.name();
  std::vector<Run> runs(in.number());
  Run run{0, {}, 0, 0};
  for (Run& r : runs) {
    run.first += in.number();
    run.zone = zones[std::min<std::size_t>(in.number(), zones.size() - 1)];
    run.x += in.difference();
    run.y += in.difference();
    r = run;
  }
  return runs;
}

bool all_digits(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<std::uint32_t> parse_zip(std::string_view text) {
  const bool plus4 = text.size() == 10 && text[5] == '-' && all_digits(text.substr(6));
  if ((text.size() != 5 && !plus4) || !all_digits(text.substr(0, 5))) return std::nullopt;
  return parse_number<std::uint32_t>(text.substr(0, 5));
}

std::optional<Zip> find_zip(std::uint32_t zip) {
  static const std::vector<Run> runs = read_runs();
  const auto after = std::upper_bound(runs.begin(), runs.end(), zip, [](std::uint32_t z, const Run& r) { return z < r.first; });
  if (after == runs.begin() || zip > 99999) return std::nullopt;
  const Run& run = *(after - 1);
  if (run.zone.empty()) return std::nullopt;
  Zip found;
  found.point = {run.y / 100.0, run.x / 100.0};
  if (run.zone.front() == '?') found.state = run.zone.substr(1);
  else found.zone = run.zone;
  return found;
}

}  // namespace gramwatt::place
