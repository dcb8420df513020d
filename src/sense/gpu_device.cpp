#include "sense/gpu_device.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/text.hpp"

namespace gramwatt::sense {
namespace fs = std::filesystem;
namespace {

/// AMD Instinct MI300A (pci.ids), the one APU whose driver shows a power cap as a board's does (amdgpu_pm.c, GC 9.4.3).
constexpr std::uint32_t kMi300a = 0x74a0;

bool is_driver(std::string_view name) { return name == "i915" || name == "xe" || name == "amdgpu"; }

std::uint32_t hexadecimal(std::string_view text) {
  text = trim(text);
  if (text.starts_with("0x")) text.remove_prefix(2);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return error == std::errc{} && end == text.data() + text.size() ? value : 0;
}

void describe(GpuDevice& gpu) {
  if (gpu.device.empty()) return;
  gpu.name = read_line_or_empty(gpu.device / "product_name");
  gpu.unique_id = read_line_or_empty(gpu.device / "unique_id");
  gpu.device_id = hexadecimal(read_line_or_empty(gpu.device / "device"));
  gpu.shares_socket_with_cpu = gpu.is_amd() && gpu.device_id == kMi300a;
}

class Finder {
 public:
  explicit Finder(const Roots& roots) : sysfs_(roots.sysfs) {}

  std::vector<GpuDevice> find() {
    read_hwmons();
    read_cards();
    read_kfd();
    std::vector<GpuDevice> all;
    for (auto& [address, gpu] : gpus_) all.push_back(std::move(gpu));
    return all;
  }

 private:
  void read_hwmons() {
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(sysfs_ / "class/hwmon", ec)) {
      const std::string name = read_line_or_empty(entry.path() / "name");
      const bool tile = name.starts_with("i915_gt");
      if (!is_driver(name) && !tile) continue;
      std::error_code none;
      const auto device = fs::canonical(entry.path() / "device", none);
      GpuDevice& gpu = at(none ? fs::path{} : device, none ? entry.path().filename().string() : device.filename().string(),
                          tile ? "i915" : name);
      if (tile) gpu.tiles.push_back(entry.path());
      else gpu.hwmon = entry.path();
    }
  }

  void read_cards() {
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(sysfs_ / "class/drm", ec)) {
      const std::string card = entry.path().filename().string();
      if (!card.starts_with("card") || contains(card, "-")) continue;  // card0-HDMI-A-1 is a connector
      std::error_code none;
      const auto device = fs::canonical(entry.path() / "device", none);
      if (none) continue;
      const std::string driver = fs::read_symlink(device / "driver", none).filename().string();
      if (!none && is_driver(driver)) at(device, device.filename().string(), driver);
    }
  }

  GpuDevice& at(const fs::path& device, const std::string& address, const std::string& driver) {
    const auto [it, is_new] = gpus_.try_emplace(address);
    GpuDevice& gpu = it->second;
    if (!is_new) return gpu;
    gpu.driver = driver;
    gpu.address = address;
    gpu.device = device;
    describe(gpu);
    return gpu;
  }

  /// Documentation: linux/drivers/gpu/drm/amd/amdkfd/kfd_topology.c (node_show).
  void read_kfd() {
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(sysfs_ / "class/kfd/kfd/topology/nodes", ec)) {
      const auto id = parse_number<std::uint64_t>(read_line_or_empty(entry.path() / "gpu_id"));
      const auto node = parse_number<int>(entry.path().filename().string());
      const auto text = read_file(entry.path() / "properties", 1U << 16U);
      if (!id || *id == 0 || !node || !text) continue;
      std::map<std::string, std::uint64_t, std::less<>> properties;
      std::string_view rest = *text;
      while (const auto line = next_line(rest)) {
        const auto words = split(*line, ' ');
        if (words.size() != 2) continue;
        if (const auto value = parse_number<std::uint64_t>(words[1])) properties[std::string(words[0])] = *value;
      }
      const auto it = gpus_.find(pci_address(properties["domain"], properties["location_id"]));
      if (it == gpus_.end()) continue;
      GpuDevice& gpu = it->second;
      // A board that is partitioned has several nodes at one address; the first speaks for it.
      if (gpu.kfd_node >= 0 && gpu.kfd_node < *node) continue;
      gpu.kfd_node = *node;
      gpu.kfd_gpu = *id;
      if (properties["cpu_cores_count"] > 0 && properties["simd_count"] > 0) gpu.shares_socket_with_cpu = true;
    }
  }

  fs::path sysfs_;
  std::map<std::string, GpuDevice> gpus_;
};

}  // namespace

std::string pci_address(std::uint64_t domain, std::uint64_t location) {
  return fmt::format("{:04x}:{:02x}:{:02x}.{:x}", domain, location >> 8U & 0xFFU, location >> 3U & 0x1FU, location & 7U);
}

std::vector<GpuDevice> find_gpu_devices(const Roots& roots) { return Finder(roots).find(); }

}  // namespace gramwatt::sense
