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

std::vector<grid::Window> common(const std::vector<grid::Window>& a, const std::vector<grid::Window>& b) {
  std::vector<grid::Window> out;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const grid::Window w{std::max(a[i].start, b[j].start), std::min(a[i].end, b[j].end)};
    if (w.start < w.end) out.push_back(w);
    if (a[i].end < b[j].end) ++i;
    else ++j;
  }
  return out;
}

Result<std::vector<Slots>> known_slots(const grid::Ladder& ladder, const std::vector<grid::Window>& known, Nanoseconds origin,
                                       Nanoseconds slot) {
  if (slot <= Nanoseconds{0}) return fail("a slot must have a length", {}, "such as --slot 5min", Error::Kind::usage);
  std::vector<Slots> out;
  for (const grid::Window& w : known) {
    const auto first = (w.start - origin + slot - Nanoseconds{1}) / slot, end = (w.end - origin) / slot;
    if (end <= first) continue;
    auto slots = make_slots(ladder, origin + first * slot, slot, static_cast<std::size_t>(end - first));
    if (!slots) return tl::unexpected(slots.error());
    out.push_back(std::move(*slots));
  }
  return out;
}

Result<std::vector<Slots>> known_slots(const grid::Ladder& ladder, grid::Window window, Nanoseconds slot) {
  return known_slots(ladder, known_time(ladder, window), window.start, slot);
}

}  // namespace gramwatt::plan
