// RAPL through perf_event: the PMU "power".
//
//   /sys/bus/event_source/devices/power/type                  number of the PMU
//                                       cpumask               one CPU a package (a die, where packages have several)
//                                       events/energy-pkg     "event=0x02"
//                                       events/energy-pkg.scale   2^-32: joules a count
// energy-pkg and energy-ram are taken; energy-cores and energy-gpu are parts of the package, energy-psys contains it: adding
// any of them counts twice. Counts begin at zero when the event is opened; the kernel reads the hardware often enough (a timer
// of its own) that they never wrap. Facts: arch/x86/events/rapl.c;
// Documentation/ABI/testing/sysfs-bus-event_source-devices-events.

#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "base/capability.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "sense/powercap.hpp"
#include "sense/rapl.hpp"
#include "sense/raw.hpp"

// Linux 5.8; older headers lack it.
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif

namespace gramwatt::sense {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFamily = "RAPL (perf_event)";

struct Event {
  Component component;
  std::uint64_t config;
  double joules_per_count;
};

std::vector<Event> find_events(const fs::path& pmu) {
  std::vector<Event> events;
  for (const auto& [name, component] : {std::pair{"energy-pkg", Component::cpu}, std::pair{"energy-ram", Component::memory}}) {
    const auto config = parse_perf_event(read_line_or_empty(pmu / "events" / name));
    const auto scale = parse_number<double>(read_line_or_empty(pmu / "events" / (std::string(name) + ".scale")));
    if (config && scale && *scale > 0 && std::isfinite(*scale)) events.push_back({component, *config, *scale});
  }
  return events;
}

struct Package {
  int cpu;           ///< on which its events are opened
  std::string name;  ///< as powercap calls it: "package-0", "package-0-die-1"
};

std::vector<Package> find_packages(const Roots& roots, const fs::path& pmu) {
  const auto number = [&](int cpu, const char* file) {
    return read_line_or_empty(roots.sysfs / "devices/system/cpu" / fmt::format("cpu{}", cpu) / "topology" / file);
  };
  std::vector<std::pair<int, std::string>> cpus;  // CPU, package
  std::map<std::string, int> dies;
  for (const int cpu : parse_cpu_list(read_line_or_empty(pmu / "cpumask"))) {
    cpus.emplace_back(cpu, number(cpu, "physical_package_id"));
    ++dies[cpus.back().second];
  }
  std::vector<Package> packages;
  for (const auto& [cpu, package] : cpus) {
    const std::string die = number(cpu, "die_id");
    const bool several = dies[package] > 1 && !die.empty();
    packages.push_back(
        {cpu, "package-" + (package.empty() ? std::to_string(packages.size()) : package) + (several ? "-die-" + die : "")});
  }
  return packages;
}

std::string own_binary() {
  std::error_code ec;
  const auto path = fs::read_symlink("/proc/self/exe", ec);
  return ec ? "gramwatt" : path.string();
}

}  // namespace

std::optional<std::uint64_t> parse_perf_event(std::string_view text) {
  std::uint64_t config = 0;
  bool has_event = false;
  for (const std::string_view term : split(trim(text), ',')) {
    const auto equals = term.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view key = term.substr(0, equals);
    std::string_view digits = term.substr(equals + 1);
    const int base = digits.starts_with("0x") ? 16 : 10;
    if (base == 16) digits.remove_prefix(2);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (error != std::errc{} || end != digits.data() + digits.size() || value > 0xFF) return std::nullopt;
    if (key == "event") config |= value;
    else if (key == "umask") config |= value << 8U;
    else return std::nullopt;
    has_event = has_event || key == "event";
  }
  return has_event ? std::optional(config) : std::nullopt;
}

std::vector<int> parse_cpu_list(std::string_view text) {
  constexpr int kMostCpus = 65536;
  std::vector<int> cpus;
  for (const std::string_view part : split(trim(text), ',')) {
    const auto dash = part.find('-');
    const auto first = parse_number<int>(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_number<int>(part.substr(dash + 1));
    if (!first || !last || *first < 0 || *last < *first || *last >= kMostCpus) return {};
    for (int cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

PerfOpener system_perf_opener() {
  return [](std::uint32_t type, std::uint64_t config, int cpu) -> Result<PerfCounter> {
    perf_event_attr attr{};
    attr.size = sizeof attr;
    attr.type = type;
    attr.config = config;
    const RaisedCapability perfmon(CAP_PERFMON);
    const auto fd =
        std::make_shared<Fd>(static_cast<int>(::syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)));
    if (!*fd) {
      Error e{std::string("cannot open the energy counters: ") + std::strerror(errno), fmt::format("cpu {}", cpu), {}};
      // The kernel gives EACCES or EPERM, depending on what forbids it. Permitted, not effective: see base/capability.hpp.
      if (errno == EACCES || errno == EPERM) e.remedy = "sudo setcap cap_perfmon=p " + own_binary();
      return tl::unexpected(std::move(e));
    }
    return [fd]() -> Result<std::uint64_t> {
      std::uint64_t count = 0;
      if (::read(fd->get(), &count, sizeof count) == sizeof count) return count;
      return tl::unexpected(errno_error(errno, "cannot read the energy counter", kFamily));
    };
  };
}

Findings probe_perf_rapl(const Roots& roots, const Clock& clock, double memory_gb, const PerfOpener& open) {
  Findings found;
  const fs::path pmu = roots.sysfs / "bus/event_source/devices/power";
  const auto type = parse_number<std::uint32_t>(read_line_or_empty(pmu / "type"));
  if (!type) return found;
  const std::vector<Event> events = find_events(pmu);
  const std::vector<Package> packages = find_packages(roots, pmu);
  for (const Package& package : packages) {
    const auto tdp = package_tdp(roots, package.name);
    for (const Event& event : events) {
      auto counter = open(*type, event.config, package.cpu);
      if (!counter) {
        if (found.blocked.empty()) found.blocked.push_back({kFamily, counter.error().what, counter.error().remedy});
        continue;
      }
      const bool cpu = event.component == Component::cpu;
      Description d =
          describe_rapl(event.component, cpu ? package.name : "dram of " + package.name, tdp, packages.size(), memory_gb);
      d.id = fmt::format("perf:power:{}:{}", cpu ? "energy-pkg" : "energy-ram", package.name);
      d.source = "RAPL energy counter (Linux perf_event)";
      auto sensor = std::make_unique<RawSensor>(
          std::move(d), number_from(std::move(*counter)),
          counter_spec(event.joules_per_count * 1e6, 0, rapl_power_limit(cpu ? tdp : std::nullopt)));
      if (const auto first = sensor->read(clock); !first) {
        found.blocked.push_back({kFamily, first.error().message(), ""});
        continue;
      }
      found.sensors.push_back(std::move(sensor));
    }
  }
  return found;
}

}  // namespace gramwatt::sense
