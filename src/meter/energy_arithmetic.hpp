#pragma once
// Arithmetic on whole microjoules, inside meter/.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/quantity.hpp"

namespace gramwatt::meter {

inline Microjoules scaled(Microjoules e, double factor) {
  return Microjoules(static_cast<std::int64_t>(std::llround(static_cast<double>(e.count()) * factor)));
}

inline Microjoules min(Microjoules a, Microjoules b) { return a < b ? a : b; }

}  // namespace gramwatt::meter
