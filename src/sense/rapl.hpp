#pragma once
// RAPL, by whichever interface of the kernel may be read: what both have in common, and which one is taken.

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/system.hpp"
#include "sense/cpu_identity.hpp"
#include "sense/rapl_quirks.hpp"
#include "sense/raw.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::sense {

/// What all zones of one machine share.
struct RaplSite {
  double memory_gb = 0;
  RaplQuirks quirks;
  std::size_t packages = 1;  ///< RAPL packages of this machine, which share the memory
};

/// A zone of RAPL as a sensor describes it; `interface` is "Linux perf_event", `id` the interface's to fill in. `tdp`: of the
/// package, where known.
[[nodiscard]] Description describe_rapl(const RaplSite& site, Component component, std::string device, std::optional<Watts> tdp,
                                        std::string_view interface);

/// How a zone's counter is widened. `range`: as in counter_spec.
[[nodiscard]] DecoderSpec rapl_spec(const RaplSite& site, double microjoules_per_count, std::uint64_t range,
                                    std::optional<Watts> tdp);

/// Opens events of the perf PMU "power" on one CPU, as a group: what it gives reads the raw counts of all of them, in their
/// order, by one system call. Tests have their own.
using PerfGroup = std::function<Result<void>(std::span<std::uint64_t> counts)>;
using PerfOpener = std::function<Result<PerfGroup>(std::uint32_t pmu_type, std::span<const std::uint64_t> configs, int cpu)>;
[[nodiscard]] PerfOpener system_perf_opener();

/// "event=0x02" or "event=2,umask=0x1" → perf_event_attr.config: event in bits 0..7, umask in 8..15, as the format files of the
/// PMU lay it out. Nothing for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_perf_event(std::string_view text);
/// "0,16-18" → 0, 16, 17, 18; empty when it is malformed.
[[nodiscard]] std::vector<int> parse_cpu_list(std::string_view text);

/// RAPL through perf_event: see perf_rapl.cpp. `blocked` names the remedy when the PMU is there and may not be used.
[[nodiscard]] Findings probe_perf_rapl(const Roots& roots, const Clock& clock, RaplSite site, const PerfOpener& open);

/// A folder of zones that a host gives its guest: see rapl_tree.cpp. Nothing where it is not there.
[[nodiscard]] Findings probe_rapl_tree(const std::filesystem::path& folder, const Clock& clock, RaplSite site);

/// Where RAPL may be, beside the kernel's own interfaces.
struct RaplOptions {
  std::optional<std::filesystem::path> tree;  ///< the host's folder; nothing: where Scaphandre's guide puts it
  PerfOpener open = system_perf_opener();
};

/// The host's folder where the user names one; else perf_event where it may be used, else powercap; never two of them, which
/// would count every joule twice. A guest without any looks for the host's folder where it usually is.
[[nodiscard]] Findings probe_rapl(const Roots& roots, const Clock& clock, const CpuIdentity& cpu,
                                  const RaplOptions& options = {});

}  // namespace gramwatt::sense
