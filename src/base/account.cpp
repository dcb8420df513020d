#include "base/account.hpp"

#include <algorithm>
#include <array>

namespace gramwatt {
namespace {
constexpr std::array<std::string_view, 5> kComponents{"cpu", "memory", "gpu", "platform", "other"};
}

std::string_view to_string(Component c) { return kComponents.at(static_cast<std::size_t>(c)); }

std::optional<Component> parse_component(std::string_view text) {
  const auto* it = std::find(kComponents.begin(), kComponents.end(), text);
  if (it == kComponents.end()) return std::nullopt;
  return static_cast<Component>(it - kComponents.begin());
}

std::string_view to_string(IdleOwner o) { return o == IdleOwner::job ? "job" : "host"; }

std::optional<IdleOwner> parse_idle_owner(std::string_view text) {
  if (text == "job") return IdleOwner::job;
  if (text == "host") return IdleOwner::host;
  return std::nullopt;
}

}  // namespace gramwatt
