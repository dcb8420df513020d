#pragma once
// The hardware that options describe, for commands that speak of a machine without running on it.

#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "job/estimate.hpp"
#include "place/place.hpp"

namespace gramwatt::cli {

/// An option's number between bounds; nothing when it was not given.
template <class T>
Result<std::optional<T>> number_option(const Invocation& invocation, const char* option, T low, T high) {
  const auto text = invocation.get(option);
  if (!text) return std::optional<T>{};
  const auto value = parse_number<T>(*text);
  // Written so that "nan" is refused too.
  if (value && *value >= low && *value <= high) return value;
  return fail(fmt::format("\"{}\" is no number from {} to {}", *text, low, high), std::string("--") + option, {},
              Error::Kind::usage);
}

struct Hardware {
  job::Machine machine;
  std::vector<job::EstimatedGpus> gpus;
  std::optional<place::Cloud> cloud;  ///< of --instance
  bool here = true;                   ///< this machine, so its own cloud and place are meant
  std::vector<std::string> advice;
};

/// "h100 pcie:4": a name, and how many. `option`: that says so, for errors.
struct NamedGpus {
  sense::GpuModel model;
  std::optional<int> count;
};
[[nodiscard]] Result<NamedGpus> named_gpus(std::string_view text, const std::string& option);

/// The machine that --cpu, --sockets, --threads, --memory-gb or --instance describe (this one when none does), and --gpu
/// beside.
[[nodiscard]] Result<Hardware> hardware_of(const Invocation& invocation);

}  // namespace gramwatt::cli
