#pragma once
// What the label of a power sensor on a board says that it measures. Pure text; see hwmon_rail.cpp for the tables.

#include <optional>
#include <string>
#include <string_view>

#include "base/account.hpp"

namespace gramwatt::sense {

/// What a rail feeds.
struct Rail {
  Component component = Component::other;
  bool whole_board = false;  ///< everything is behind it: it stands for the node
  std::string inside;        ///< label of a rail that contains this one, "*" for any other of its component; empty for none
};

/// `driver`: the hwmon's name, "ina3221". Nothing for a rail that is not known: it is left out and said so, because a rail that
/// is counted with its sum is counted twice.
[[nodiscard]] std::optional<Rail> rail_of_label(std::string_view driver, std::string_view label);

/// One of the meters of an NVIDIA Grace socket.
struct GraceMeter {
  enum class Kind { module, grace, cpu, sysio };
  Kind kind = Kind::grace;
  int socket = 0;
};

/// "Grace Power Socket 0", as the firmware writes it in power1_oem_info.
[[nodiscard]] std::optional<GraceMeter> parse_grace_label(std::string_view label);

}  // namespace gramwatt::sense
