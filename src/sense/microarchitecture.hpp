#pragma once
// Names of CPUs: what a person, the kernel or a data sheet writes, brought to one form, and the microarchitecture behind it.

#include <optional>
#include <string>
#include <string_view>

#include "sense/cpu_identity.hpp"

namespace gramwatt::sense {

/// "Intel(R) Xeon(R) Platinum 8180 CPU @ 2.50GHz" → "xeon 8180". The same rules as normalise() in tools/power_fit.py.
[[nodiscard]] std::string normalise_cpu_name(std::string_view name);

/// Whole-text match: ? any character, # a digit, * anything.
[[nodiscard]] bool matches_pattern(std::string_view pattern, std::string_view text);

/// A row of data/microarchitectures.csv; views into the binary.
struct Microarchitecture {
  std::string_view key;    ///< "zen4"
  std::string_view label;  ///< "Zen 4 (EPYC Genoa)"
  std::string_view group;  ///< "server-amd", "server-intel", "server-arm", "client"
  [[nodiscard]] bool is_client() const { return group == "client"; }
};

/// By vendor, family, model and stepping; else by the name's pattern; else by a code name in it ("… Processor (Icelake)").
[[nodiscard]] std::optional<Microarchitecture> find_microarchitecture(const CpuIdentity& cpu);

}  // namespace gramwatt::sense
