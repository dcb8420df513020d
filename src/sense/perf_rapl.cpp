// RAPL through perf_event: the PMU "power".
//
//   /sys/bus/event_source/devices/power/type                  number of the PMU
//                                       cpumask               one CPU a package (a die, where packages have several)
//                                       events/energy-pkg     "event=0x02"
//                                       events/energy-pkg.scale   2^-32: joules a count
// energy-pkg and energy-ram are taken; energy-cores and energy-gpu are parts of the package, energy-psys contains it: adding
// any of them counts twice. Counts begin at zero when the event is opened; the kernel reads the hardware often enough (a timer
// of its own) that they never wrap. The events of a package are opened as a group (perf_event_open(2), PERF_FORMAT_GROUP), so
// that one system call reads them all, of one instant. Since Linux 6.14 AMD's cores have a PMU of their own ("power_core"),
// parts of the package like the rest. Facts: arch/x86/events/rapl.c;
// Documentation/ABI/testing/sysfs-bus-event_source-devices-events.

#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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
constexpr std::size_t kMostEvents = 4;  ///< of one package

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

/// The events of one package: whoever is asked first reads all of them, and the others take what was read.
class Group {
 public:
  Group(PerfGroup read, std::size_t events) : read_(std::move(read)), counts_(events), unread_(events) {}

  Result<RawSample> take(std::size_t event, const Clock& clock) {
    const Instant now = clock.now();
    if (!unread_[event] || elapsed(at_, now) > kSameLook) {
      std::fill(unread_.begin(), unread_.end(), false);
      if (const auto done = read_(counts_); !done) return tl::unexpected(done.error());
      at_ = now;
      std::fill(unread_.begin(), unread_.end(), true);
    }
    unread_[event] = false;
    return RawSample::of(at_, {counts_[event]});
  }

 private:
  /// Sensors of one tick are read one after the other within microseconds.
  static constexpr Nanoseconds kSameLook = std::chrono::milliseconds(1);

  PerfGroup read_;
  std::vector<std::uint64_t> counts_;
  std::vector<bool> unread_;
  Instant at_;
};

class GroupInput final : public RawInput {
 public:
  GroupInput(std::shared_ptr<Group> group, std::size_t event) : group_(std::move(group)), event_(event) {}
  [[nodiscard]] Result<std::span<const RawSample>> samples(const Clock& clock) override {
    auto sample = group_->take(event_, clock);
    if (!sample) return tl::unexpected(sample.error());
    sample_ = *sample;
    return std::span<const RawSample>(&sample_, 1);
  }

 private:
  std::shared_ptr<Group> group_;
  std::size_t event_;
  RawSample sample_;
};

/// False when it could not be opened, and it is worth trying each event alone.
bool add_group(const Roots& roots, const RaplSite& site, const Package& package, const std::vector<Event>& events,
               std::uint32_t type, const PerfOpener& open, const Clock& clock, Findings& found) {
  std::vector<std::uint64_t> configs;
  configs.reserve(events.size());
  for (const Event& event : events) configs.push_back(event.config);
  auto counters = open(type, configs, package.cpu);
  if (!counters) {
    // A right that is missing is missing for each of them.
    const bool barred = !counters.error().remedy.empty();
    if (!barred && events.size() > 1) return false;
    if (found.blocked.empty()) found.blocked.push_back({kFamily, counters.error().what, counters.error().remedy});
    return true;
  }
  const auto group = std::make_shared<Group>(std::move(*counters), events.size());
  const auto tdp = package_tdp(roots, package.name);
  for (std::size_t i = 0; i < events.size(); ++i) {
    const bool cpu = events[i].component == Component::cpu;
    Description d =
        describe_rapl(site, events[i].component, cpu ? package.name : "dram of " + package.name, tdp, "Linux perf_event");
    d.id = fmt::format("perf:power:{}:{}", cpu ? "energy-pkg" : "energy-ram", package.name);
    auto sensor = std::make_unique<RawSensor>(std::move(d), std::make_unique<GroupInput>(group, i),
                                              rapl_spec(site, events[i].joules_per_count * 1e6, 0, cpu ? tdp : std::nullopt));
    if (const auto first = sensor->read(clock); !first) found.blocked.push_back({kFamily, first.error().message(), ""});
    else found.sensors.push_back(std::move(sensor));
  }
  return true;
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
  return [](std::uint32_t type, std::span<const std::uint64_t> configs, int cpu) -> Result<PerfGroup> {
    const auto fds = std::make_shared<std::vector<Fd>>();
    for (const std::uint64_t config : configs) {
      perf_event_attr attr{};
      attr.size = sizeof attr;
      attr.type = type;
      attr.config = config;
      attr.read_format = PERF_FORMAT_GROUP;
      const int leader = fds->empty() ? -1 : fds->front().get();
      const RaisedCapability perfmon(CAP_PERFMON);
      Fd fd(static_cast<int>(::syscall(SYS_perf_event_open, &attr, -1, cpu, leader, PERF_FLAG_FD_CLOEXEC)));
      if (!fd) {
        Error e{std::string("cannot open the energy counters: ") + std::strerror(errno), fmt::format("cpu {}", cpu), {}};
        // The kernel gives EACCES or EPERM, depending on what forbids it.
        if (errno == EACCES || errno == EPERM) e.remedy = setcap_command("cap_perfmon=p");
        return tl::unexpected(std::move(e));
      }
      fds->push_back(std::move(fd));
    }
    return [fds](std::span<std::uint64_t> counts) -> Result<void> {
      std::array<std::uint64_t, 1 + kMostEvents> buffer{};  // how many, then the counts
      const auto wanted = static_cast<ssize_t>((1 + counts.size()) * sizeof(std::uint64_t));
      if (counts.size() > kMostEvents || ::read(fds->front().get(), buffer.data(), sizeof buffer) != wanted)
        return tl::unexpected(errno_error(errno, "cannot read the energy counters", kFamily));
      std::copy_n(buffer.begin() + 1, counts.size(), counts.begin());
      return {};
    };
  };
}

Findings probe_perf_rapl(const Roots& roots, const Clock& clock, RaplSite site, const PerfOpener& open) {
  Findings found;
  const fs::path pmu = roots.sysfs / "bus/event_source/devices/power";
  const auto type = parse_number<std::uint32_t>(read_line_or_empty(pmu / "type"));
  if (!type) return found;
  const std::vector<Event> events = find_events(pmu);
  if (events.empty()) return found;
  const std::vector<Package> packages = find_packages(roots, pmu);
  site.packages = packages.size();
  for (const Package& package : packages) {
    // All events of a package in one group; where the kernel does not take that, each alone.
    if (add_group(roots, site, package, events, *type, open, clock, found)) continue;
    for (const Event& event : events) add_group(roots, site, package, {event}, *type, open, clock, found);
  }
  return found;
}

}  // namespace gramwatt::sense
