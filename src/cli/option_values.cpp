#include "cli/option_values.hpp"

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/text.hpp"

namespace gramwatt::cli {
namespace {

tl::unexpected<Error> refuse(const std::string& text, const char* what, const char* name, const char* remedy) {
  return fail(fmt::format("\"{}\" is no {}", text, what), fmt::format("--{}", name), remedy, Error::Kind::usage);
}

}  // namespace

Result<std::optional<Nanoseconds>> duration_option(const Invocation& invocation, const char* name) {
  const auto text = invocation.get(name);
  if (!text) return std::optional<Nanoseconds>{};
  const auto d = parse_duration(*text);
  if (!d || *d < Nanoseconds{0}) return refuse(*text, "length of time", name, "such as 90s, 10min, 1h30m, 2d");
  return std::optional(*d);
}

Result<std::optional<Nanoseconds>> time_option(const Invocation& invocation, const char* name) {
  const auto text = invocation.get(name);
  if (!text) return std::optional<Nanoseconds>{};
  const auto t = parse_iso8601(*text);
  if (!t) return refuse(*text, "time", name, "such as 2026-11-25T14:00Z");
  return t;
}

Result<std::optional<Joules>> energy_option(const Invocation& invocation, const char* name) {
  const auto text = invocation.get(name);
  if (!text) return std::optional<Joules>{};
  const auto e = parse_energy(*text);
  if (!e || !(e->value() >= 0)) return refuse(*text, "energy", name, "such as 500Wh, 37.3kWh, 2MWh");
  return std::optional(*e);
}

Result<std::optional<Ratio>> share_option(const Invocation& invocation, const char* name) {
  const auto text = invocation.get(name);
  if (!text) return std::optional<Ratio>{};
  const bool percent = text->ends_with('%');
  const auto number = parse_number<double>(trim(std::string_view(*text).substr(0, text->size() - (percent ? 1 : 0))));
  const double share = number.value_or(2) / (percent ? 100 : 1);
  const bool sane = number && share >= -1 && share <= 1;  // "nan" is not
  if (!sane) return refuse(*text, "share", name, "such as 2% or 0.02");
  return std::optional(Ratio(share));
}

}  // namespace gramwatt::cli
