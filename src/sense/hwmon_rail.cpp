// Labels of power sensors on boards.
//
// Jetson (INA3221 on the module; newer kernels INA238 too). NVIDIA Jetson Linux Developer Guide, "Jetson Orin Nano Series …:
// Software-Based Power Consumption Modeling/Monitoring", and those of the older modules:
//   AGX Orin          VDD_GPU_SOC (GPU and SoC core), VDD_CPU_CV (CPU, DLA, PVA), VIN_SYS_5V0 (I/O and memory),
//                     VDDQ_VDD2_1V8AO (memory; it is inside VIN_SYS_5V0). No rail for the whole.
//   Orin NX/Nano, Xavier NX   VDD_IN (whole module), VDD_CPU_GPU_CV (CPU, GPU, DLA in one), VDD_SOC
//   AGX Thor          VIN (whole), VDD_GPU, VDD_CPU_SOC_MSS, VIN_SYS_5V0
//   AGX Xavier        GPU, CPU, SOC, CV, VDDRQ (memory), SYS5V
//   TX2, TX1          VDD_IN (whole module), VDD_SYS_GPU, VDD_SYS_CPU, VDD_SYS_SOC, VDD_SYS_DDR; the carrier board's rails feed
//                     the module or stand behind it, and are left out.
//   Nano              POM_5V_IN (whole module), POM_5V_GPU, POM_5V_CPU
// POWER (ibmpowernv; OpenPOWER OCC documentation): "System" (whole), "Chip 0" (package), of which "Chip 0 Vdd" (cores) and
// "Chip 0 Vdn" (nest) are parts, "Chip 0 Memory", "Chip 0 GPU". The BMC's own driver (occ; Documentation/hwmon/occ.rst) writes
// "system", "0_proc", "0_vdd", "0_vdn".
// Ampere (apm_xgene; drivers/hwmon/xgene-hwmon.c): "CPU power", "IO power", both of the one chip.
// SCMI (scmi_sensors; drivers/hwmon/scmi-hwmon.c): the firmware's own names. Only those that are nothing but the name of a part
// are taken.

#include "sense/hwmon_rail.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.hpp"

namespace gramwatt::sense {
namespace {

struct Known {
  std::string_view label;
  Component component;
  bool whole_board = false;
  const char* inside = "";
};

constexpr std::array kJetson{
    Known{"VDD_IN", Component::platform, true},
    Known{"POM_5V_IN", Component::platform, true},
    Known{"VIN", Component::platform, true},
    Known{"VDD_CPU_CV", Component::cpu},
    Known{"VDD_CPU_GPU_CV", Component::cpu},  // one rail for three: by CPU time, for want of better
    Known{"VDD_CPU_SOC_MSS", Component::cpu},
    Known{"VDD_SYS_CPU", Component::cpu},
    Known{"POM_5V_CPU", Component::cpu},
    Known{"VDD_CPU", Component::cpu},
    Known{"CPU", Component::cpu},
    Known{"VDD_GPU_SOC", Component::gpu},
    Known{"VDD_SYS_GPU", Component::gpu},
    Known{"POM_5V_GPU", Component::gpu},
    Known{"VDD_GPU", Component::gpu},
    Known{"GPU", Component::gpu},
    Known{"VDDQ_VDD2_1V8AO", Component::memory, false, "VIN_SYS_5V0"},
    Known{"VDD_SYS_DDR", Component::memory},
    Known{"VDDRQ", Component::memory},
    Known{"VIN_SYS_5V0", Component::other},
    Known{"SYS5V", Component::other},
    Known{"VDD_SOC", Component::other},
    Known{"VDD_SYS_SOC", Component::other},
    Known{"SOC", Component::other},
    Known{"CV", Component::other},
};

/// Power supplies on PMBus (drivers/hwmon/pmbus: ibm-cffps, bel-pfe, inspur-ipsps). Voltage regulators have a "pin" too, and
/// are no power supplies: hence a list.
constexpr std::array<std::string_view, 6> kPowerSupplies{"cffps", "cffps1", "cffps2", "pfe1100", "pfe3000", "ipsps1"};

std::optional<Rail> jetson(std::string_view label) {
  const auto* it = std::find_if(kJetson.begin(), kJetson.end(), [&](const Known& k) { return k.label == label; });
  if (it == kJetson.end()) return std::nullopt;
  return Rail{it->component, it->whole_board, std::string(it->inside)};
}

/// "Chip 8 Vdd".
std::optional<Rail> power_nv(std::string_view label) {
  if (label == "System") return Rail{Component::platform, true, {}};
  const auto words = split(label, ' ');
  if (words.size() < 2 || words[0] != "Chip" || !parse_number<unsigned>(words[1])) return std::nullopt;
  if (words.size() == 2) return Rail{Component::cpu, false, {}};
  if (words.size() != 3) return std::nullopt;
  const std::string chip = "Chip " + std::string(words[1]);
  if (words[2] == "Vdd" || words[2] == "Vdn") return Rail{Component::cpu, false, chip};
  if (words[2] == "Memory") return Rail{Component::memory, false, {}};
  if (words[2] == "GPU") return Rail{Component::gpu, false, {}};
  return std::nullopt;
}

/// "system", "0_proc".
std::optional<Rail> power_occ(std::string_view label) {
  if (label == "system" || label.ends_with("_system")) return Rail{Component::platform, true, {}};
  const auto cut = label.rfind('_');
  if (cut == std::string_view::npos || !parse_number<unsigned>(label.substr(0, cut))) return std::nullopt;
  const std::string_view part = label.substr(cut + 1);
  if (part == "proc") return Rail{Component::cpu, false, {}};
  if (part == "vdd" || part == "vdn") return Rail{Component::cpu, false, std::string(label.substr(0, cut)) + "_proc"};
  return std::nullopt;
}

/// "BIG_POWER0" → "big".
std::optional<Rail> scmi(std::string_view label) {
  std::string name = lower(label);
  for (const std::string_view filler : {"power", "energy", "rail"}) {
    if (const auto at = name.find(filler); at != std::string::npos) name.erase(at, filler.size());
  }
  std::erase_if(name, [](unsigned char c) { return std::isalpha(c) == 0; });
  if (name == "cpu" || name == "cpus") return Rail{Component::cpu, false, {}};
  // Where the firmware tells of CPUs and of clusters, the one may contain the other.
  if (name == "cluster" || name == "big" || name == "little") return Rail{Component::cpu, false, "*"};
  if (name == "gpu") return Rail{Component::gpu, false, {}};
  if (name == "ddr" || name == "dram" || name == "mem" || name == "memory") return Rail{Component::memory, false, {}};
  return std::nullopt;
}

}  // namespace

std::optional<Rail> rail_of_label(std::string_view driver, std::string_view label) {
  label = trim(label);
  if (driver.starts_with("ina")) return jetson(label);
  if (driver == "ibmpowernv") return power_nv(label);
  if (driver == "occ") return power_occ(label);
  if (driver == "scmi_sensors") return scmi(label);
  if (driver == "apm_xgene" && (label == "CPU power" || label == "IO power")) return Rail{Component::cpu, false, {}};
  if (label == "pin" && std::find(kPowerSupplies.begin(), kPowerSupplies.end(), driver) != kPowerSupplies.end())
    return Rail{Component::platform, true, {}};
  return std::nullopt;
}

std::optional<GraceMeter> parse_grace_label(std::string_view label) {
  constexpr std::string_view kMiddle = " power socket ";
  const std::string text = lower(trim(label));
  const auto at = text.find(kMiddle);
  if (at == std::string::npos) return std::nullopt;
  const auto socket = parse_number<int>(std::string_view(text).substr(at + kMiddle.size()));
  if (!socket || *socket < 0) return std::nullopt;
  const std::string_view kind = std::string_view(text).substr(0, at);
  using Kind = GraceMeter::Kind;
  if (kind == "module") return GraceMeter{Kind::module, *socket};
  if (kind == "grace") return GraceMeter{Kind::grace, *socket};
  if (kind == "cpu") return GraceMeter{Kind::cpu, *socket};
  if (kind == "sysio") return GraceMeter{Kind::sysio, *socket};
  return std::nullopt;
}

}  // namespace gramwatt::sense
