#include "job/machine.hpp"

#include "base/capability.hpp"
#include "job/calibration.hpp"
#include "sense/amd_library.hpp"
#include "sense/driver_gpu.hpp"
#include "sense/hwmon_power.hpp"
#include "sense/level_zero.hpp"
#include "sense/node_power.hpp"
#include "sense/nvml.hpp"
#include "sense/rapl.hpp"

namespace gramwatt::job {
namespace {

/// The counter of an APU holds CPU and GPU together: beside a sensor of the CPU it would count the CPU twice.
void leave_apus_to_the_cpu(sense::Findings& found) {
  bool has_cpu = false;
  for (const auto& s : found.sensors) has_cpu = has_cpu || s->describe().component == Component::cpu;
  if (!has_cpu) return;
  std::erase_if(found.sensors, [&](const std::unique_ptr<sense::Sensor>& s) {
    const sense::Description& d = s->describe();
    if (d.holds_cpu)
      found.blocked.push_back({"GPU", d.device + ": its counter contains the CPU, which is counted already", {}});
    return d.holds_cpu;
  });
}

}  // namespace

Result<Machine> known_machine(const Roots& roots) {
  auto cpu = sense::identify_cpu(roots);
  if (!cpu) return tl::unexpected(cpu.error());
  Machine m;
  m.cpu = std::move(*cpu);
  m.model = sense::power_model(m.cpu);
  apply_stored_calibration(m);
  return m;
}

Machine probe_machine(const Roots& roots, const Clock& clock, const MachineOptions& options) {
  Machine m;
  if (auto cpu = sense::identify_cpu(roots)) m.cpu = std::move(*cpu);
  m.model = sense::power_model(m.cpu);
  m.findings = sense::probe_rapl(roots, clock, m.cpu, options.rapl);
  const auto variables = sense::GpuVariables::from_environment();
  m.findings.append(sense::probe_driver_gpus(roots, clock, variables));
  sense::add_amd_library(sense::AmdLibraryOptions::from_environment(), roots, clock, variables, m.findings);
  sense::add_level_zero(sense::LevelZeroOptions::from_environment(), roots, clock, variables, m.findings);
  m.findings.append(sense::probe_nvml(sense::NvmlOptions::from_environment(), clock));
  leave_apus_to_the_cpu(m.findings);
  m.findings.append(sense::probe_node_power(roots, clock));
  m.findings.append(sense::probe_hwmon_power(roots, clock, sense::Covered::by(m.findings)));
  if (!sense::Covered::by(m.findings).node) m.findings.append(sense::probe_bmc(roots, clock, options.bmc));
  for (const auto& s : m.findings.sensors) {
    if (s->describe().component == Component::gpu) m.gpus.push_back(s->describe().device);
  }
  drop_capabilities();  // what had to be opened is open
  apply_stored_calibration(m);
  return m;
}

}  // namespace gramwatt::job
