#pragma once
// Sysfs and procfs of a machine with GPUs of AMD and Intel, and their users.

#include <cstdint>
#include <cstring>
#include <map>
#include <string>

#include "base/system.hpp"
#include "fakes/temp_tree.hpp"

namespace gramwatt::testing {

/// A gpu_metrics table, all ones until told otherwise.
class MetricsTable {
 public:
  MetricsTable(int format, int content, std::size_t size) : bytes_(size, '\xFF') {
    set<std::uint16_t>(0, static_cast<std::uint16_t>(size));
    set<std::uint8_t>(2, static_cast<std::uint8_t>(format));
    set<std::uint8_t>(3, static_cast<std::uint8_t>(content));
  }
  /// v1.3, as boards before MI300 have it.
  static MetricsTable v1_3(std::uint64_t energy, int watts) {
    MetricsTable t(1, 3, 120);
    t.set<std::uint64_t>(24, energy).set<std::uint16_t>(22, static_cast<std::uint16_t>(watts));
    return t;
  }
  template <class T>
  MetricsTable& set(std::size_t offset, T value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof value);
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class GpuTree {
 public:
  [[nodiscard]] Roots roots() const { return {tree_ / "sys", tree_ / "proc"}; }
  [[nodiscard]] const TempTree& files() const { return tree_; }

  /// A PCI device with a card and an hwmon of its own.
  void add_gpu(const std::string& driver, const std::string& address) {
    const std::string device = path_of(address);
    tree_.write(device + "/vendor", driver == "amdgpu" ? "0x1002\n" : "0x8086\n");
    std::filesystem::create_directories(tree_ / ("sys/bus/pci/drivers/" + driver));
    link("sys/bus/pci/drivers/" + driver, device + "/driver");
    const std::string number = std::to_string(count_++);
    link(device, "sys/class/drm/card" + number + "/device");
    tree_.write("sys/class/drm/card" + number + "-DP-1/status", "connected\n");
    hwmon_[address] = "sys/class/hwmon/hwmon" + number;
    tree_.write(hwmon_[address] + "/name", driver + "\n");
    link(device, hwmon_[address] + "/device");
  }
  void device_file(const std::string& address, const std::string& name, const std::string& text) {
    tree_.write(path_of(address) + "/" + name, text);
  }
  void hwmon_file(const std::string& address, const std::string& name, const std::string& text) {
    tree_.write(hwmon_[address] + "/" + name, text + "\n");
  }
  void remove_hwmon(const std::string& address) { std::filesystem::remove_all(tree_ / hwmon_[address]); }
  void metrics(const std::string& address, const MetricsTable& table) { device_file(address, "gpu_metrics", table.bytes()); }

  void add_kfd_node(int node, std::uint64_t gpu, int bus, int cpu_cores = 0) {
    const std::string folder = "sys/class/kfd/kfd/topology/nodes/" + std::to_string(node);
    tree_.write(folder + "/gpu_id", std::to_string(gpu) + "\n");
    tree_.write(folder + "/properties", "cpu_cores_count " + std::to_string(cpu_cores) + "\nsimd_count 440\nlocation_id " +
                                            std::to_string(bus << 8) + "\ndomain 0\n");
    host_pids();
  }
  void kfd_queue(int pid, std::uint64_t gpu, int busy_units = -1) {
    const std::string folder = "sys/class/kfd/kfd/proc/" + std::to_string(pid);
    tree_.write(folder + "/queues/0/gpuid", std::to_string(gpu) + "\n");
    if (busy_units >= 0) {
      tree_.write(folder + "/stats_" + std::to_string(gpu) + "/cu_occupancy", std::to_string(busy_units) + "\n");
    }
  }
  void client(int pid, int fd, const std::string& fdinfo) {
    const std::string folder = "proc/" + std::to_string(pid);
    tree_.write(folder + "/fdinfo/" + std::to_string(fd), fdinfo);
    link("/dev/dri/renderD128", folder + "/fd/" + std::to_string(fd));
  }
  void process_without_gpu(int pid) { link("/dev/null", "proc/" + std::to_string(pid) + "/fd/0"); }
  void end(int pid) { std::filesystem::remove_all(tree_ / ("proc/" + std::to_string(pid))); }
  void host_pids() { link("pid:[4026531836]", "proc/self/ns/pid"); }
  void container_pids() {
    std::filesystem::remove(tree_ / "proc/self/ns/pid");
    link("pid:[4026532999]", "proc/self/ns/pid");
  }

 private:
  static std::string path_of(const std::string& address) { return "sys/devices/pci0000:00/" + address; }
  void link(const std::string& to, const std::string& at) {
    std::filesystem::create_directories((tree_ / at).parent_path());
    std::error_code ec;
    const bool inside = to.starts_with("sys/");
    std::filesystem::create_symlink(inside ? tree_ / to : std::filesystem::path(to), tree_ / at, ec);
  }

  TempTree tree_;
  std::map<std::string, std::string> hwmon_;
  int count_ = 0;
};

}  // namespace gramwatt::testing
