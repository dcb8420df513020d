// estimate: what hardware at a load would use, without a run.

#include <algorithm>
#include <cmath>

#include <unistd.h>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "job/estimate.hpp"
#include "report/summary.hpp"
#include "sense/microarchitecture.hpp"

namespace gramwatt::cli {
namespace {

/// A century; beyond it somebody has mistyped, and microjoules would come near their 64 bits.
constexpr double kMostHours = 876'600;

/// Of servers in the SPECpower results since 2017, the middle of the octave that most fall into (data/power_servers.csv).
constexpr double kUsualGbAThread = 2;

/// An option's number between bounds; nothing when it was not given.
template <class T>
Result<std::optional<T>> number(const Invocation& invocation, const char* option, T low, T high) {
  const auto text = invocation.get(option);
  if (!text) return std::optional<T>{};
  const auto value = parse_number<T>(*text);
  // Written so that "nan" is refused too.
  if (value && *value >= low && *value <= high) return value;
  return fail(fmt::format("\"{}\" is no number from {} to {}", *text, low, high), std::string("--") + option, {},
              Error::Kind::usage);
}

struct Hardware {
  job::Machine machine;
  bool here = true;  ///< this machine, so its own cloud and place are meant
  std::vector<std::string> advice;
};

/// The machine that the options describe: this one, or a server with the CPU that they name.
Result<Hardware> hardware_of(const Invocation& invocation) {
  const auto sockets = number<int>(invocation, "sockets", 1, 16);
  const auto threads = number<int>(invocation, "threads", 1, 8192);
  const auto memory = number<double>(invocation, "memory-gb", 0.1, 100'000);
  for (const auto* given : {&sockets, &threads}) {
    if (!*given) return tl::unexpected(given->error());
  }
  if (!memory) return tl::unexpected(memory.error());

  Hardware h;
  sense::CpuIdentity& cpu = h.machine.cpu;
  const auto name = invocation.get("cpu");
  if (!name) {
    if (*sockets || *threads || *memory) {
      return fail("--sockets, --threads and --memory-gb describe another machine than this one", "estimate",
                  "name its processor with --cpu", Error::Kind::usage);
    }
    auto own = sense::identify_cpu(Roots::from_environment());
    if (!own) return tl::unexpected(own.error());
    cpu = std::move(*own);
    h.machine.model = sense::power_model(cpu);
    return h;
  }

  h.here = false;
  cpu.name = *name;
  cpu.memory_gb = memory->value_or(0);
  cpu.packages = sockets->value_or(2);
  const auto known = sense::find_microarchitecture(cpu);
  if (known && known->is_client()) {
    if (!*threads) {
      return fail(fmt::format("how many threads does a {} have?", *name), "--cpu", "say so with --threads", Error::Kind::usage);
    }
    cpu.machine_class = sense::MachineClass::desktop;
    cpu.packages = 1;
    cpu.threads = **threads;
    cpu.cores = std::max(1, cpu.threads / 2);
    h.machine.model = sense::power_model(cpu);
    return h;
  }
  h.machine.model = sense::in_production(sense::server_model(cpu, sockets->value_or(0), threads->value_or(0)));
  cpu.threads = h.machine.model.host_threads;
  cpu.cores = std::max(1, cpu.threads / 2);
  if (!*memory) {  // only for what making it cost: SPECpower's servers contain theirs
    cpu.memory_gb = kUsualGbAThread * cpu.threads;
    h.advice.push_back(fmt::format("memory: {:.0f} GB are assumed; --memory-gb N says how much it is", cpu.memory_gb));
  }
  if (h.machine.model.rung == sense::PowerModel::Rung::all_servers) {
    h.advice.push_back(
        fmt::format("CPU: \"{}\" is unknown here, so all servers stand for it; write it as its maker does, "
                    "such as \"AMD EPYC 9654\" or \"Xeon Platinum 8480+\"",
                    *name));
  }
  return h;
}

}  // namespace

int command_estimate(const Invocation& invocation, const Settings& settings) {
  const auto load = number<double>(invocation, "load", 0, 1);
  if (!load) return complain(load.error());
  const auto hours = number<double>(invocation, "hours", 1e-6, kMostHours);
  if (!hours) return complain(hours.error());
  auto hardware = hardware_of(invocation);
  if (!hardware) return complain(hardware.error());
  auto surroundings = surroundings_of(invocation, settings.config);
  if (!surroundings) return complain(surroundings.error());
  surroundings->elsewhere = !hardware->here;

  job::Context context = make_context(*surroundings, settings, hardware->machine);
  for (std::string& a : hardware->advice) context.advice.insert(context.advice.begin(), std::move(a));
  const job::EstimateRequest request{hardware->machine.model, load->value_or(0.5), load->has_value(),
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
