#pragma once
// RAPL, by whichever interface of the kernel may be read: what both have in common, and which one is taken.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/system.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::sense {

/// A zone of RAPL as a sensor describes it; `source` and `id` are the interface's. `tdp`: of the package, where known.
/// `packages`: RAPL packages of this machine, which share `memory_gb`.
[[nodiscard]] Description describe_rapl(Component component, std::string device, std::optional<Watts> tdp, std::size_t packages,
                                        double memory_gb);

/// More than this a package or its memory cannot draw, for telling jumps from energy.
[[nodiscard]] Watts rapl_power_limit(std::optional<Watts> tdp);

/// Opens an energy event of the perf PMU "power" on one CPU; the function that it gives reads the raw count. Tests have their
/// own.
using PerfCounter = std::function<Result<std::uint64_t>()>;
using PerfOpener = std::function<Result<PerfCounter>(std::uint32_t pmu_type, std::uint64_t config, int cpu)>;
[[nodiscard]] PerfOpener system_perf_opener();

/// "event=0x02" or "event=2,umask=0x1" → perf_event_attr.config: event in bits 0..7, umask in 8..15, as the format files of the
/// PMU lay it out. Nothing for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_perf_event(std::string_view text);
/// "0,16-18" → 0, 16, 17, 18; empty when it is malformed.
[[nodiscard]] std::vector<int> parse_cpu_list(std::string_view text);

/// RAPL through perf_event: see perf_rapl.cpp. `blocked` names the remedy when the PMU is there and may not be used.
[[nodiscard]] Findings probe_perf_rapl(const Roots& roots, const Clock& clock, double memory_gb, const PerfOpener& open);

/// perf_event where it may be used, else powercap; never both, which would count every joule twice.
[[nodiscard]] Findings probe_rapl(const Roots& roots, const Clock& clock, double memory_gb,
                                  const PerfOpener& open = system_perf_opener());

}  // namespace gramwatt::sense
