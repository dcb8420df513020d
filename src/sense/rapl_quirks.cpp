// RAPL against the plug, by processor.
//
// Where the counter is measured (Haswell-EP and later, Zen 3 and later) it is right within a few percent (Khan et al. 2018,
// 10.1145/3177754). Where it is modelled, it follows activity and not data: on Zen and Zen 2 (family 23) the same instructions
// draw several percent more or less with other operands, and memory is not seen at all (Schöne et al. 2021, arXiv 2108.00808).
// DRAM: 15 % with an offset that depends on the board (Desrochers et al. 2016).
//
// Sapphire Rapids (family 6, model 143): its DRAM counts in the unit of the package (61 µJ), not in the fixed 15.3 µJ of the
// servers before it. Kernels took the old unit and read four times too little, until "powercap: RAPL: Use standard Energy Unit
// for SPR Dram RAPL domain" (4c081324df56) and its twin for perf (80275ca9e525), both in Linux 6.1 and carried back to stable
// kernels: below 6.1 one cannot tell. Emerald Rapids (model 207) came to the kernel after the fix. Its psys counts whole
// joules; psys is never used here.
//
// Energy filtering: with SGX or TDX in use the processor adds noise to its counters so that they leak no keys (CVE-2020-8694;
// IA32_MISC_PACKAGE_CTLS). The mean stays right, short windows do not. Only whether it could be on can be seen: a flag.
//
// A guest has no RAPL of its own. What looks like it is made by the host: QEMU (docs/specs/rapl-msr.rst; Intel only) gives each
// guest the package's energy by the CPU time of its virtual CPUs, of one second at a time, packages only. Or the host's own
// counters are passed through, which the guest cannot tell from that; then other guests are in it.

#include "sense/rapl_quirks.hpp"

#include "base/file.hpp"
#include "base/text.hpp"

namespace gramwatt::sense {
namespace {

constexpr double kPackageGain = 0.05;
constexpr double kModelledPackageGain = 0.15;
constexpr double kDramGain = 0.15;
constexpr int kSapphireRapids = 143;
constexpr int kDramUnitFixed = 6001;

bool has_flag(std::string_view flags, std::string_view wanted) {
  for (const std::string_view flag : split(flags, ' ')) {
    if (flag == wanted) return true;
  }
  return false;
}

/// The flags of the first CPU.
std::string flags_of(const Roots& roots) {
  const auto text = read_file(roots.procfs / "cpuinfo", 65536);
  if (!text) return {};
  std::string_view rest = *text;
  while (const auto line = next_line(rest)) {
    const auto colon = line->find(':');
    if (colon != std::string_view::npos && trim(line->substr(0, colon)) == "flags")
      return std::string(trim(line->substr(colon + 1)));
  }
  return {};
}

}  // namespace

int kernel_version(std::string_view release) {
  const auto parts = split(release, '.');
  if (parts.size() < 2) return 0;
  const auto major = parse_number<int>(parts[0]);
  const auto minor = parse_number<int>(parts[1].substr(0, parts[1].find_first_not_of("0123456789")));
  if (!major || !minor || *major < 0 || *major > 1000 || *minor < 0 || *minor > 999) return 0;
  return *major * 1000 + *minor;
}

RaplQuirks rapl_quirks(const CpuIdentity& cpu, std::string_view kernel, std::string_view cpu_flags) {
  RaplQuirks q;
  q.package_gain = Shift::symmetric(kPackageGain);
  q.dram_gain = Shift::symmetric(kDramGain);
  q.is_virtual = cpu.is_guest();
  const bool amd = cpu.vendor == "AuthenticAMD" || cpu.vendor == "HygonGenuine";
  if (amd && (cpu.family == 23 || cpu.family == 24)) {
    q.package_gain = Shift::symmetric(kModelledPackageGain);
    q.package_note = "RAPL of Zen and Zen 2 is modelled by the processor, not measured, and sees no memory";
  }
  if (cpu.vendor == "GenuineIntel" && cpu.family == 6 && cpu.model == kSapphireRapids) {
    const int version = kernel_version(kernel);
    if (version < kDramUnitFixed) {
      q.dram_unit = {0, 3};
      q.dram_note =
          "kernels before 6.1 read the memory of Sapphire Rapids four times too low unless they carry the fix "
          "(4c081324df56); this one may: the interval covers both";
    }
  }
  if (q.is_virtual) {
    q.package_note =
        "virtual RAPL: what the host says of this guest (QEMU: the package's energy by CPU time), or of all of them";
  } else if (has_flag(cpu_flags, "sgx") || has_flag(cpu_flags, "tdx_host_platform")) {
    q.package_note = "with SGX or TDX in use the processor blurs its energy counters: short windows are noisy";
  }
  return q;
}

RaplQuirks rapl_quirks(const CpuIdentity& cpu, const Roots& roots) {
  return rapl_quirks(cpu, read_line_or_empty(roots.procfs / "sys/kernel/osrelease"), flags_of(roots));
}

}  // namespace gramwatt::sense
