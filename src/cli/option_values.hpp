#pragma once
// Values of options: a time, a length of time, an energy, a share. Errors name the option and show what it takes.

#include <optional>

#include "base/error.hpp"
#include "base/quantity.hpp"
#include "cli/commands.hpp"

namespace gramwatt::cli {

[[nodiscard]] Result<std::optional<Nanoseconds>> duration_option(const Invocation& invocation, const char* name);
/// UTC.
[[nodiscard]] Result<std::optional<Nanoseconds>> time_option(const Invocation& invocation, const char* name);
[[nodiscard]] Result<std::optional<Joules>> energy_option(const Invocation& invocation, const char* name);
/// "2%" or "0.02".
[[nodiscard]] Result<std::optional<Ratio>> share_option(const Invocation& invocation, const char* name);

}  // namespace gramwatt::cli
