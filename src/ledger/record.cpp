#include "ledger/record.hpp"

#include <algorithm>
#include <array>

namespace gramwatt::ledger {
namespace {
constexpr std::array<std::string_view, 3> kStates{"running", "finished", "interrupted"};
constexpr std::array<std::string_view, 4> kDoings{"running", "checkpointing", "held", "off"};
}  // namespace

std::string_view to_string(State s) { return kStates.at(static_cast<std::size_t>(s)); }

std::optional<State> parse_state(std::string_view text) {
  const auto* it = std::find(kStates.begin(), kStates.end(), text);
  if (it == kStates.end()) return std::nullopt;
  return static_cast<State>(it - kStates.begin());
}

std::string_view to_string(Doing d) { return kDoings.at(static_cast<std::size_t>(d)); }

std::optional<Doing> parse_doing(std::string_view text) {
  const auto* it = std::find(kDoings.begin(), kDoings.end(), text);
  if (it == kDoings.end()) return std::nullopt;
  return static_cast<Doing>(it - kDoings.begin());
}

}  // namespace gramwatt::ledger
