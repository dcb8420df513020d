#pragma once
// Which processor this is, as far as the machine tells: a guest often says only "AMD EPYC" and its family and model numbers.

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/system.hpp"

namespace gramwatt::sense {

/// What kind of machine it is; decides who owns idle power, the PUE and the bill of parts.
enum class MachineClass { guest, server, desktop, laptop };
[[nodiscard]] std::string_view to_string(MachineClass c);

struct CpuIdentity {
  std::string name;    ///< brand string as the kernel prints it
  std::string vendor;  ///< "GenuineIntel", "AuthenticAMD", "ARM" …
  int family = 0;      ///< decimal, as in /proc/cpuinfo
  int model = 0;
  int stepping = 0;
  int threads = 1;  ///< online hardware threads of this machine (of the guest, in a guest)
  int cores = 1;    ///< distinct (package, core) pairs
  int packages = 1;
  double memory_gb = 0;  ///< MemTotal, 1e9 bytes
  MachineClass machine_class = MachineClass::server;
  std::vector<int> package_of_thread;  ///< for CPU number n: its physical package (socket) id, -1 when offline; may be empty
  std::vector<int> core_of_thread;     ///< for CPU number n: index of its physical core (SMT siblings share one); may be empty

  [[nodiscard]] bool is_guest() const { return machine_class == MachineClass::guest; }
};

/// Reads /proc/cpuinfo, /proc/meminfo, /sys/devices/system/cpu and /sys/class/dmi/id under `roots`.
/// Guest: the hypervisor flag. Laptop and desktop: DMI chassis type, else a battery, else the name of the CPU.
[[nodiscard]] Result<CpuIdentity> identify_cpu(const Roots& roots);

}  // namespace gramwatt::sense
