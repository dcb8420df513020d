#include "plan/known.hpp"

#include <algorithm>

namespace gramwatt::plan {
namespace {

void add_points(const grid::Series& s, grid::Window window, std::vector<grid::Window>& out) {
  if (s.resolution <= Nanoseconds{0}) {
    if (!s.points.empty()) out.push_back(window);
    return;
  }
  for (std::size_t i = 0; i < s.points.size(); ++i) {
    const grid::Window w{std::max(window.start, s.points[i].start), std::min(window.end, s.end_of(i))};
    if (w.end <= w.start) continue;
    if (!out.empty() && out.back().end == w.start) out.back().end = w.end;
    else out.push_back(w);
  }
}

}  // namespace

std::vector<grid::Window> known_time(const grid::Ladder& ladder, grid::Window window) {
  std::vector<grid::Window> all;
  for (const grid::Series& s : ladder.rungs) add_points(s, window, all);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.start < b.start; });
  std::vector<grid::Window> joined;
  for (const grid::Window& w : all) {
    if (!joined.empty() && w.start <= joined.back().end) joined.back().end = std::max(joined.back().end, w.end);
    else joined.push_back(w);
  }
  return joined;
}

Result<std::vector<Slots>> known_slots(const grid::Ladder& ladder, grid::Window window, Nanoseconds slot) {
  if (slot <= Nanoseconds{0}) return fail("a slot must have a length", {}, "such as --slot 5min", Error::Kind::usage);
  std::vector<Slots> out;
  for (const grid::Window& w : known_time(ladder, window)) {
    const auto first = (w.start - window.start + slot - Nanoseconds{1}) / slot, end = (w.end - window.start) / slot;
    if (end <= first) continue;
    auto slots = make_slots(ladder, window.start + first * slot, slot, static_cast<std::size_t>(end - first));
    if (!slots) return tl::unexpected(slots.error());
    out.push_back(std::move(*slots));
  }
  return out;
}

}  // namespace gramwatt::plan
