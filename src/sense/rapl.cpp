// What RAPL zones are worth, and the choice between the kernel's two interfaces.
//
// Both read the same hardware counters. perf_event comes first: 64 bits that the kernel itself unwraps, one read of eight
// bytes, and a right (CAP_PERFMON) that can be given to one binary, while powercap is all or nothing: its files are root's
// since CVE-2020-8694, and opening them opens the side channel to every user (arXiv 2401.15985 comes to the same choice).

#include "sense/rapl.hpp"

#include <algorithm>

#include "sense/powercap.hpp"

namespace gramwatt::sense {
namespace {

// No socket draws more; only used where the zone does not state its own limit. The largest TDP sold in 2025 is 500 W (EPYC
// 9965, Xeon 6980P), and short peaks above the limit are part of the design: hence also the factor.
constexpr Watts kLargestPackagePower{1000};
constexpr double kPeakOverTdp = 2.5;

// Idle power of a package as a share of its TDP. SPECpower_ssj2008 results since 2016 (229 servers): active idle at the wall is
// 0.19 of the total TDP in the median; the package is about half of the wall at idle, desktops idle lower, chiplet EPYCs
// higher.
constexpr double kIdleOfTdp = 0.15;
constexpr Shift kIdleOfTdpShift = Shift::range(0.15, 0.03, 0.40);

// Idle power of DRAM per GB: registered DIMMs of 32 to 64 GB idle at 1.5 to 4 W (vendors' power calculators).
constexpr double kDramIdleWattsPerGb = 0.06;
constexpr Shift kDramIdleShift = Shift::range(0.06, 0.02, 0.15);

// RAPL against the plug: a few percent of gain error where the counter is measured (Haswell-EP and later), more where it is
// modelled (AMD Zen 2: Schöne 2021; desktop DRAM: Desrochers 2016).
constexpr double kPackageGain = 0.05;
constexpr double kDramGain = 0.15;

}  // namespace

Description describe_rapl(Component component, std::string device, std::optional<Watts> tdp, std::size_t packages,
                          double memory_gb) {
  Description d;
  d.component = component;
  d.device = std::move(device);
  d.boundary = Boundary::chip;
  d.resolution = std::chrono::milliseconds(1);
  if (component == Component::cpu) {
    d.terms["rapl-package-gain"] = Shift::symmetric(kPackageGain);
    if (tdp) {
      d.idle_power = *tdp * kIdleOfTdp;
      d.idle_terms["rapl-idle-share"] = kIdleOfTdpShift;
    }
  } else {
    d.terms["rapl-dram-gain"] = Shift::symmetric(kDramGain);
    d.idle_power = Watts(memory_gb / static_cast<double>(std::max<std::size_t>(1, packages)) * kDramIdleWattsPerGb);
    d.idle_terms["dram-idle-share"] = kDramIdleShift;
  }
  return d;
}

Watts rapl_power_limit(std::optional<Watts> tdp) {
  return tdp ? std::max(*tdp * kPeakOverTdp, Watts(100)) : kLargestPackagePower;
}

Findings probe_rapl(const Roots& roots, const Clock& clock, double memory_gb, const PerfOpener& open) {
  Findings perf = probe_perf_rapl(roots, clock, memory_gb, open);
  const bool has_packages = std::any_of(perf.sensors.begin(), perf.sensors.end(),
                                        [](const auto& s) { return s->describe().component == Component::cpu; });
  if (has_packages) return perf;
  Findings powercap = probe_powercap(roots, clock, memory_gb);
  // Where both are barred, the remedy of perf_event is the one that keeps other users out.
  if (powercap.sensors.empty() && !perf.blocked.empty() && !perf.blocked.front().remedy.empty()) return perf;
  return powercap;
}

}  // namespace gramwatt::sense
