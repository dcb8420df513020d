#include "job/machine.hpp"

#include "base/capability.hpp"
#include "job/calibration.hpp"
#include "sense/driver_gpu.hpp"
#include "sense/node_power.hpp"
#include "sense/nvml.hpp"
#include "sense/rapl.hpp"

namespace gramwatt::job {

Result<Machine> known_machine(const Roots& roots) {
  auto cpu = sense::identify_cpu(roots);
  if (!cpu) return tl::unexpected(cpu.error());
  Machine m;
  m.cpu = std::move(*cpu);
  m.model = sense::power_model(m.cpu);
  apply_stored_calibration(m);
  return m;
}

Machine probe_machine(const Roots& roots, const Clock& clock) {
  Machine m;
  if (auto cpu = sense::identify_cpu(roots)) m.cpu = std::move(*cpu);
  m.model = sense::power_model(m.cpu);
  m.findings = sense::probe_rapl(roots, clock, m.cpu.memory_gb);
  m.findings.append(sense::probe_node_power(roots, clock));
  m.findings.append(sense::probe_driver_gpus(roots, clock));
  m.findings.append(sense::probe_nvml(sense::NvmlOptions::from_environment(), clock));
  drop_capabilities();  // what had to be opened is open
  apply_stored_calibration(m);
  return m;
}

}  // namespace gramwatt::job
