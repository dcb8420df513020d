#include "ledger/record.hpp"

#include <algorithm>
#include <array>

namespace gramwatt::ledger {
namespace {
constexpr std::array<std::string_view, 3> kStates{"running", "finished", "interrupted"};
}

std::string_view to_string(State s) { return kStates.at(static_cast<std::size_t>(s)); }

std::optional<State> parse_state(std::string_view text) {
  const auto* it = std::find(kStates.begin(), kStates.end(), text);
  if (it == kStates.end()) return std::nullopt;
  return static_cast<State>(it - kStates.begin());
}

}  // namespace gramwatt::ledger
