#pragma once
// The time of which a ladder tells something, as slots. A study over a year must not stumble over one missing hour, and must
// not fill it either: it plans within the stretches that are known and counts what falls between them.

#include <vector>

#include "grid/intensity.hpp"
#include "plan/slots.hpp"

namespace gramwatt::plan {

/// Stretches of time that the rungs cover together, ascending, within the window. A rung with resolution 0 covers all of it.
[[nodiscard]] std::vector<grid::Window> known_time(const grid::Ladder& ladder, grid::Window window);

/// What lies in both.
[[nodiscard]] std::vector<grid::Window> common(const std::vector<grid::Window>& a, const std::vector<grid::Window>& b);

/// The slots of a grid that begins at `origin` and lie within one of the stretches of known time wholly.
[[nodiscard]] Result<std::vector<Slots>> known_slots(const grid::Ladder& ladder, const std::vector<grid::Window>& known,
                                                     Nanoseconds origin, Nanoseconds slot);
/// Of all known time in the window, from its start.
[[nodiscard]] Result<std::vector<Slots>> known_slots(const grid::Ladder& ladder, grid::Window window, Nanoseconds slot);

}  // namespace gramwatt::plan
