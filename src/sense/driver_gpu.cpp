// GPUs through their kernel drivers (hwmon).
//
// Intel, i915 since Linux 6.2 and xe: energyN_input, microjoules in 64 bits that the driver widens from a 32-bit register each
// time it is read. energy1 is the card (what the board draws) where there is one, energy2 the package, a part of it: only one
// of them is taken. Documentation/ABI/testing/sysfs-driver-intel-i915-hwmon.
//
// AMD, amdgpu: power1_average, on newer parts power1_input: microwatts, a moving average of the firmware whose window is not
// documented, integrated over the time between reads. On an APU it contains the CPU, which RAPL counts already: an APU has no
// power cap (power1_cap), and is left alone. Documentation/gpu/amdgpu/thermal.rst.

#include "sense/driver_gpu.hpp"

#include <algorithm>
#include <vector>

#include "base/file.hpp"
#include "base/text.hpp"
#include "sense/raw.hpp"

namespace gramwatt::sense {
namespace fs = std::filesystem;
namespace {

/// No board draws more; the largest of 2025 takes 1.4 kW.
constexpr Watts kLargestGpuPower{3000};

/// Intel states no accuracy; boards of the other makers are within 5 % (Yang et al., SC'24).
constexpr double kIntelGain = 0.05;
/// A moving average of unknown window, besides the gain of a board's sensor.
constexpr double kAmdGain = 0.10;

struct Device {
  fs::path hwmon;
  std::string driver;
  std::string address;  ///< "0000:03:00.0"; the hwmon's name where there is none
};

std::vector<Device> find_devices(const Roots& roots) {
  std::vector<Device> devices;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(roots.sysfs / "class/hwmon", ec)) {
    const std::string driver = read_line_or_empty(entry.path() / "name");
    if (driver != "i915" && driver != "xe" && driver != "amdgpu") continue;
    std::error_code none;
    const auto device = fs::canonical(entry.path() / "device", none);
    devices.push_back({entry.path(), driver, none ? entry.path().filename().string() : device.filename().string()});
  }
  std::sort(devices.begin(), devices.end(), [](const Device& a, const Device& b) { return a.address < b.address; });
  return devices;
}

/// The file to read; empty when this device has none that would not count something twice.
fs::path file_of(const Device& device) {
  std::error_code ec;
  if (device.driver == "amdgpu") {
    if (!fs::exists(device.hwmon / "power1_cap", ec)) return {};
    const fs::path average = device.hwmon / "power1_average";
    return fs::exists(average, ec) ? average : device.hwmon / "power1_input";
  }
  for (const char* counter : {"energy1_input", "energy2_input"}) {
    if (fs::exists(device.hwmon / counter, ec)) return device.hwmon / counter;
  }
  return {};
}

Description describe(const Device& device) {
  const bool amd = device.driver == "amdgpu";
  Description d;
  d.id = device.driver + ":" + device.address;
  d.component = Component::gpu;
  d.device = (amd ? "AMD GPU " : "Intel GPU ") + device.address;
  d.source = amd ? "power reading of the amdgpu driver" : "energy counter of the " + device.driver + " driver";
  d.terms[amd ? "amdgpu-power" : "intel-gpu-gain"] = Shift::symmetric(amd ? kAmdGain : kIntelGain);
  d.resolution = std::chrono::milliseconds(amd ? 1000 : 100);
  if (amd) d.note = d.device + ": shows a moving average of power; load that changes within a second is seen blurred";
  return d;
}

}  // namespace

Findings probe_driver_gpus(const Roots& roots, const Clock& clock) {
  Findings found;
  for (const Device& device : find_devices(roots)) {
    const fs::path path = file_of(device);
    if (path.empty()) continue;
    const std::string family = "GPU (" + device.driver + ")";
    auto fd = open_read(path);
    if (!fd) {
      if (fd.error().kind != Error::Kind::missing) found.blocked.push_back({family, fd.error().message(), {}});
      continue;
    }
    auto sensor = std::make_unique<RawSensor>(
        describe(device), number_file(path, std::move(*fd)),
        device.driver == "amdgpu" ? power_spec(1e-6, kLargestGpuPower) : counter_spec(1, 0, kLargestGpuPower));
    // Firmware that is asleep, or in a guest, answers with an error.
    if (const auto first = sensor->read(clock); !first) found.blocked.push_back({family, first.error().message(), {}});
    else found.sensors.push_back(std::move(sensor));
  }
  return found;
}

}  // namespace gramwatt::sense
