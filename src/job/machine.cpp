#include "job/machine.hpp"

#include "base/capability.hpp"
#include "sense/driver_gpu.hpp"
#include "sense/hwmon_power.hpp"
#include "sense/node_power.hpp"
#include "sense/nvml.hpp"
#include "sense/rapl.hpp"

namespace gramwatt::job {

Machine probe_machine(const Roots& roots, const Clock& clock, const MachineOptions& options) {
  Machine m;
  if (auto cpu = sense::identify_cpu(roots)) m.cpu = std::move(*cpu);
  m.model = sense::power_model(m.cpu);
  m.findings = sense::probe_rapl(roots, clock, m.cpu, options.rapl);
  m.findings.append(sense::probe_driver_gpus(roots, clock));
  m.findings.append(sense::probe_nvml(sense::NvmlOptions::from_environment(), clock));
  m.findings.append(sense::probe_node_power(roots, clock));
  m.findings.append(sense::probe_hwmon_power(roots, clock, sense::Covered::by(m.findings)));
  if (!sense::Covered::by(m.findings).node) m.findings.append(sense::probe_bmc(roots, clock, options.bmc));
  drop_capabilities();  // what had to be opened is open
  return m;
}

}  // namespace gramwatt::job
