// estimate: what hardware at a load would use, without a run.

#include <unistd.h>

#include "cli/command.hpp"
#include "cli/hardware.hpp"
#include "report/summary.hpp"

namespace gramwatt::cli {
namespace {

/// A century; beyond it somebody has mistyped, and microjoules would come near their 64 bits.
constexpr double kMostHours = 876'600;

job::Load load_of(const std::optional<double>& given) { return {given.value_or(job::Load{}.value), given.has_value()}; }

}  // namespace

int command_estimate(const Invocation& invocation, const Settings& settings) {
  const auto load = number_option<double>(invocation, "load", 0, 1);
  if (!load) return complain(load.error());
  const auto gpu_load = number_option<double>(invocation, "gpu-load", 0, 1);
  if (!gpu_load) return complain(gpu_load.error());
  const auto hours = number_option<double>(invocation, "hours", 1e-6, kMostHours);
  if (!hours) return complain(hours.error());
  auto hardware = hardware_of(invocation);
  if (!hardware) return complain(hardware.error());
  auto surroundings = surroundings_of(invocation, settings.config);
  if (!surroundings) return complain(surroundings.error());
  surroundings->elsewhere = !hardware->here;
  surroundings->cloud = hardware->cloud;
  for (const job::EstimatedGpus& g : hardware->gpus) {
    surroundings->gpus.insert(surroundings->gpus.end(), static_cast<std::size_t>(g.count), g.model.name);
  }
  if (gpu_load->has_value() && hardware->gpus.empty()) {
    return complain({"there is no GPU to load", "--gpu-load", "name it with --gpu NAME[:N]", Error::Kind::usage});
  }

  job::Context context = make_context(*surroundings, settings, hardware->machine);
  for (std::string& a : hardware->advice) context.advice.insert(context.advice.begin(), std::move(a));
  const job::EstimateRequest request{hardware->machine.model,
                                     load_of(*load),
                                     hardware->gpus,
                                     load_of(*gpu_load),
                                     hardware->machine.cpu.machine_class,
                                     Seconds(hours->value_or(1) * 3600)};
  ledger::RunRecord record = job::estimate(request, context, SystemClock());
  record.name = "estimate: " + hardware->machine.model.description;
  if (settings.json) {
    const auto written = write_output(*settings.json, report::estimate_json(record) + "\n");
    if (!written) return complain(written.error());
    if (*settings.json == "-") return 0;
  }
  if (settings.quiet) return 0;
  return print(report::summary(record, style_for(STDOUT_FILENO), width_of(STDOUT_FILENO), false));
}

}  // namespace gramwatt::cli
