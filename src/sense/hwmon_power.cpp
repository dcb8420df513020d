// Power and energy sensors of chips and boards (hwmon; Documentation/hwmon/sysfs-interface.rst).
//
// Every chip shows numbers with a unit: powerN_average and powerN_input in microwatts, energyN_input in microjoules, inN_input
// in millivolts, currN_input in milliamperes. What is hard is what they mean. A rail's label says what it feeds
// (hwmon_rail.cpp), and three rules keep each joule from being counted twice:
//   - a rail inside another one that is there is left out;
//   - a rail of the whole board is the node's: the rails behind it are its parts, and what feeds "other" things stays in the
//     rest (meter/split.cpp);
//   - what another family measures already (RAPL, NVML, a controller of the node) is not measured here again.
// Power is integrated over the time that really passed between reads.
//
// INA3221 (Documentation/hwmon/ina3221.rst): three channels of volts and amperes. in4..6 are shunt voltages in microvolts, in7
// and curr4 sums of channels: never taken.
//
// NVIDIA Grace (NVIDIA Grace Performance Tuning Guide, "Power Telemetry"; acpi_power_meter): four meters a socket, told apart
// by power1_oem_info. CPU and SysIO are rails of the chip; Grace is the socket, with memory and the loss of its regulators; so
// memory is what CPU and SysIO leave of Grace, an upper bound. Module, on Grace Hopper, contains the GPU and its memory, which
// NVML counts: it is never taken. The kernel shows the meters only when it may cap power (module option force_cap_on).

#include "sense/hwmon_power.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/text.hpp"
#include "sense/hwmon_rail.hpp"
#include "sense/raw.hpp"

namespace gramwatt::sense {
namespace fs = std::filesystem;
namespace {

constexpr Watts kLargestChipPower{3000};
constexpr Watts kLargestNodePower{30'000};

/// Amplifier, shunt and converter of a board's rail together; nobody states it for a board.
constexpr double kRailGain = 0.05;
constexpr double kFirmwareGain = 0.10;  ///< numbers that firmware makes up from more than one source (SCMI, xgene)
/// Of what CPU and SysIO leave of a Grace socket, regulators lose up to a half: 10 to 15 % of the socket, of which memory is a
/// fifth to a third.
constexpr Shift kGraceMemory{-0.6, 0.05};
/// Before the module's own input lie the carrier board (fans, USB, NVMe) and the mains adapter.
constexpr Shift kBehindModuleInput{-0.02, 0.30};

/// A sensor to be: what it is, which files, how they are put together.
struct Plan {
  Description description;
  std::vector<fs::path> files;
  DecoderSpec spec;
};

/// Opens and reads once; what does not work is named.
void add(Plan plan, const std::string& family, const Clock& clock, Findings& found) {
  std::vector<NumberFilePath> files;
  for (const fs::path& path : plan.files) {
    auto fd = open_read(path);
    if (!fd) {
      found.blocked.push_back({family, plan.description.device + ": " + fd.error().message(), {}});
      return;
    }
    files.push_back({path, std::move(*fd)});
  }
  auto sensor = std::make_unique<RawSensor>(std::move(plan.description), number_files(std::move(files)), std::move(plan.spec));
  if (const auto first = sensor->read(clock); !first) found.blocked.push_back({family, first.error().message(), {}});
  else found.sensors.push_back(std::move(sensor));
}

DecoderSpec power_of(const char* kind, Watts limit) {
  DecoderSpec spec = power_spec(1e-6, limit);
  spec.kind = kind;
  return spec;
}

// --- NVIDIA Grace

/// Where the kernel put a file of an ACPI meter: beside the name, or on the device.
fs::path meter_file(const fs::path& hwmon, const char* file) {
  std::error_code ec;
  const fs::path beside = hwmon / file;
  return fs::exists(beside, ec) ? beside : hwmon / "device" / file;
}

struct GraceSocket {
  std::map<GraceMeter::Kind, fs::path> power;
  Nanoseconds interval = std::chrono::seconds(1);
};

Description describe_grace(int socket, Component component, const char* part, const GraceSocket& s) {
  Description d;
  d.id = fmt::format("grace:{}:{}", socket, part);
  d.component = component;
  d.device = fmt::format("Grace socket {}, {}", socket, part);
  d.source = "power meter of NVIDIA Grace (hwmon)";
  d.terms["grace-gain"] = Shift::symmetric(kRailGain);
  d.resolution = s.interval;
  return d;
}

void add_grace_socket(int socket, const GraceSocket& s, const Clock& clock, Findings& found) {
  constexpr const char* kFamily = "NVIDIA Grace";
  using Kind = GraceMeter::Kind;
  const auto path = [&](Kind kind) { return s.power.at(kind); };
  const bool has_cpu = s.power.contains(Kind::cpu);
  const bool has_sysio = s.power.contains(Kind::sysio);
  const bool has_grace = s.power.contains(Kind::grace);
  if (has_grace && !(has_cpu && has_sysio)) {
    return add({describe_grace(socket, Component::cpu, "chip and memory", s),
                {path(Kind::grace)},
                power_spec(1e-6, kLargestChipPower)},
               kFamily, clock, found);
  }
  std::vector<fs::path> chip;
  if (has_cpu) chip.push_back(path(Kind::cpu));
  if (has_sysio) chip.push_back(path(Kind::sysio));
  if (!has_cpu) return;
  add({describe_grace(socket, Component::cpu, "chip", s), chip, power_of("power_sum", kLargestChipPower)}, kFamily, clock,
      found);
  if (!has_grace) return;
  Description d = describe_grace(socket, Component::memory, "memory", s);
  d.terms["grace-memory"] = kGraceMemory;
  d.note = d.device + ": what CPU and SysIO leave of the socket, the loss of its regulators included";
  add({std::move(d), {path(Kind::grace), path(Kind::cpu), path(Kind::sysio)}, power_of("power_difference", kLargestChipPower)},
      kFamily, clock, found);
}

void probe_grace(const Roots& roots, const Clock& clock, Findings& found) {
  std::map<int, GraceSocket> sockets;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(roots.sysfs / "class/hwmon", ec)) {
    if (read_line_or_empty(meter_file(entry.path(), "name")) != "power_meter") continue;
    const auto meter = parse_grace_label(read_line_or_empty(meter_file(entry.path(), "power1_oem_info")));
    if (!meter) continue;
    const fs::path power = meter_file(entry.path(), "power1_average");
    std::error_code none;
    if (!fs::exists(power, none)) {
      found.blocked.push_back({"NVIDIA Grace", entry.path().filename().string() + " shows no power",
                               "sudo modprobe -r acpi_power_meter && sudo modprobe acpi_power_meter force_cap_on=y"});
      continue;
    }
    GraceSocket& s = sockets[meter->socket];
    s.power[meter->kind] = power;
    const auto interval = parse_number<int>(read_line_or_empty(meter_file(entry.path(), "power1_average_interval")));
    if (interval) s.interval = std::chrono::milliseconds(std::clamp(*interval, 10, 60'000));
  }
  for (const auto& [number, socket] : sockets) add_grace_socket(number, socket, clock, found);
}

// --- rails

enum class How { power, energy, volts_amperes };

struct Channel {
  std::string driver;
  std::string address;  ///< of the chip: "hwmon3" resolved to its device where there is one
  std::string label;
  How how = How::power;
  std::vector<fs::path> files;
  Rail rail;
};

bool is_known_driver(const std::string& driver) {
  static constexpr std::array<std::string_view, 4> kDrivers{"ibmpowernv", "occ", "scmi_sensors", "apm_xgene"};
  return driver.starts_with("ina2") || driver == "ina3221" ||
         std::find(kDrivers.begin(), kDrivers.end(), driver) != kDrivers.end() || rail_of_label(driver, "pin").has_value();
}

/// The channels of one chip, energy before power where a label has both.
std::vector<Channel> channels_of(const fs::path& hwmon, const std::string& driver) {
  std::vector<Channel> channels;
  std::error_code ec;
  const auto device = fs::canonical(hwmon / "device", ec);
  const std::string address = (ec ? hwmon : device).filename().string();
  const std::string own_label = read_line_or_empty(hwmon / "label");  // from the device tree, since Linux 5.17
  const auto add_channel = [&](const std::string& label, How how, std::vector<fs::path> files) {
    if (label.empty() || std::any_of(channels.begin(), channels.end(), [&](const Channel& c) { return c.label == label; }))
      return;
    channels.push_back({driver, address, label, how, std::move(files), {}});
  };
  const auto file = [&](const char* kind, int n, const char* what) { return hwmon / fmt::format("{}{}_{}", kind, n, what); };
  constexpr int kMostChannels = 64;
  if (driver == "ina3221") {
    for (int n = 1; n <= 3; ++n) {
      if (read_line_or_empty(file("in", n, "enable")) == "0" || !fs::exists(file("curr", n, "input"), ec)) continue;
      add_channel(read_line_or_empty(file("in", n, "label")), How::volts_amperes,
                  {file("in", n, "input"), file("curr", n, "input")});
    }
    return channels;
  }
  for (const auto& [kind, how] : {std::pair{"energy", How::energy}, std::pair{"power", How::power}}) {
    for (int n = 1; n <= kMostChannels; ++n) {
      const fs::path input = file(kind, n, "input");
      if (!fs::exists(input, ec)) continue;
      std::string label = read_line_or_empty(file(kind, n, "label"));
      if (label.empty() && n == 1) label = own_label;
      add_channel(label, how, {input});
    }
  }
  return channels;
}

/// Rails inside others go, and everything inside a whole board that is nobody's part.
void leave_out_what_is_counted(std::vector<Channel>& all, const Covered& covered) {
  const bool board = covered.node || std::any_of(all.begin(), all.end(), [](const Channel& c) { return c.rail.whole_board; });
  const auto is_inside = [&](const Channel& c) {
    if (c.rail.inside.empty()) return false;
    return std::any_of(all.begin(), all.end(), [&](const Channel& other) {
      if (other.driver != c.driver || &other == &c) return false;
      return c.rail.inside == "*" ? other.rail.component == c.rail.component && other.rail.inside.empty()
                                  : other.label == c.rail.inside;
    });
  };
  std::vector<bool> goes(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Channel& c = all[i];
    const Component part = c.rail.component;
    const bool is_covered = c.rail.whole_board                                    ? covered.node
                            : part == Component::cpu || part == Component::memory ? covered.cpu
                            : part == Component::gpu                              ? covered.gpu
                                                                                  : board;
    goes[i] = is_covered || is_inside(c);
  }
  std::size_t i = 0;
  std::erase_if(all, [&](const Channel&) { return goes[i++]; });
}

Description describe_rail(const Channel& c) {
  Description d;
  d.id = fmt::format("hwmon:{}:{}:{}", c.driver, c.address, c.label);
  d.component = c.rail.component;
  d.device = "rail " + c.label;
  d.source = fmt::format("{} of rail {} ({})", c.how == How::energy ? "energy" : "power", c.label, c.driver);
  const bool firmware = c.driver == "scmi_sensors" || c.driver == "apm_xgene";
  d.terms[firmware ? "firmware-power" : "rail-gain"] = Shift::symmetric(firmware ? kFirmwareGain : kRailGain);
  d.resolution = std::chrono::milliseconds(100);
  return d;
}

Plan plan_of(const Channel& c) {
  Plan plan{describe_rail(c), c.files, {}};
  switch (c.how) {
    case How::energy: plan.spec = counter_spec(1, 0, kLargestChipPower); break;
    case How::power: plan.spec = power_spec(1e-6, kLargestChipPower); break;
    case How::volts_amperes: plan.spec = power_of("power_product", kLargestChipPower); break;
  }
  return plan;
}

/// One sensor for the node from the rails of whole boards: one rail, or the inputs of several power supplies.
void add_node(const std::vector<Channel>& boards, const std::string& family, const Clock& clock, Findings& found) {
  Plan plan = plan_of(boards.front());
  Description& d = plan.description;
  d.device = "node, beyond what other sensors see";
  d.boundary = Boundary::node;
  d.resolution = std::chrono::seconds(1);
  plan.spec.numbers["power_limit_w"] = kLargestNodePower.value();
  if (boards.front().driver.starts_with("ina")) d.terms["module-input"] = kBehindModuleInput;
  if (boards.size() > 1) {
    plan.files.clear();
    for (const Channel& c : boards) {
      if (c.how == How::power && plan.files.size() < RawSample::kMostValues) plan.files.push_back(c.files.front());
    }
    d.source = fmt::format("power of {} power supplies ({})", plan.files.size(), boards.front().driver);
    plan.spec = power_of("power_sum", kLargestNodePower);
  }
  d.note = d.source + ": measures the whole node; how much of it is idle is modelled";
  add(std::move(plan), family, clock, found);
}

void probe_rails(const Roots& roots, const Clock& clock, const Covered& covered, Findings& found) {
  std::vector<Channel> all;
  std::map<std::string, std::string> unknown;  // driver → labels
  std::vector<fs::path> chips;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(roots.sysfs / "class/hwmon", ec)) chips.push_back(entry.path());
  std::sort(chips.begin(), chips.end());
  for (const fs::path& chip : chips) {
    const std::string driver = read_line_or_empty(chip / "name");
    if (!is_known_driver(driver)) continue;
    for (Channel& c : channels_of(chip, driver)) {
      if (const auto rail = rail_of_label(driver, c.label)) {
        c.rail = *rail;
        all.push_back(std::move(c));
      } else if (c.label != "NC") {  // NVIDIA's name for a channel that is not connected
        std::string& labels = unknown[driver];
        labels += (labels.empty() ? "" : ", ") + c.label;
      }
    }
  }
  leave_out_what_is_counted(all, covered);
  std::vector<Channel> boards;
  for (const Channel& c : all) {
    if (c.rail.whole_board) boards.push_back(c);
    else add(plan_of(c), "hwmon (" + c.driver + ")", clock, found);
  }
  if (!boards.empty()) add_node(boards, "hwmon (" + boards.front().driver + ")", clock, found);
  for (const auto& [driver, labels] : unknown)
    found.blocked.push_back({"hwmon (" + driver + ")", labels + ": left out, because what they feed is not known here", {}});
}

}  // namespace

Covered Covered::by(const Findings& found) {
  Covered c;
  for (const auto& s : found.sensors) {
    const Description& d = s->describe();
    c.node = c.node || d.boundary == Boundary::node;
    c.cpu = c.cpu || d.component == Component::cpu;
    c.gpu = c.gpu || d.component == Component::gpu;
  }
  return c;
}

Findings probe_hwmon_power(const Roots& roots, const Clock& clock, const Covered& covered) {
  Findings found;
  Covered now = covered;
  if (!now.cpu) {
    probe_grace(roots, clock, found);
    now.cpu = Covered::by(found).cpu;
  }
  probe_rails(roots, clock, now, found);
  return found;
}

}  // namespace gramwatt::sense
