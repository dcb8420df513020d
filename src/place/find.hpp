#pragma once
// From what people say of a place to its grid zone: words ("23917, US", "Germany", "Texas") or a point.
//
// A word is never guessed at: what may mean two places is an error that names both, what is not known one that names the
// nearest. Where a country or a state holds several zones and nothing tells which, its own figure (or the zone of most of its
// ZIP codes) stands in, and the others are listed in `also`, because the interval must reach over them.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "place/coordinates.hpp"
#include "place/place.hpp"

namespace gramwatt::place {

/// A place with zone, name, how and chain; `origin` ("--place") begins the chain and names the place of errors.
/// Errors: kind missing for what does not exist, usage for what may mean two things or lacks a part.
[[nodiscard]] Result<Place> find_by_words(std::string_view words, const std::string& origin);

/// The zone whose outline holds the point, else the nearest within 50 km. Fails (missing) farther out, naming the nearest zone
/// and its distance.
[[nodiscard]] Result<Place> find_by_point(const Coordinates& point, const std::string& origin);

}  // namespace gramwatt::place
