#pragma once
// What is different, or known to be wrong, with RAPL on a machine. See rapl_quirks.cpp.

#include <string>
#include <string_view>

#include "base/estimate.hpp"
#include "base/system.hpp"
#include "sense/cpu_identity.hpp"

namespace gramwatt::sense {

struct RaplQuirks {
  Shift package_gain;
  Shift dram_gain;
  /// DRAM's unit is four times too small on kernels before a fix that this one may or may not have; zero elsewhere.
  Shift dram_unit;
  bool is_virtual = false;   ///< a guest: the numbers are the host's to make up
  std::string package_note;  ///< for people; may be empty
  std::string dram_note;
};

/// `kernel`: its release, "5.15.0-91-generic". `cpu_flags`: the flags line of /proc/cpuinfo.
[[nodiscard]] RaplQuirks rapl_quirks(const CpuIdentity& cpu, std::string_view kernel, std::string_view cpu_flags);
/// The same with what this machine's /proc says.
[[nodiscard]] RaplQuirks rapl_quirks(const CpuIdentity& cpu, const Roots& roots);

/// "5.15.0-91-generic" → 5015; 0 when it is no release.
[[nodiscard]] int kernel_version(std::string_view release);

}  // namespace gramwatt::sense
