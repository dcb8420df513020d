#include "sense/cpu_identity.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/file.hpp"
#include "base/text.hpp"

namespace gramwatt::sense {
namespace {

namespace fs = std::filesystem;

/// What /proc/cpuinfo tells about one logical CPU.
struct Processor {
  int number = 0;
  int package = 0;
  int core = -1;  ///< unique in its package only; -1 where the kernel prints none (Arm)
};

struct CpuInfo {
  std::vector<Processor> processors;
  bool hypervisor = false;
};

int number_or_zero(std::string_view text) {
  text = trim(text);
  int value = 0;
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  return value;
}

/// A word of a space-separated list.
bool has_word(std::string_view list, std::string_view word) {
  for (std::size_t at = list.find(word); at != std::string_view::npos; at = list.find(word, at + 1)) {
    const bool starts = at == 0 || list[at - 1] == ' ';
    const std::size_t end = at + word.size();
    if (starts && (end == list.size() || list[end] == ' ')) return true;
  }
  return false;
}

/// Arm's cpuinfo has numbers where x86 has names: implementer and part take the places of family and model.
bool read_arm_line(std::string_view key, std::string_view value, CpuIdentity& cpu) {
  if (key == "CPU implementer") {
    cpu.vendor = "ARM";
    cpu.family = number_or_zero(value);
  } else if (key == "CPU part") {
    cpu.model = number_or_zero(value);
  } else if (key == "CPU revision") {
    cpu.stepping = number_or_zero(value);
  } else {
    return false;
  }
  return true;
}

/// A line that names the CPU itself, not one logical CPU of it.
void read_identity_line(std::string_view key, std::string_view value, CpuIdentity& cpu, bool& hypervisor) {
  if (read_arm_line(key, value, cpu)) return;
  if (key == "model name") {
    cpu.name = value;
  } else if (key == "vendor_id") {
    cpu.vendor = value;
  } else if (key == "cpu family") {
    cpu.family = number_or_zero(value);
  } else if (key == "model") {
    cpu.model = number_or_zero(value);
  } else if (key == "stepping") {
    cpu.stepping = number_or_zero(value);
  } else if (key == "flags") {
    hypervisor = has_word(value, "hypervisor");
  }
}

CpuInfo read_cpuinfo(std::string_view text, CpuIdentity& cpu) {
  CpuInfo info;
  while (const auto line = next_line(text)) {
    const auto colon = line->find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view key = trim(line->substr(0, colon));
    const std::string_view value = trim(line->substr(colon + 1));
    if (key == "processor") info.processors.push_back({number_or_zero(value), 0, -1});
    if (info.processors.empty()) continue;
    if (key == "physical id") info.processors.back().package = number_or_zero(value);
    if (key == "core id") info.processors.back().core = number_or_zero(value);
    // The rest is the same for every CPU.
    if (info.processors.size() == 1) read_identity_line(key, value, cpu, info.hypervisor);
  }
  return info;
}

/// Arm's cpuinfo names no cores; sysfs does.
void complete_topology(const fs::path& sysfs, std::vector<Processor>& processors) {
  for (Processor& p : processors) {
    if (p.core >= 0) continue;
    const fs::path topology = sysfs / "devices" / "system" / "cpu" / ("cpu" + std::to_string(p.number)) / "topology";
    const std::string core = read_line_or_empty(topology / "core_id");
    p.core = core.empty() ? p.number : number_or_zero(core);
    p.package = std::max(0, number_or_zero(read_line_or_empty(topology / "physical_package_id")));
  }
}

void count_topology(const std::vector<Processor>& processors, CpuIdentity& cpu) {
  std::map<std::pair<int, int>, int> cores;
  std::map<int, int> packages;
  int highest = 0;
  for (const Processor& p : processors) highest = std::max(highest, p.number);
  cpu.core_of_thread.assign(static_cast<std::size_t>(highest) + 1, -1);
  cpu.package_of_thread.assign(static_cast<std::size_t>(highest) + 1, -1);
  for (const Processor& p : processors) {
    const auto core = cores.try_emplace({p.package, p.core}, static_cast<int>(cores.size())).first->second;
    packages.try_emplace(p.package, 0);
    cpu.core_of_thread[static_cast<std::size_t>(p.number)] = core;
    cpu.package_of_thread[static_cast<std::size_t>(p.number)] = p.package;
  }
  cpu.threads = static_cast<int>(processors.size());
  cpu.cores = static_cast<int>(cores.size());
  cpu.packages = static_cast<int>(packages.size());
}

double memory_gb(const fs::path& procfs) {
  const auto text = read_file(procfs / "meminfo", 1U << 16U);
  if (!text) return 0;
  std::string_view rest = *text;
  while (const auto line = next_line(rest)) {
    if (!line->starts_with("MemTotal:")) continue;
    std::string_view value = trim(line->substr(9));
    value = value.substr(0, value.find(' '));
    return static_cast<double>(parse_number<long long>(value).value_or(0)) * 1024 / 1e9;  // the file says kB and means KiB
  }
  return 0;
}

/// Guests whose CPU has no hypervisor flag (Arm): the firmware names a cloud or an emulator. "metal" instances are no guests.
bool firmware_is_virtual(const fs::path& dmi) {
  const std::string product = lower(read_line_or_empty(dmi / "product_name"));
  if (contains(product, "metal")) return false;
  const std::string text = lower(read_line_or_empty(dmi / "sys_vendor")) + " " + product;
  constexpr std::array kVirtual{"amazon ec2",
                                "qemu",
                                "kvm",
                                "vmware",
                                "virtualbox",
                                "innotek",
                                "xen",
                                "virtual machine",
                                "google compute engine",
                                "alibaba cloud",
                                "openstack",
                                "bhyve",
                                "parallels"};
  return std::any_of(kVirtual.begin(), kVirtual.end(), [&](const char* word) { return contains(text, word); });
}

/// SMBIOS 7.4.1 "System Enclosure or Chassis Types".
std::optional<MachineClass> class_of_chassis(int type) {
  switch (type) {
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 13:
    case 35: return MachineClass::desktop;
    case 8:
    case 9:
    case 10:
    case 14:
    case 30:
    case 31:
    case 32: return MachineClass::laptop;
    case 17:
    case 23:
    case 25:
    case 28:
    case 29: return MachineClass::server;
    default: return std::nullopt;
  }
}

/// A battery that powers the machine; those of mice and headsets have scope "Device".
bool has_battery(const fs::path& sysfs) {
  std::error_code ec;
  for (const auto& supply : fs::directory_iterator(sysfs / "class" / "power_supply", ec)) {
    if (read_line_or_empty(supply.path() / "type") == "Battery" && read_line_or_empty(supply.path() / "scope") != "Device")
      return true;
  }
  return false;
}

bool name_of_a_server(const CpuIdentity& cpu) {
  if (cpu.vendor == "ARM") return cpu.family == 0x41 || cpu.family == 0xc0;  // Arm's own cores and Ampere's; Apple's are not
  constexpr std::array kServers{"xeon", "epyc", "opteron", "neoverse", "hygon"};
  return std::any_of(kServers.begin(), kServers.end(),
                     [&](const char* word) { return contains_ignoring_case(cpu.name, word); });
}

MachineClass class_of(const Roots& roots, const CpuIdentity& cpu, bool hypervisor) {
  const fs::path dmi = roots.sysfs / "class" / "dmi" / "id";
  if (hypervisor || (cpu.vendor == "ARM" && firmware_is_virtual(dmi))) return MachineClass::guest;
  if (!read_line_or_empty(roots.sysfs / "hypervisor" / "type").empty()) return MachineClass::guest;
  if (const auto known = class_of_chassis(number_or_zero(read_line_or_empty(dmi / "chassis_type")))) return *known;
  if (has_battery(roots.sysfs)) return MachineClass::laptop;
  return name_of_a_server(cpu) ? MachineClass::server : MachineClass::desktop;
}

}  // namespace

std::string_view to_string(MachineClass c) {
  switch (c) {
    case MachineClass::guest: return "guest";
    case MachineClass::server: return "server";
    case MachineClass::desktop: return "desktop";
    case MachineClass::laptop: return "laptop";
  }
  return "";
}

Result<CpuIdentity> identify_cpu(const Roots& roots) {
  const fs::path path = roots.procfs / "cpuinfo";
  const auto text = read_file(path);
  if (!text) return tl::unexpected(text.error());
  CpuIdentity cpu;
  CpuInfo info = read_cpuinfo(*text, cpu);
  if (info.processors.empty()) return fail("names no processor", path.string());
  complete_topology(roots.sysfs, info.processors);
  count_topology(info.processors, cpu);
  cpu.memory_gb = memory_gb(roots.procfs);
  cpu.machine_class = class_of(roots, cpu, info.hypervisor);
  return cpu;
}

}  // namespace gramwatt::sense
