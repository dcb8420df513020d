// What RAPL zones are worth, and the choice between the kernel's two interfaces.
//
// Both read the same hardware counters. perf_event comes first: 64 bits that the kernel itself unwraps, one read of eight
// bytes, and a right (CAP_PERFMON) that can be given to one binary, while powercap is all or nothing: its files are root's
// since CVE-2020-8694, and opening them opens the side channel to every user (arXiv 2401.15985 comes to the same choice).

#include "sense/rapl.hpp"

#include <algorithm>

#include <fmt/format.h>

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

// QEMU publishes once a second, Scaphandre every five.
constexpr Seconds kVirtualStep{1};

// A host splits a package by CPU time, as gramwatt splits a machine: METRION (arXiv 2512.06806) and what it leaves out.
constexpr double kVirtualShare = 0.30;

// Where Scaphandre's guide has the guest mount the host's folder ("Propagate power consumption metrics from hypervisor to
// virtual machines"; the mount point is the reader's choice there, and this is its example).
constexpr const char* kUsualTree = "/var/scaphandre";

}  // namespace

Description describe_rapl(const RaplSite& site, Component component, std::string device, std::optional<Watts> tdp,
                          std::string_view interface) {
  const RaplQuirks& quirks = site.quirks;
  Description d;
  d.component = component;
  d.device = std::move(device);
  d.boundary = Boundary::chip;
  d.source = fmt::format("{} ({})", quirks.is_virtual ? "virtual RAPL from the host" : "RAPL energy counter", interface);
  d.resolution = quirks.is_virtual ? Nanoseconds(std::chrono::seconds(1)) : std::chrono::milliseconds(1);
  if (quirks.is_virtual) d.terms["virtual-rapl"] = Shift::symmetric(kVirtualShare);
  if (component == Component::cpu) {
    d.terms["rapl-package-gain"] = quirks.package_gain;
    if (!quirks.package_note.empty()) d.note = d.device + ": " + quirks.package_note;
    if (tdp && !quirks.is_virtual) {  // the TDP is the host's, and a guest that does nothing is given nothing
      d.idle_power = *tdp * kIdleOfTdp;
      d.idle_terms["rapl-idle-share"] = kIdleOfTdpShift;
    }
    return d;
  }
  d.terms["rapl-dram-gain"] = quirks.dram_gain;
  if (quirks.dram_unit != Shift{}) d.terms["rapl-dram-unit"] = quirks.dram_unit;
  if (!quirks.dram_note.empty()) d.note = d.device + ": " + quirks.dram_note;
  if (!quirks.is_virtual) {
    d.idle_power = Watts(site.memory_gb / static_cast<double>(std::max<std::size_t>(1, site.packages)) * kDramIdleWattsPerGb);
    d.idle_terms["dram-idle-share"] = kDramIdleShift;
  }
  return d;
}

DecoderSpec rapl_spec(const RaplSite& site, double microjoules_per_count, std::uint64_t range, std::optional<Watts> tdp) {
  const Watts limit = tdp ? std::max(*tdp * kPeakOverTdp, Watts(100)) : kLargestPackagePower;
  DecoderSpec spec = counter_spec(microjoules_per_count, range, limit);
  if (site.quirks.is_virtual) spec.numbers["stale_s"] = kVirtualStep.value();
  return spec;
}

Findings probe_rapl(const Roots& roots, const Clock& clock, const CpuIdentity& cpu, const RaplOptions& options) {
  const RaplSite site{cpu.memory_gb, rapl_quirks(cpu, roots), 1};
  if (options.tree) {
    Findings tree = probe_rapl_tree(*options.tree, clock, site);
    if (!tree.sensors.empty() || !tree.blocked.empty()) return tree;
    tree.blocked.push_back({"RAPL (the host's folder)", options.tree->string() + ": no zone intel-rapl:N is there", {}});
    return tree;
  }
  Findings perf = probe_perf_rapl(roots, clock, site, options.open);
  const bool has_packages = std::any_of(perf.sensors.begin(), perf.sensors.end(),
                                        [](const auto& s) { return s->describe().component == Component::cpu; });
  if (has_packages) return perf;
  Findings powercap = probe_powercap(roots, clock, site);
  if (powercap.sensors.empty() && cpu.is_guest()) {
    if (Findings tree = probe_rapl_tree(kUsualTree, clock, site); !tree.sensors.empty()) return tree;
  }
  // Where both are barred, the remedy of perf_event is the one that gives less.
  if (powercap.sensors.empty() && !perf.blocked.empty() && !perf.blocked.front().remedy.empty()) return perf;
  return powercap;
}

}  // namespace gramwatt::sense
