// Sensors of the whole node.
//
// Cray pm_counters (/sys/cray/pm_counters): the blade's controller publishes energy since boot ten times a second, in whole
// joules, and a number `freshness` that counts its publications. A read between two of them may be torn, so freshness is read
// before and after; a freshness that stands still means that the controller has stopped, which must not look like a node that
// draws nothing. Validated against the facility's meters to 5 % (Frontier) and 1 % (Portage). Source: HPE Cray EX
// documentation, PM counters.
//
// ACPI power meter (hwmon named "power_meter", Documentation/hwmon/acpi_power_meter.rst): microwatts averaged by the firmware
// over an interval that it tells, with an accuracy that it tells. Power is integrated over the time between reads by the
// trapezoid rule. On NVIDIA Grace the same driver shows sockets, not the node: such meters are left alone here.

#include "sense/node_power.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/file.hpp"
#include "base/text.hpp"
#include "sense/raw.hpp"

namespace gramwatt::sense {
namespace fs = std::filesystem;
namespace {

/// No node draws more: 8 GPUs of 1.2 kW with their host take 15 kW.
constexpr Watts kLargestNodePower{30'000};

constexpr double kPmGain = 0.05;
/// Publications are 100 ms apart; ten missed ones are no hiccup.
constexpr Seconds kFrozenAfter{1};

constexpr double kAcpiGain = 0.05;  ///< where the firmware does not tell

/// {joules, freshness}, untorn.
class CrayInput final : public RawInput {
 public:
  CrayInput(fs::path folder, Fd energy, Fd freshness)
      : folder_(std::move(folder)), energy_(std::move(energy)), freshness_(std::move(freshness)) {}

  [[nodiscard]] Result<std::span<const RawSample>> samples(const Clock& clock) override {
    constexpr int kTries = 3;  // two publications within one read are 100 ms: the second try succeeds
    for (int i = 0; i < kTries; ++i) {
      const auto before = pread_number(freshness_, folder_ / "freshness");
      std::array<char, 64> buffer;
      const auto text = pread_text(energy_.get(), buffer.data(), buffer.size());
      const Instant at = clock.now();
      const auto after = pread_number(freshness_, folder_ / "freshness");
      if (!before || !after) return tl::unexpected(before ? after.error() : before.error());
      if (!text) return tl::unexpected(text.error());
      if (*before != *after) continue;
      const auto joules = parse_pm_energy(*text);
      if (!joules) return fail("not an energy: \"" + std::string(trim(*text)) + "\"", (folder_ / "energy").string());
      sample_ = RawSample::of(at, {*joules, *after});
      return std::span<const RawSample>(&sample_, 1);
    }
    return fail("the counters changed during every read", folder_.string());
  }

 private:
  fs::path folder_;
  Fd energy_, freshness_;
  RawSample sample_;
};

/// Takes a sensor that could be opened, if its first read is good.
void take(std::unique_ptr<Sensor> sensor, const char* family, const Clock& clock, Findings& found) {
  if (const auto first = sensor->read(clock); !first) {
    found.blocked.push_back({family, first.error().message(), {}});
    return;
  }
  found.sensors.push_back(std::move(sensor));
}

Description node(std::string id, std::string source, double gain, Nanoseconds resolution) {
  Description d;
  d.id = std::move(id);
  d.component = Component::platform;
  d.device = "node, beyond what other sensors see";
  d.boundary = Boundary::node;
  d.source = std::move(source);
  d.terms["node-gain"] = Shift::symmetric(gain);
  d.resolution = resolution;
  d.note = d.source + ": measures the whole node; how much of it is idle is modelled";
  return d;
}

Findings probe_cray(const Roots& roots, const Clock& clock) {
  constexpr const char* kFamily = "Cray pm_counters";
  Findings found;
  const fs::path folder = roots.sysfs / "cray/pm_counters";
  auto energy = open_read(folder / "energy");
  auto freshness = open_read(folder / "freshness");
  if (!energy || !freshness) {
    const Error& why = energy ? freshness.error() : energy.error();
    if (why.kind != Error::Kind::missing) found.blocked.push_back({kFamily, why.message(), {}});
    return found;
  }
  DecoderSpec spec = counter_spec(1e6, 0, kLargestNodePower);
  spec.kind = "freshness";
  spec.numbers["frozen_after_s"] = kFrozenAfter.value();
  take(std::make_unique<RawSensor>(
           node("cray:energy", "Cray pm_counters, node energy", kPmGain, std::chrono::milliseconds(100)),
           std::make_unique<CrayInput>(folder, std::move(*energy), std::move(*freshness)), std::move(spec)),
       kFamily, clock, found);
  return found;
}

/// "95.0%" → 0.05.
double acpi_gain(const fs::path& folder) {
  std::string text = read_line_or_empty(folder / "power1_accuracy");
  if (text.ends_with('%')) text.pop_back();
  const auto percent = parse_number<double>(text);
  return percent && *percent > 0 && *percent < 100 ? 1 - *percent / 100 : kAcpiGain;
}

Findings probe_acpi(const Roots& roots, const Clock& clock) {
  constexpr const char* kFamily = "ACPI power meter";
  Findings found;
  std::vector<fs::path> meters;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(roots.sysfs / "class/hwmon", ec)) {
    if (read_line_or_empty(entry.path() / "name") == "power_meter") meters.push_back(entry.path());
  }
  // Several meters, or one that names its part, are the sockets of a Grace: no node.
  if (meters.size() != 1 || !read_line_or_empty(meters[0] / "device/power1_oem_info").empty() ||
      !read_line_or_empty(meters[0] / "power1_oem_info").empty())
    return found;
  const fs::path path = meters[0] / "power1_average";
  auto power = open_read(path);
  if (!power) {
    if (power.error().kind != Error::Kind::missing) found.blocked.push_back({kFamily, power.error().message(), {}});
    return found;
  }
  const auto interval = parse_number<int>(read_line_or_empty(meters[0] / "power1_average_interval")).value_or(1000);
  take(std::make_unique<RawSensor>(node("acpi:power_meter", "ACPI power meter of the firmware", acpi_gain(meters[0]),
                                        std::chrono::milliseconds(std::clamp(interval, 100, 60'000))),
                                   number_file(path, std::move(*power)), power_spec(1e-6, kLargestNodePower)),
       kFamily, clock, found);
  return found;
}

}  // namespace

std::optional<std::uint64_t> parse_pm_energy(std::string_view text) {
  const auto fields = split(trim(text), ' ');
  if (fields.size() < 2 || fields[1] != "J") return std::nullopt;
  const auto joules = parse_number<std::uint64_t>(fields[0]);
  // 2^63 µJ is 10 kW for 29 years; beyond it is damage.
  return joules && *joules < 9'000'000'000'000 ? joules : std::nullopt;
}

Findings probe_node_power(const Roots& roots, const Clock& clock) {
  Findings found = probe_cray(roots, clock);
  if (found.sensors.empty()) found.append(probe_acpi(roots, clock));
  return found;
}

}  // namespace gramwatt::sense
